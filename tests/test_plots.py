"""Figures show the numbers they are given."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from mnist_nn import Evaluation, Prediction, evaluate, plots, predict_digit, risk_coverage, select_confident


@pytest.fixture(autouse=True)
def _closed_figures():
    matplotlib.use("Agg")
    with plt.style.context("mnist_nn.style"):
        yield
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()  # layout warnings would be errors
    plt.close("all")


@pytest.fixture(scope="module")
def result(trained, mnist):
    return evaluate(trained[0], mnist.validation)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_digits(small):
    figure = plots.plot_digits(small.images[:13], small.labels[:13], columns=5)
    assert len(figure.axes) == 15
    assert [ax.get_title() for ax in figure.axes[:13]] == [str(label) for label in small.labels[:13]]
    assert np.array_equal(figure.axes[3].images[0].get_array(), small.images[3])


def test_class_balance(mnist):
    ax = plots.plot_class_balance(train=mnist.train, test=mnist.test)
    heights = [bar.get_height() for bar in ax.patches]
    assert len(heights) == 20
    assert heights[:10] == pytest.approx(100 * np.bincount(mnist.train.labels) / 55_000)
    assert [text.get_text() for text in ax.get_legend().texts] == ["train (55,000)", "test (10,000)"]


def test_history(trained):
    for history in (trained[1], trained[1].history):
        figure = plots.plot_history(history)
        for ax, name, scale in zip(figure.axes, ["loss", "accuracy"], [1, 100], strict=True):
            dashed, solid = ax.lines
            assert (dashed.get_linestyle(), solid.get_linestyle()) == ("--", "-")
            assert dashed.get_ydata() == pytest.approx(scale * np.array(trained[1].history[name]))
            assert solid.get_ydata() == pytest.approx(scale * np.array(trained[1].history[f"val_{name}"]))


def test_history_of_one_epoch():
    figure = plots.plot_history({name: [0.5] for name in ("loss", "accuracy", "val_loss", "val_accuracy")})
    assert figure.axes[0].lines[0].get_marker() == "o"


def test_confusion(result):
    ax = plots.plot_confusion(result.confusion)
    wrong = 5000 - result.correct
    assert ax.get_title("left") == f"{wrong} of 5,000 read wrong"
    shown = [int(text.replace(",", "")) for text in texts(ax) if text]
    assert sum(shown) == 5000


def test_confusion_without_mistakes():
    ax = plots.plot_confusion(np.diag(np.full(10, 7)))
    assert ax.get_title("left") == "0 of 70 read wrong"


def test_mistakes(mnist, result):
    figure = plots.plot_mistakes(mnist.validation, result, count=12)
    first = result.mistakes[0]
    assert np.array_equal(figure.axes[0].images[0].get_array(), mnist.validation.images[first])
    title = figure.axes[0].get_title()
    assert title.startswith(f"{mnist.validation.labels[first]} as {result.predicted[first]}\n")


def test_mistakes_of_a_network_without_any(mnist, result):
    right = np.flatnonzero(result.predicted == result.labels)
    figure = plots.plot_mistakes(
        mnist.validation[right], type(result)(result.labels[right], result.probabilities[right])
    )
    assert not [ax for ax in figure.axes if ax.images]


def test_prediction(trained, small):
    image = 255 - small.images[0]
    prediction = predict_digit(trained[0], image)
    figure = plots.plot_prediction(image, prediction)
    picture, pixels, bars = figure.axes
    assert np.array_equal(picture.images[0].get_array(), image)
    assert np.array_equal(pixels.images[0].get_array(), prediction.pixels)
    assert [bar.get_height() for bar in bars.patches] == pytest.approx(100 * prediction.probabilities)
    doubt = "read as" if prediction.sure else "not sure: perhaps"
    assert bars.get_title("left") == f"{doubt} {prediction.digit}"


def test_row(small):
    pixels, probabilities = small.images[0], np.eye(10, dtype=np.float32)
    found = [
        Prediction(probabilities[4], pixels, (10, 20, 50, 80)),
        Prediction(probabilities[2], pixels, (60, 20, 90, 80), clear=False),
    ]
    ax = plots.plot_row(np.full((100, 300), 255, np.uint8), found)
    assert texts(ax) == ["4", "2?"]
    assert [patch.get_bbox().extents.tolist() for patch in ax.patches] == [[10, 20, 50, 80], [60, 20, 90, 80]]


def test_map(small):
    places = np.random.default_rng(0).normal(size=(2000, 2))
    ax = plots.plot_map(places, small.labels)
    assert texts(ax) == [str(digit) for digit in range(10)]
    assert sum(len(points.get_offsets()) for points in ax.collections) == 2000


def test_tradeoff():
    recipes = ["ours", "theirs"]
    ax = plots.plot_tradeoff(pd.Series([8, 20], recipes), pd.Series([0.8, 2.5], recipes), {"1998": 3.05})
    assert texts(ax) == ["1998", "ours", "theirs"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines[1:]] == [(8, 0.8), (20, 2.5)]
    assert ax.lines[0].get_ydata() == [3.05, 3.05]


def test_seeds():
    correct = pd.Series([9910, 9920, 9920, 9930])
    ax = plots.plot_seeds(correct, 10_000)
    assert ax.lines[0].get_xdata().tolist() == pytest.approx([99.1, 99.2, 99.2, 99.3])
    assert len(set(ax.lines[0].get_ydata())) == 2  # equal ones stand above each other
    spread, sampling = (container.lines[2][0].get_segments()[0][:, 0] for container in ax.containers)
    assert spread == pytest.approx([99.2 - correct.std() / 100, 99.2 + correct.std() / 100])
    assert sampling == pytest.approx([99.006, 99.357], abs=1e-3)  # statsmodels 0.14.5, proportion_confint, wilson


def test_axes_can_be_given(trained, result, small, mnist):
    _, axes = plt.subplots(1, 4)
    prediction = predict_digit(trained[0], small.images[0])
    assert plots.plot_class_balance(ax=axes[0], test=mnist.test) is axes[0]
    assert plots.plot_confusion(result.confusion, ax=axes[1]) is axes[1]
    assert plots.plot_probabilities(prediction, ax=axes[2]) is axes[2]
    assert plots.plot_map(np.zeros((10, 2)), np.arange(10), ax=axes[3]) is axes[3]


def test_reliability(result):
    ax = plots.plot_reliability(result.reliability)
    some = result.reliability.dropna()
    points = ax.containers[0].lines[0]
    assert points.get_xdata() == pytest.approx(100 * some["confidence"])
    assert points.get_ydata() == pytest.approx(100 * some["accuracy"])
    assert texts(ax) == [*(f"{images:,}" for images in some["images"]), "images:"]


def test_reliability_of_a_network_that_is_always_right():
    sure = np.eye(10, dtype=np.float32)
    assert plots.plot_reliability(Evaluation(np.arange(10), sure).reliability).containers[0].lines[0].get_ydata() == [
        100
    ]


def test_risk_coverage(result):
    table, chosen = risk_coverage(result), select_confident(result, 0.9)
    ax = plots.plot_risk_coverage(table, chosen, budget=0.01)
    curve, budget, point = ax.lines
    assert curve.get_xdata() == pytest.approx(100 * table["coverage"])
    assert curve.get_ydata() == pytest.approx(100 * table["error"])
    assert budget.get_ydata() == [1, 1]
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (100 * chosen.coverage, 100 * chosen.error)
    assert texts(ax)[0] == "budget: 1 %"


def test_robustness(small):
    table = pd.DataFrame(
        {"distortion": "shift", "unit": "pixels", "strength": [0, 2, 0, 2], "accuracy": [1, 0.5, 1, 0.7]}
    )
    own = table.assign(distortion="my own")
    figure = plots.plot_robustness({"ours": table, "theirs": pd.concat([table, own])}, small.images[0])
    shift, mine, *rest = figure.axes
    assert [ax.get_title("left") for ax in (shift, mine)] == ["shift", "my own"]
    assert shift.lines[0].get_ydata() == pytest.approx([100, 60])  # the mean of two seeds
    assert [text.get_text() for text in shift.get_legend().texts] == ["ours", "theirs"]
    assert len({line.get_linestyle() for line in shift.lines}) == 2
    assert [tick.get_text() for tick in shift.get_xticklabels()] == ["0", "2"]
    assert (len(shift.artists), len(mine.artists)) == (2, 0)  # what the strengths look like, where it is known
    assert not any(ax.axison for ax in rest)


def test_maps_are_on_one_scale(small):
    maps = np.random.default_rng(0).normal(size=(3, 28, 28))
    figure = plots.plot_maps(maps, ["a", "b", "c"], small.images[:3], columns=2)
    limits = {ax.images[0].get_clim() for ax in figure.axes[:3]}
    assert limits == {(-np.percentile(np.abs(maps), 99.5), np.percentile(np.abs(maps), 99.5))}
    assert np.array_equal(figure.axes[2].images[0].get_array(), maps[2])
    assert [ax.get_title() for ax in figure.axes[:3]] == ["a", "b", "c"]


def test_units_beside_what_they_answer_to(small):
    answers = np.zeros((20, 6))
    answers[7, 4] = 1
    figure = plots.plot_units(np.arange(28 * 28 * 6).reshape(28, 28, 6), small.images[:20], answers, [4, 0])
    weights, first = figure.axes[:2]
    assert weights.get_ylabel() == "unit 4"
    assert np.array_equal(weights.images[0].get_array(), np.arange(28 * 28 * 6).reshape(28, 28, 6)[:, :, 4])
    assert np.array_equal(first.images[0].get_array(), small.images[7])


def test_changes(small):
    before, after = small.images[:2], small.images[2:4]
    figure = plots.plot_changes(before, after, [1, 2], [3, 4])
    shown = [ax.images[0].get_array() for ax in figure.axes[:6]]
    assert np.array_equal(shown[0], before[0])
    assert np.array_equal(shown[3], after[1].astype(int) - before[1])
    assert np.array_equal(shown[5], after[1])
    assert [ax.get_title() for ax in figure.axes[:6]] == ["1", "2", "", "", "3", "4"]
