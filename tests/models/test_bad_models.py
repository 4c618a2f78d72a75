"""Every bad network is one clear line when the plan is made: never a traceback, never a process that dies.

What the backends refuse one by one is in tests/backends; this is what a user sees.
"""

import importlib.util
import struct
import subprocess
import sys

import numpy as np
import pytest

from framefx.cli.main import main

ENDINGS = [
    pytest.param(
        "tflite", marks=pytest.mark.skipif(not importlib.util.find_spec("ai_edge_litert"), reason="no litert")
    ),
    pytest.param(
        "onnx", marks=pytest.mark.skipif(not importlib.util.find_spec("onnxruntime"), reason="no onnxruntime")
    ),
]


class _Makers:
    """Writes one bad network after the other, as each format can have them."""

    def __init__(self, networks, onnx_networks, folder):
        self._writers = {"tflite": networks, "onnx": onnx_networks}
        self._folder = folder

    def __call__(self, problem, ending):
        path = self._folder / f"bad.{ending}"
        getattr(self, problem)(path, self._writers[ending], ending)
        return path

    def _pixelwise(self, path, writer, ending, size=(8, 12), weights=((0, 1, 0),), **options):
        weights = np.asarray(weights, np.float32)
        if ending == "tflite":
            return writer.pixelwise(path, size=size, weights=weights, bias=options.pop("bias", [0] * len(weights)))
        shape = (1, weights.shape[1], *size)
        return writer.pixelwise(
            path, shape=options.pop("shape", shape), weights=weights[0] + options.pop("bias", [0])[0]
        )

    def empty(self, path, writer, ending):
        path.touch()

    def wrong_magic(self, path, writer, ending):
        path.write_text("<html>404: no such model</html>")

    def truncated(self, path, writer, ending):
        whole = self._pixelwise(path, writer, ending).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])

    def garbage(self, path, writer, ending):
        whole = bytearray(self._pixelwise(path, writer, ending).read_bytes())
        whole[12:] = np.random.default_rng(0).integers(0, 256, len(whole) - 12, np.uint8).tobytes()
        path.write_bytes(whole)

    def custom_operator(self, path, writer, ending):
        writer.custom(path, "Magic")

    def no_outputs(self, path, writer, ending):
        writer.without_outputs(path)

    def size_left_open(self, path, writer, ending):
        if ending == "tflite":
            writer.pixelwise(path, size=(1, 1), signature=(1, -1, -1, 3))
        else:
            writer.pixelwise(path, shape=(1, 3, "height", "width"), out=(1, 1, "height", "width"))

    def nan(self, path, writer, ending):
        self._pixelwise(path, writer, ending, bias=[np.nan])

    def five_channels(self, path, writer, ending):
        self._pixelwise(path, writer, ending, weights=[[1] * 5])

    def huge(self, path, writer, ending):
        self._pixelwise(path, writer, ending, size=(4096, 4096))


@pytest.fixture
def make(networks, onnx_networks, tmp_path):
    return _Makers(networks, onnx_networks, tmp_path)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("empty", "the file is empty"),
        ("wrong_magic", "no .{ending} network"),
        ("truncated", "damaged"),
        ("garbage", "damaged"),
        ("custom_operator", "lacks its operator Magic"),
        ("no_outputs", "0 outputs"),
        ("size_left_open", "a size left open"),
        ("nan", "NaN"),
        ("five_channels", "5 channels, wanted 3"),
        ("huge", "wanted at most 2048×2048 pixels"),
    ],
)
def test_is_one_clear_line_when_the_plan_is_made(make, problem, words, ending, capfd, tmp_path):
    path = make(problem, ending)
    shown = tmp_path / "out.png"
    code = main(["--chain", "blur", "--model", str(path), "--source", "demo", "--sink", str(shown), "--frames", "1"])
    out, err = capfd.readouterr()
    assert code == 2
    assert err.startswith(f"framefx: {path}: ")
    assert words.format(ending=ending) in err
    assert (out, err.count("\n")) == ("", 1)
    assert not shown.exists()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["tflite", "onnx"])
def test_damage_anywhere_never_takes_the_process_down(networks, onnx_networks, ending, tmp_path):
    """Real networks with a few bytes changed, in a process of its own: it must end by itself, without a signal."""
    writer = {"tflite": networks, "onnx": onnx_networks}[ending]
    good = writer.pixelwise(tmp_path / f"good.{ending}").read_bytes()
    source = np.random.default_rng(7)
    paths = []
    for number in range(12):
        content = bytearray(good)
        for place in source.integers(4, len(content), 4):
            content[place] = source.integers(0, 256)
        paths.append(tmp_path / f"damaged{number}.{ending}")
        paths[-1].write_bytes(content)
    program = (
        "import sys\nfrom framefx.cli.main import main\n"
        "codes = [main(['explain', '--chain', 'blur', '--model', path]) for path in sys.argv[1:]]\n"
        "assert set(codes) <= {0, 2}, codes\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("ending", ["pt", "pt2", "safetensors"])
@pytest.mark.parametrize(
    "content",
    [b"", b"<html>404</html>", b"PK\x03\x04" + bytes(60), b"\x80\x02}q\x00.", struct.pack("<Q", 2**62) + b"{}"],
    ids=["empty", "page", "half an archive", "pickle", "length"],
)
def test_what_is_no_torch_network(ending, content, tmp_path, capsys):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    path = tmp_path / f"bad.{ending}"
    path.write_bytes(content)
    code = main(["explain", "--chain", "blur", "--model", str(path)])
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"framefx: {path}: ")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("channels", "size", "weight", "words"),
    [
        (3, (8, 12), np.nan, "NaN"),
        (5, (8, 12), 1.0, "5 channels, wanted 3"),
        (3, (4096, 4096), 1.0, "wanted at most 2048×2048 pixels"),
    ],
    ids=["nan", "five channels", "huge"],
)
def test_a_torch_network_that_cannot_be_used(channels, size, weight, words, tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    path = tmp_path / "bad.pt2"
    network = torch.nn.Conv2d(channels, 1, 1).eval()
    torch.nn.init.constant_(network.weight, weight)
    shown = torch.zeros(1, channels, *size, device="meta" if size[0] > 100 else "cpu")
    torch.export.save(torch.export.export(network.to(shown.device), (shown,)), str(path))
    code = main(["explain", "--chain", "blur", "--model", str(path)])
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"framefx: {path}: ")
    assert words in err


def test_a_network_that_turns_bad_while_it_runs_shows_nothing(registry, networks, tmp_path):
    """NaN that no probe showed: the frame is an error, and not a picture without its mask."""
    from framefx.errors import ModelError
    from framefx.frame import Frame
    from framefx.layers import LoadedModel
    from framefx.models.loading import load
    from framefx.plan import Plan
    from framefx.plugins import PluginManager

    model = load(networks.pixelwise(tmp_path / "n.tflite"), registry)
    plan = Plan("blur", PluginManager().registry, load_models=lambda: [LoadedModel("mine", model)])
    run = model.session.run
    model.session.run = lambda array, wanted: {name: np.full_like(o, np.nan) for name, o in run(array, wanted).items()}
    with pytest.raises(ModelError, match="model mine gave NaN"):
        plan.run(Frame.borrow(np.zeros((8, 12, 3), np.uint8)))
