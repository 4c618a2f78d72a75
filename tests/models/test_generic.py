"""Networks that no family knows, by their tensors alone."""

import numpy as np
import pytest

from framefx.errors import ModelError
from framefx.frame import Frame
from framefx.models import probes
from framefx.models.loading import load

GREEN = np.array([0, 8, 0], np.float32)


@pytest.fixture
def frame():
    """12×8 blocks of 8×8 pixels, each of one random colour."""
    blocks = np.random.default_rng(5).integers(0, 256, (8, 12, 3), np.uint8)
    return Frame.borrow(blocks.repeat(8, 0).repeat(8, 1), index=7)


def decode(model, frame, wanted):
    model.prepare(frame, model.session.buffer)
    outputs = model.session.run(model.session.buffer, model.outputs_for(wanted))
    return {name: mask.values for name, mask in model.decode(outputs, wanted, frame).items()}


def colors(frame):
    return frame.pixels[4::8, 4::8] / 255


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return 255 * powers / powers.sum(axis=-1, keepdims=True)


def planar(onnx_networks, path, kernels, *after, outputs=None, size=(8, 12)):
    """Save an NCHW network that weighs the channels of each pixel; `after` are operators behind the sum."""
    import onnx

    kernels = np.asarray(kernels, np.float32)
    nodes, last = [onnx.helper.make_node("Conv", ["picture", "kernel"], ["sum"])], "sum"
    for number, (kind, options) in enumerate(after):
        nodes.append(onnx.helper.make_node(kind, [last], [f"{kind}{number}"], **options))
        last = f"{kind}{number}"
    shapes = outputs or {last: (1, len(kernels), *size)}
    weights = {"kernel": kernels.reshape(*kernels.shape, 1, 1)}
    return onnx_networks.save(path, nodes, {"picture": (1, 3, *size)}, shapes, weights)


# -- NHWC -----------------------------------------------------------------------------------------------------


def test_many_classes_are_numbered(registry, networks, tmp_path, frame):
    weights = np.random.default_rng(0).normal(0, 6, (5, 3))
    model = load(networks.pixelwise(tmp_path / "n.tflite", weights=weights, bias=np.zeros(5)), registry)
    assert list(model.layers) == [f"class_{number}" for number in range(5)]
    masks = decode(model, frame, ["class_1", "class_4"])
    wanted = softmax(colors(frame) @ weights.T)
    np.testing.assert_allclose(masks["class_1"], wanted[..., 1], atol=1)
    np.testing.assert_allclose(masks["class_4"], wanted[..., 4], atol=1)


def test_sizes_that_are_no_whole_fraction(registry, networks, tmp_path):
    """An output of 5×6 cells for 9×11 pixels; selfie networks divide evenly."""
    path = networks.pixelwise(tmp_path / "n.tflite", size=(9, 11), stride=2, weights=[GREEN], bias=[-4])
    model = load(path, registry)
    assert list(model.layers) == ["person"]
    values = decode(model, Frame.borrow(np.full((90, 110, 3), 255, np.uint8)), ["person"])["person"]
    assert values.shape == (5, 6)
    assert values == pytest.approx(255 / (1 + np.exp(-4)), abs=1)


@pytest.mark.parametrize("kind", ["UINT8", "INT8"])
@pytest.mark.parametrize("out_kind", ["UINT8", "INT8", "FLOAT32"])
def test_quantised_classes(registry, networks, tmp_path, frame, kind, out_kind):
    kinds = {"kind": getattr(networks, kind), "out_kind": getattr(networks, out_kind)}
    path = networks.pixelwise(tmp_path / "n.tflite", weights=np.eye(3), bias=np.zeros(3), **kinds)
    masks = decode(load(path, registry), frame, ["class_0", "class_2"])
    np.testing.assert_allclose(masks["class_0"], frame.pixels[4::8, 4::8, 0], atol=2)
    np.testing.assert_allclose(masks["class_2"], frame.pixels[4::8, 4::8, 2], atol=2)


# -- NCHW -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigmoid", [True, False], ids=["probability", "logit"])
def test_one_channel_first(registry, onnx_networks, tmp_path, frame, sigmoid):
    after = [("Sigmoid", {})] if sigmoid else []
    model = load(planar(onnx_networks, tmp_path / "n.onnx", [GREEN], *after), registry)
    assert (list(model.layers), model.preparation.layout) == (["person"], "nchw")
    wanted = 255 / (1 + np.exp(-8 * colors(frame)[..., 1]))
    np.testing.assert_allclose(decode(model, frame, ["person"])["person"], wanted, atol=1)


