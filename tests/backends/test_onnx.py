import signal
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.errors import BackendUnavailableError, ModelError

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'framefx[onnx]'")

from framefx.backends import guard  # noqa: E402
from framefx.backends.onnx import Onnx  # noqa: E402
from framefx.backends.onnxgraph import OnnxGraph  # noqa: E402


@pytest.fixture(scope="module")
def graphs(beside):
    return beside("onnx_networks")


@pytest.fixture
def session(graphs, tmp_path):
    return Onnx().load(graphs.pixelwise(tmp_path / "green.onnx"))


def refusal(path, **options):
    """Return the error's text, which is one line that starts with the file."""
    with pytest.raises(ModelError) as caught:
        Onnx(**options).load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


def test_tensors_say_name_shape_and_dtype(session):
    (source,), (result,) = session.inputs, session.outputs
    assert (source.name, source.shape, source.dtype) == ("picture", (1, 3, 8, 12), np.float32)
    assert (result.name, result.shape, result.dtype) == ("sum", (1, 1, 8, 12), np.float32)


def test_runs_what_is_written_into_its_buffer(session):
    for seed in range(3):
        picture = np.random.default_rng(seed).random(session.buffer.shape, np.float32)
        session.buffer[...] = picture
        np.testing.assert_allclose(session.run(session.buffer, ["sum"])["sum"], picture[:, 1:2], rtol=1e-6)


def test_runs_an_array_of_the_callers(session):
    picture = np.full(session.buffer.shape, 0.25, np.float32)
    assert session.run(picture, ["sum"])["sum"] == pytest.approx(0.25)


def test_neither_buffer_nor_outputs_move(session):
    buffer = session.buffer
    first, second = (session.run(buffer, ["sum"])["sum"] for _ in range(2))
    assert first is second
    assert session.buffer is buffer


def test_returns_only_the_outputs_asked_for(session):
    assert session.run(session.buffer, []) == {}


@pytest.mark.parametrize("bad", [np.zeros((1, 3, 8, 12)), np.zeros((3, 8, 12), np.float32)])
def test_refuses_another_shape_or_dtype(session, bad):
    with pytest.raises(ModelError, match="wanted float32"):
        session.run(bad, ["sum"])


def test_runs_on_another_thread_than_it_was_loaded_on(session):
    session.buffer[...] = 0.5
    found = []
    thread = threading.Thread(target=lambda: found.append(session.run(session.buffer, ["sum"])["sum"].max()))
    thread.start()
    thread.join()
    assert found == [pytest.approx(0.5)]


