"""Settings for every test: figures are drawn in memory and closed afterwards, and examples load MNIST only once."""

import functools
import os
import sys

import matplotlib
import pytest

import mnist_nn

for name in ("COLUMNS", "LINES", "JUPYTER_COLUMNS"):  # the kernels of the notebooks would inherit them
    os.environ.pop(name, None)
if "PYTEST_XDIST_WORKER" in os.environ:
    # Two processes share the cores, so more threads in NumPy and scikit-learn would wait for each other.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
matplotlib.use("Agg")  # not through MPLBACKEND, which the kernels of the notebooks would inherit


load_mnist_once = functools.cache(mnist_nn.load_mnist)


@pytest.fixture(autouse=True)
def _examples_load_mnist_once(request, monkeypatch):
    if hasattr(request.node, "dtest"):  # an example in a docstring
        monkeypatch.setattr(mnist_nn, "load_mnist", load_mnist_once)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
