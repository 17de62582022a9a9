"""Synthetic digits: drawn here, in ways of writing that are rare in MNIST.

MNIST's writers were Americans. Few of their 1s have a long upstroke, few of their 4s are closed at the top, few of
their 7s have a bar, and few of their 9s end in a curl. A network that has seen only MNIST misreads such digits.
"""

from functools import cache

import numpy as np
from scipy.interpolate import CubicSpline

from ._internal.arguments import check_whole_number
from ._internal.drawing import BOX, ZOOM, draw_strokes, fit
from .data import Split
from .model import check_seed

# Each string is one way of writing a digit. Strokes are separated by "/" and consist of points "x,y" in percent of the
# height: a line from point to point or, after "~", a smooth curve through the points.
STYLES = {
    0: [
        "~ 35,0 5,25 5,75 35,100 65,75 65,25 35,0",
        "~ 50,8 20,10 2,50 25,98 60,80 68,35 45,2 25,8",
    ],
    1: [
        "5,35 40,0 40,100",
        "0,60 45,0 45,100",
        "0,70 50,0 55,100",
        "0,80 60,0 35,100",
        "~ 0,50 25,25 45,0 / 45,0 40,100",
        "~ 0,70 30,40 50,0 / ~ 50,0 45,50 40,100",
        "10,30 40,0 40,100 / 5,100 75,100",
        "0,90 50,0 50,95 / 25,98 80,95",
    ],
    2: [
        "~ 5,25 30,0 58,22 35,65 0,100 / 0,100 65,100",
        "~ 5,20 30,0 55,20 35,65 8,98 2,82 20,82 65,100",
        "~ 3,18 28,0 55,18 / 55,18 0,100 60,100",
    ],
    3: [
        "~ 0,10 30,0 55,22 20,45 / ~ 20,45 60,72 30,100 0,88",
        "0,0 58,0 25,40 / ~ 25,40 60,65 40,98 0,90",
        "~ 3,15 30,0 55,20 30,45 12,50 25,42 60,70 30,100 0,85",
        "~ 5,15 30,0 50,20 25,42 60,70 30,100 5,85 30,72",
    ],
    4: [
        "55,100 55,0 0,65 75,65",
        "10,0 0,55 65,55 / 55,0 55,100",
        "30,0 0,60 65,55 / 50,30 45,100",
        "40,0 0,50 60,50 / 40,0 60,0 55,100",
        "45,100 45,0 0,38 45,42",
        "50,0 0,62 65,60 / 50,38 35,100",
        "40,0 5,60 50,68 / 45,40 35,100",
        "~ 5,0 2,40 25,52 55,40 / 55,0 55,100",
        "~ 60,0 20,15 2,60 / 2,60 70,58 / 62,42 58,80",
    ],
    5: [
        "60,0 10,0 5,42 / ~ 5,42 35,35 60,65 35,100 0,90",
        "10,8 8,45 / ~ 8,45 40,38 60,68 30,100 0,88 / 10,5 65,0",
        "~ 58,5 25,5 8,28 40,50 55,75 30,100 0,90",
    ],
    6: [
        "~ 50,0 15,35 2,75 30,100 55,75 30,52 5,72",
        "~ 60,5 20,10 0,60 30,100 60,72 30,48 5,68",
        "45,0 5,65 / ~ 5,65 5,88 30,100 55,80 35,58 5,75",
    ],
    7: [
        "0,0 60,0 25,100",
        "0,0 60,0 25,100 / 10,50 60,50",
        "0,18 2,0 60,0 30,100 / 10,52 58,48",
        "5,10 60,5 15,100 / 0,60 60,55",
        "0,18 2,0 60,0 / ~ 60,0 35,50 28,100",
        "~ 0,15 8,0 30,8 60,2 / ~ 60,2 35,50 25,100",
        "~ 0,12 15,2 35,12 60,2 / ~ 60,2 30,45 25,100 / 8,55 60,50",
        "~ 5,20 10,2 20,15 60,3 / 60,3 25,100",
    ],
    8: [
        "~ 35,45 8,22 32,0 58,20 32,45 2,75 32,100 62,75 35,45",
        "~ 55,12 30,0 8,20 55,70 30,100 3,78 58,15",
        "~ 30,0 8,22 30,45 55,22 30,0 / ~ 30,45 0,72 30,100 60,72 30,45",
    ],
    9: [
        "~ 55,20 30,0 2,25 25,48 55,22 / 55,22 55,100",
        "~ 55,15 28,0 2,25 25,48 55,20 / ~ 55,20 55,70 35,100 0,88",
        "~ 55,12 28,0 2,28 28,50 55,20 / ~ 55,20 58,65 45,95 20,100 5,85",
        "~ 55,15 28,0 2,25 25,48 55,20 / ~ 55,20 45,65 15,100",
        "~ 58,10 30,0 2,25 25,48 52,25 58,5 / ~ 58,5 60,60 40,90 0,100",
        "~ 50,12 25,2 5,20 25,42 50,15 / ~ 50,15 58,60 30,98 0,95",
        "~ 55,5 20,5 5,25 30,45 55,25 / ~ 55,25 60,70 30,100 5,85",
        "~ 40,10 20,8 20,28 42,20 / ~ 42,20 65,65 35,98 0,85",
    ],
}
JITTER = 6.0  # standard deviation of a point's displacement, in percent of the height
WIDTH, SLANT = (0.5, 1.3), (-0.1, 0.4)  # the range of the width, and of the slant to the right per height
CURVE_POINTS = 16  # a curve is drawn as so many points


