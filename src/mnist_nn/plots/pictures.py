"""Figures of pictures and their predictions."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from ..pictures.loading import ImageLike, brightness, on_paper, open_picture
from ..pictures.prediction import Prediction
from ._common import BLUE, DARK_ORANGE, DIGITS, new_axes, new_figure, show_image

MAX_MISREAD = 60


def plot_prediction(image: ImageLike, prediction: Prediction) -> Figure:
    """Draw a picture, the 28x28 pixels that the network was given, and the probabilities.

    Args:
        image: What was given to `predict_digit`: a path, bytes, a Pillow image or an array.
        prediction: What it returned.

    Returns:
        The figure.

    Example:
        >>> from mnist_nn import load_mnist, load_network, plot_prediction, predict_digit
        >>> image = load_mnist().test.images[0]
        >>> figure = plot_prediction(image, predict_digit(load_network(), image))
    """
    figure, axes = new_figure(1, 3, figsize=(8, 2.4), width_ratios=[1, 1, 1.8])
    axes[0].imshow(np.asarray(_in_colour(open_picture(image))))
    axes[0].set_title("the picture")
    show_image(axes[1], prediction.pixels)
    axes[1].set_title("what the network sees")
    for ax in axes[:2]:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color="0.7")
    _plot_probabilities(axes[2], prediction)
    digit = prediction.digit
    axes[2].set_title(f"predicted {digit}" if prediction.sure else f"not sure, perhaps {digit}")
    return figure


def _in_colour(picture: Image.Image) -> Image.Image:
    """Return the picture in colour, on paper where it is transparent."""
    if picture.mode.startswith(("I", "F")):  # 16 bits and more: Pillow would clip them at 255
        return Image.fromarray(np.uint8(255 * brightness(picture))).convert("RGB")
    return on_paper(picture).convert("RGB")


def _plot_probabilities(ax: Axes, prediction: Prediction) -> None:
    """Draw the probabilities of the ten digits as bars, the largest one labelled."""
    percent = 100 * prediction.probabilities
    colors = ["0.7"] * 10
    colors[prediction.digit] = BLUE
    bars = ax.bar(DIGITS, percent, color=colors)
    labels = [""] * 10
    labels[prediction.digit] = f"{percent.max():.1f} %"
    ax.bar_label(bars, labels, fontweight="bold")
    ax.set(xlabel="digit", ylabel="probability (%)", xticks=DIGITS, ylim=(0, 112), yticks=range(0, 101, 25))


def plot_row(image: ImageLike, predictions: Sequence[Prediction], *, ax: Axes | None = None) -> Axes:
    """Draw a picture with a box around each digit and the predicted digit above it, with "?" if it is not sure.

    Args:
        image: What was given to `read_digits`.
        predictions: What it returned.
        ax: Where to draw; None makes a new figure.

    Returns:
        The Axes.

    Example:
        >>> import numpy as np
        >>> from mnist_nn import load_mnist, load_network, plot_row, read_digits
        >>> row = np.concatenate(load_mnist().test.images[:4], axis=1)
        >>> ax = plot_row(row, read_digits(load_network(), row))
    """
    picture = open_picture(image)
    ax = ax or new_axes(8, float(np.clip(8 * picture.height / picture.width, 1.5, 8)))
    ax.imshow(brightness(picture), cmap="gray", vmin=0, vmax=1)
    for prediction in predictions:
        left, top, right, bottom = prediction.box
        color, doubt, style = (BLUE, "", "-") if prediction.sure else (DARK_ORANGE, "?", "--")
        ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=color, linestyle=style))
        label = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        text = f"{prediction.digit}{doubt}"
        ax.text((left + right) / 2, top, text, color=color, fontweight="bold", ha="center", va="bottom", bbox=label)
    ax.set_axis_off()
    return ax


def plot_misread(table: pd.DataFrame) -> Figure:
    """Draw the pictures of a table, each with its label and what was predicted instead.

    Args:
        table: Lines of what `score_folder` returns; the first 60 are drawn.

    Returns:
        The figure.

    Example:
        >>> import pandas as pd
        >>> from mnist_nn.plots.pictures import plot_misread
        >>> columns = ["picture", "label", "predicted", "confidence", "sure"]
        >>> figure = plot_misread(pd.DataFrame([], columns=columns))
    """
    lines = table.to_dict("records")[:MAX_MISREAD]
    columns = 2 if any(len(line["label"]) > 3 for line in lines) else 6  # rows of digits need space
    rows = max(1, -(-len(lines) // columns))
    figure, axes = new_figure(rows, columns, figsize=(9.6, 2.1 * rows), squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, line in zip(axes.flat, lines, strict=False):
        ax.imshow(np.asarray(_in_colour(open_picture(line["picture"]))))
        predicted = (line["predicted"] or "nothing") + ("" if line["sure"] else "?")
        lines_of_title = [fill(f"true {line['label']}", 44), fill(f"predicted {predicted}", 44)]
        ax.set_title("\n".join(lines_of_title), fontsize=8, loc="center")
    return figure
