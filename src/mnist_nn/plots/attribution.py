"""Figures of a model's inside: weights, strongest inputs of units, attributions, adversarial changes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ._common import SIGNED, check_titles, new_figure, show_image


def plot_attributions(
    maps: np.ndarray,
    titles: Sequence[object] | np.ndarray | None = None,
    images: np.ndarray | None = None,
    *,
    columns: int = 10,
    label: str = "",
    ends: tuple[str, str] = ("against", "for"),
) -> Figure:
    """Draw a grid of signed maps on one scale: white is 0, dark blue is positive, light orange negative.

    Args:
        maps: (n, 28, 28), such as weights or attributions. One value in 200 may lie beyond the ends of the scale.
        titles: One title per map, or None.
        images: (n, 28, 28), the digits that the maps belong to; their outlines are drawn on the maps.
        columns: The number of maps in a row.
        label: The label of the colour bar.
        ends: The words at the lower and the upper end of the colour bar.

    Returns:
        The figure.

    Raises:
        ValueError: There are not as many titles as maps.

    Example:
        >>> from mnist_nn import load_mnist, load_pretrained, plot_attributions, saliency
        >>> images = load_mnist().test.images[:5]
        >>> figure = plot_attributions(saliency(load_pretrained(), images), images=images, columns=5, label="nats")
    """
    titles = None if titles is None else check_titles(titles, maps)
    rows, side = -(-len(maps) // columns), 0.85 if images is None else 1.3
    lines = 0 if titles is None else 1 + titles[0].count("\n")
    height = side + 0.06 * (lines > 0) + 0.14 * lines
    figure, axes = new_figure(
        rows,
        columns,
        figsize=(side * columns + 0.8, height * rows),
        squeeze=False,
        layout="none",  # an automatic layout of a hundred axes takes seconds
        gridspec_kw={"wspace": 0.06, "hspace": 0.06 + (height - side) / side},
    )
    limit = np.percentile(np.abs(maps), 99.5) or 1
    for ax in axes.flat:
        ax.set_axis_off()
    for i, (ax, values) in enumerate(zip(axes.flat, maps, strict=False)):
        ax.imshow(values, cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest")
        if images is not None:
            ax.contour(images[i], [100], colors="0.45", linewidths=0.9)
        if titles is not None:
            ax.set_title(titles[i], fontsize=9 if lines == 1 else 8, loc="center", pad=3)
    bar = figure.colorbar(axes.flat[0].images[0], ax=axes, label=label, extend="both", aspect=14 * rows, pad=0.015)
    _name_ends(bar.ax, ends)
    return figure


def _name_ends(ax: Axes, ends: tuple[str, str]) -> None:
    """Write words below and above a colour bar."""
    for y, name, place in [(-0.06, ends[0], "top"), (1.06, ends[1], "bottom")]:
        ax.text(0.5, y, name, transform=ax.transAxes, ha="center", va=place, fontsize=9)


def plot_units(weights: np.ndarray, images: np.ndarray, activations: np.ndarray, units: Sequence[int]) -> Figure:
    """Draw one row per unit: its weights, and the ten images with its highest activation.

    Args:
        weights: (28, 28, number of units), drawn on one scale.
        images: (n, 28, 28).
        activations: (n, number of units), for these images.
        units: The numbers of the units to draw.

    Returns:
        The figure.

    Example:
        >>> from mnist_nn import activations, load_mnist, load_pretrained, plot_units
        >>> model, images = load_pretrained(), load_mnist().validation.images[:100]
        >>> weights = model.get_layer("hidden_1").get_weights()[0].reshape(28, 28, 128)
        >>> figure = plot_units(weights, images, activations(model, images)[0], units=[0, 1])
    """
    figure, axes = new_figure(
        len(units), 11, figsize=(9.4, 0.85 * len(units)), width_ratios=[1.4] + [1] * 10, squeeze=False
    )
    limit = np.percentile(np.abs(weights), 99.5)
    for row, unit in zip(axes, units, strict=True):
        row[0].imshow(weights[:, :, unit], cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest")
        row[0].set_ylabel(f"unit {unit}", rotation=0, ha="right", va="center", fontsize=9)
        for ax, position in zip(row[1:], np.argsort(-activations[:, unit], kind="stable"), strict=False):
            show_image(ax, images[position])
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.grid(False)
    return figure


def plot_changes(
    images: np.ndarray,
    changed: np.ndarray,
    titles: Sequence[object] | np.ndarray,
    changed_titles: Sequence[object] | np.ndarray,
) -> Figure:
    """Draw three rows: images, their changes on one scale, and the changed images.

    Args:
        images: (n, 28, 28).
        changed: (n, 28, 28), such as `deepfool` or `jsma` returns.
        titles: One title per image.
        changed_titles: One title per changed image.

    Returns:
        The figure.

    Raises:
        ValueError: There are not as many titles as images.

    Example:
        >>> from mnist_nn import jsma, load_mnist, load_pretrained, plot_changes
        >>> images = load_mnist().test.images[:3]
        >>> figure = plot_changes(images, jsma(load_pretrained(), images), "abc", "def")
    """
    titles, changed_titles = check_titles(titles, images), check_titles(changed_titles, images)
    change = changed.astype(float) - images
    limit = np.abs(change).max() or 1
    figure, axes = new_figure(3, len(images), figsize=(0.95 * len(images) + 0.9, 3.5), squeeze=False)
    for i, (before, middle, after) in enumerate(axes.T):
        show_image(before, images[i])
        before.set_title(titles[i], fontsize=9, loc="center")
        middle.imshow(change[i], cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest")
        show_image(after, changed[i])
        after.set_title(changed_titles[i], fontsize=9, loc="center")
    for ax in axes.flat:
        ax.set_axis_off()
    bar = figure.colorbar(axes[1, -1].images[0], ax=axes[1], label="grey values", pad=0.015)
    _name_ends(bar.ax, ("less ink", "more ink"))
    return figure
