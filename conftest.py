"""Settings for every test: figures are drawn in memory and closed afterwards."""

import sys

import matplotlib
import pytest

matplotlib.use("Agg")  # not through MPLBACKEND, which the kernels of the notebooks would inherit


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
