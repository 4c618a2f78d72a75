"""``where=``: which part of the picture a filter may change.

A layer (``person``), everything else (``not-person``), a union (``face+hair``), its opposite
(``not-face+hair``), or ``all``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from framefx.errors import PlanError
from framefx.mask import Mask
from framefx.models.vocabulary import are_apart

_TERM = re.compile(r"[A-Za-z_]\w*(/[A-Za-z_]\w*)?")


@dataclass(frozen=True)
class Where:
    """A parsed ``where``. No terms means the whole frame."""

    terms: tuple[str, ...] = ()
    inverted: bool = False

    @classmethod
    def parse(cls, text: str, owner: str) -> Where:
        """Parse `text`; `owner` is named in the error.

        Raises
        ------
        PlanError
            When it is no layer, ``not-LAYER`` or ``LAYER+LAYER``.
        """
        text = text.strip()
        if text == "all":
            return cls()
        inverted = text.startswith("not-")
        terms = tuple(part.strip() for part in text.removeprefix("not-").split("+"))
        wrong = [t for t in terms if not _TERM.fullmatch(t) or t in ("all", "frame", "where")]
        if wrong:
            raise PlanError(
                f"{owner}: where={text!r} has no layer in {wrong[0]!r}: "
                "write a layer, not-LAYER, LAYER+LAYER or all, for example where=not-person"
            )
        return cls(terms, inverted)

    def __str__(self) -> str:
        return ("not-" if self.inverted else "") + ("+".join(self.terms) or "all")

    def mask(self, values: Mapping[str, Any], makers: Mapping[str, object]) -> Mask:
        """Combine the layers in `values`.

        Classes of one model add up (their probabilities do, so no seam shows between face and hair); layers of
        different makers overlap, and so do a hand and `hands` of one model: there the larger one counts.
        """
        masks: list[Mask] = [values[term] for term in self.terms]
        result = masks[0]
        if len(masks) > 1:
            same_maker = len({id(makers.get(term)) for term in self.terms}) == 1
            apart = same_maker and are_apart(term.rpartition("/")[2] for term in self.terms)
            result = _combine(masks, _saturating_sum if apart else np.maximum)
        return ~result if self.inverted else result


def _combine(masks: list[Mask], operator: Callable[..., Any]) -> Mask:
    shape = max((m.values.shape for m in masks), key=lambda s: s[0] * s[1])
    total = _at(masks[0], shape)
    for mask in masks[1:]:
        total = operator(total, _at(mask, shape))
    return Mask(total, masks[0].size, masks[0].index)


def _at(mask: Mask, shape: tuple[int, ...]) -> Any:
    if mask.values.shape == shape:
        return mask.values
    from framefx.kernels import upsample_mask

    return upsample_mask(mask.values, np.empty(shape, np.uint8))


def _saturating_sum(a: Any, b: Any) -> Any:
    return np.maximum(a + b, (a + b < a) * np.uint8(255))
