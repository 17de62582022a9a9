"""Robustness: how right a network stays when images are moved, turned, blurred, covered ... ever more.

Every distortion takes uint8 images (n, 28, 28) and gives uint8 images of that shape, the same ones each time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy import ndimage

from ..data import Split, check_split
from ..network import predict_probabilities

MIDDLE = 13.5  # between the pixels 13 and 14


@dataclass(frozen=True)
class Distortion:
    """One way to distort images.

    unit: of its strengths, for tables and axes. strengths: in rising order; `none` is the one that changes nothing.
    variants: from images and a strength to one or more arrays of images, over which accuracy is averaged: a shift goes
        in eight directions.
    """

    unit: str
    strengths: tuple[float, ...]
    variants: Callable[[np.ndarray, float], Iterator[np.ndarray]]
    none: float = 0


def measure_robustness(model, split: Split, distortions: Mapping[str, Distortion] | None = None) -> pd.DataFrame:
    """Return the accuracy, 0 to 1, of `model` at each strength of each distortion: one row each.

    Columns: distortion, unit, strength, images (how many were read, over all variants), correct, accuracy.
    distortions: by name; those of DISTORTIONS if None.

    Raises ValueError as `evaluate` does.
    """
    check_split("split", split)
    rows = []
    for name, distortion in (DISTORTIONS if distortions is None else distortions).items():
        for strength in distortion.strengths:
            variants = [split.images] if strength == distortion.none else distortion.variants(split.images, strength)
            right = [predict_probabilities(model, images).argmax(axis=1) == split.labels for images in variants]
            counts = {"images": np.size(right), "correct": int(np.sum(right))}
            rows.append({"distortion": name, "unit": distortion.unit, "strength": strength, **counts})
    table = pd.DataFrame(rows)
    return table.assign(accuracy=table["correct"] / table["images"])


def shifted(images: np.ndarray, pixels: int) -> Iterator[np.ndarray]:
    """Yield images moved by whole pixels up, down, left, right and along the four diagonals; background moves in."""
    room = np.pad(images, ((0, 0), (pixels, pixels), (pixels, pixels)))
    for down, right in product((-1, 0, 1), repeat=2):
        if (down, right) != (0, 0):
            top, left = pixels * (1 - down), pixels * (1 - right)
            yield room[:, top : top + 28, left : left + 28]


def turned(images: np.ndarray, degrees: float) -> Iterator[np.ndarray]:
    """Yield images turned about the middle, anticlockwise and clockwise."""
    for angle in np.deg2rad([degrees, -degrees]):
        cos, sin = np.cos(angle), np.sin(angle)
        yield _resampled(images, np.array([[cos, sin], [-sin, cos]]))


def scaled(images: np.ndarray, factor: float) -> Iterator[np.ndarray]:
    """Yield images made so many times as large, about the middle; what leaves the 28x28 pixels is cut off."""
    # Made smaller, each pixel is the mean over what it covers: without that, strokes would have gaps.
    smooth = ndimage.gaussian_filter(images.astype(np.float32), max(0, 0.5 * (1 / factor - 1)), axes=(1, 2))
    yield _resampled(smooth, np.eye(2) / factor)


def noisy(images: np.ndarray, deviation: float) -> Iterator[np.ndarray]:
    """Yield images with normal noise of so many grey values (standard deviation) on every pixel, cut at 0 and 255."""
    noise = np.random.default_rng(0).standard_normal(images.shape, np.float32)
    yield _bytes(images + np.float32(deviation) * noise)


def blurred(images: np.ndarray, deviation: float) -> Iterator[np.ndarray]:
    """Yield images blurred by a normal distribution of so many pixels (standard deviation)."""
    yield _bytes(ndimage.gaussian_filter(images.astype(np.float32), deviation, mode="constant", axes=(1, 2)))


def restroked(images: np.ndarray, pixels: int) -> Iterator[np.ndarray]:
    """Yield images with strokes so many pixels wider, or narrower if below 0: grey dilation or erosion by a square."""
    change = ndimage.grey_dilation if pixels > 0 else ndimage.grey_erosion
    yield change(images, size=(1, abs(pixels) + 1, abs(pixels) + 1), mode="constant")


def covered(images: np.ndarray, side: int) -> Iterator[np.ndarray]:
    """Yield images with a square of background over them, at nine places in three rows on the middle 20x20 pixels."""
    for top, left in product(np.linspace(4, 24 - side, 3).round().astype(int), repeat=2):
        images_covered = images.copy()
        images_covered[:, top : top + side, left : left + side] = 0
        yield images_covered


def faded(images: np.ndarray, share: float) -> Iterator[np.ndarray]:
    """Yield images whose ink has only such a share of its contrast to the background."""
    yield _bytes(images * np.float32(share))


def _resampled(images: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return images that take each pixel, linearly, from where `matrix` puts its place (y, x from the middle)."""
    whole = np.eye(3)
    whole[1:, 1:] = matrix
    offset = [0, *(MIDDLE - matrix @ [MIDDLE, MIDDLE])]
    # What becomes of each single pixel tells what becomes of any image, and there are fewer of them.
    pixels = np.eye(28 * 28).reshape(-1, 28, 28)
    made_of_each = ndimage.affine_transform(pixels, whole, offset, order=1, mode="constant").reshape(28 * 28, -1)
    made = images.reshape(len(images), -1) @ made_of_each
    return _bytes(made.astype(np.float32).reshape(images.shape))


def _bytes(images: np.ndarray) -> np.ndarray:
    return images.round().clip(0, 255).astype(np.uint8)


DISTORTIONS: Mapping[str, Distortion] = {
    "shift": Distortion("pixels", (0, 1, 2, 3, 4), shifted),
    "rotation": Distortion("degrees", (0, 10, 20, 30, 45), turned),
    "scale": Distortion("times the size", (0.6, 0.8, 1, 1.2, 1.4), scaled, none=1),
    "stroke width": Distortion("pixels added", (-2, -1, 0, 1, 2), restroked),
    "occlusion": Distortion("pixels a side", (0, 4, 6, 8, 10), covered),
    "blur": Distortion("pixels", (0, 0.5, 1, 1.5, 2), blurred),
    "noise": Distortion("grey values", (0, 25, 50, 75, 100), noisy),
    "contrast": Distortion("share left", (0.1, 0.25, 0.5, 0.75, 1), faded, none=1),
}