@pytest.mark.parametrize("finished", [True, False], ids=["probabilities", "logits"])
def test_two_classes_first_have_the_person_last(registry, onnx_networks, tmp_path, frame, finished):
    after = [("Softmax", {"axis": 1})] if finished else []
    model = load(planar(onnx_networks, tmp_path / "n.onnx", [-GREEN / 2, GREEN / 2], *after), registry)
    assert list(model.layers) == ["background", "person"]
    wanted = softmax(colors(frame) @ np.stack([-GREEN / 2, GREEN / 2]).T)
    masks = decode(model, frame, ["person", "background"])
    np.testing.assert_allclose(masks["person"], wanted[..., 1], atol=1)
    np.testing.assert_allclose(masks["background"], wanted[..., 0], atol=1)


def test_a_square_network_of_channels_first(registry, onnx_networks, tmp_path):
    path = planar(onnx_networks, tmp_path / "n.onnx", np.eye(4, 3) * 9, size=(16, 16))
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:4, 8:, 1] = 255
    values = decode(load(path, registry), Frame.borrow(pixels), ["class_1"])["class_1"]
    assert values[:4, 8:].min() > 250
    assert values[4:].max() < 100


def test_an_output_without_channels(registry, onnx_networks, tmp_path, frame):
    import onnx

    squeeze = onnx.helper.make_node("Squeeze", ["sum", "axes"], ["mask"])
    conv = onnx.helper.make_node("Conv", ["picture", "kernel"], ["sum"])
    path = onnx_networks.save(
        tmp_path / "n.onnx",
        [conv, squeeze],
        {"picture": (1, 3, 8, 12)},
        {"mask": (1, 8, 12)},
        {"kernel": GREEN.reshape(1, 3, 1, 1)},
    )
    model = onnx.load(path)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1], np.int64), "axes"))
    onnx.save(model, path)
    wanted = 255 / (1 + np.exp(-8 * colors(frame)[..., 1]))
    np.testing.assert_allclose(decode(load(path, registry), frame, ["person"])["person"], wanted, atol=1)


# -- which output ---------------------------------------------------------------------------------------------


