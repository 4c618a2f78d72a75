import io
import json
import os
import pickle
import sys
import threading
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framefx.errors import BackendUnavailableError, FramefxError, ModelError, OptionError

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'framefx[torch]'")
pytest.importorskip("safetensors", reason="safetensors is not installed: pip install 'framefx[torch]'")

from framefx.backends import guard, torchscan  # noqa: E402
from framefx.backends.probe import REFUSED  # noqa: E402
from framefx.backends.torch import Torch  # noqa: E402

SIZE = {"size": (16, 24)}


@pytest.fixture(scope="module")
def nets(beside):
    return beside("torch_networks")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("torch")


@pytest.fixture(scope="module")
def network(nets):
    return nets.Heads()


@pytest.fixture(scope="module")
def pt2(nets, network, folder):
    return nets.program(folder / "heads.pt2", network)


@pytest.fixture(scope="module")
def pt(nets, network, folder):
    return nets.script(folder / "heads.pt", network)


@pytest.fixture(params=["pt2", "pt"])
def session(request):
    path = request.getfixturevalue(request.param)
    return Torch(device="cpu", **SIZE).load(path)


@pytest.fixture(scope="module")
def expected(nets, network):
    with torch.no_grad():
        return {name: value.numpy() for name, value in network(nets.picture()).items()}


@pytest.fixture(autouse=True)
def no_second_process(request, monkeypatch):
    """Import PyTorch once; one slow test has the second process."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr(guard, "_run", lambda arguments, seconds: (0, ""))


def refusal(path, **options):
    """Return the error's text, which is one line that starts with the file."""
    with pytest.raises(FramefxError) as caught:
        Torch(**{"device": "cpu", **options}).load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert caught.value.exit_code == 2
    return text


def test_tensors_say_name_shape_and_dtype(session):
    assert [(one.shape, one.dtype) for one in session.inputs] == [((1, 3, 16, 24), np.float32)]
    assert [(one.name, one.shape) for one in session.outputs] == [
        ("person", (1, 1, 32, 48)),
        ("parts", (1, 24, 32, 48)),
    ]


def test_gives_what_pytorch_gives(session, nets, expected):
    session.buffer[...] = nets.picture().numpy()
    for name, array in session.run(session.buffer, ["person", "parts"]).items():
        np.testing.assert_allclose(array, expected[name], atol=1e-6)


@pytest.mark.parametrize("wanted", [["person"], ["parts"], ["person", "parts"]])
def test_a_cut_session_gives_the_same_and_leaves_the_whole_one(session, nets, expected, wanted):
    part = session.only(wanted)
    assert [one.name for one in part.outputs] == wanted
    results = part.run(nets.picture().numpy(), wanted)
    for name in wanted:
        np.testing.assert_allclose(results[name], expected[name], atol=1e-6)
    assert len(session.outputs) == 2
    assert session.only(wanted) is part


def test_heads_that_nobody_wants_do_not_run(session):
    network = session._network
    assert network.dead(["person", "parts"]) == 0
    # A convolution and its activation; a convolution, a sigmoid and a product.
    assert (network.dead(["person"]), network.dead(["parts"])) == (2, 3)


def test_neither_buffer_nor_outputs_move(session):
    buffer = session.buffer
    first, second = (session.run(buffer, ["person"])["person"] for _ in range(2))
    assert first is second
    assert session.buffer is buffer


def test_returns_only_the_outputs_asked_for(session):
    assert session.run(session.buffer, []) == {}


def test_refuses_another_shape_or_dtype(session):
    with pytest.raises(ModelError, match="wanted float32"):
        session.run(np.zeros((1, 3, 16, 24)), ["person"])


def test_runs_on_another_thread_than_it_was_loaded_on(session, nets, expected):
    found = []
    picture = nets.picture().numpy()
    thread = threading.Thread(target=lambda: found.append(session.run(picture, ["person"])["person"].copy()))
    thread.start()
    thread.join()
    np.testing.assert_allclose(found[0], expected["person"], atol=1e-6)


@pytest.mark.parametrize("ending", ["pt2", "pt"])
@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 2e-3), ("bf16", 2e-2)])
def test_half_precision_is_nearly_the_same(ending, precision, tolerance, nets, expected, request):
    session = Torch(device="cpu", precision=precision, **SIZE).load(request.getfixturevalue(ending))
    results = session.run(nets.picture().numpy(), ["person", "parts"])
    for name, array in results.items():
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, expected[name], atol=tolerance * np.abs(expected[name]).max())


def test_batch_normalisation_is_folded(pt2, pt):
    graphs = [str(Torch(device="cpu", **SIZE).load(path)._plain._network.graph) for path in (pt2, pt)]
    # TorchScript's own folding knows no transposed convolution.
    assert [graph.count("batch_norm") for graph in graphs] == [0, 1]


