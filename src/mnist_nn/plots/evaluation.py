"""Figures of evaluations: confusion matrix, mistakes, calibration, abstaining, robustness."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from ..analysis.robustness import CORRUPTIONS, Corruption
from ..analysis.selective import Selection
from ..data import Split
from ..evaluation import Evaluation, wilson_interval
from ._common import BLUE, DIGITS, ORANGE, new_axes
from .data import plot_digits


def plot_confusion(confusion: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Draw a confusion matrix as a heat map.

    The colour shows mistakes only, because a hundred times as many correct answers would hide them.

    Args:
        confusion: int (10, 10), rows are true digits and columns predicted ones: an Evaluation's `confusion`.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network, plot_confusion
        >>> ax = plot_confusion(evaluate(load_network(), load_mnist().test).confusion)
    """
    ax = ax or new_axes(6.4, 5.4)
    diagonal = np.eye(10, dtype=bool)
    most = max(2, confusion[~diagonal].max())
    sns.heatmap(
        confusion,
        mask=diagonal | (confusion == 0),
        norm=LogNorm(1, most),
        vmin=1,
        vmax=most,
        cmap="Oranges",
        annot=True,
        fmt="d",
        linewidths=0.5,
        linecolor="0.9",
        cbar=False,
        square=True,
        ax=ax,
    )
    for digit in DIGITS:
        count = f"{confusion[digit, digit]:,}"
        ax.text(digit + 0.5, digit + 0.5, count, ha="center", va="center", fontsize=9, fontweight="bold")
    total = confusion.sum()
    wrong = total - np.trace(confusion)
    ax.set(xlabel="predicted digit", ylabel="true digit", title=f"{wrong:,} of {total:,} misclassified")
    ax.grid(False)
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=0)
    return ax


def plot_mistakes(split: Split, evaluation: Evaluation, *, count: int = 30) -> Figure:
    """Draw the misclassified images, the most confident first, with true digit, predicted digit and confidence.

    Args:
        split: The images.
        evaluation: The predictions for these images.
        count: The largest number of images to draw.

    Returns:
        The figure.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network, plot_mistakes
        >>> test = load_mnist().test
        >>> figure = plot_mistakes(test, evaluate(load_network(), test), count=20)
    """
    chosen = evaluation.mistakes[:count]
    titles = [f"{split.labels[i]} as {evaluation.predicted[i]}\n{100 * evaluation.confidence[i]:.1f} %" for i in chosen]
    return plot_digits(split.images[chosen], titles)


def plot_reliability(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw accuracy against confidence in bins, with 95 % intervals and numbers of images.

    On the dotted line accuracy equals confidence.

    Args:
        table: What `reliability_curve` returns, or an Evaluation's `reliability_curve`.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network, plot_reliability
        >>> ax = plot_reliability(evaluate(load_network(), load_mnist().test).reliability_curve)
    """
    ax = ax or new_axes(7.5, 4)
    table = table.query("images > 0")
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
    table: pd.DataFrame, selection: Selection | None = None, budget: float | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the error of accepted answers against the coverage, both in per cent.

    Args:
        table: What `risk_coverage` returns.
        selection: What `select_confident` returns for a threshold, drawn as a point.
        budget: The largest acceptable error, 0 to 1, drawn as a line.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network, plot_risk_coverage, risk_coverage
        >>> ax = plot_risk_coverage(risk_coverage(evaluate(load_network(), load_mnist().test)), budget=0.001)
    """
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
    ax.set(xlabel="coverage: accepted answers (%)", ylabel="wrong answers (%)", xlim=(50, 100.5))
    ax.set_ylim(bottom=0)
    return ax


def plot_robustness(tables: Mapping[str, pd.DataFrame], image: np.ndarray | None = None) -> Figure:
    """Draw accuracy against the strength of each corruption: one panel per corruption, one line per model.

    Args:
        tables: What `measure_robustness` returns, by the names of the models. If a table holds several seeds, the
            line is their mean and the band reaches from the lowest to the highest.
        image: uint8 (28, 28), shown at each strength above the panels.

    Returns:
        The figure.

    Example:
        >>> from mnist_nn import load_mnist, load_network, measure_robustness, plot_robustness
        >>> test = load_mnist().test[:100]
        >>> figure = plot_robustness({"pretrained": measure_robustness(load_network(), test)}, test.images[0])
    """
    names = list(dict.fromkeys(name for table in tables.values() for name in table["corruption"]))
    rows = -(-len(names) // 4)
    figure, axes = plt.subplots(rows, 4, figsize=(11, 2.9 * rows), sharey=True, squeeze=False)
    for ax in axes.flat[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, names, strict=False):
        strengths = _plot_corruption(ax, name, tables)
        ax.set_title(name, pad=6 if image is None else 32)
        if image is not None and name in CORRUPTIONS:
            _show_strengths(ax, image, CORRUPTIONS[name], strengths)
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy (%)")
    axes.flat[0].legend(loc="lower left", fontsize=8.5)
    return figure


def _plot_corruption(ax: Axes, name: str, tables: Mapping[str, pd.DataFrame]) -> list[float]:
    """Draw one line per model and return the strengths on the axis."""
    strengths: list[float] = []
    styles = zip([ORANGE, BLUE, "0.3"], ["o-", "s--", "^:"], strict=True)
    for (model, table), (color, style) in zip(tables.items(), styles, strict=False):
        table = table.query("corruption == @name")
        accuracy = 100 * table.groupby("strength")["accuracy"].agg(["mean", "min", "max"])
        if not len(accuracy):
            continue
        strengths, ticks = list(accuracy.index), range(len(accuracy))
        ax.plot(ticks, accuracy["mean"], style, color=color, markersize=5, label=model)
        ax.fill_between(ticks, accuracy["min"], accuracy["max"], color=color, alpha=0.2, linewidth=0)
        ax.set(xlabel=table["unit"].iloc[0], xticks=ticks, xticklabels=[f"{strength:g}" for strength in strengths])
    ax.set(ylim=(0, 105), yticks=range(0, 101, 20))
    return strengths


def _show_strengths(ax: Axes, image: np.ndarray, corruption: Corruption, strengths: list[float]) -> None:
    """Draw the corrupted image above each strength."""
    for strength in corruption.strengths:
        if strength not in strengths:
            continue
        shown = image
        if strength != corruption.neutral:
            shown = [*corruption.variants(image[None], strength)][-1][0]
        small = OffsetImage(shown, zoom=0.75, cmap="gray_r", norm=Normalize(0, 255))
        position = strengths.index(strength), 1.01
        box = AnnotationBbox(small, position, xycoords=("data", "axes fraction"), box_alignment=(0.5, 0), pad=0.1)
        box.patch.set(edgecolor="0.85")
        ax.add_artist(box)
