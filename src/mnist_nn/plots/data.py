"""Figures of the data: images, class balance, an embedding in two dimensions."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..data import Split
from ._common import DIGITS, check_class_names, check_titles, new_axes, new_figure, show_image


def plot_digits(
    images: np.ndarray, titles: Sequence[object] | np.ndarray | None = None, *, columns: int = 10
) -> Figure:
    """Draw a grid of images, dark ink on white.

    Args:
        images: (n, 28, 28), values from 0 to 255.
        titles: One title per image, or None.
        columns: The number of images in a row.

    Returns:
        The figure.

    Raises:
        ValueError: There are not as many titles as images.

    Example:
        >>> from mnist_nn import load_mnist, plot_digits
        >>> train = load_mnist().train
        >>> figure = plot_digits(train.images[:20], train.labels[:20])
    """
    rows = max(1, -(-len(images) // columns))
    side, gap, title = 0.75, 0.08, 0.0  # inches
    if titles is not None:
        titles = check_titles(titles, images)
        title = 0.2 + 0.14 * "".join(titles[:1]).count("\n")
    width, height = columns * (side + gap), rows * (side + gap + title)
    figure, axes = new_figure(
        rows,
        columns,
        figsize=(width, height),
        squeeze=False,
        layout="none",  # an automatic layout of a hundred axes takes seconds
        gridspec_kw={
            "left": gap / 2 / width,
            "right": 1 - gap / 2 / width,
            "bottom": gap / 2 / height,
            "top": 1 - (gap / 2 + title) / height,
            "wspace": gap / side,
            "hspace": (gap + title) / side,
        },
    )
    for ax in axes.flat:
        ax.set_axis_off()
    for i, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        show_image(ax, image)
        if titles is not None:
            ax.set_title(titles[i], fontsize=8 if "\n" in titles[i] else 9, loc="center", pad=3)
    return figure


def plot_class_balance(*, class_names: Sequence[str] | None = None, ax: Axes | None = None, **splits: Split) -> Axes:
    """Draw the percentage of each digit in each split as bars.

    Args:
        class_names: Ten names if the classes are not digits.
        ax: Where to draw; None makes a new figure.
        **splits: The splits by name, as in `plot_class_balance(train=mnist.train, test=mnist.test)`.

    Returns:
        The Axes.

    Raises:
        ValueError: There are no splits, or not ten names.

    Example:
        >>> from mnist_nn import load_mnist, plot_class_balance
        >>> mnist = load_mnist()
        >>> ax = plot_class_balance(train=mnist.train, test=mnist.test)
    """
    names = check_class_names(class_names)
    if not splits:
        raise ValueError("plot_class_balance needs splits by name, such as plot_class_balance(train=mnist.train)")
    ax = ax or new_axes(7, 3.2)
    width = 0.8 / len(splits)
    for i, ((name, split), hatch) in enumerate(zip(splits.items(), cycle(["", "///", "...", "xxx"]), strict=False)):
        percent = 100 * np.bincount(split.labels, minlength=10) / len(split)
        position = np.arange(10) + (i - (len(splits) - 1) / 2) * width
        ax.bar(position, percent, width, label=f"{name} ({len(split):,})", hatch=hatch, edgecolor="white")
    ax.axhline(10, color="0.3", linewidth=1, linestyle=":")
    ax.set(xlabel="digit" if class_names is None else "class", ylabel="images (%)", xticks=DIGITS, xticklabels=names)
    ax.tick_params(axis="x", rotation=0 if class_names is None else 30)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(splits))
    return ax


def plot_embedding(
    positions: np.ndarray, labels: np.ndarray, *, class_names: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw images as points in two dimensions; each point is a small digit in the colour of its class.

    Args:
        positions: (n, 2), for example from t-SNE.
        labels: Integers (n,), the true digits.
        class_names: Ten names if the classes are not digits.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Raises:
        ValueError: There are not ten names.

    Example:
        >>> import numpy as np
        >>> from mnist_nn import plot_embedding
        >>> ax = plot_embedding(np.random.default_rng(0).normal(size=(100, 2)), np.arange(100) % 10)
    """
    names = check_class_names(class_names)
    ax = ax or new_axes(7.5, 6)
    for digit, color in zip(DIGITS, sns.color_palette("husl", 10), strict=True):
        chosen = positions[labels == digit]
        ax.scatter(*chosen.T, s=22, marker=f"${digit}$", color=color, linewidths=0.2)
        if len(chosen):
            x, y = np.median(chosen, axis=0)
            box = {
                "boxstyle": "circle" if class_names is None else "round",
                "facecolor": "white",
                "edgecolor": color,
                "alpha": 0.9,
            }
            ax.text(x, y, names[digit], fontsize=13, fontweight="bold", ha="center", va="center", bbox=box)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax
