"""Figures of how far a network can be trusted: its confidence, and what distortions do to it."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from ..evaluation import wilson
from ..analysis.robustness import DISTORTIONS, Distortion
from ..analysis.selective import Selection
from .training import BLUE, ORANGE, new_axes


def plot_reliability(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Return the accuracy against the confidence in each bin, with its 95 % interval and number of images.

    table: an Evaluation's `reliability`. On the dotted line confidence is what it says it is.
    """
    ax = ax or new_axes(7.5, 4)
    some = table[table["images"] > 0]
    confidence, accuracy = 100 * some["confidence"], 100 * some["accuracy"]
    counts = zip((some["accuracy"] * some["images"]).round().astype(int), some["images"], strict=True)
    low, high = 100 * np.array([wilson(correct, images) for correct, images in counts]).T
    ax.plot([0, 100], [0, 100], ":", color="0.4", linewidth=1.2)
    errors = np.maximum([accuracy - low, high - accuracy], 0)  # not below it by a rounding error
    ax.errorbar(confidence, accuracy, yerr=errors, fmt="o", capsize=3, color=BLUE)
    for x, images in zip(confidence, some["images"], strict=True):
        ax.text(x, -9, f"{images:,}", ha="center", va="center", fontsize=8)
    left = max(0, 100 * some["above"].min() - 8)
    ax.text(left + 0.5, -9, "images:", va="center", fontsize=8)
    ax.set(xlim=(left, 103), ylim=(-15, 105), yticks=range(0, 101, 20))
    ax.set(xlabel="mean confidence of the bin (%)", ylabel="accuracy (%)")
    return ax


def plot_risk_coverage(
    table: pd.DataFrame, selection: Selection | None = None, budget: float | None = None, *, ax: Axes | None = None
) -> Axes:
    """Return the error among the answers against the share of images answered, both in per cent.

    table: what `risk_coverage` returns. selection: what a threshold gave, as a point. budget: of errors, as a line.
    """
    ax = ax or new_axes(7.5, 3.4)
    ax.plot(100 * table["coverage"], 100 * table["error"], color=BLUE, drawstyle="steps-post")
    if budget is not None:
        ax.axhline(100 * budget, color="0.4", linestyle=":", linewidth=1.2)
        ax.text(0.005, 100 * budget, f"budget: {100 * budget:g} %", va="bottom", transform=ax.get_yaxis_transform())
    if selection is not None:
        place = 100 * selection.coverage, 100 * selection.error
        ax.plot(*place, "D", color=ORANGE)
        text = f"{place[0]:.1f} % answered,\n{place[1]:.2f} % of these wrong"
        ax.annotate(text, place, (-10, 34), textcoords="offset points", ha="right", arrowprops={"arrowstyle": "-"})
    ax.set(xlabel="coverage: images answered (%)", ylabel="wrong answers (%)", xlim=(50, 100.5))
    ax.set_ylim(bottom=0)
    return ax


def plot_robustness(tables: Mapping[str, pd.DataFrame], image: np.ndarray | None = None) -> Figure:
    """Return accuracy against the strength of each distortion, a panel each, a line for each network.

    tables: what `measure_robustness` returns, by the networks' names; of several seeds' tables in one, the line is the
    mean and the band goes from the least to the greatest. image: uint8 (28, 28), shown at each strength.
    """
    names = list(dict.fromkeys(name for table in tables.values() for name in table["distortion"]))
    rows = -(-len(names) // 4)
    figure, axes = plt.subplots(rows, 4, figsize=(11, 2.9 * rows), sharey=True, squeeze=False)
    for ax in axes.flat[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, names, strict=False):
        styles = zip([ORANGE, BLUE, "0.3"], ["o-", "s--", "^:"], strict=True)
        for (network, table), (color, style) in zip(tables.items(), styles, strict=False):
            table = table[table["distortion"] == name]
            accuracy = 100 * table.groupby("strength")["accuracy"].agg(["mean", "min", "max"])
            ticks = range(len(accuracy))
            ax.plot(ticks, accuracy["mean"], style, color=color, markersize=5, label=network)
            ax.fill_between(ticks, accuracy["min"], accuracy["max"], color=color, alpha=0.2, linewidth=0)
        ax.set(xlabel=table["unit"].iloc[0], xticks=ticks, xticklabels=[f"{strength:g}" for strength in accuracy.index])
        ax.set(ylim=(0, 105), yticks=range(0, 101, 20))
        ax.set_title(name, pad=6 if image is None else 32)
        if image is not None and name in DISTORTIONS:
            _show_strengths(ax, image, DISTORTIONS[name], list(accuracy.index))
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy (%)")
    axes.flat[0].legend(loc="lower left", fontsize=8.5)
    return figure


def _show_strengths(ax: Axes, image: np.ndarray, distortion: Distortion, strengths: list[float]) -> None:
    for strength in distortion.strengths:
        if strength not in strengths:
            continue
        shown = image if strength == distortion.none else [*distortion.variants(image[None], strength)][-1][0]
        small = OffsetImage(shown, zoom=0.75, cmap="gray_r", norm=Normalize(0, 255))
        place = strengths.index(strength), 1.01
        box = AnnotationBbox(small, place, xycoords=("data", "axes fraction"), box_alignment=(0.5, 0), pad=0.1)
        box.patch.set(edgecolor="0.85")
        ax.add_artist(box)
