"""The figure of accuracy under corruptions."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from ..analysis.robustness import CORRUPTIONS, Corruption
from ._common import BLUE, ORANGE, new_figure


def plot_robustness(tables: Mapping[str, pd.DataFrame], image: np.ndarray | None = None) -> Figure:
    """Draw accuracy against the strength of each corruption: one panel per corruption, one line per model.

    Args:
        tables: What `measure_robustness` returns, by the names of the models. If a table holds several seeds, the
            line is their mean and the band reaches from the lowest to the highest.
        image: uint8 (28, 28), shown at each strength above the panels.

    Returns:
        The figure.

    Raises:
        ValueError: `tables` is not a dict, or empty.

    Example:
        >>> from mnist_nn import load_mnist, load_network, measure_robustness, plot_robustness
        >>> test = load_mnist().test[:100]
        >>> figure = plot_robustness({"pretrained": measure_robustness(load_network(), test)}, test.images[0])
    """
    if not isinstance(tables, Mapping) or not tables:
        raise ValueError(
            'tables must name what measure_robustness returns, as in {"pretrained": table}, '
            f"not be {'empty' if isinstance(tables, Mapping) else f'a {type(tables).__name__}'}"
        )
    names = list(dict.fromkeys(name for table in tables.values() for name in table["corruption"]))
    rows = -(-len(names) // 4)
    figure, axes = new_figure(rows, 4, figsize=(11, 2.9 * rows), sharey=True, squeeze=False)
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
    styles = cycle(zip([ORANGE, BLUE, "0.3", "0.6"], ["o-", "s--", "^:", "v-."], strict=True))
    for (model, table), (color, style) in zip(tables.items(), styles, strict=False):
        table = table.query("corruption == @name")
        accuracy = 100 * table.groupby("strength")["accuracy"].agg(["mean", "min", "max"])
        if not len(accuracy):
            continue
        strengths = list(accuracy.index)
        ax.plot(strengths, accuracy["mean"], style, color=color, markersize=5, label=model)
        ax.fill_between(strengths, accuracy["min"], accuracy["max"], color=color, alpha=0.2, linewidth=0)
        ax.set(xlabel=table["unit"].iloc[0], xticks=strengths, xticklabels=[f"{strength:g}" for strength in strengths])
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
        small = OffsetImage(shown, zoom=0.68, cmap="gray_r", norm=Normalize(0, 255))
        position = strength, 1.01
        box = AnnotationBbox(small, position, xycoords=("data", "axes fraction"), box_alignment=(0.5, 0), pad=0.1)
        box.patch.set(edgecolor="0.85")
        ax.add_artist(box)