def test_a_network_that_gives_one_tensor(nets, folder):
    for path in (nets.program(folder / "one.pt2", nets.Heads(None)), nets.script(folder / "one.pt", nets.Heads(None))):
        session = Torch(device="cpu", **SIZE).load(path)
        assert [one.name for one in session.outputs] == ["output"]
        assert session.only(["output"]) is session


def test_a_network_that_gives_a_tuple(nets, folder):
    for path in (
        nets.program(folder / "two.pt2", nets.Heads(tuple)),
        nets.script(folder / "two.pt", nets.Heads(tuple)),
    ):
        session = Torch(device="cpu", **SIZE).load(path)
        assert [one.name for one in session.outputs] == ["output_0", "output_1"]


def test_weights_of_a_known_architecture(nets, folder):
    path, network = nets.blazeseg(folder / "small.safetensors")
    session = Torch(device="cpu").load(path)
    picture = nets.picture((32, 48))
    with torch.no_grad():
        expected = network(picture).sigmoid().permute(0, 2, 3, 1).numpy()
    found = session.run(picture.permute(0, 2, 3, 1).contiguous().numpy(), ["person"])["person"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"architecture": "blazesegg"}, "Did you mean 'blazeseg'"),
        ({}, "names the architecture ''"),
        ({"network": "[1"}, "not those of the network"),
        ({"network": '{"size": [30, 30]}'}, "multiples of 16"),
        ({"network": '{"size": [64, 64]}'}, "not those of the network"),
        ({"network": '{"size": [65536, 65536]}'}, "at most 2048×2048"),
    ],
)
def test_weights_of_another_architecture(nets, folder, metadata, words):
    path, _ = nets.blazeseg(folder / "other.safetensors", metadata)
    assert words in refusal(path)


def test_a_size_left_open_is_refused_with_the_option_that_says_it(pt):
    assert "--model-option size=" in refusal(pt)


def test_a_size_that_the_exporter_wrote_down(nets, network, folder):
    path = nets.script(folder / "sized.pt", network, **{"config.txt": {"imgsz": [16, 24]}})
    assert Torch(device="cpu").load(path).inputs[0].shape == (1, 3, 16, 24)


def test_a_program_of_any_size(nets, folder):
    height, width = torch.export.Dim("h", min=4, max=200), torch.export.Dim("w", min=4, max=200)
    path = nets.program(folder / "any.pt2", nets.Heads(), dynamic_shapes=({2: height, 3: width},))
    assert "1×3×?×?" in refusal(path)
    session = Torch(device="cpu", size=(20, 12)).load(path)
    assert [one.shape for one in session.outputs] == [(1, 1, 40, 24), (1, 24, 40, 24)]


def test_another_size_than_the_files_is_refused(pt2):
    assert "size asked for is 8x8" in refusal(pt2, size=(8, 8))


