"""Networks of no known family: one picture in, one with a channel for each class out.

What the tensors show is taken from them: layout, size, which output is a picture, probabilities or logits. What they
cannot show is assumed, RGB from 0 to 1, or told by a `Description`.
"""

from __future__ import annotations

from collections.abc import Sequence

from framefx.errors import ModelError, did_you_mean
from framefx.frame import Size
from framefx.models.classes import Channels, ClassModel
from framefx.models.description import Description
from framefx.models.inputs import DTYPES, Layout, Preparation
from framefx.models.planes import Planes, pictures_among
from framefx.protocols import Model, Session, Tensor

_DTYPES = {*DTYPES}
_MOST_CLASSES = 512


def make(session: Session, description: Description) -> Model:
    """Return a model of a network, by its tensors and what is told of it.

    Raises
    ------
    ModelError
        When it cannot be one; says what is wrong with it and, where a description can help, what to write.
    """
    source = session.inputs[0]
    layout = _layout(source, description)
    preparation = Preparation(
        description.mean, description.std, description.order, layout, quantise=description.quantises
    )
    output = _output(session.outputs, preparation.size(source), layout, description)
    return ClassModel(session, preparation, output, _channels(output, description), description.activation)


def _layout(source: Tensor, description: Description) -> Layout:
    shape = "×".join(map(str, source.shape))
    if len(source.shape) != 4 or source.shape[0] != 1:
        raise ModelError(
            f"its input '{source.name}' is {shape}, wanted one picture: 1×height×width×3 or 1×3×height×width"
        )
    if source.dtype not in _DTYPES:
        raise ModelError(f"its input '{source.name}' is {source.dtype}, wanted {', '.join(map(str, DTYPES))}")
    layouts: list[Layout] = [one for one, place in (("nhwc", 3), ("nchw", 1)) if source.shape[place] == 3]  # type: ignore[misc]
    if not layouts:
        channels = source.shape[3] if source.shape[1] > source.shape[3] else source.shape[1]
        raise ModelError(f"its input '{source.name}' is {shape}: {channels} channels, wanted 3")
    asked = description.layout
    if asked and asked not in layouts:
        raise ModelError(f"its input '{source.name}' is {shape}, and the description says layout = \"{asked}\"")
    return asked or layouts[0]


def _output(outputs: Sequence[Tensor], size: Size, layout: Layout, description: Description) -> Planes:
    names = [tensor.name for tensor in outputs]
    shapes = ", ".join(f"'{one.name}' {'×'.join(map(str, one.shape))}" for one in outputs)
    if description.output is not None:
        if description.output not in names:
            near = did_you_mean(description.output, names)
            raise ModelError(f"it has no output '{description.output}'.{near} Its outputs: {shapes}")
        outputs = [tensor for tensor in outputs if tensor.name == description.output]
    found = [one for one in pictures_among(outputs, size, layout, description.layout) if one.channels <= _MOST_CLASSES]
    if not found:
        height, width = size
        raise ModelError(f"none of its outputs ({shapes}) is a picture of its input's proportions, {width}×{height}")
    if len(found) > 1 and found[0].size == found[1].size:
        raise ModelError(
            f"several of its outputs are pictures ({shapes}): say which one it is in a .toml of the same name beside "
            f'it, with `output = "{found[0].tensor.name}"`'
        )
    return found[0]


def _channels(output: Planes, description: Description) -> Channels:
    """Return which layers the channels are, by the description or by their number."""
    large = output.tensor.dtype.kind != "f" and output.tensor.dtype.itemsize > 1
    labels = description.activation == "labels" or (large and description.activation is None)
    classes = description.classes
    if classes is None and labels:
        raise ModelError(
            f"its output '{output.tensor.name}' holds numbers of classes: name them in a .toml of the same name beside "
            'it, with `classes = ["background", "person"]`'
        )
    if classes is None:
        classes = [[name] for name in default_classes(output.channels)]
    if not labels and len(classes) != output.channels:
        count = f"has {output.channels} channels, and the description names {len(classes)}"
        raise ModelError(f"its output '{output.tensor.name}' {count}")
    result: dict[str, list[int]] = {}
    for channel, names in enumerate(classes):
        for name in names:
            result.setdefault(name, []).append(channel)
    return result


def default_classes(count: int) -> list[str]:
    """Return what the channels are called where nobody says."""
    if count == 1:
        return ["person"]
    return ["background", "person"] if count == 2 else [f"class_{number}" for number in range(count)]
