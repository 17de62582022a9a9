"""Figures of trainings: curves over epochs, accuracy over seeds, recipes compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from ..analysis.significance import summarize_seeds
from ._common import BLUE, ORANGE, new_axes, new_figure

if TYPE_CHECKING:
    from .._internal.tensorflow import keras

SMALLEST = 1e-3  # drawn for smaller values, because a logarithmic axis has no 0
LABEL_GAP = 1.1  # labels this factor apart on a logarithmic axis do not touch


def plot_history(history: keras.callbacks.History | Mapping[str, Sequence[float]]) -> Figure:
    """Draw loss and error over epochs on logarithmic axes, training dashed and validation solid.

    The error is 100 % minus the accuracy. On a logarithmic axis, 98 and 99 % are as far apart as 96 and 98 %.

    Args:
        history: What `train` returns, or its `history` attribute, a dict of lists.

    Returns:
        The figure.

    Raises:
        ValueError: The history lacks one of the lists.

    Example:
        >>> from mnist_nn import plot_history
        >>> curves = {"loss": [0.5, 0.2], "accuracy": [0.9, 0.95]}
        >>> figure = plot_history(curves | {"val_loss": [0.3, 0.2], "val_accuracy": [0.94, 0.96]})
    """
    values: Any = getattr(history, "history", history)
    needed = ["loss", "accuracy", "val_loss", "val_accuracy"]
    if not isinstance(values, Mapping) or not all(len(values.get(name, ())) for name in needed):
        raise ValueError(f"history must be what train returns, with {', '.join(needed)}; not {_summary(history)}")
    figure, axes = new_figure(1, 2, figsize=(9, 3.2))
    epochs = np.arange(1, len(values["loss"]) + 1)
    marker = "o" if len(epochs) == 1 else None  # a single point has no line
    for ax, name, unit in zip(axes, ["loss", "accuracy"], ["loss (nats)", "error (%)"], strict=True):
        for key, style, color in [(name, "--", BLUE), (f"val_{name}", "-", ORANGE)]:
            label = "validation" if key.startswith("val_") else "training"
            shown = np.array(values[key]) if name == "loss" else 100 * (1 - np.array(values[key]))
            ax.plot(epochs, np.maximum(shown, SMALLEST), style, color=color, label=label, marker=marker)
        ax.set(xlabel="epoch", ylabel=unit, yscale="log")
        _label_logarithmic(ax.yaxis)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
    last = 100 * (1 - values["val_accuracy"][-1])
    place = (epochs[-1], max(last, SMALLEST))
    axes[1].annotate(f"{last:.2f} %", place, (5, 0), textcoords="offset points", va="center", fontsize=9)
    return figure


def _summary(value: object) -> str:
    return f"one with {', '.join(map(str, value))}" if isinstance(value, Mapping) else type(value).__name__


def _label_logarithmic(axis: Axis) -> None:
    """Write plain numbers beside the ticks of a logarithmic axis, and not too many."""
    axis.set_minor_locator(LogLocator(subs=(2, 3, 5)))  # 8, 9 and 10 would touch
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter("{x:g}")
    axis.set_tick_params(which="both", labelsize=8.5)


def plot_tradeoff(
    seconds: pd.Series, error: pd.Series, published: Mapping[str, float] | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw recipes as labelled points: training time against error, both logarithmic.

    Args:
        seconds: Training time in seconds, indexed by the names of the recipes. The first recipe is highlighted.
        error: Error in per cent, with the same index.
        published: Published errors in per cent by name, drawn as lines.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Example:
        >>> import pandas as pd
        >>> from mnist_nn import plot_tradeoff
        >>> names = ["ours", "textbook"]
        >>> ax = plot_tradeoff(pd.Series([7, 40], names), pd.Series([0.8, 2.5], names))
    """
    ax = ax or new_axes(9, 5)
    lines = published or {}
    lowest, highest = min([error.min(), *lines.values()]), max([error.max(), *lines.values()])
    ax.set(xscale="log", yscale="log", xlabel="training time (s)", ylabel="test error (%)")
    ax.set(xlim=(seconds.min() / 1.3, seconds.max() * 2), ylim=(lowest / 1.15, highest * 1.2))
    for name, value in lines.items():
        ax.axhline(value, color="0.6", linestyle=":", linewidth=1)
        ax.annotate(name, (1.01, value), xycoords=("axes fraction", "data"), va="center", fontsize=8.5, color="0.4")
    for name, place in _place_labels(seconds, error).items():
        first = name == seconds.index[0]
        color, weight = (ORANGE, "bold") if first else (BLUE, "normal")
        ax.plot(seconds[name], error[name], "D" if first else "o", color=color)
        ax.annotate(
            name,
            (seconds[name], error[name]),
            place,
            va="center",
            fontsize=8.5,
            fontweight=weight,
            arrowprops={"arrowstyle": "-", "color": "0.7", "shrinkA": 0, "shrinkB": 3, "relpos": (0, 0.5)},
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0},  # hides the lines behind the label
        )
    for axis in (ax.xaxis, ax.yaxis):
        _label_logarithmic(axis)
    return ax


def _place_labels(seconds: pd.Series, error: pd.Series) -> dict[str, tuple[float, float]]:
    """Return where the label of each point begins; those of points at nearly the same height form a column."""
    columns: list[dict[str, float]] = []
    height = 0.0
    for name, value in error.sort_values().to_dict().items():
        if value >= height * LABEL_GAP:
            columns.append({})
        height = max(value, height * LABEL_GAP)
        columns[-1][name] = height
    places = {}
    for column in columns:
        right = 1.15 * seconds[list(column)].max()
        places |= {name: (right, height) for name, height in column.items()}
    return places


def plot_seeds(correct: pd.Series, images: int, *, ax: Axes | None = None) -> Axes:
    """Draw the accuracy of every seed, and below it the two uncertainties that must not be confused.

    Args:
        correct: The number of correctly classified images, indexed by seed.
        images: The number of all images.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Example:
        >>> import pandas as pd
        >>> from mnist_nn import plot_seeds
        >>> ax = plot_seeds(pd.Series([9917, 9918, 9914]), images=10_000)
    """
    ax = ax or new_axes(8, 2.6)
    accuracy, summary = 100 * correct / images, summarize_seeds(correct.to_numpy(), images)
    mean, deviation, low, high = (100 * value for value in (summary.mean, summary.deviation, *summary.interval))
    stacked = 2 + 0.17 * accuracy.groupby(accuracy).cumcount()
    ax.plot(accuracy, stacked, "o", color=BLUE)
    ax.errorbar(mean, 1, xerr=deviation, fmt="D", capsize=4, color=ORANGE)
    ax.errorbar((low + high) / 2, 0, xerr=(high - low) / 2, fmt="none", capsize=4, color="0.3")
    ax.plot(mean, 0, "|", color="0.3", markersize=10)
    rows = [
        f"95 % interval: {images:,} images\nare a sample of all possible ones",
        "mean ± standard deviation\nover seeds",
        f"the {len(correct)} seeds",
    ]
    ax.set(xlabel="test accuracy (%)", yticks=range(3), yticklabels=rows, ylim=(-0.6, 2.9))
    ax.grid(axis="y", visible=False)
    return ax
