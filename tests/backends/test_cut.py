import importlib.util
import logging
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.backends import cut as cuts
from framefx.backends.flatbuffer import Reader, verify
from framefx.backends.flatcut import cut

if importlib.util.find_spec("ai_edge_litert") is None:
    pytest.skip("ai_edge_litert is not installed", allow_module_level=True)

from framefx.backends.litert import LiteRT


def heads(networks, path, links):
    """Save a network of sigmoids: operator k reads tensor ``links[k]`` and gives tensor k + 1, every one an output."""
    graph = networks.Graph()
    graph.tensor("picture", (1, 4, 4, 3))
    for number, source in enumerate(links):
        result = graph.tensor(f"t{number + 1}", (1, 4, 4, 3))
        graph.operator(networks.LOGISTIC, [source], [result])
    return graph.save(path, [0], list(range(1, len(links) + 1)))


def operators(content):
    reader = Reader(content)
    network = reader.fields(reader.unsigned(0))
    graph = reader.fields(reader.follow(reader.vector(network[2], 4)[0]))
    return len(reader.vector(graph[3], 4))


@pytest.fixture
def whole(networks, tmp_path):
    #         0 → 1 → 2, 0 → 3 → 4
    return LiteRT().load(heads(networks, tmp_path / "heads.tflite", [0, 1, 0, 3]))


def picture(session):
    return np.random.default_rng(2).random(session.buffer.shape, np.float32)


@pytest.mark.parametrize("wanted", [["t2"], ["t3"], ["t1", "t4"]])
def test_a_cut_session_gives_the_same_and_leaves_the_whole_one(whole, wanted):
    part = whole.only(wanted)
    assert [tensor.name for tensor in part.outputs] == wanted
    after, before = part.run(picture(part), wanted), whole.run(picture(whole), wanted)
    for name in wanted:
        np.testing.assert_array_equal(after[name], before[name])
    assert len(whole.outputs) == 4


def test_the_same_outputs_are_cut_once(whole):
    assert whole.only(["t2"]) is whole.only(["t2"])


def test_cutting_does_not_touch_a_session_that_another_plan_runs(networks, tmp_path):
    # A file that nobody has cut before: there is something to compare.
    whole = LiteRT().load(heads(networks, tmp_path / "busy.tflite", [0, 0, 1, 1, 0]))
    whole.buffer[...] = 0.25
    before = whole.run(whole.buffer, ["t2"])["t2"]
    kept = before.copy()
    whole.only(["t3", "t5"])
    assert (whole.buffer == 0.25).all()
    np.testing.assert_array_equal(before, kept)


def test_nothing_is_cut_where_nothing_would_be_saved(networks, whole, tmp_path):
    assert whole.only(["t1", "t2", "t3", "t4"]) is whole
    assert whole.only([]) is whole
    chain = LiteRT().load(heads(networks, tmp_path / "chain.tflite", [0, 1, 2]))
    assert chain.only(["t3"]) is chain
    single = LiteRT().load(networks.pixelwise(tmp_path / "single.tflite"))
    assert single.only(["sum"]) is single


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_what_stays_is_what_the_outputs_depend_on(networks, tmp_path_factory, data):
    links = [data.draw(st.integers(0, number)) for number in range(data.draw(st.integers(1, 9)))]
    wanted = data.draw(st.sets(st.integers(1, len(links)), min_size=1))
    path = heads(networks, tmp_path_factory.getbasetemp() / "random.tflite", links)
    needed = set(wanted)
    for tensor in range(len(links), 0, -1):
        needed |= {links[tensor - 1]} if tensor in needed else set()
    content = cut(path.read_bytes(), wanted)
    if needed - {0} == set(range(1, len(links) + 1)):
        assert content is None
    else:
        verify(content, path)
        assert operators(content) == len(needed - {0})


def test_twins_keep_their_names(networks, tmp_path):
    graph = networks.Graph()
    source = graph.tensor("picture", (1, 4, 4, 3))
    results = [graph.tensor("same", (1, 4, 4, 3)) for _ in range(2)]
    for result in results:
        graph.operator(networks.LOGISTIC, [source], [result])
    session = LiteRT().load(graph.save(tmp_path / "twins.tflite", [source], results))
    assert [tensor.name for tensor in session.only(["same#1"]).outputs] == ["same#1"]


def test_a_network_that_keeps_a_state_is_left_whole(networks, tmp_path):
    path = heads(networks, tmp_path / "heads.tflite", [0, 0])
    graph = networks.Graph()
    source, one, other = (graph.tensor(name, (1, 4, 4, 3)) for name in ("picture", "one", "other"))
    for result in (one, other):
        graph.operator(networks.LOGISTIC, [source], [result])
    assert cut(path.read_bytes(), [1]) is not None
    graph.tensors[other][5] = 1
    assert cut(graph.save(path, [source], [one, other]).read_bytes(), [1]) is None


