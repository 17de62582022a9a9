import signal

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from mnist_nn import Split, load_mnist
from tests import processes

# Tests send Ctrl-C to their own process, which would ignore it if a shell runs the tests in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)

slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.large_base_example]
settings.register_profile("short", max_examples=100, derandomize=True, deadline=None, suppress_health_check=slow)
settings.register_profile("long", max_examples=30_000, deadline=None, suppress_health_check=slow, database=None)
settings.load_profile("short")


def pytest_collection_modifyitems(items):
    """Mark the tests that need a browser, another process or the command line."""
    for item in items:
        if {"killed", "elsewhere", "page"} & {*getattr(item, "fixturenames", ())} or item.path.name == "test_main.py":
            item.add_marker("end_to_end")


@pytest.fixture(scope="session")
def killed(tmp_path_factory):
    """The folder of a process that was killed in its fourth epoch of eight."""
    return processes.killed(tmp_path_factory.mktemp("killed"))


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory):
    """The output, in lines, and the errors of a training in another process."""
    return processes.elsewhere(tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture(scope="session")
def mnist():
    return load_mnist()


@pytest.fixture(scope="session")
def small(mnist):
    """2,000 training images: enough to learn something in a second."""
    return mnist.train[:2000]


@pytest.fixture(scope="session")
def trained(small, mnist):
    """A briefly trained model and its history."""
    from mnist_nn import build_model, train

    model = build_model(seed=0)
    history = train(model, small, mnist.validation[:1000], epochs=4, batch_size=64, augmentation=None, verbose=0)
    return model, history


@pytest.fixture
def blank():
    """A split of three blank images."""
    return Split(np.zeros((3, 28, 28), np.uint8), np.array([0, 1, 2]))


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch):
    """Make tests independent of the width of the terminal."""
    monkeypatch.setenv("COLUMNS", "80")
