"""Draw with a round pen, and bring images to MNIST's format."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

# In pixels. MNIST scales the longer side of a digit to 20 pixels, and moves its centre of mass to pixel (14, 14).
SIDE, BOX, MIDDLE = 28, 20, 14
ZOOM = 4  # strokes are drawn larger and then reduced, for smooth edges


def draw_strokes(strokes: Sequence[np.ndarray] | np.ndarray, pen: int) -> np.ndarray:
    """Return an image of strokes, uint8 (28, 28).

    Args:
        strokes: Each one the points (n, 2) of a line, x and y in 112x112 pixels.
        pen: The width of the lines, in the same pixels.
    """
    picture = Image.new("L", (SIDE * ZOOM, SIDE * ZOOM))
    draw, radius = ImageDraw.Draw(picture), pen / 2 - 0.5
    for stroke in strokes:
        draw.line(stroke.ravel().tolist(), 255, pen)
        for x, y in stroke[[0, -1]].tolist():
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return np.asarray(picture.reduce(ZOOM))


def crop(image: np.ndarray) -> np.ndarray:
    """Return the part of an image that contains ink; a blank image as it is."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else image


def fit(image: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
    """Return the ink of an image as MNIST prepares digits: scaled into 20x20 pixels and centred by mass in 28x28.

    `size`, the width and height in pixels, replaces the scaling that keeps the aspect ratio.
    """
    image = crop(image)
    if size is None:
        height, width = (max(1, round(side * BOX / max(image.shape))) for side in image.shape)
        size = width, height
    part = np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize(size, Image.Resampling.BICUBIC))
    mass = part + 1e-6  # a blank image has a centre too
    row, column = (float(mass.sum(axis=1 - axis) @ np.arange(part.shape[axis]) / mass.sum()) for axis in (0, 1))
    top = min(max(0, round(MIDDLE - row)), SIDE - part.shape[0])
    left = min(max(0, round(MIDDLE - column)), SIDE - part.shape[1])
    result = np.zeros((SIDE, SIDE), np.uint8)
    result[top : top + part.shape[0], left : left + part.shape[1]] = part
    return result
