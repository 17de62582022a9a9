"""Figures of numbers: how many of each digit, curves over epochs, the confusion matrix, recipes and seeds compared."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from ..analysis.significance import over_seeds
from ..data import Split

DIGITS = range(10)
BLUE, ORANGE = "#0072B2", "#D55E00"  # tell apart in grey and for the colour-blind (M. Okabe and K. Ito, 2008)


def plot_class_balance(*, ax: Axes | None = None, **splits: Split) -> Axes:
    """Return bars of the share of each digit in each split, as in `plot_class_balance(train=..., test=...)`."""
    ax = ax or new_axes(7, 3.2)
    width = 0.8 / len(splits)
    for i, ((name, split), hatch) in enumerate(zip(splits.items(), ["", "///", "...", "xxx"], strict=False)):
        share = np.bincount(split.labels, minlength=10) / len(split)
        place = np.arange(10) + (i - (len(splits) - 1) / 2) * width
        ax.bar(place, 100 * share, width, label=f"{name} ({len(split):,})", hatch=hatch, edgecolor="white")
    ax.axhline(10, color="0.3", linewidth=1, linestyle=":")
    ax.set(xlabel="digit", ylabel="share of the images (%)", xticks=DIGITS)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(splits))
    return ax


def plot_history(history) -> Figure:
    """Return the curves of loss and accuracy over epochs, training dashed and validation solid.

    history: what `train` returns, or its `.history`, a dict of lists.
    """
    values = getattr(history, "history", history)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
    for ax, name, unit in zip(axes, ["loss", "accuracy"], ["loss (nats)", "accuracy (%)"], strict=True):
        scale = 100 if name == "accuracy" else 1
        epochs = np.arange(1, len(values[name]) + 1)
        marker = "o" if len(epochs) == 1 else None  # a single point has no line
        for key, style, color in [(name, "--", BLUE), (f"val_{name}", "-", ORANGE)]:
            label = "validation" if key.startswith("val_") else "training"
            ax.plot(epochs, scale * np.array(values[key]), style, color=color, label=label, marker=marker)
        ax.set(xlabel="epoch", ylabel=unit)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
    last = 100 * values["val_accuracy"][-1]
    axes[1].annotate(f"{last:.2f} %", (epochs[-1], last), (0, 4), textcoords="offset points", ha="right", va="bottom")
    axes[1].margins(y=0.12)
    return figure


def plot_confusion(confusion: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Return a heat map of how many images of each digit (row) are read as each digit (column).

    The colour shows mistakes alone: a hundred times as many right answers would leave nothing else to see.
    """
    ax = ax or new_axes(6.4, 5.4)
    right = np.eye(10, dtype=bool)
    most = max(2, confusion[~right].max())
    sns.heatmap(
        confusion,
        mask=right | (confusion == 0),
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
    ax.set(xlabel="read as", ylabel="true digit", title=f"{wrong:,} of {total:,} read wrong")
    ax.grid(False)
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=0)
    return ax


def plot_tradeoff(
    seconds: pd.Series, error: pd.Series, published: Mapping[str, float] | None = None, *, ax: Axes | None = None
) -> Axes:
    """Return recipes as labelled points: seconds of training across, error in per cent up, both logarithmic.

    seconds, error: indexed by the recipes' names; the first one is set off from the others.
    published: errors in per cent to draw as lines, by name.
    """
    ax = ax or new_axes(9, 5)
    top, bottom = (limit(error.max(), *(published or {}).values()) for limit in (max, min))
    bottom = min(bottom, error.min())
    ax.set(xscale="log", yscale="log", xlabel="training (s)", ylabel="error (%)")
    ax.set(xlim=(seconds.min() / 1.3, seconds.max() * 2), ylim=(bottom / 1.15, top * 1.2))
    for name, value in (published or {}).items():
        ax.axhline(value, color="0.6", linestyle=":", linewidth=1)
        ax.annotate(name, (1.01, value), xycoords=("axes fraction", "data"), va="center", fontsize=8.5, color="0.4")
    gap = 1.065  # labels this factor apart do not touch
    height = 0.0
    for name in error.sort_values().index:
        first = name == seconds.index[0]
        color, weight = (ORANGE, "bold") if first else (BLUE, "normal")
        ax.plot(seconds[name], error[name], "D" if first else "o", color=color)
        height = max(error[name], height * gap)
        ax.annotate(
            name,
            (seconds[name], error[name]),
            (seconds[name] * 1.15, height),
            va="center",
            fontsize=8.5,
            fontweight=weight,
            arrowprops={"arrowstyle": "-", "color": "0.7", "shrinkA": 0, "shrinkB": 3},
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0},  # over the lines
        )
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(LogLocator(subs=(2, 3, 5)))  # 8, 9 and 10 would touch
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("{x:g}")
        axis.set_tick_params(which="both", labelsize=8.5)
    return ax


def plot_seeds(correct: pd.Series, images: int, *, ax: Axes | None = None) -> Axes:
    """Return the accuracies of seeds as points, and below them the two uncertainties that must be told apart.

    correct: how many of the `images` each seed's network reads right, indexed by seed.
    """
    ax = ax or new_axes(8, 2.6)
    accuracy, seeds = 100 * correct / images, over_seeds(correct, images)
    mean, deviation, low, high = (100 * value for value in (seeds.mean, seeds.deviation, *seeds.interval))
    stacked = 2 + 0.17 * accuracy.groupby(accuracy).cumcount()
    ax.plot(accuracy, stacked, "o", color=BLUE)
    ax.errorbar(mean, 1, xerr=deviation, fmt="D", capsize=4, color=ORANGE)
    ax.errorbar((low + high) / 2, 0, xerr=(high - low) / 2, fmt="none", capsize=4, color="0.3")
    ax.plot(mean, 0, "|", color="0.3", markersize=10)
    rows = [
        f"95 % interval: {images:,} images\nare a sample of all there could be",
        "mean ± standard deviation\nbetween seeds",
        f"the {len(correct)} seeds",
    ]
    ax.set(xlabel="test accuracy (%)", yticks=range(3), yticklabels=rows, ylim=(-0.6, 2.9))
    ax.grid(axis="y", visible=False)
    return ax


def new_axes(width: float, height: float) -> Axes:
    return plt.subplots(figsize=(width, height))[1]
