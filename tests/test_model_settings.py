"""How a model is said: its name or file alone, or with the backend and its options."""

import numpy as np
import pytest

from framefx.cli.main import parser
from framefx.cli.settings import make_job
from framefx.config import Config, ModelSettings
from framefx.errors import ConfigError, OptionError, UsageError
from framefx.job import Job
from framefx.plugins import PluginManager
from framefx.protocols import Tensor
from framefx.registry import Register


class Session:
    """Nothing that any family knows."""

    inputs = outputs = (Tensor("numbers", (1, 7), np.dtype(np.float32)),)


class Backend:
    """Remembers how it was made and asked."""

    made: list

    def __init__(self, *, device: str = "cpu") -> None:
        self.device = device

    def load(self, path, threads):
        self.made.append((path.name, self.device, threads))
        return Session()


class Model:
    session, layers = Session(), {}


@pytest.fixture
def plugins(monkeypatch):
    """A registry with one more backend for ``.net`` files, whose networks one family knows."""
    monkeypatch.setattr(Backend, "made", [], raising=False)

    manager = PluginManager(discover=False)
    register = Register(manager.registry, "mine")
    register.backend("mine", Backend, suffixes=("net",))
    register.family("mine", lambda session: Model() if isinstance(session, Session) else None)
    return manager


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "a.net"
    path.touch()
    return path


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "framefx.yaml"
        path.write_text(text)
        return path

    return write


def made(job):
    job._load_models()
    return Backend.made


def test_a_file_alone(plugins, network, write):
    config = Config(write("model: a.net\nbackend: mine\nthreads: 2"))
    assert made(Job(config.settings, plugins, config)) == [("a.net", "cpu", 2)]


def test_a_mapping_says_backend_threads_and_options(plugins, network, write):
    config = Config(write("model: {path: a.net, backend: mine, threads: 3, device: gpu}"))
    assert config.settings.model == [ModelSettings(path=str(network), backend="mine", threads=3, device="gpu")]
    assert made(Job(config.settings, plugins, config)) == [("a.net", "gpu", 3)]


def test_a_list_of_both(plugins, network, write):
    config = Config(write("model: [a.net, {path: a.net, device: gpu}]"))
    assert made(Job(config.settings, plugins, config)) == [("a.net", "cpu", 1), ("a.net", "gpu", 1)]


def test_the_same_settings_are_loaded_once(plugins, network, write):
    config = Config(write("model: [{path: a.net, device: gpu}, {path: a.net, device: gpu}]"))
    assert len(made(Job(config.settings, plugins, config))) == 1


@pytest.mark.parametrize(
    ("arguments", "device"), [(["--device", "gpu"], "gpu"), (["--model-option", "device=npu"], "npu"), ([], "cpu")]
)
def test_the_command_line_says_it_for_every_model(plugins, network, arguments, device):
    options = parser().parse_args(["--chain", "blur", "--model", str(network), *arguments])
    assert made(make_job(options, plugins)) == [("a.net", device, 1)]


def test_the_command_line_wins_over_the_file(plugins, network, write):
    path = write("chain: blur\nmodel: {path: a.net, device: gpu, threads: 2}")
    options = parser().parse_args(["--config", str(path), "--device", "npu"])
    assert made(make_job(options, plugins)) == [("a.net", "npu", 2)]


def test_an_option_that_the_backend_does_not_have(plugins, network):
    options = parser().parse_args(["--chain", "blur", "--model", str(network), "--model-option", "devise=gpu"])
    with pytest.raises(OptionError, match=r"a\.net: mine has no option 'devise'\. Did you mean 'device'\?"):
        made(make_job(options, plugins))


def test_an_option_without_a_value(network):
    with pytest.raises(UsageError, match="--model-option device: wanted NAME=VALUE"):
        make_job(parser().parse_args(["--chain", "blur", "--model-option", "device"]))


@pytest.mark.parametrize("text", ["model: {backend: mine}", "model: {path: a.net, threads: 0}", "model: 3"])
def test_what_is_wrong_in_the_file_is_said_with_its_line(write, text):
    with pytest.raises(ConfigError, match=r"framefx\.yaml:1: "):
        Config(write(text))
