"""Figures of trainings show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest

from mnist_nn import plot_history, plot_seeds, plot_tradeoff
from tests.plots.conftest import texts


def test_history(trained):
    for history in (trained[1], trained[1].history):
        figure = plot_history(history)
        for ax, name, scale in zip(figure.axes, ["loss", "accuracy"], [1, 100], strict=True):
            dashed, solid = ax.lines
            assert (dashed.get_linestyle(), solid.get_linestyle()) == ("--", "-")
            assert dashed.get_ydata() == pytest.approx(scale * np.array(trained[1].history[name]))
            assert solid.get_ydata() == pytest.approx(scale * np.array(trained[1].history[f"val_{name}"]))


def test_history_of_one_epoch():
    figure = plot_history({name: [0.5] for name in ("loss", "accuracy", "val_loss", "val_accuracy")})
    assert figure.axes[0].lines[0].get_marker() == "o"


def test_tradeoff():
    recipes = ["ours", "theirs"]
    ax = plot_tradeoff(pd.Series([8, 20], recipes), pd.Series([0.8, 2.5], recipes), {"1998": 3.05})
    assert texts(ax) == ["1998", "ours", "theirs"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines[1:]] == [(8, 0.8), (20, 2.5)]
    assert ax.lines[0].get_ydata() == [3.05, 3.05]


def test_seeds():
    correct = pd.Series([9910, 9920, 9920, 9930])
    ax = plot_seeds(correct, 10_000)
    assert ax.lines[0].get_xdata().tolist() == pytest.approx([99.1, 99.2, 99.2, 99.3])
    assert len(set(ax.lines[0].get_ydata())) == 2  # equal values are stacked
    spread, sampling = (container.lines[2][0].get_segments()[0][:, 0] for container in ax.containers)
    assert spread == pytest.approx([99.2 - correct.std() / 100, 99.2 + correct.std() / 100])
    assert sampling == pytest.approx([99.006, 99.357], abs=1e-3)  # statsmodels 0.14.5, proportion_confint, wilson