class _Evil:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def _rewritten(source, path, change):
    """Write the archive `source` to `path` with each member passed through ``change(name, content)``."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return path


@pytest.mark.parametrize("how", ["torch.save", "old torch.save", "pickle", "state_dict"])
def test_a_pickle_is_refused_and_never_loaded(nets, network, tmp_path, monkeypatch, how):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.pt"
    if how == "pickle":
        path.write_bytes(pickle.dumps(_Evil()))
    elif how == "state_dict":
        torch.save(network.state_dict(), path)
    else:
        torch.save(_Evil(), path, _use_new_zipfile_serialization=how == "torch.save")
    assert "a pickle" in (text := refusal(path))
    assert "torch.export.save" in text
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("member", ["data/sample_inputs/model.pt", "data/weights/weight_0", "data/constants/tensor_0"])
def test_a_program_with_a_pickle_inside_never_loads_it(pt2, tmp_path, monkeypatch, member):
    monkeypatch.chdir(tmp_path)
    buffer = io.BytesIO()
    torch.save({"a": _Evil()}, buffer)

    def change(name, content):
        if name.endswith(member):
            return buffer.getvalue()
        return content.replace(b'"use_pickle": false', b'"use_pickle": true') if name.endswith(".json") else content

    refusal(_rewritten(pt2, tmp_path / "evil.pt2", change))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("torch.ops.aten.relu.default", "torch.hub.os.mkdir", "it calls torch.hub.os.mkdir"),
        ("torch.ops.aten.relu_.default", "torch.ops.aten.from_file.default", "it calls torch.ops.aten.from_file"),
        ("torch.ops.aten.relu_.default", "torch.ops.load_library", "it calls torch.ops.load_library"),
        ("torch.ops.aten.relu_.default", "_operator.call", "it calls _operator.call"),
        ('"path_name": "weight_0"', '"path_name": "custom_obj_0"', "a pickled object"),
        (
            '{"as_int": 16}',
            '{"as_expr": {"expr_str": "__import__(\'os\').mkdir(\'pwned\')", "hint": null}}',
            "a size in it",
        ),
    ],
)
def test_a_program_that_asks_for_more_than_operators(pt2, tmp_path, monkeypatch, before, after, words):
    monkeypatch.chdir(tmp_path)
    before = before.replace("relu.default", "relu_.default")

    def change(name, content):
        return content.replace(before.encode(), after.encode()) if name.endswith(".json") else content

    assert words in refusal(_rewritten(pt2, tmp_path / "evil.pt2", change))
    assert not (tmp_path / "pwned").exists()


def test_missing_empty_and_something_else(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.pt2")
    (tmp_path / "empty.pt2").touch()
    assert "empty" in refusal(tmp_path / "empty.pt2")
    (tmp_path / "page.pt").write_text("<html>404: no such model</html>")
    assert "no PyTorch network" in refusal(tmp_path / "page.pt")


@pytest.mark.parametrize("ending", ["pt2", "pt", "safetensors"])
def test_cut_short(ending, nets, folder, tmp_path, request):
    source = (
        nets.blazeseg(folder / "cut.safetensors")[0] if ending == "safetensors" else request.getfixturevalue(ending)
    )
    content = source.read_bytes()
    path = tmp_path / f"cut.{ending}"
    for part in (0.1, 0.5, 0.9):
        path.write_bytes(content[: int(part * len(content))])
        assert "damaged" in refusal(path)


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_seen_or_harmless(pt2, data):
    content = bytearray(pt2.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        if torchscan.kind_of(bytes(content), pt2) == "export":
            torchscan.check_export(bytes(content), pt2)
    except ModelError as error:
        assert str(error).startswith(f"{pt2}: ")


def test_other_zip_files(tmp_path):
    for members, words in (
        (("a.txt",), "neither TorchScript nor"),
        (("serialized_exported_program.json",), "an old PyTorch"),
    ):
        with zipfile.ZipFile(tmp_path / "other.pt2", "w") as archive:
            for name in members:
                archive.writestr(name, json.dumps({}))
        assert words in refusal(tmp_path / "other.pt2")


def test_a_program_in_training_mode(nets, folder):
    path = nets.program(folder / "training.pt2", nets.Heads().train())
    assert "network.eval()" in refusal(path)


def test_script_of_two_inputs(folder, nets):
    class Two(torch.nn.Module):
        def forward(self, x, y):
            return x + y

    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(Two()).save(str(folder / "twice.pt"))
    assert "got 2 inputs" in refusal(folder / "twice.pt", **SIZE)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
def test_a_device_that_is_not_there(pt2):
    assert "finds no cuda" in refusal(pt2, device="cuda")


def test_what_compilers_need(pt2, pt, monkeypatch):
    assert "TorchScript cannot be compiled" in refusal(pt, compile="inductor", **SIZE)
    monkeypatch.setitem(sys.modules, "torch_tensorrt", None)
    with pytest.raises(BackendUnavailableError, match=r"run `pip install 'framefx\[tensorrt\]'`"):
        Torch(device="cpu", compile="tensorrt").load(pt2)
    monkeypatch.setenv("PATH", "")
    assert "apt-get install g++" in refusal(pt2, compile="inductor")


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_the_second_process_tries_both_kinds(pt2, pt, tmp_path):
    assert guard._run(["torch", str(pt2), "export"], 200) == (0, "")
    (tmp_path / "cut.pt").write_bytes(pt.read_bytes()[:-500])
    assert guard._run(["torch", str(tmp_path / "cut.pt"), "script"], 200)[0] == REFUSED


@pytest.mark.slow
def test_compiled_is_the_same_and_is_not_compiled_again(pt2, nets, expected):
    from torch._dynamo.utils import counters

    session = Torch(device="cpu", compile="inductor").load(pt2).only(["person"])
    counters.clear()
    found = []
    picture = nets.picture().numpy()
    thread = threading.Thread(target=lambda: found.append(session.run(picture, ["person"])["person"].copy()))
    thread.start()
    thread.join()
    np.testing.assert_allclose(found[0], expected["person"], atol=1e-5)
    assert not counters["stats"]


def test_missing_runtime_gives_the_command(pt2, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackendUnavailableError, match=r"run `pip install 'framefx\[torch\]'`"):
        Torch().load(pt2)


def test_options_are_checked_by_their_annotations():
    from framefx.options import Options

    options = Options("torch", Torch)
    assert options.check({"device": "cuda:1", "size": "24x16"})["size"] == (16, 24)
    for wrong in ({"device": "/dev/video0"}, {"precision": "int8"}, {"compile": "jit"}, {"size": "24"}, {"colour": 1}):
        with pytest.raises(OptionError):
            options.check(wrong)
