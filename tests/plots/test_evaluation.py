"""Figures of evaluations show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from mnist_nn import (
    Evaluation,
    plot_class_balance,
    plot_confusion,
    plot_embedding,
    plot_mistakes,
    plot_reliability,
    plot_risk_coverage,
    plot_robustness,
    risk_coverage,
    select_confident,
)
from tests.plots.conftest import texts


def test_confusion(result):
    ax = plot_confusion(result.confusion)
    wrong = 5000 - result.correct
    assert ax.get_title("left") == f"{wrong} of 5,000 misclassified"
    shown = [int(text.replace(",", "")) for text in texts(ax) if text]
    assert sum(shown) == 5000


def test_confusion_without_mistakes():
    ax = plot_confusion(np.diag(np.full(10, 7)))
    assert ax.get_title("left") == "0 of 70 misclassified"


def test_mistakes(mnist, result):
    figure = plot_mistakes(mnist.validation, result, count=12)
    first = result.mistakes[0]
    assert np.array_equal(figure.axes[0].images[0].get_array(), mnist.validation.images[first])
    title = figure.axes[0].get_title()
    assert title.startswith(f"{mnist.validation.labels[first]} as {result.predicted[first]}\n")


def test_a_model_without_mistakes(mnist, result):
    right = np.flatnonzero(result.predicted == result.labels)
    figure = plot_mistakes(mnist.validation[right], type(result)(result.labels[right], result.probabilities[right]))
    assert not [ax for ax in figure.axes if ax.images]


def test_reliability(result):
    ax = plot_reliability(result.reliability_curve)
    some = result.reliability_curve.dropna()
    points = ax.containers[0].lines[0]
    assert points.get_xdata() == pytest.approx(100 * some["confidence"])
    assert points.get_ydata() == pytest.approx(100 * some["accuracy"])
    assert texts(ax) == [*(f"{images:,}" for images in some["images"]), "images:"]


def test_reliability_of_a_model_that_is_always_correct():
    sure = np.eye(10, dtype=np.float32)
    assert plot_reliability(Evaluation(np.arange(10), sure).reliability_curve).containers[0].lines[0].get_ydata() == [
        100
    ]


def test_risk_coverage(result):
    table, chosen = risk_coverage(result), select_confident(result, 0.9)
    ax = plot_risk_coverage(table, chosen, budget=0.01)
    curve, budget, point = ax.lines
    assert curve.get_xdata() == pytest.approx(100 * table["coverage"])
    assert curve.get_ydata() == pytest.approx(100 * table["error"])
    assert budget.get_ydata() == [1, 1]
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (100 * chosen.coverage, 100 * chosen.error)
    assert texts(ax)[0] == "budget: 1 %"


def test_robustness(small):
    table = pd.DataFrame(
        {"corruption": "shift", "unit": "pixels", "strength": [0, 2, 0, 2], "accuracy": [1, 0.5, 1, 0.7]}
    )
    own = table.assign(corruption="my own")
    figure = plot_robustness({"ours": table, "theirs": pd.concat([table, own])}, small.images[0])
    shift, mine, *rest = figure.axes
    assert [ax.get_title("left") for ax in (shift, mine)] == ["shift", "my own"]
    assert shift.lines[0].get_ydata() == pytest.approx([100, 60])  # the mean of two seeds
    assert [text.get_text() for text in shift.get_legend().texts] == ["ours", "theirs"]
    assert len({line.get_linestyle() for line in shift.lines}) == 2
    assert [tick.get_text() for tick in shift.get_xticklabels()] == ["0", "2"]
    assert (len(shift.artists), len(mine.artists)) == (2, 0)  # images show the strengths of known corruptions
    assert not any(ax.axison for ax in rest)


def test_figures_can_be_drawn_into_given_axes(result, mnist):
    _, axes = plt.subplots(1, 3)
    assert plot_class_balance(ax=axes[0], test=mnist.test) is axes[0]
    assert plot_confusion(result.confusion, ax=axes[1]) is axes[1]

    assert plot_embedding(np.zeros((10, 2)), np.arange(10), ax=axes[2]) is axes[2]
