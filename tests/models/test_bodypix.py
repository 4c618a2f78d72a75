"""BodyPix and PoseNet decoded from tensors that the tests write; the published networks are in a file of their own."""

import numpy as np
import pytest
from scipy import ndimage

from framefx.errors import PlanError
from framefx.frame import Frame
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.models.bodypix import MOBILENET, RESNET, recognise
from framefx.models.loading import load
from framefx.models.vocabulary import KEYPOINTS, LAYERS, PARTS, UNIONS
from framefx.plan import Plan
from framefx.plugins import PluginManager
from framefx.points import Points
from framefx.protocols import Tensor
from framefx.registry import Register

NAMES = ("float_segments", "float_part_heatmaps", "float_heatmaps", "float_short_offsets", "float_long_offsets")
CHANNELS = dict(zip(NAMES, (1, 24, 17, 34, 34), strict=True))
EVERYTHING = ("person", *PARTS, *UNIONS, "keypoints", "keypoint_heatmaps")


class Network:
    """A session that answers every picture with the same arrays, or with what a function makes of its input."""

    def __init__(
        self, outputs, size=(65, 97), *, planar=False, kind=np.float32, scale=0.0, zero_point=0, quantise=None
    ):
        self._answer = outputs if callable(outputs) else lambda _: outputs
        shape = (1, 3, *size) if planar else (1, *size, 3)
        self.inputs = [Tensor("sub_2", shape, np.dtype(kind), scale, zero_point)]
        self.buffer = np.zeros(shape, kind)
        first = self._answer(self.buffer)
        facts = quantise or {}
        self.outputs = [Tensor(name, one.shape, one.dtype, *facts.get(name, ())) for name, one in first.items()]
        self.asked = []

    def run(self, array, wanted):
        self.asked.append(tuple(wanted))
        answer = self._answer(array)
        return {name: answer[name] for name in wanted}


def logits(seed=0, cells=(5, 7), names=NAMES, stride=16):
    """Noise of one cell's scale; offsets reach a cell far."""
    rng = np.random.default_rng(seed)
    scales = {"float_short_offsets": stride, "float_long_offsets": 5 * stride}
    return {name: rng.normal(0, scales.get(name, 3), (1, *cells, CHANNELS[name])).astype(np.float32) for name in names}


def frame(height=65, width=97, index=4):
    return Frame.borrow(np.zeros((height, width, 3), np.uint8), index=index)


def decode(network, wanted, shown=None):
    shown = shown or frame()
    model = recognise(network)
    model.prepare(shown, network.buffer)
    return model.decode(network.run(network.buffer, model.outputs_for(wanted)), wanted, shown)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def at_places(values, stride, side_places=8, size=(65, 97), origin=(0.0, 0.0)):
    """Return the logits at the middle of each place of a mask that covers the whole input."""
    axes = []
    for side, first in zip(size, origin, strict=True):
        count = round(side / side_places)
        axes.append(((np.arange(count) + 0.5) * side / count - 0.5 - first) / stride)
    return ndimage.map_coordinates(values, np.meshgrid(*axes, indexing="ij"), order=1, mode="nearest")


# -- what is this family's --


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("extra", [1, 0], ids=["plus-one", "whole"])
def test_strides_are_told_by_the_sizes(stride, extra):
    cells = (5 + extra, 7 + extra)
    model = recognise(Network(logits(cells=cells), (5 * stride + extra, 7 * stride + extra)))
    assert model.layers.keys() == {*EVERYTHING}


def test_a_network_may_add_a_pixel_itself():
    assert recognise(Network(logits(cells=(5, 7)), (64, 96)))


@pytest.mark.parametrize(
    ("names", "layers"),
    [
        (NAMES[:1], {"person"}),
        (NAMES[:2], {"person", *PARTS, *UNIONS}),
        (NAMES[2:], {"keypoints", "keypoint_heatmaps"}),
        (("float_segments", "float_heatmaps"), {"person", "keypoint_heatmaps"}),
    ],
)
def test_layers_are_those_that_the_outputs_have(names, layers):
    assert recognise(Network(logits(names=names))).layers.keys() == layers


def renamed(values, names):
    return {new: values[old] for new, old in names.items()}