def draw_digits(n: int, seed: int) -> Split:
    """Draw synthetic digits in about fifty ways of writing, many of which are rare in MNIST.

    Each digit has its own width, slant and pen, and the points of its strokes are moved at random. The pretrained
    network learned from such digits beside MNIST's.

    Args:
        n: The number of digits, 1 to 100,000. Drawing 2,000 takes about a second.
        seed: The same seed gives the same digits: a whole number from 0 to 4,294,967,295.

    Returns:
        Images in MNIST's format and their labels; every digit is as likely as any other.

    Raises:
        ValueError: An argument is out of range; the message names it.

    Example:
        >>> from mnist_nn import draw_digits, load_mnist
        >>> synthetic = draw_digits(100, seed=0)
        >>> load_mnist().train + synthetic
        Split(55,100 images)
    """
    check_whole_number("n", n, 1, 100_000)
    check_seed(seed)
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, n)
    images = [_draw(random, STYLES[label][random.integers(len(STYLES[label]))]) for label in labels.tolist()]
    return Split(np.stack(images), labels)


def _draw(random: np.random.Generator, style: str) -> np.ndarray:
    """Return a digit in one way of writing, uint8 (28, 28)."""
    points, strokes = _parse(style)
    points = points + random.normal(0, JITTER, points.shape)
    points[:, 0] = points[:, 0] * random.uniform(*WIDTH) - points[:, 1] * random.uniform(*SLANT)
    pen = int(random.integers(6, 15))
    lines = [line for is_curve, chosen in strokes for line in _lines(points[chosen], is_curve)]
    shown = np.concatenate(lines)
    low, high = shown.min(axis=0), shown.max(axis=0)
    scale = (BOX * ZOOM - pen) / (high - low).max()
    return fit(draw_strokes([(line - low) * scale + pen for line in lines], pen))


@cache
def _parse(style: str) -> tuple[np.ndarray, list[tuple[bool, list[int]]]]:
    """Return the points of a style, (n, 2), and for each stroke whether it is a curve, and which points it visits.

    Points with the same coordinates are one point, so that strokes which meet stay together when points are moved.
    """
    strokes = [(stroke.strip().startswith("~"), stroke.strip(" ~").split()) for stroke in style.split("/")]
    names = list(dict.fromkeys(name for _, visited in strokes for name in visited))
    points = np.array([[float(value) for value in name.split(",")] for name in names])
    return points, [(is_curve, [names.index(name) for name in visited]) for is_curve, visited in strokes]


def _lines(points: np.ndarray, is_curve: bool) -> list[np.ndarray]:
    """Return the short straight lines of a stroke: those between its points or, for a curve, those along a spline."""
    if is_curve:
        along = np.append(0, np.cumsum(np.hypot(*np.diff(points, axis=0).T)))
        points = CubicSpline(along, points, bc_type="natural")(np.linspace(0, along[-1], CURVE_POINTS))
    return [points[i : i + 2] for i in range(len(points) - 1)]
