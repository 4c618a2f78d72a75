"""The showing end of a pipeline: sends finished frames, and fills silence with what may be shown instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from framefx.card import make_card, opaque
from framefx.channel import Channel, ChannelClosed
from framefx.frame import Frame, Size
from framefx.protocols import Sink

_SILENCE = 1.5
"""Periods without a frame after which the last one is repeated."""

_DOZE = 0.2
"""Seconds between looks while nobody looks."""


@dataclass(frozen=True)
class Card:
    """Stands for a frame that could not be finished."""

    text: str
    index: int
    time: float


class Situation(Protocol):
    """What the presenter asks the pipeline."""

    def ended(self) -> bool:
        """Whether nothing more is to be shown."""

    def abandoned(self) -> bool:
        """Whether the run was stopped and no further frame will come."""

    def asleep(self) -> bool:
        """Whether the source is closed because nobody looks."""

    def trouble(self) -> str:
        """Why no frames come, or ""."""

    def look(self) -> None:
        """Ask the sink whether anybody looks."""

    def tell(self, name: str, **facts: object) -> None:
        """Tell the observers."""


class Presenter:
    """Shows what comes out of a channel on a sink; all of it on one thread, the writer's.

    Parameters
    ----------
    sink : Sink
        Opened at once when it is a device, else with the first frame.
    items : Channel
        Finished frames, and cards for those that could not be finished.
    situation : Situation
        The pipeline.

    Attributes
    ----------
    sent, cards, repeated : int
        Frames and cards that came through the channel and were sent; of those, cards; repetitions besides.
    is_open : bool
        Whether the sink was opened.
    """

    def __init__(self, sink: Sink, items: Channel[Frame | Card], situation: Situation) -> None:
        self._sink, self._items, self._situation = sink, items, situation
        self._last: Frame | None = None
        self._shows_card = False
        self.sent = self.cards = self.repeated = 0
        self.is_open = False
        self._takes_alpha = False

    def show_all(self, size: Size, rate: float) -> None:
        """Show everything until the channel closes or the pipeline says that it ended."""
        if self._sink.live:
            self._open(size, rate, has_alpha=False)
            self._send_card(make_card(size, "starting"))
        while not self._situation.ended() and not self._is_full():
            self._situation.look()
            try:
                item = self._items.get(self._patience(rate))
            except ChannelClosed:
                return
            except TimeoutError:
                if self._situation.abandoned():
                    return
                self._fill_silence(size)
                continue
            self._show(item, size, rate)

    def _is_full(self) -> bool:
        """Whether a file has all it takes: a single picture wants one frame."""
        return self.is_open and not self._sink.live and not self._sink.wanted()

    def _show(self, item: Frame | Card, size: Size, rate: float) -> None:
        if isinstance(item, Frame):
            self._last = item
        else:
            self.cards += 1
            self._situation.tell("card", text=item.text)
            item = make_card(size, item.text, self._last, index=item.index, time=item.time)
        if not self.is_open:
            self._open(size, rate, has_alpha=item.alpha is not None)
        self._send(item)
        self._shows_card = False
        self.sent += 1
        self._situation.tell("sent", index=item.index)

    def _open(self, size: Size, rate: float, *, has_alpha: bool) -> None:
        self._takes_alpha = has_alpha and getattr(self._sink, "takes_alpha", True)
        self._sink.open(size, rate, has_alpha)
        self.is_open = True

    def _patience(self, rate: float) -> float:
        """Seconds to wait for a frame before something must be done."""
        if not self._sink.live:
            return 0.5
        return _DOZE if self._situation.asleep() else _SILENCE / rate

    def _fill_silence(self, size: Size) -> None:
        """Nothing came for a while: repeat the last frame, or show the card that says why."""
        if not self._sink.live:
            return
        trouble = self._situation.trouble()
        if self._situation.asleep():
            # Readers of the device get this one first when they come, until the camera gives its first frame.
            if not self._shows_card:
                self._send_card(make_card(size, "starting", self._last))
        elif trouble:
            self._send_card(make_card(size, trouble, self._last))
        elif self._last is not None:
            self._send(self._last)
            self.repeated += 1
            self._situation.tell("repeated")

    def _send_card(self, card: Frame) -> None:
        self._send(card)
        self._shows_card = True

    def _send(self, frame: Frame) -> None:
        self._sink.send(frame if self._takes_alpha else opaque(frame))