def test_outputs_without_telling_names_are_known_by_their_channels():
    given = renamed(logits(), {"a": "float_segments", "b": "float_part_heatmaps", "c": "float_heatmaps"})
    assert {*recognise(Network(given)).layers} == {*EVERYTHING} - {"keypoints"}
    one = renamed(logits(), {"a": "float_heatmaps", "b": "float_short_offsets"})
    assert "keypoints" in recognise(Network(one)).layers


def test_two_sets_of_offsets_need_names():
    given = renamed(
        logits(), {"c": "float_heatmaps", "d": "float_short_offsets", "e": "float_long_offsets", "f": NAMES[0]}
    )
    assert "keypoints" not in recognise(Network(given)).layers


@pytest.mark.parametrize(
    ("outputs", "size"),
    [
        ({"result": np.zeros((1, 8, 12, 1), np.float32)}, (64, 96)),
        ({"result": np.zeros((1, 5, 7, 21), np.float32)}, (65, 97)),
        ({"result": np.zeros((1, 33, 49, 1), np.float32)}, (65, 97)),
        (
            {
                "float_segments": np.zeros((1, 5, 7, 1), np.float32),
                "float_heatmaps": np.zeros((1, 9, 13, 17), np.float32),
            },
            (65, 97),
        ),
        ({"float_heatmaps": np.zeros((1, 5, 7, 17), np.float32)}, (65, 97)),
        ({"float_segments": np.zeros((1, 5, 7, 1), np.int64)}, (65, 97)),
        ({"float_segments": np.zeros((5, 7), np.float32)}, (65, 97)),
    ],
    ids=["any-network", "classes", "stride-2", "two-grids", "half-a-posenet", "integers", "flat"],
)
def test_other_networks_are_left_to_others(outputs, size):
    assert recognise(Network(outputs, size)) is None


# -- masks --


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_a_person_is_the_sigmoid_of_logits_between_cells(stride):
    size = (4 * stride + 1, 6 * stride + 1)
    given = logits(names=NAMES[:1], stride=stride)
    mask = decode(Network(given, size), ["person"], frame(*size))["person"]
    wanted = 255 * sigmoid(at_places(given["float_segments"][0, ..., 0], stride, size=size))
    np.testing.assert_allclose(mask.values, wanted, atol=1.5)
    assert (mask.size, mask.index) == (size, 4)


def test_cells_of_an_input_that_is_a_whole_multiple_lie_in_their_middle():
    given = logits(cells=(4, 6), names=NAMES[:1])
    mask = decode(Network(given, (64, 96)), ["person"], frame(64, 96))["person"]
    wanted = at_places(given["float_segments"][0, ..., 0], 16, size=(64, 96), origin=(7.5, 7.5))
    np.testing.assert_allclose(mask.values, 255 * sigmoid(wanted), atol=1.5)


def quantised(values, kind):
    """Return the arrays as bytes with a scale and zero point each, and these."""
    arrays, facts = {}, {}
    middle = 128 if kind == np.uint8 else 0
    for number, (name, one) in enumerate(values.items()):
        scale, zero = float(np.abs(one).max() / 110), middle + 5 + number
        limits = np.iinfo(kind)
        arrays[name] = np.clip(np.round(one / scale) + zero, limits.min, limits.max).astype(kind)
        facts[name] = (scale, zero)
    return arrays, facts


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_quantised_outputs_mean_what_real_ones_do(kind):
    given = logits()
    real = decode(Network(given), EVERYTHING)
    arrays, facts = quantised(given, kind)
    found = decode(Network(arrays, quantise=facts), EVERYTHING)
    np.testing.assert_allclose(found["person"].values, real["person"].values, atol=3)
    np.testing.assert_allclose(found["keypoint_heatmaps"].values, real["keypoint_heatmaps"].values, atol=4)
    np.testing.assert_allclose(found["keypoints"].xy, real["keypoints"].xy, atol=0.5)
    np.testing.assert_allclose(found["keypoints"].scores, real["keypoints"].scores, atol=0.02)
    apart = [np.abs(found[part].values.astype(int) - real[part].values).mean() for part in PARTS]
    assert np.mean(apart) < 1


