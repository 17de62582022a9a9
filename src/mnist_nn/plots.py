"""Every figure. Functions take numbers and return the Axes or the Figure they drew; `plt.style.use("mnist_nn.style")`
gives them the project's look.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from .data import Split
from .evaluation import Evaluation
from .images import Prediction, open_picture

DIGITS = range(10)
TRAIN, VALIDATION, MISTAKE = "#0072B2", "#D55E00", "#D55E00"


def plot_digits(images: np.ndarray, titles: Sequence | None = None, *, columns: int = 10) -> Figure:
    """Return a grid of images (n, 28, 28), each under its title, ink dark on light; values run from 0 to 255."""
    rows = max(1, -(-len(images) // columns))
    height = 0.8 if titles is None else 1.0 + 0.17 * str(titles[:1]).count("\\n")
    figure, axes = plt.subplots(rows, columns, figsize=(0.85 * columns, height * rows), squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for i, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        _show(ax, image)
        if titles is not None:
            ax.set_title(titles[i], fontsize=9, loc="center")
    return figure


def plot_class_balance(*, ax: Axes | None = None, **splits: Split) -> Axes:
    """Return bars of the share of each digit in each split, as in `plot_class_balance(train=..., test=...)`."""
    ax = ax or _axes(7, 3.2)
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
        for key, style, color in [(name, "--", TRAIN), (f"val_{name}", "-", VALIDATION)]:
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
    ax = ax or _axes(6.4, 5.4)
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


def plot_mistakes(split: Split, evaluation: Evaluation, *, count: int = 30) -> Figure:
    """Return the images read wrong with the most confidence, each with its true digit, the one read and how surely."""
    chosen = evaluation.mistakes[:count]
    titles = [f"{split.labels[i]} as {evaluation.predicted[i]}\n{100 * evaluation.confidence[i]:.1f} %" for i in chosen]
    return plot_digits(split.images[chosen], titles)


def plot_probabilities(prediction: Prediction, *, ax: Axes | None = None) -> Axes:
    """Return bars of the probabilities of the ten digits, the largest one labelled."""
    ax = ax or _axes(4, 2.6)
    percent = 100 * prediction.probabilities
    colors = ["0.7"] * 10
    colors[prediction.digit] = TRAIN
    bars = ax.bar(DIGITS, percent, color=colors)
    labels = [
        f"{value:.1f} %" if digit == prediction.digit else "" for digit, value in zip(DIGITS, percent, strict=True)
    ]
    ax.bar_label(bars, labels, fontweight="bold")
    ax.set(xlabel="digit", ylabel="probability (%)", xticks=DIGITS, ylim=(0, 112), yticks=range(0, 101, 25))
    return ax


def plot_prediction(image, prediction: Prediction) -> Figure:
    """Return the picture beside the 28x28 pixels the network saw and its probabilities.

    image: what was given to `predict_digit` (a path, bytes, a Pillow image or an array).
    """
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.4), width_ratios=[1, 1, 1.8])
    axes[0].imshow(open_picture(image), cmap="gray", vmin=0, vmax=255)
    axes[0].set_title("the picture")
    _show(axes[1], prediction.pixels)
    axes[1].set_title("what the network sees")
    for ax in axes[:2]:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color="0.7")
    plot_probabilities(prediction, ax=axes[2])
    axes[2].set_title(f"read as {prediction.digit}")
    return figure


def plot_map(places: np.ndarray, labels: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Return a map of images in two dimensions: at its place, (n, 2), each is a small digit in its class's colour."""
    ax = ax or _axes(7.5, 6)
    for digit, color in zip(DIGITS, sns.color_palette("husl", 10), strict=True):
        chosen = places[labels == digit]
        ax.scatter(*chosen.T, s=22, marker=f"${digit}$", color=color, linewidths=0.2)
        if len(chosen):
            x, y = np.median(chosen, axis=0)
            box = {"boxstyle": "circle", "facecolor": "white", "edgecolor": color, "alpha": 0.9}
            ax.text(x, y, str(digit), fontsize=13, fontweight="bold", ha="center", va="center", bbox=box)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def _axes(width: float, height: float) -> Axes:
    return plt.subplots(figsize=(width, height))[1]


def _show(ax: Axes, image: np.ndarray) -> None:
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=255)
