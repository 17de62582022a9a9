"""Figures of trainings show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from mnist_nn import plot_history, plot_seeds, plot_tradeoff
from tests.plots.conftest import texts


def test_history(trained):
    for history in (trained[1], trained[1].history):
        figure = plot_history(history)
        for ax, name in zip(figure.axes, ["loss", "accuracy"], strict=True):
            lines = dict(zip([name, f"val_{name}"], ax.lines, strict=True))
            assert [line.get_linestyle() for line in lines.values()] == ["--", "-"]
            for key, line in lines.items():
                values = np.array(trained[1].history[key])
                assert line.get_ydata() == pytest.approx(values if name == "loss" else 100 * (1 - values))
            assert ax.get_yscale() == "log"


@pytest.mark.parametrize("history", [{}, {"loss": [1.0]}, [0.1], "loss"])
def test_a_wrong_history_is_named(history):
    with pytest.raises(ValueError, match="history must be what train returns, with loss, accuracy"):
        plot_history(history)


def test_labels_of_similar_recipes_do_not_overlap():
    recipes = [f"recipe {number}" for number in range(6)]
    seconds = pd.Series([9.4, 9.3, 9.7, 7.6, 10, 37], recipes)
    ax = plot_tradeoff(seconds, pd.Series([0.81, 0.84, 0.845, 0.85, 0.91, 2.5], recipes))
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]  # without their lines
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    # The labels form a column, and each line ends where its label begins, so none passes behind another label.
    assert np.ptp([box.x0 for box in boxes[:5]]) < 1
    assert all(text.arrow_patch.get_window_extent().x1 < box.x0 + 2 for text, box in zip(ax.texts, boxes, strict=True))


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
