"""Figures of evaluations: confusion matrix, mistakes, calibration, abstaining."""

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ..analysis.selective import Selection, risk_coverage
from ..data import Split
from ..evaluation import Evaluation, wilson_interval
from ._common import BLUE, ORANGE, check_class_names, new_axes, text_color
from .data import plot_digits


def plot_confusion(
    confusion: Evaluation | np.ndarray, *, class_names: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw a confusion matrix as a heat map.

    The colour shows mistakes only, because a hundred times as many correct answers would hide them.

    Args:
        confusion: What `evaluate` returns, or int (10, 10): rows are true digits and columns predicted ones.
        class_names: Ten names if the classes are not digits.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: `confusion` is neither, or there are not ten names.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network, plot_confusion
        >>> ax = plot_confusion(evaluate(load_network(), load_mnist().test))
    """
    names = check_class_names(class_names)
    confusion = confusion.confusion if isinstance(confusion, Evaluation) else np.asarray(confusion)
    if confusion.shape != (10, 10) or not np.issubdtype(confusion.dtype, np.integer):
        raise ValueError(
            f"confusion must be what evaluate returns, or a table of 10x10 whole numbers, not {confusion.dtype} "
            f"{confusion.shape}"
        )
    ax = ax or new_axes(6.4, 5.4)
    diagonal = np.eye(10, dtype=bool)
    most = max(2, confusion[~diagonal].max())
    norm = LogNorm(1, most)
    sns.heatmap(
        confusion,
        mask=diagonal | (confusion == 0),
        norm=norm,
        vmin=1,
        vmax=most,
        cmap="Oranges",
        linewidths=0.5,
        linecolor="0.9",
        cbar=False,
        square=True,
        xticklabels=names,
        yticklabels=names,
        ax=ax,
    )
    colors = plt.get_cmap("Oranges")
    for (true, predicted), count in np.ndenumerate(confusion):
        correct = true == predicted
        if count or correct:
            color = "black" if correct else text_color(colors(norm(count)))
            text = {"ha": "center", "va": "center", "fontsize": 9, "fontweight": "bold" if correct else "normal"}
            ax.text(predicted + 0.5, true + 0.5, f"{count:,}", color=color, **text)
    total = confusion.sum()
    wrong = total - np.trace(confusion)
    kind = "digit" if class_names is None else "class"
    ax.set(xlabel=f"predicted {kind}", ylabel=f"true {kind}", title=f"{wrong:,} of {total:,} misclassified")
    ax.grid(False)
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", rotation=0 if class_names is None else 45)
    return ax


def plot_mistakes(
    split: Split, evaluation: Evaluation, *, count: int = 30, class_names: Sequence[str] | None = None
) -> Figure:
    """Draw the misclassified images, the most confident first, with true digit, predicted digit and confidence.

    Args:
        split: The images.
        evaluation: The predictions for these images.
        count: The largest number of images to draw.
        class_names: Ten names if the classes are not digits.

    Returns:
        The figure.

    Raises:
        ValueError: The evaluation is not one, or of other images; or there are not ten names.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network, plot_mistakes
        >>> test = load_mnist().test
        >>> figure = plot_mistakes(test, evaluate(load_network(), test), count=20)
    """
    names = check_class_names(class_names)
    if not isinstance(evaluation, Evaluation):
        kind = type(evaluation).__name__
        raise ValueError(f"evaluation must be what evaluate(model, split) returns, not a {kind}")
    if len(split) != len(evaluation.labels):
        raise ValueError(f"evaluation is of {len(evaluation.labels):,} images, but split holds {len(split):,}")
    if not np.array_equal(split.labels, evaluation.labels):
        raise ValueError("evaluation is of other images; type plot_mistakes(split, evaluate(model, split))")
    chosen = evaluation.mistakes[:count]
    titles = [
        f"true {names[int(evaluation.labels[i])]}\npredicted {names[int(evaluation.predicted[i])]}\n"
        f"{100 * evaluation.confidence[i]:.1f} %"
        for i in chosen
    ]
    return plot_digits(split.images[chosen], titles)


def _table_of(value: Evaluation | pd.DataFrame, make: Callable, columns: Sequence[str]) -> pd.DataFrame:
    """Return the table that a plot needs, made from an Evaluation if one is given."""
    if isinstance(value, Evaluation):
        return make(value)
    if not isinstance(value, pd.DataFrame) or not set(columns) <= set(value.columns):
        kind = type(value).__name__
        raise ValueError(f"table must be an Evaluation or a table with {', '.join(columns)}, not a {kind}")
    return value


def plot_reliability(table: Evaluation | pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw accuracy against confidence in bins, with 95 % intervals and numbers of images.

    On the dotted line accuracy equals confidence.

    Args:
        table: What `evaluate` returns, or its `reliability_curve`.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: `table` is neither.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network, plot_reliability
        >>> ax = plot_reliability(evaluate(load_network(), load_mnist().test))
    """
    columns = ["confidence", "accuracy", "images", "above"]
    table = _table_of(table, lambda result: result.reliability_curve, columns).query("images > 0")
    ax = ax or new_axes(7.5, 4)
    confidence, accuracy = 100 * table["confidence"], 100 * table["accuracy"]
    counts = zip((table["accuracy"] * table["images"]).round().astype(int), table["images"], strict=True)
    low, high = 100 * np.array([wilson_interval(correct, images) for correct, images in counts]).T
    ax.plot([0, 100], [0, 100], ":", color="0.4", linewidth=1.2)
    errors = np.maximum([accuracy - low, high - accuracy], 0)  # rounding can make them slightly negative
    ax.errorbar(confidence, accuracy, yerr=errors, fmt="o", capsize=3, color=BLUE)
    for x, images in zip(confidence, table["images"], strict=True):
        ax.text(float(x), -9, f"{images:,}", ha="center", va="center", fontsize=8)
    left = max(0.0, float(100 * table["above"].to_numpy().min() - 8))
    ax.text(left + 0.5, -9, "images:", va="center", fontsize=8)
    ax.set(xlim=(left, 103), ylim=(-15, 105), yticks=range(0, 101, 20))
    ax.set(xlabel="mean confidence in the bin (%)", ylabel="accuracy (%)")
    return ax


def plot_risk_coverage(
    table: Evaluation | pd.DataFrame,
    selection: Selection | None = None,
    budget: float | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the error of accepted answers against the coverage, both in per cent.

    Args:
        table: What `evaluate` or `risk_coverage` returns.
        selection: What `select_confident` returns for a threshold, drawn as a point.
        budget: The largest acceptable error, 0 to 1, drawn as a line.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: `table` is neither.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network, plot_risk_coverage
        >>> ax = plot_risk_coverage(evaluate(load_network(), load_mnist().test), budget=0.001)
    """
    table = _table_of(table, risk_coverage, ["coverage", "error"])
    ax = ax or new_axes(7.5, 3.4)
    ax.plot(100 * table["coverage"], 100 * table["error"], color=BLUE, drawstyle="steps-post")
    if budget is not None:
        ax.axhline(100 * budget, color="0.4", linestyle=":", linewidth=1.2)
        ax.text(0.005, 100 * budget, f"budget: {100 * budget:g} %", va="bottom", transform=ax.get_yaxis_transform())
    if selection is not None:
        point = 100 * selection.coverage, 100 * selection.error
        ax.plot(*point, "D", color=ORANGE)
        text = f"{point[0]:.1f} % accepted,\n{point[1]:.2f} % of these wrong"
        ax.annotate(text, point, (-10, 34), textcoords="offset points", ha="right", arrowprops={"arrowstyle": "-"})
    lowest = 50 if selection is None else min(50, 100 * selection.coverage - 5)
    ax.set(xlabel="coverage: accepted answers (%)", ylabel="wrong answers (%)", xlim=(lowest, 100.5))
    ax.set_ylim(bottom=0)
    return ax
