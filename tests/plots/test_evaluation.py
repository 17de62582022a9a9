"""Figures of evaluations show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

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
from mnist_nn.plots._common import BLUE, DARK_ORANGE
from tests.plots.conftest import texts


def test_confusion(result):
    ax = plot_confusion(result.confusion)
    wrong = 5000 - result.correct
    assert ax.get_title("left") == f"{wrong} of 5,000 misclassified"
    shown = [int(text.replace(",", "")) for text in texts(ax) if text]
    assert sum(shown) == 5000


def test_functions_accept_what_evaluate_returns(result):
    matrix, whole = plot_confusion(result.confusion), plot_confusion(result)
    assert texts(matrix) == texts(whole)
    assert texts(plot_reliability(result)) == texts(plot_reliability(result.reliability_curve))
    curve, expected = plot_risk_coverage(result).lines[0], plot_risk_coverage(risk_coverage(result)).lines[0]
    assert np.array_equal(curve.get_xydata(), expected.get_xydata())


@pytest.mark.parametrize(
    ("plot", "arguments", "message"),
    [
        (plot_confusion, [np.zeros((3, 3), int)], "what evaluate returns, or a table of 10x10"),
        (plot_confusion, [np.zeros((10, 10))], "whole numbers, not float64"),
        (plot_reliability, [np.zeros(3)], "must be an Evaluation or a table with confidence"),
        (plot_risk_coverage, [pd.DataFrame()], "must be an Evaluation or a table with coverage"),
        (plot_mistakes, [range(3), "x"], "evaluation must be what evaluate"),
        (plot_robustness, [{}], "tables must name what measure_robustness returns"),
        (plot_robustness, [pd.DataFrame()], "tables must name what measure_robustness returns"),
    ],
)
def test_a_wrong_argument_is_named(plot, arguments, message):
    with pytest.raises(ValueError, match=message):
        plot(*arguments)


def test_mistakes_of_other_images_are_refused(mnist, result):
    with pytest.raises(ValueError, match="evaluation is of 5,000 images, but split holds 10,000"):
        plot_mistakes(mnist.test, result)
    with pytest.raises(ValueError, match="evaluation is of other images"):
        plot_mistakes(mnist.test[:5000], result)


def test_class_names_replace_the_digits(mnist, result):
    names = [f"name {number}" for number in range(10)]
    ax = plot_confusion(result, class_names=names)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == names
    assert ax.get_xlabel() == "predicted class"
    title = plot_mistakes(mnist.validation, result, count=1, class_names=names).axes[0].get_title()
    assert title.startswith(f"true name {result.labels[result.mistakes[0]]}\npredicted name ")
    ax = plot_class_balance(test=mnist.test, class_names=np.array(names))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == names
    with pytest.raises(ValueError, match="class_names must be ten names, not 'abc'"):
        plot_confusion(result, class_names="abc")
    with pytest.raises(ValueError, match="class_names must be ten names"):
        plot_confusion(result, class_names=10)


def test_numbers_in_the_confusion_matrix_have_enough_contrast(result):
    ax = plot_confusion(result)
    ax.figure.canvas.draw()
    colors = ax.collections[0].get_facecolors()
    cells = {}
    for number, color in enumerate(colors):
        cells[divmod(number, 10)] = color[:3] if color[3] else np.ones(3)
    for text in ax.texts:
        x, y = text.get_position()
        assert contrast(to_rgb(text.get_color()), cells[int(y), int(x)]) >= 4.5


def contrast(first, second):
    """The contrast ratio of WCAG 2.2, written independently of the package."""
    first, second = (
        sum(
            weight * (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
            for weight, value in zip((0.2126, 0.7152, 0.0722), color, strict=True)
        )
        for color in (first, second)
    )
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


@pytest.mark.parametrize("color", [BLUE, DARK_ORANGE, "0.4", "0.3"])
def test_coloured_text_has_enough_contrast_on_white(color):
    assert contrast(to_rgb(color), (1, 1, 1)) >= 4.5


def test_confusion_without_mistakes():
    ax = plot_confusion(np.diag(np.full(10, 7)))
    assert ax.get_title("left") == "0 of 70 misclassified"


def test_mistakes(mnist, result):
    figure = plot_mistakes(mnist.validation, result, count=12)
    first = result.mistakes[0]
    assert np.array_equal(figure.axes[0].images[0].get_array(), mnist.validation.images[first])
    title = figure.axes[0].get_title()
    assert title.startswith(f"true {mnist.validation.labels[first]}\npredicted {result.predicted[first]}\n")


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
    few = select_confident(result, 1 - 1e-6)
    assert plot_risk_coverage(table, few).get_xlim()[0] < 100 * few.coverage


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
    assert shift.lines[0].get_xdata().tolist() == [0, 2]  # unequal steps are drawn unequally
    assert (len(shift.artists), len(mine.artists)) == (2, 0)  # images show the strengths of known corruptions
    assert not any(ax.axison for ax in rest)


def test_every_model_is_drawn():
    table = pd.DataFrame({"corruption": "shift", "unit": "pixels", "strength": [0, 2], "accuracy": [1, 0.5]})
    figure = plot_robustness(dict.fromkeys("abcdef", table))
    assert [text.get_text() for text in figure.axes[0].get_legend().texts] == list("abcdef")


def test_figures_can_be_drawn_into_given_axes(result, mnist):
    _, axes = plt.subplots(1, 3)
    assert plot_class_balance(ax=axes[0], test=mnist.test) is axes[0]
    assert plot_confusion(result.confusion, ax=axes[1]) is axes[1]

    assert plot_embedding(np.zeros((10, 2)), np.arange(10), ax=axes[2]) is axes[2]
