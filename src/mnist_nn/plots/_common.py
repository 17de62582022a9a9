"""Colours and helpers that all figures share."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

DIGITS = range(10)
BLUE, ORANGE = "#0072B2", "#D55E00"  # distinct in grey and for colour-blind readers (M. Okabe and K. Ito, 2008)


def new_axes(width: float, height: float) -> Axes:
    """Return the Axes of a new figure of this size in inches."""
    return plt.subplots(figsize=(width, height))[1]


def show_image(ax: Axes, image: np.ndarray) -> None:
    """Draw an image in MNIST's format with dark ink on white."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