def test_a_network_that_says_in_which_order_it_runs_is_left_whole(networks, tmp_path):
    graph = networks.Graph()
    source, one, other = (graph.tensor(name, (1, 4, 4, 3)) for name in ("picture", "one", "other"))
    for result in (one, other):
        graph.operator(networks.LOGISTIC, [source], [result])
    root = graph.root([source], [one, other])
    path = networks.write(tmp_path / "ordered.tflite", root | {6: [{0: "model_control_dependencies", 1: 0}]})
    assert cut(path.read_bytes(), [1]) is None
    path = networks.write(tmp_path / "other.tflite", root | {6: [{0: "min_runtime_version", 1: 0}]})
    assert cut(path.read_bytes(), [1]) is not None


def test_a_signature_does_not_keep_what_is_gone(networks, tmp_path):
    graph = networks.Graph()
    source, one, other = (graph.tensor(name, (1, 4, 4, 3)) for name in ("picture", "one", "other"))
    for result in (one, other):
        graph.operator(networks.LOGISTIC, [source], [result])
    signature = {0: [{0: "picture", 1: source}], 1: [{0: "one", 1: one}, {0: "other", 1: other}], 2: "serving_default"}
    path = networks.write(tmp_path / "signed.tflite", graph.root([source], [one, other]) | {7: [signature]})
    part = LiteRT().load(path).only(["one"])
    assert [tensor.name for tensor in part.outputs] == ["one"]
    assert part.run(picture(part), ["one"])["one"].shape == (1, 4, 4, 3)


class Different:
    """A session that gives something else than the whole one."""

    def __init__(self, whole):
        self.inputs, self.outputs, self._whole = whole.inputs, whole.outputs, whole

    def run(self, array, wanted):
        return {name: value + 0.5 for name, value in self._whole.run(array, wanted).items()}


def test_a_cut_that_gives_something_else_is_not_used_and_remembered(whole, tmp_path, monkeypatch, caplog):
    memory = cuts.Cuts(b"some network", LiteRT.runtime, tmp_path / "n.tflite")
    with caplog.at_level(logging.WARNING, "framefx"):
        assert memory.checked(whole, ["t1"], lambda: Different(whole), lambda: whole) is whole
    assert [record.message.count("differs by more than") for record in caplog.records] == [1]
    again = cuts.Cuts(b"some network", LiteRT.runtime, tmp_path / "n.tflite")
    assert again.checked(whole, ["t1"], lambda: pytest.fail("made again"), None) is whole


def test_a_cut_that_fails_is_not_used(whole, tmp_path, caplog):
    memory = cuts.Cuts(b"another network", LiteRT.runtime, tmp_path / "n.tflite")

    def broken():
        raise struct.error("broken")

    with caplog.at_level(logging.WARNING, "framefx"):
        assert memory.checked(whole, ["t1"], broken, lambda: whole) is whole
    assert "the cut network fails: broken" in caplog.text


def test_a_cut_found_equal_is_not_compared_again(whole, tmp_path, monkeypatch):
    first = cuts.Cuts(b"third network", LiteRT.runtime, tmp_path / "n.tflite")
    part = first.checked(whole, ["t1"], lambda: whole.only(["t1"]), lambda: whole)
    monkeypatch.setattr(cuts, "_difference", lambda *given: pytest.fail("compared again"))
    again = cuts.Cuts(b"third network", LiteRT.runtime, tmp_path / "n.tflite")
    assert again.checked(whole, ["t1"], lambda: part, None) is part


def test_no_place_to_remember_is_no_error(networks, tmp_path, monkeypatch):
    path = heads(networks, tmp_path / "heads.tflite", [0, 0])
    monkeypatch.setattr(cuts.guard, "_folder", lambda: path / "networks")
    assert len(LiteRT().load(path).only(["t1"]).outputs) == 1


def test_a_plan_cuts_to_what_it_asks_for(whole):
    from framefx.layers import LoadedModel
    from framefx.mask import Mask

    class Model:
        session = whole
        layers = {"person": Mask, "hair": Mask}  # noqa: RUF012

        def outputs_for(self, wanted):
            return [{"person": "t1", "hair": "t4"}[name] for name in wanted]

        def prepare(self, frame, out):
            out[...] = 0

        def decode(self, outputs, wanted, frame):
            return dict.fromkeys(wanted, sorted(outputs))

    loaded = LoadedModel("two", Model(), ["person"])
    loaded.settle()
    assert [tensor.name for tensor in loaded._cut.outputs] == ["t1"]
    assert loaded.compute(None) == {"person": ["t1"]}