def test_probabilities_are_taken_as_such():
    given = logits(names=NAMES[:4])
    shares = {name: one if "offset" in name else sigmoid(one) for name, one in given.items()}
    real, found = decode(Network(given), EVERYTHING), decode(Network(shares), EVERYTHING)
    for name in ("person", "torso", "keypoint_heatmaps"):
        np.testing.assert_allclose(found[name].values, real[name].values, atol=2)
    np.testing.assert_allclose(found["keypoints"].xy, real["keypoints"].xy)


def test_channels_may_come_first():
    given = logits()
    first = {name: np.ascontiguousarray(np.moveaxis(one, 3, 1)) for name, one in given.items()}
    last, found = decode(Network(given), EVERYTHING), decode(Network(first, planar=True), EVERYTHING)
    for name in EVERYTHING:
        a, b = (one.xy if isinstance(one, Points) else one.values for one in (last[name], found[name]))
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seed", range(3))
def test_parts_add_up_to_the_person_and_to_their_unions(seed):
    values = decode(Network(logits(seed)), EVERYTHING)
    total = sum(values[part].values.astype(int) for part in PARTS)
    np.testing.assert_array_equal(total, values["person"].values)
    for union, parts in UNIONS.items():
        np.testing.assert_array_equal(values[union].values, sum(values[part].values.astype(int) for part in parts))


def test_a_layer_is_the_same_whatever_else_is_asked_for():
    network = Network(logits())
    together = decode(network, EVERYTHING)
    for name in ("person", "left_hand", "face", "arms", "torso_back"):
        np.testing.assert_array_equal(decode(network, [name])[name].values, together[name].values)


def test_a_place_goes_to_the_part_that_is_sure_of_it():
    given = logits(names=NAMES[:2])
    given["float_segments"][:] = 20
    given["float_part_heatmaps"][:] = -9
    given["float_part_heatmaps"][:, :, :3, 10] = 9
    given["float_part_heatmaps"][:, :, 3:, 12] = 9
    values = decode(Network(given), ["left_hand", "torso", "right_hand"])
    assert (values["left_hand"].values[:, :4] == 255).all()
    assert (values["torso"].values[:, -6:] == 255).all()
    assert not values["right_hand"].values.any()


def test_a_letterboxed_frame_gets_its_part_of_the_mask():
    given = logits(cells=(9, 5), names=NAMES[:1])
    given["float_segments"][:] = -9
    given["float_segments"][:, 4, :2] = 9
    mask = decode(Network(given, (129, 65)), ["person"], frame(36, 64))["person"]
    assert mask.values.shape == (5, 8)  # the middle 37 of 129 rows
    assert mask.size == (36, 64)
    assert mask.values[2, 0] > 250
    assert mask.values[:, 4:].max() < 5
    assert mask.values[0, 0] < 60


def test_what_is_not_a_number_is_nowhere():
    given = logits()
    network = Network(given)
    model = recognise(network)
    model.prepare(frame(), network.buffer)
    bad = {name: np.full_like(one, np.nan) for name, one in given.items() if "offset" not in name}
    values = model.decode(bad | {NAMES[3]: given[NAMES[3]]}, EVERYTHING, frame())
    assert not any(values[name].values.any() for name in ("person", "face", "left_foot", "keypoint_heatmaps"))
    assert values["keypoints"].scores.max() < 1e-3


# -- keypoints --


@pytest.mark.parametrize("shown", [(65, 97), (130, 194), (480, 640), (200, 90)])
def test_a_keypoint_is_its_peak_moved_by_the_offset_found_there(shown):
    given = logits(names=("float_heatmaps", "float_short_offsets"))
    given["float_heatmaps"][:] = -5
    given["float_heatmaps"][0, 2, 3, :] = 2
    given["float_short_offsets"][0, 2, 3, :17] = np.linspace(-8, 8, 17)
    given["float_short_offsets"][0, 2, 3, 17:] = np.linspace(5, -5, 17)
    points = decode(Network(given), ["keypoints"], frame(*shown))["keypoints"]
    scale = min(65 / shown[0], 97 / shown[1])
    middle = np.array([96 / 2, 64 / 2])
    inside = np.stack([3 * 16 + np.linspace(5, -5, 17), 2 * 16 + np.linspace(-8, 8, 17)], axis=1)
    wanted = (inside - middle) / scale + np.array([(shown[1] - 1) / 2, (shown[0] - 1) / 2])
    np.testing.assert_allclose(points.xy, wanted, atol=1.2 / scale)
    np.testing.assert_allclose(points.scores, sigmoid(2), atol=0.01)
    assert points.names == KEYPOINTS


