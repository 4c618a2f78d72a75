"""Layers: computed at most once a frame, only if somebody needs them, by who gives them first."""

import numpy as np
import pytest

from framefx.errors import MissingLayerError, PluginError, UnknownNameError
from framefx.frame import Frame
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.registry import Register, Registry

ONES = np.full((2, 2), 255, np.uint8)


class Network:
    """A model that counts what it is asked for; its session is itself."""

    def __init__(self, *layers):
        self.layers = dict.fromkeys(layers, Mask)
        self.session, self.buffer = self, np.zeros(1)
        self.runs, self.decoded, self.fetched = 0, [], []

    def prepare(self, frame, out):
        self.frame = frame

    def outputs_for(self, wanted):
        return [f"{name}:0" for name in wanted]

    def run(self, array, wanted):
        self.runs += 1
        self.fetched.append(list(wanted))
        return dict.fromkeys(wanted, ONES)

    def decode(self, outputs, wanted, frame):
        self.decoded.append(list(wanted))
        return {name: Mask(outputs[f"{name}:0"], frame.size, frame.index) for name in wanted}


calls = []


def background(person: Mask) -> Mask:
    calls.append("background")
    return ~person


def edge(frame: Frame, background: Mask) -> Mask:
    calls.append("edge")
    return Mask(ONES, frame.size)


def uses(frame: Frame, background: Mask, edge: Mask) -> Frame:
    return frame


def plain(frame: Frame) -> Frame:
    return frame


class Loader:
    """Loads networks when asked, and counts how often."""

    def __init__(self, **networks):
        self.networks = networks
        self.loads = 0

    def __call__(self):
        self.loads += 1
        return [LoadedModel(name, network) for name, network in self.networks.items()]


@pytest.fixture
def registry():
    calls.clear()
    register = Register(registry := Registry(), "test")
    for target in (uses, plain):
        register.filter(target)
    for target in (background, edge):
        register.layer(target)
    return registry


def run(plan, count=1):
    for index in range(count):
        plan.run(Frame.borrow(np.zeros((4, 6, 3), np.uint8), index=index))


def test_without_layers_no_model_is_loaded(registry):
    loader = Loader(net=Network("person"))
    plan = Plan("plain", registry, load_models=loader)
    run(plan)
    assert loader.loads == 0
    assert not plan.needs_layers


def test_with_pictures_for_all_layers_no_model_is_loaded(registry):
    loader = Loader(net=Network("person"))
    run(Plan("plain=where=person", registry, load_models=loader, given={"person": Mask(ONES, (2, 2))}))
    assert loader.loads == 0


def test_models_are_loaded_once_for_a_plan(registry):
    loader = Loader(net=Network("person", "hair"))
    Plan("plain=where=person,plain=where=hair", registry, load_models=loader)
    assert loader.loads == 1


def test_only_what_is_asked_for_is_fetched_and_decoded(registry):
    network = Network("person", "hair", "clothes")
    run(Plan("plain=where=hair", registry, load_models=Loader(net=network)), 2)
    assert network.decoded == [["hair"], ["hair"]]
    assert network.fetched == [["hair:0"], ["hair:0"]]


def test_a_network_runs_once_a_frame_for_all_its_layers(registry):
    network = Network("person", "hair")
    run(Plan("plain=where=person,plain=where=hair,plain=where=person+hair", registry, load_models=Loader(n=network)), 3)
    assert network.runs == 3
    assert network.decoded[0] == ["person", "hair"]


def test_a_model_that_gives_nothing_needed_does_not_run(registry):
    first, second = Network("person"), Network("person", "hair")
    plan = Plan("plain=where=person", registry, load_models=Loader(first=first, second=second))
    run(plan)
    assert (first.runs, second.runs) == (1, 0)
    assert [loaded.name for loaded in plan.layers.models] == ["first"]


def test_each_layer_comes_from_the_first_model_that_has_it(registry):
    first, second = Network("person"), Network("person", "hair")
    plan = Plan("plain=where=person+hair", registry, load_models=Loader(first=first, second=second))
    assert dict(plan.layers.describe()) == {"person": "model first", "hair": "model second"}


def test_derived_layers_are_computed_once_a_frame(registry):
    run(Plan("uses,plain=where=background,uses,plain=where=edge", registry, load_models=Loader(n=Network("person"))), 2)
    assert sorted(calls) == ["background", "background", "edge", "edge"]