def test_threads_give_the_same(graphs, tmp_path):
    path = graphs.heads(tmp_path / "heads.onnx", (64, 96))
    picture = np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
    one, two = (Onnx().load(path, threads).run(picture, ["c"])["c"] for threads in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_weights_among_the_inputs_are_weights(graphs, tmp_path):
    path = graphs.with_weights_as_inputs(tmp_path / "old.onnx", graphs.pixelwise(tmp_path / "new.onnx"))
    session = Onnx().load(path)
    assert [tensor.name for tensor in session.inputs] == ["picture"]
    session.buffer[...] = 0.5
    assert session.run(session.buffer, ["sum"])["sum"] == pytest.approx(0.5)


def test_a_batch_left_open_is_one_picture(graphs, tmp_path):
    session = Onnx().load(graphs.pixelwise(tmp_path / "b.onnx", ("batch", 3, 8, 12)))
    assert session.inputs[0].shape == (1, 3, 8, 12)
    assert session.outputs[0].shape == (1, 1, 8, 12)


@pytest.mark.parametrize(
    ("shape", "said", "wanted"),
    [
        (("n", 3, "h", "w"), "[8, 12]", (1, 3, 8, 12)),
        ((1, 3, "h", "w"), "16", (1, 3, 16, 16)),
        ((1, 3, None, None), "[4, 6]", (1, 3, 4, 6)),
    ],
)
def test_a_size_left_open_is_what_the_exporter_wrote_down(graphs, tmp_path, shape, said, wanted):
    path = graphs.pixelwise(tmp_path / "open.onnx", shape, (None, 1, None, None), imgsz=said)
    assert Onnx().load(path).inputs[0].shape == wanted


def test_a_size_left_open_is_what_the_user_says(graphs, tmp_path):
    path = graphs.pixelwise(tmp_path / "open.onnx", ("n", 3, "h", "w"), imgsz="[8, 12]")
    session = Onnx(size=(6, 10)).load(path)
    assert session.inputs[0].shape == (1, 3, 6, 10)
    assert session.outputs[0].shape == (1, 1, 6, 10)


def test_a_size_left_open_is_refused_with_the_option_that_says_it(graphs, tmp_path):
    text = refusal(graphs.pixelwise(tmp_path / "open.onnx", (1, 3, "h", "w")))
    assert "1×3×?×?" in text
    assert "--model-option size=" in text


def test_another_size_than_the_files_is_refused(graphs, tmp_path):
    assert "size asked for is 10x6" in refusal(graphs.pixelwise(tmp_path / "fixed.onnx"), size=(6, 10))


def test_a_batch_is_refused(graphs, tmp_path):
    assert "export it with batch 1" in refusal(graphs.pixelwise(tmp_path / "many.onnx", (4, 3, 8, 12)))


def test_a_huge_input_is_refused(graphs, tmp_path):
    assert "1×3×4096×4096" in refusal(graphs.pixelwise(tmp_path / "huge.onnx", (1, 3, 4096, 4096)))


def test_no_outputs(graphs, tmp_path):
    assert "0 outputs" in refusal(graphs.without_outputs(tmp_path / "none.onnx"))


def test_custom_operator_is_named(graphs, tmp_path):
    assert "lacks its operator Magic" in refusal(graphs.custom(tmp_path / "custom.onnx", "Magic"))


def test_missing_empty_and_something_else(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.onnx")
    (tmp_path / "empty.onnx").touch()
    assert "empty" in refusal(tmp_path / "empty.onnx")
    (tmp_path / "page.onnx").write_text("<html>404: no such model</html>")
    assert "no .onnx network" in refusal(tmp_path / "page.onnx")


def test_cut_short_anywhere(graphs, tmp_path):
    good = graphs.heads(tmp_path / "good.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    for length in range(1, len(good), 97):
        with pytest.raises(ModelError, match=r"cut short|no \.onnx network"):
            OnnxGraph(good[:length], path)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damage_is_a_model_error_or_none(graphs, tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    content = bytearray(graphs.heads(folder / "damage.onnx").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        OnnxGraph(bytes(content), folder / "damage.onnx")
    except ModelError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("wanted", [["a"], ["b"], ["c"], ["a", "c"]])
def test_cutting_is_what_extract_model_does(graphs, tmp_path, conditional, wanted):
    path = graphs.heads(tmp_path / "heads.onnx", conditional=conditional)
    cut = onnx.load_from_string(OnnxGraph(path.read_bytes(), path).written({}, wanted))
    onnx.checker.check_model(cut, full_check=True)
    weights = {weight.name for weight in cut.graph.initializer}
    assert [out.name for out in cut.graph.output] == wanted
    assert {name for name in "abc" if f"{name}.weight" in weights} <= {*wanted, *("a" if conditional else "")}
    if not conditional:
        extracted = onnx.utils.Extractor(onnx.load(path)).extract_model(["picture"], wanted)
        assert [node.output for node in cut.graph.node] == [node.output for node in extracted.graph.node]
        assert weights == {weight.name for weight in extracted.graph.initializer}


def test_a_cut_session_gives_the_same_and_leaves_the_whole_one(graphs, tmp_path):
    whole = Onnx().load(graphs.heads(tmp_path / "heads.onnx"))
    part = whole.only(["b"])
    assert [tensor.name for tensor in part.outputs] == ["b"]
    picture = np.random.default_rng(1).random(whole.buffer.shape, np.float32)
    np.testing.assert_allclose(part.run(picture, ["b"])["b"], whole.run(picture, ["b"])["b"], atol=1e-6)
    assert whole.run(picture, ["c"])["c"].shape == (1, 24, 8, 12)


def test_nothing_is_cut_where_nothing_would_be_saved(graphs, tmp_path):
    whole = Onnx().load(graphs.heads(tmp_path / "heads.onnx"))
    assert whole.only(["a", "b", "c"]) is whole


def test_a_crash_in_the_second_process_is_an_error_here(graphs, tmp_path, monkeypatch):
    path = graphs.pixelwise(tmp_path / "crash.onnx", crash="1")
    monkeypatch.setattr(guard, "_run", lambda *given: (-signal.SIGSEGV, ""))
    assert "onnxruntime crashes on it" in refusal(path)


def test_missing_runtime_gives_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BackendUnavailableError, match=r"run `pip install 'framefx\[onnx\]'`"):
        Onnx().load(tmp_path / "any.onnx")


def test_loading_is_silent(graphs, tmp_path, capfd):
    Onnx().load(graphs.with_weights_as_inputs(tmp_path / "old.onnx", graphs.heads(tmp_path / "new.onnx")))
    refusal(graphs.custom(tmp_path / "custom.onnx", "Magic"))
    assert capfd.readouterr() == ("", "")