def test_peaks_outside_of_the_letterboxed_picture_do_not_count():
    given = logits(cells=(9, 5), names=("float_heatmaps", "float_short_offsets"))
    given["float_heatmaps"][:] = -5
    given["float_heatmaps"][:, 0] = 9
    given["float_heatmaps"][:, 4, 2] = 1
    given["float_short_offsets"][:] = 0
    points = decode(Network(given, (129, 65)), ["keypoints"], frame(36, 64))["keypoints"]
    assert np.abs(points.xy - (31.5, 17.5)).max() < 1
    assert points.score("nose") == pytest.approx(sigmoid(1), abs=0.01)


def test_heatmaps_are_interpolated_as_masks_are():
    given = logits()
    maps = decode(Network(given), ["keypoint_heatmaps"])["keypoint_heatmaps"]
    wanted = 255 * sigmoid(at_places(given["float_heatmaps"][0, ..., 1], 16))
    np.testing.assert_allclose(maps["left_eye"].values, wanted, atol=1.5)
    assert (maps.size, maps.index) == ((65, 97), 4)


# -- only what is asked for --


@pytest.mark.parametrize(
    ("wanted", "outputs"),
    [
        (["person"], {"float_segments"}),
        (["left_foot"], {"float_segments", "float_part_heatmaps"}),
        (["face", "person"], {"float_segments", "float_part_heatmaps"}),
        (["keypoints"], {"float_heatmaps", "float_short_offsets"}),
        (["keypoint_heatmaps"], {"float_heatmaps"}),
        (["hair"], set()),
        ([], set()),
    ],
)
def test_only_the_outputs_of_what_is_wanted_are_asked_for(wanted, outputs):
    network = Network(logits())
    model = recognise(network)
    assert {*model.outputs_for(wanted)} == outputs
    model.prepare(frame(), network.buffer)
    values = model.decode(network.run(network.buffer, model.outputs_for(wanted)), wanted, frame())
    assert [*values] == [name for name in wanted if name in model.layers]


def test_values_own_their_memory():
    given = logits()
    network = Network(given)
    model = recognise(network)
    model.prepare(frame(), network.buffer)
    values = model.decode(given, EVERYTHING, frame())
    kept = {name: np.copy(one.xy if isinstance(one, Points) else one.values) for name, one in values.items()}
    model.decode(logits(seed=1), EVERYTHING, frame())
    for name, one in values.items():
        np.testing.assert_array_equal(one.xy if isinstance(one, Points) else one.values, kept[name])


def test_decoding_needs_no_preparation_of_its_own():
    model = recognise(Network(logits()))
    assert model.decode(logits(), ["person"], frame(200, 90))["person"].size == (200, 90)


# -- what goes in --


def activations(bound):
    """A network of one layer whose activations end at `bound`, as MobileNet's do at 6."""

    def answer(picture):
        cells = np.clip(3 * picture[:, ::16, ::16].sum(axis=3, keepdims=True), -bound, bound)
        return {"result": cells, "other": np.repeat(cells, 24, axis=3)}

    return answer


def test_what_a_real_input_wants_is_told_by_trying():
    assert recognise(Network(activations(6))).preparation == MOBILENET
    assert recognise(Network(activations(np.inf))).preparation == RESNET


@pytest.mark.parametrize(("word", "wanted"), [("MobilenetV1", MOBILENET), ("resnet_v1_50", RESNET)])
def test_what_a_real_input_wants_may_be_in_the_names(word, wanted):
    given = {f"{word}/{name}": one for name, one in logits().items()}
    assert recognise(Network(given)).preparation == wanted


@pytest.mark.parametrize(
    ("kind", "scale", "zero_point", "wanted"),
    [(np.uint8, 1 / 128, 128, MOBILENET), (np.int8, 1 / 128, 0, MOBILENET), (np.uint8, 1.1, 112, RESNET)],
)
def test_a_quantised_input_says_its_range(kind, scale, zero_point, wanted):
    network = Network(logits(), kind=kind, scale=scale, zero_point=zero_point)
    model = recognise(network)
    assert model.preparation == wanted
    white = Frame.borrow(np.full((65, 97, 3), 255, np.uint8))
    model.prepare(white, network.buffer)
    real = (network.buffer.astype(float) - zero_point) * scale
    top = {MOBILENET: [1, 1, 1], RESNET: [131.85, 139.1, 151.94]}[wanted]
    np.testing.assert_allclose(real[0, 30, 40], top, atol=2 * scale)