def test_a_derived_layer_comes_after_what_it_needs(registry):
    run(Plan("plain=where=edge", registry, load_models=Loader(n=Network("person"))))
    assert calls == ["background", "edge"]


def test_a_picture_wins_over_a_plugin_and_a_plugin_over_a_model(registry):
    network = Network("person", "background")
    plan = Plan("plain=where=background", registry, load_models=Loader(n=network))
    assert dict(plan.layers.describe())["background"] == "test: background(person)"
    plan = Plan("plain=where=background", registry, given={"background": Mask(ONES, (2, 2))})
    assert dict(plan.layers.describe()) == {"background": "a picture"}


def test_a_missing_layer_says_what_the_models_give(registry):
    with pytest.raises(MissingLayerError, match=r"\(net gives person, hair\). Did you mean 'hair'\?"):
        Plan("plain=where=hairs", registry, load_models=Loader(net=Network("person", "hair")))


def test_two_plugins_with_one_layer_are_both_named(registry):
    Register(registry, "other").layer(background)
    with pytest.raises(UnknownNameError, match="'test/background' or 'other/background'"):
        Plan("plain=where=background", registry, load_models=Loader(n=Network("person")))
    plan = Plan("plain=where=other/background", registry, load_models=Loader(n=Network("person")))
    run(plan)


def test_the_mask_pipeline_gets_masks_of_models_and_not_of_pictures(registry):
    seen = []

    def post(name, mask, frame):
        seen.append((name, frame.index))
        return mask

    given = {"hair": Mask(ONES, (2, 2))}
    plan = Plan("plain=where=person+hair", registry, load_models=Loader(n=Network("person")), given=given, post=post)
    run(plan, 2)
    assert seen == [("person", 0), ("person", 1)]


def test_a_layer_that_gives_something_else_is_a_plugin_error(registry):
    def lies(frame: Frame) -> Mask:
        return frame.pixels

    Register(registry, "odd").layer(lies)
    with pytest.raises(PluginError, match="plugin 'odd', layer 'lies': it gave ndarray, wanted Mask"):
        run(Plan("plain=where=lies", registry))


def test_a_layer_that_fails_says_where(registry):
    def fails(frame: Frame) -> Mask:
        raise ZeroDivisionError

    Register(registry, "odd").layer(fails)
    with pytest.raises(ZeroDivisionError) as caught:
        run(Plan("plain=where=fails", registry))
    assert caught.value.__notes__ == ["in layer 'fails' of plugin 'odd', frame 0"]


def test_a_layer_cannot_write_to_the_frame_of_the_filters(registry):
    def rude(frame: Frame) -> Mask:
        frame.make_writable().pixels[:] = 255
        return Mask(ONES, frame.size)

    Register(registry, "odd").layer(rude)
    result = Plan("plain=where=rude", registry).run(Frame.borrow(np.zeros((4, 6, 3), np.uint8)))
    assert (result.pixels == 0).all()


def test_a_layer_with_state_is_closed_with_its_plan(registry):
    closed = []

    class Motion:
        def __call__(self, frame: Frame) -> Mask:
            return Mask(ONES, frame.size)

        def close(self):
            closed.append(True)

    Register(registry, "odd").layer(Motion)
    plan = Plan("plain=where=motion", registry)
    run(plan)
    plan.close()
    assert closed == [True]


def test_warming_up_leaves_layers_with_state_alone(registry):
    seen = []

    class Motion:
        def __call__(self, frame: Frame) -> Mask:
            seen.append(frame.index)
            return Mask(ONES, frame.size)

    Register(registry, "odd").layer(Motion)
    plan = Plan("plain=where=motion", registry)
    plan.warm(Frame.borrow(np.zeros((4, 6, 3), np.uint8), index=99))
    run(plan)
    assert seen == [0]


def test_warming_up_survives_what_fails(registry):
    def fails(frame: Frame) -> Mask:
        raise ZeroDivisionError

    Register(registry, "odd").layer(fails)
    Plan("uses,plain=where=fails", registry, load_models=Loader(n=Network("person"))).warm(
        Frame.borrow(np.zeros((4, 6, 3), np.uint8))
    )
