"""From frames to an encoder's packets: which codec and pixel format, and the conversion between."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from framefx.errors import OptionError, did_you_mean
from framefx.frame import Frame, Size

if TYPE_CHECKING:
    from av import Packet
    from av.container import OutputContainer
    from av.filter import Graph
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MUXERS = {
    ".mp4": ("mp4", "libx264"),
    ".m4v": ("mp4", "libx264"),
    ".mov": ("mov", "libx264"),
    ".mkv": ("matroska", "libx264"),
    ".webm": ("webm", "libvpx-vp9"),
    ".gif": ("gif", "gif"),
}
"""FFmpeg's muxer and the usual codec for each ending."""

_VPX = frozenset({"libvpx", "libvpx-vp9"})
_RGB_CODECS = frozenset({"ffv1", "png", "apng", "qtrle", "utvideo", "huffyuv", "libx264rgb"})
_RGB_FORMATS = ("bgra", "rgba", "argb", "gbrap", "rgb24", "bgr24", "bgr0", "0rgb", "gbrp")
# Whole ticks for every usual rate, NTSC's included, and still below the 65535 that MPEG-4 can say.
_TICKS = 60000
_GIF_TICKS = 100


def check_codec(codec: str) -> None:
    """Raise `OptionError` when FFmpeg has no video encoder called `codec`."""
    import av

    try:
        av.codec.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        known = did_you_mean(codec, av.codecs_available)
        raise OptionError(
            f"codec: there is no encoder '{codec}'.{known} `python -m av --codecs` lists what is there"
        ) from None


def carries_alpha(codec: str) -> bool:
    """Whether this module encodes alpha with `codec`."""
    return codec in _VPX or codec in {"gif", "ffv1", "png", "apng", "qtrle"}


class Encoder:
    """Encodes frames into one stream of `container`, each at its own time.

    Parameters
    ----------
    container : OutputContainer
        Where the stream is added.
    codec : str
        FFmpeg's name of the encoder.
    quality : int
        Constant rate factor.
    preset : str
        Of x264 and x265.
    size, rate, alpha
        Of the frames to come.
    """

    def __init__(
        self, container: OutputContainer, codec: str, *, quality: int, preset: str, size: Size, rate: float, alpha: bool
    ) -> None:
        stream = container.add_stream(codec, Fraction(rate).limit_denominator(1001), _options(codec, quality, preset))
        self.stream: VideoStream = stream  # type: ignore[assignment]
        self._alpha = alpha and carries_alpha(codec)
        self._ticks = _GIF_TICKS if codec == "gif" else _TICKS
        self._duration = max(1, round(self._ticks / rate))
        self._last = -1
        context = self.stream.codec_context
        context.height, context.width = size
        context.time_base = self.stream.time_base = Fraction(1, self._ticks)
        context.pix_fmt = "pal8" if codec == "gif" else _pixel_format(codec, size, self._alpha)
        matrix = _tag(self.stream, size)
        self._scaler = Scaler(size, context.pix_fmt, matrix, alpha=self._alpha, ticks=self._ticks)

    def encode(self, frame: Frame) -> Iterator[Packet[Any]]:
        """Take one frame and yield the packets that are ready."""
        stamp = max(self._last + 1, round(frame.time * self._ticks))
        self._last = stamp
        picture = self._scaler.picture(frame, stamp)
        picture.duration = self._duration
        yield from self.stream.encode(picture)

    def flush(self) -> Iterator[Packet[Any]]:
        """Yield what is still inside."""
        yield from self.stream.encode(None)