def test_the_largest_picture_among_the_outputs_is_read(registry, onnx_networks, tmp_path, frame):
    import onnx

    nodes = [
        onnx.helper.make_node("Conv", ["picture", "kernel"], ["full"]),
        onnx.helper.make_node("MaxPool", ["full"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        onnx.helper.make_node("GlobalAveragePool", ["full"], ["score"]),
    ]
    shapes = {"score": (1, 1, 1, 1), "half": (1, 1, 4, 6), "full": (1, 1, 8, 12)}
    weights = {"kernel": GREEN.reshape(1, 3, 1, 1)}
    path = onnx_networks.save(tmp_path / "n.onnx", nodes, {"picture": (1, 3, 8, 12)}, shapes, weights)
    model = load(path, registry)
    assert model.outputs_for(["person"]) == ("full",)
    assert model.outputs_for(["face"]) == ()


def test_of_two_pictures_somebody_must_choose(registry, onnx_networks, tmp_path):
    path = onnx_networks.heads(tmp_path / "n.onnx")
    with pytest.raises(ModelError, match=r"several of its outputs are pictures .*with `output = \"\w\"`") as caught:
        load(path, registry)
    assert "\n" not in str(caught.value)


def test_an_output_that_is_no_picture(registry, onnx_networks, tmp_path):
    path = planar(
        onnx_networks, tmp_path / "n.onnx", [GREEN], ("GlobalAveragePool", {}), outputs={
            "GlobalAveragePool0": (1, 1, 1, 1)
        }
    )  # fmt: skip
    with pytest.raises(ModelError, match=r"none of its outputs .* is a picture of its input's proportions, 12×8"):
        load(path, registry)


def test_class_numbers_need_names(registry, onnx_networks, tmp_path, frame):
    path = labels(onnx_networks, tmp_path / "n.onnx")
    with pytest.raises(ModelError, match=r"holds numbers of classes: name them .* with `classes = "):
        load(path, registry)
    path.with_suffix(".toml").write_text('classes = ["wall", "person", "plant"]\n')
    masks = decode(load(path, registry), frame, ["person", "plant"])
    greenest = colors(frame).argmax(axis=2)
    np.testing.assert_array_equal(masks["person"], (greenest == 1) * 255)
    np.testing.assert_array_equal(masks["plant"], (greenest == 2) * 255)


def labels(onnx_networks, path):
    """Save a network that says which channel of each pixel is the largest."""
    import onnx

    node = onnx.helper.make_node("ArgMax", ["picture"], ["classes"], axis=1, keepdims=0)
    onnx_networks.save(path, [node], {"picture": (1, 3, 8, 12)}, {"classes": (1, 8, 12)})
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    onnx.save(model, path)
    return path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", ["pt", "pt2"])
def test_a_pytorch_network(registry, tmp_path, frame, ending):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    path = tmp_path / f"my.{ending}"
    network = torch.nn.Conv2d(3, 2, 1, bias=False).eval()
    network.weight.data = torch.from_numpy(np.stack([-GREEN / 2, GREEN / 2]).reshape(2, 3, 1, 1))
    with torch.no_grad():
        if ending == "pt":
            torch.jit.save(torch.jit.trace(network, torch.zeros(1, 3, 8, 12)), str(path))
            options = {"size": "12x8"}
        else:
            torch.export.save(torch.export.export(network, (torch.zeros(1, 3, 8, 12),)), str(path))
            options = {}
        model = load(path, registry, options=options)
    wanted = softmax(colors(frame) @ np.stack([-GREEN / 2, GREEN / 2]).T)
    np.testing.assert_allclose(decode(model, frame, ["person"])["person"], wanted[..., 1], atol=1)


# -- told by looking ------------------------------------------------------------------------------------------


def test_logits_that_only_a_person_shows(registry, onnx_networks, tmp_path):
    """Large cells of grey pictures and of noise keep them between 0 and 1; warm skin and a blue shirt do not."""
    cells = ("AveragePool", {"kernel_shape": [16, 16], "strides": [16, 16]})
    path = planar(
        onnx_networks,
        tmp_path / "n.onnx",
        [(6, -3, -2.5)],
        cells,
        outputs={"AveragePool0": (1, 1, 4, 4)},
        size=(64, 64),
    )
    model = load(path, registry)
    assert model.activation == "sigmoid"
    shown = [answer["AveragePool0"] for answer in probes.answers(model.session, model.preparation, ["AveragePool0"])]
    assert all(answer.min() > -0.01 and answer.max() < 1.01 for answer in shown[:4])


def test_the_drawn_person_is_a_person(real, registry):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    model = load(real("models/selfie_segmentation_landscape.tflite"), registry)
    pixels = probes.person((144, 256))
    values = decode(model, Frame.borrow(pixels), ["person"])["person"]
    assert values[60:140, 110:146].mean() > 220
    assert values[:, :50].max() < 50


@pytest.mark.parametrize("size", [(1, 1), (7, 33), (257, 257)])
def test_probe_pictures_are_the_same_each_time(size):
    first, second = (list(probes.pictures(size)) for _ in range(2))
    assert len(first) == 5
    for one, other in zip(first, second, strict=True):
        assert one.shape == (*size, 3)
        assert one.dtype == np.uint8
        np.testing.assert_array_equal(one, other)


def test_a_network_that_answers_nan_is_refused(registry, networks, tmp_path):
    path = networks.pixelwise(tmp_path / "n.tflite", weights=np.eye(4, 3), bias=[0, 0, np.nan, 0])
    with pytest.raises(ModelError, match=r"n\.tflite: the network answers a plain picture with NaN"):
        load(path, registry)


# -- published ------------------------------------------------------------------------------------------------


def test_sinet_with_a_description(registry, onnx_networks, tmp_path, real):
    """OBS's copy of SINet: two softmaxed classes, channels first, blue first, a mean and a deviation of its own."""
    import cv2

    path = tmp_path / "sinet.onnx"
    path.symlink_to(real("models/SINet_Softmax_simple.onnx"))
    path.with_suffix(".toml").write_text(
        'mean = [102.890434, 111.25247, 126.91212]\nstd = [16047.9, 16019.5, 16920.7]\norder = "bgr"\n'
    )
    model, overlaps = load(path, registry), []
    for name in ("ais_1803151818-00001000", "hsd_001", "hsd_003"):
        pixels = cv2.imread(str(real(f"eval/images/{name}.jpg")))[:, :, ::-1]
        wanted = cv2.imread(str(real(f"eval/masks/{name}.png")), cv2.IMREAD_GRAYSCALE) > 127
        values = decode(model, Frame.borrow(np.ascontiguousarray(pixels)), ["person"])["person"]
        full = cv2.resize(values, wanted.shape[::-1], interpolation=cv2.INTER_LINEAR) > 127
        overlaps.append(np.sum(full & wanted) / np.sum(full | wanted))
    assert np.mean(overlaps) > 0.85


@pytest.mark.parametrize("name", ["mediapipe", "selfie_segmentation"])
def test_other_runtimes_copies_are_known_too(name, registry, onnx_networks, real):
    model = load(real(f"models/{name}.onnx"), registry)
    assert list(model.layers) == ["person"]