def test_a_real_input_is_written_as_the_backbone_wants_it():
    for word, top, bottom in (
        ("mobilenet", [1] * 3, [-1] * 3),
        ("resnet", [131.85, 139.1, 151.94], [-123.15, -115.9, -103.06]),
    ):
        network = Network({f"{word}/{name}": one for name, one in logits().items()})
        model = recognise(network)
        for level, wanted in ((255, top), (0, bottom)):
            model.prepare(Frame.borrow(np.full((65, 97, 3), level, np.uint8)), network.buffer)
            np.testing.assert_allclose(network.buffer[0, 0, 0], wanted, atol=1e-4)


# -- in a plan --


def plan(chain, network, *filters):
    registry = PluginManager(discover=False).registry
    register = Register(registry, "test")
    for target in filters:
        register.filter(target)
    return Plan(chain, registry, load_models=lambda: [LoadedModel("net", recognise(network))])


def test_a_chain_runs_the_outputs_that_it_needs_and_no_other():
    network = Network(logits())
    pixelate = plan("pixelate=where=left_hand", network)
    network.asked.clear()
    pixelate.run(frame())
    assert network.asked == [("float_segments", "float_part_heatmaps")]


def test_a_layer_of_the_wrong_kind_is_an_error_of_the_plan():
    def watches(frame: Frame, keypoints: Mask) -> Frame:
        return frame

    with pytest.raises(PlanError, match="needs the layer 'keypoints' as Mask, and it is Points"):
        plan("watches", Network(logits()), watches)
    with pytest.raises(PlanError, match="needs the layer 'keypoint_heatmaps' as Mask, and it is Heatmaps"):
        plan("blur=where=keypoint_heatmaps", Network(logits()))


def test_a_flip_moves_masks_points_and_heatmaps():
    seen = {}

    def looks(frame: Frame, keypoints: Points, left_hand: Mask, keypoint_heatmaps) -> Frame:
        seen.update(points=keypoints, hand=left_hand, maps=keypoint_heatmaps)
        return frame

    network = Network(logits())
    plan("looks", network, looks).run(frame())
    straight = dict(seen)
    plan("flip,looks", network, looks).run(frame())
    np.testing.assert_allclose(seen["points"].xy, [96, 0] + [-1, 1] * straight["points"].xy, atol=1e-3)
    assert seen["points"].names == KEYPOINTS
    np.testing.assert_array_equal(seen["hand"].values, straight["hand"].values[:, ::-1])
    np.testing.assert_array_equal(seen["maps"].values, straight["maps"].values[:, :, ::-1])


def test_its_layers_are_in_the_vocabulary():
    model = recognise(Network(logits()))
    assert all(LAYERS[name].kind == kind.kind for name, kind in model.layers.items())


def test_a_network_of_another_runtime_has_its_channels_first(registry, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, weights, ends = [], [], []
    for name in NAMES[:4]:
        kernel = rng.normal(0, 0.02, (CHANNELS[name], 3, 1, 1)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"{name}/kernel"))
        nodes.append(helper.make_node("Conv", ["picture", f"{name}/kernel"], [name], strides=[16, 16]))
        ends.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, CHANNELS[name], 5, 7]))
    source = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 65, 97])
    graph = helper.make_graph(nodes, "body", [source], ends, weights)
    path = tmp_path / "body.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    model = load(path, registry)
    assert model.layers.keys() == {*EVERYTHING}
    shown = Frame.borrow(rng.integers(0, 256, (65, 97, 3), np.uint8))
    model.prepare(shown, model.session.buffer)
    mask = model.decode(model.session.run(model.session.buffer, ["float_segments"]), ["person"], shown)["person"]
    taken = shown.pixels[::16, ::16] - np.array([123.15, 115.9, 103.06])
    cells = taken @ numpy_helper.to_array(weights[0])[0, :, 0, 0]
    np.testing.assert_allclose(mask.values, 255 * sigmoid(at_places(cells, 16)), atol=1.5)
