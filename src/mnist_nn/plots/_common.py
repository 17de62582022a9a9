"""Colours and helpers that all figures share."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

DIGITS = range(10)
BLUE, ORANGE = "#0072B2", "#D55E00"  # distinct in grey and for colour-blind readers (M. Okabe and K. Ito, 2008)
DARK_ORANGE = "#A84A00"  # for text: ORANGE has too little contrast on white
# For signed values: white is 0, light orange negative and dark blue positive, so that the signs differ in grey too.
SIGNED: Colormap = LinearSegmentedColormap.from_list("signed", ["#F0A030", "white", "#08306B"])


def new_figure(*shape: int, **settings: Any) -> tuple[Figure, Any]:
    """Return a new figure and its Axes, laid out without overlaps in any style; see `plt.subplots`."""
    figure, axes = plt.subplots(*shape, **{"layout": "constrained"} | settings)
    return show_once(figure), axes


def new_axes(width: float, height: float) -> Axes:
    """Return the Axes of a new figure of this size in inches."""
    return new_figure(figsize=(width, height))[1]


def show_once(figure: Figure) -> Figure:
    """Return the figure, which a notebook then shows only once if the call is the last line of a cell.

    Jupyter shows the value of a cell's last line, and then all figures that pyplot has not closed yet.
    """
    shown = False

    def display() -> None:
        nonlocal shown
        if not (shown and plt.fignum_exists(figure.number)):
            from IPython import display
            from IPython.core.pylabtools import print_figure

            shown = True
            content = {"image/png": print_figure(figure, base64=True), "text/plain": repr(figure)}
            display.display(content, raw=True)

    figure._ipython_display_ = display  # pyright: ignore[reportAttributeAccessIssue]
    return figure


def show_image(ax: Axes, image: np.ndarray) -> None:
    """Draw an image in MNIST's format with dark ink on white."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")


def text_color(background: Any) -> str:
    """Return the colour, black or white, that has more contrast with a background.

    The contrast is that of the Web Content Accessibility Guidelines 2.2; it is at least 4.5 for any background.
    """
    channels = np.array(to_rgb(background))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ [0.2126, 0.7152, 0.0722] > 0.179 else "white"


def check_titles(titles: Sequence[object] | np.ndarray, images: np.ndarray) -> list[str]:
    """Return one title per image as text; raise a ValueError if there are more or fewer."""
    if len(titles) != len(images):
        raise ValueError(f"titles must be one for each of the {len(images):,} images, not {len(titles):,}")
    return [str(title) for title in titles]


def check_class_names(names: Sequence[str] | None) -> Sequence[str]:
    """Return ten names of classes, by default the digits; raise a ValueError if there are not ten."""
    if names is None:
        return [str(digit) for digit in DIGITS]
    if isinstance(names, str) or not hasattr(names, "__len__") or len(names) != len(DIGITS):
        raise ValueError(f"class_names must be ten names, not {names!r}")
    return [str(name) for name in names]
