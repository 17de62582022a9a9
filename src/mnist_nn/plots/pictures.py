"""Figures of pictures: digits, mistakes, what the network saw of a picture, a map of digits."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..data import Split
from ..evaluation import Evaluation
from ..pictures.digit import Prediction
from ..pictures.loading import open_picture
from .training import BLUE, DIGITS, ORANGE, new_axes


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


def plot_mistakes(split: Split, evaluation: Evaluation, *, count: int = 30) -> Figure:
    """Return the images read wrong with the most confidence, each with its true digit, the one read and how surely."""
    chosen = evaluation.mistakes[:count]
    titles = [f"{split.labels[i]} as {evaluation.predicted[i]}\n{100 * evaluation.confidence[i]:.1f} %" for i in chosen]
    return plot_digits(split.images[chosen], titles)


def plot_probabilities(prediction: Prediction, *, ax: Axes | None = None) -> Axes:
    """Return bars of the probabilities of the ten digits, the largest one labelled."""
    ax = ax or new_axes(4, 2.6)
    percent = 100 * prediction.probabilities
    colors = ["0.7"] * 10
    colors[prediction.digit] = BLUE
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
    axes[2].set_title(f"read as {prediction.digit}" if prediction.sure else f"not sure: perhaps {prediction.digit}")
    return figure


def plot_row(image, predictions: Sequence[Prediction], *, ax: Axes | None = None) -> Axes:
    """Return the picture with a box around each digit, what it is read as above it, "?" after it if not sure.

    image: what was given to `read_digits`. predictions: what it returned.
    """
    picture = open_picture(image)
    ax = ax or new_axes(8, float(np.clip(8 * picture.height / picture.width, 1.5, 8)))
    ax.imshow(picture.convert("L"), cmap="gray", vmin=0, vmax=255)
    for prediction in predictions:
        left, top, right, bottom = prediction.box
        color, doubt = (BLUE, "") if prediction.sure else (ORANGE, "?")
        style = "-" if prediction.sure else "--"
        ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=color, linestyle=style))
        label = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}
        text = f"{prediction.digit}{doubt}"
        ax.text((left + right) / 2, top, text, color=color, fontweight="bold", ha="center", va="bottom", bbox=label)
    ax.set_axis_off()
    return ax


def plot_map(places: np.ndarray, labels: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Return a map of images in two dimensions: at its place, (n, 2), each is a small digit in its class's colour."""
    ax = ax or new_axes(7.5, 6)
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


def _show(ax: Axes, image: np.ndarray) -> None:
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=255)
