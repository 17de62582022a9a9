"""Figures of what goes on inside a network: weights, what units answer to, which pixels decide."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

SIGNED = "cividis_r"  # light and yellow for less, grey for nothing, dark and blue for more: in grey too


def plot_maps(
    maps: np.ndarray,
    titles: Sequence | None = None,
    images: np.ndarray | None = None,
    *,
    columns: int = 10,
    label: str = "",
) -> Figure:
    """Return a grid of signed maps (n, 28, 28), all on one scale, 0 in its middle: dark and blue more, light less.

    images: (n, 28, 28), the digits the maps belong to; their outline is drawn over them. label: of the scale. The
    scale ends where one value in two hundred would lie beyond it.
    """
    rows, side = -(-len(maps) // columns), 0.85 if images is None else 1.3
    height = side if titles is None else side + 0.2
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(side * columns + 0.8, height * rows),
        squeeze=False,
        layout="none",  # to fit a hundred axes by their contents would take seconds
        gridspec_kw={"wspace": 0.06, "hspace": 0.06 + (height - side) / side},
    )
    limit = np.percentile(np.abs(maps), 99.5) or 1
    for ax in axes.flat:
        ax.set_axis_off()
    for i, (ax, values) in enumerate(zip(axes.flat, maps, strict=False)):
        shown = ax.imshow(values, cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest")
        if images is not None:
            ax.contour(images[i], [100], colors="white", linewidths=1.2)
        if titles is not None:
            ax.set_title(titles[i], fontsize=9, loc="center")
    figure.colorbar(shown, ax=axes, label=label, extend="both", aspect=14 * rows, pad=0.015)
    return figure


def plot_units(weights: np.ndarray, images: np.ndarray, answers: np.ndarray, units: Sequence[int]) -> Figure:
    """Return a row for each unit: its weights as a picture, and the ten images that it answers most strongly.

    weights: (28, 28, all units), drawn on one scale. images: (n, 28, 28). answers: (n, all units), to these images.
    """
    figure, axes = plt.subplots(len(units), 11, figsize=(9.4, 0.85 * len(units)), width_ratios=[1.4] + [1] * 10)
    limit = np.percentile(np.abs(weights), 99.5)
    for row, unit in zip(axes, units, strict=True):
        row[0].imshow(weights[:, :, unit], cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest")
        row[0].set_ylabel(f"unit {unit}", rotation=0, ha="right", va="center", fontsize=9)
        for ax, place in zip(row[1:], np.argsort(-answers[:, unit], kind="stable"), strict=False):
            ax.imshow(images[place], cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.grid(False)
    return figure


def plot_changes(images: np.ndarray, changed: np.ndarray, titles: Sequence, changed_titles: Sequence) -> Figure:
    """Return three rows of pictures: images (n, 28, 28), what was changed of them, on one scale, and the result."""
    change = changed.astype(float) - images
    limit = np.abs(change).max() or 1
    figure, axes = plt.subplots(3, len(images), figsize=(0.95 * len(images) + 0.7, 3.5), squeeze=False)
    for i, column in enumerate(axes.T):
        for ax, picture, title in zip(
            column[::2], (images[i], changed[i]), (titles[i], changed_titles[i]), strict=True
        ):
            ax.imshow(picture, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
            ax.set_title(title, fontsize=9, loc="center")
        shown = column[1].imshow(change[i], cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest")
    for ax in axes.flat:
        ax.set_axis_off()
    figure.colorbar(shown, ax=axes[1], label="ink added (grey values)", pad=0.015)
    return figure