def _options(codec: str, quality: int, preset: str) -> dict[str, str]:
    if codec in _VPX:
        return {"crf": str(quality), "b:v": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1"}
    if codec == "libx265":
        return {"crf": str(quality), "preset": preset, "x265-params": "log-level=error"}
    if codec in {"libx264", "libx264rgb"}:
        return {"crf": str(quality), "preset": preset}
    if codec == "gif":
        # FFmpeg leaves out what it takes for unchanged by palette index, and each picture has a palette of its own.
        return {"gifflags": "-offsetting-transdiff"}
    if codec == "libsvtav1":
        return {"crf": str(quality)}
    return {}


def _pixel_format(codec: str, size: Size, alpha: bool) -> str:
    import av

    formats = av.codec.Codec(codec, "w").video_formats or ()
    there = [format.name for format in formats]
    wanted: tuple[str, ...]
    if codec == "mjpeg":
        wanted = ("yuvj444p",) if size[0] % 2 or size[1] % 2 else ("yuvj420p",)
    elif codec in _RGB_CODECS:
        wanted = _RGB_FORMATS[0 if alpha else 4 :]
    elif alpha:
        wanted = ("yuva420p",)
    elif codec not in _VPX and (size[0] % 2 or size[1] % 2):
        wanted = ("yuv444p",)
    else:
        wanted = ("yuv420p", "yuv422p")
    return next((name for name in wanted if name in there), there[0] if there else "yuv420p")


def _tag(stream: VideoStream, size: Size) -> str:
    """Tag the stream with what its samples are and return the matrix: BT.709 from 720 lines on, else BT.601."""
    context = stream.codec_context
    if "yuv" not in (context.pix_fmt or ""):
        return "bt709"
    bt709, bt601, limited, full = 1, 6, 1, 2
    space = bt709 if size[0] >= 720 else bt601
    context.colorspace = context.color_primaries = context.color_trc = space
    context.color_range = full if "yuvj" in (context.pix_fmt or "") else limited
    return "bt709" if space == bt709 else "smpte170m"


class Scaler:
    """Turns frames into pictures of another pixel format, in memory that FFmpeg's filter graph keeps for reuse.

    Parameters
    ----------
    size : (int, int)
        Of the frames to come.
    pix_fmt : str
        FFmpeg's name.
    matrix : str
        FFmpeg's name of the colour matrix, where `pix_fmt` has one; limited range but for ``yuvj…``.
    alpha : bool
        Whether `pix_fmt` has it.
    ticks : int
        Units of time stamps in a second.
    """

    def __init__(self, size: Size, pix_fmt: str, matrix: str, *, alpha: bool = False, ticks: int = _TICKS) -> None:
        self._alpha = alpha
        self._ticks = ticks
        make = _palette_graph if pix_fmt == "pal8" else _scale_graph
        self._graph = make(_source(size, alpha, ticks), pix_fmt, matrix)

    def picture(self, frame: Frame, stamp: int = 0) -> VideoFrame:
        """Return the picture of `frame`, stamped with `stamp` ticks."""
        import av
        import cv2

        if self._alpha:
            joined = frame.array((*frame.size, 4))
            cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2RGBA, joined)
            if frame.alpha is not None:
                cv2.insertChannel(frame.alpha, joined, 3)
            source = av.VideoFrame.from_numpy_buffer(joined, "rgba")
        else:
            source = av.VideoFrame.from_numpy_buffer(frame.pixels, "rgb24")
        source.pts, source.time_base = stamp, Fraction(1, self._ticks)
        self._graph.vpush(source)
        return self._graph.vpull()


def _source(size: Size, alpha: bool, ticks: int) -> dict[str, str]:
    return {
        "video_size": f"{size[1]}x{size[0]}",
        "pix_fmt": "rgba" if alpha else "rgb24",
        "time_base": f"1/{ticks}",
        "pixel_aspect": "1/1",
    }


def _scale_graph(source: dict[str, str], pix_fmt: str, matrix: str) -> Graph:
    from av.filter import Graph

    graph = Graph()
    colour = f"out_color_matrix={matrix}:out_range={'pc' if 'yuvj' in pix_fmt else 'tv'}:" if "yuv" in pix_fmt else ""
    nodes = [
        graph.add("buffer", **source),
        graph.add("scale", f"{colour}flags=bilinear+full_chroma_inp"),
        graph.add("format", pix_fmt),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph


def _palette_graph(source: dict[str, str], pix_fmt: str, matrix: str) -> Graph:
    """A palette of its own for each picture: FFmpeg's fixed one shows bands in every face."""
    from av.filter import Graph

    graph = Graph()
    frames = graph.add("buffer", **source)
    split = graph.add("split")
    palette = graph.add("palettegen", f"stats_mode=single:reserve_transparent={int(source['pix_fmt'] == 'rgba')}")
    use = graph.add("paletteuse", "new=1:dither=sierra2_4a")
    sink = graph.add("buffersink")
    frames.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph
