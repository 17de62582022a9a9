"""Robustness: the accuracy of a model on images that are shifted, rotated, blurred or otherwise corrupted.

Every corruption takes uint8 images (n, 28, 28), returns uint8 images of the same shape, and is deterministic.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from .._internal.arguments import check_whole_number
from ..data import Split, check_split
from ..model import ModelLike, predict_probabilities

CENTRE = 13.5  # the centre of an image, between the pixels 13 and 14


@dataclass(frozen=True)
class Corruption:
    """One way to corrupt images, at several strengths.

    Args:
        unit: The unit of the strengths, for tables and axes.
        strengths: The strengths in rising order.
        variants: A function from images and a strength to one or more arrays of corrupted images. The accuracy is
            averaged over them; a shift, for example, has eight directions.
        neutral: The strength that changes nothing.

    Example:
        >>> from mnist_nn.analysis.robustness import Corruption
        >>> mirror = Corruption("mirrorings", (0, 1), lambda images, _: [images[:, :, ::-1]])
    """

    unit: str
    strengths: tuple[float, ...]
    variants: Callable[[np.ndarray, float], Iterable[np.ndarray]]
    neutral: float = 0


def measure_robustness(
    model: ModelLike, split: Split, corruptions: Mapping[str, Corruption] | None = None
) -> pd.DataFrame:
    """Measure the accuracy of a model at every strength of every corruption.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network.
        split: The images and labels.
        corruptions: The corruptions by name. None means those in `mnist_nn.analysis.robustness.CORRUPTIONS`: shift,
            rotation, scale, stroke width, occlusion, blur, noise and contrast.

    Returns:
        One row per corruption and strength, with the columns corruption, unit, strength, images (the number of
        predictions, over all variants), correct, and accuracy (0 to 1).

    Raises:
        ValueError: `split` is not a Split, `model` is not such a model, or `corruptions` is empty.

    Example:
        >>> from mnist_nn import load_mnist, load_network, measure_robustness
        >>> table = measure_robustness(load_network(), load_mnist().test[:100])
        >>> list(table.columns)
        ['corruption', 'unit', 'strength', 'images', 'correct', 'accuracy']
    """
    check_split("split", split)
    corruptions = CORRUPTIONS if corruptions is None else corruptions
    if not corruptions:
        raise ValueError("corruptions must hold at least one Corruption; leave it out to measure all")
    rows = []
    for name, corruption in corruptions.items():
        for strength in corruption.strengths:
            variants = [split.images]
            if strength != corruption.neutral:
                variants = corruption.variants(split.images, strength)
            right = [predict_probabilities(model, images).argmax(axis=1) == split.labels for images in variants]
            counts = {"images": np.size(right), "correct": int(np.sum(right))}
            rows.append({"corruption": name, "unit": corruption.unit, "strength": strength, **counts})
    table = pd.DataFrame(rows)
    return table.assign(accuracy=table["correct"] / table["images"])


def shift(images: np.ndarray, pixels: float) -> Iterator[np.ndarray]:
    """Yield images shifted by whole pixels in eight directions; background moves in."""
    pixels = _whole("pixels", pixels, 0, 28)
    padded = np.pad(images, ((0, 0), (pixels, pixels), (pixels, pixels)))
    for down, right in product((-1, 0, 1), repeat=2):
        if (down, right) != (0, 0):
            top, left = pixels * (1 - down), pixels * (1 - right)
            yield padded[:, top : top + 28, left : left + 28]


def rotate(images: np.ndarray, degrees: float) -> Iterator[np.ndarray]:
    """Yield images rotated about the centre, anticlockwise and clockwise."""
    for angle in np.deg2rad([degrees, -degrees]):
        cos, sin = np.cos(angle), np.sin(angle)
        yield _transform(images, np.array([[cos, sin], [-sin, cos]]))


def scale(images: np.ndarray, factor: float) -> Iterator[np.ndarray]:
    """Yield images scaled about the centre; what leaves the 28x28 pixels is cut off."""
    # Smooth before reducing, so that each pixel averages what it covers. Otherwise strokes would have gaps.
    smooth = ndimage.gaussian_filter(images.astype(np.float32), max(0, 0.5 * (1 / factor - 1)), axes=(1, 2))
    yield _transform(smooth, np.eye(2) / factor)


def add_noise(images: np.ndarray, deviation: float) -> Iterator[np.ndarray]:
    """Yield images with Gaussian noise of this standard deviation (in grey values), clipped to 0 to 255."""
    noise = np.random.default_rng(0).standard_normal(images.shape, np.float32)
    yield _to_uint8(images + np.float32(deviation) * noise)


def blur(images: np.ndarray, deviation: float) -> Iterator[np.ndarray]:
    """Yield images blurred by a Gaussian of this standard deviation (in pixels)."""
    yield _to_uint8(ndimage.gaussian_filter(images.astype(np.float32), deviation, mode="constant", axes=(1, 2)))


def change_stroke_width(images: np.ndarray, pixels: float) -> Iterator[np.ndarray]:
    """Yield images with wider strokes, or narrower ones if `pixels` is negative: grey dilation or erosion."""
    operation, side = (
        ndimage.grey_dilation if pixels > 0 else ndimage.grey_erosion,
        abs(_whole("pixels", pixels, -27, 27)) + 1,
    )
    yield operation(images, size=(1, side, side), mode="constant")


def occlude(images: np.ndarray, side: float) -> Iterator[np.ndarray]:
    """Yield images with a square of background at nine positions, in three rows on the middle 20x20 pixels."""
    side = _whole("side", side, 0, 20)
    for top, left in product(np.linspace(4, 24 - side, 3).round().astype(int), repeat=2):
        occluded = images.copy()
        occluded[:, top : top + side, left : left + side] = 0
        yield occluded


def reduce_contrast(images: np.ndarray, fraction: float) -> Iterator[np.ndarray]:
    """Yield images with this fraction of their contrast."""
    yield _to_uint8(images * np.float32(fraction))


def _whole(name: str, value: float, lowest: int, highest: int) -> int:
    """Return a strength that must be whole, such as 2 or 2.0; raise a ValueError if it is not."""
    check_whole_number(name, int(value) if float(value).is_integer() else value, lowest, highest)
    return int(value)


def _transform(images: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return images whose pixels are sampled, bilinearly, at `matrix` times their offset (y, x) from the centre."""
    whole = np.eye(3)
    whole[1:, 1:] = matrix
    offset: Any = [0, *(CENTRE - matrix @ [CENTRE, CENTRE])]
    # The map is linear: transform the 784 unit images once and multiply.
    units = np.eye(28 * 28).reshape(-1, 28, 28)
    transformed = ndimage.affine_transform(units, whole, offset, order=1, mode="constant").reshape(28 * 28, -1)
    result = images.reshape(len(images), -1) @ transformed
    return _to_uint8(result.astype(np.float32).reshape(images.shape))


def _to_uint8(images: np.ndarray) -> np.ndarray:
    return images.round().clip(0, 255).astype(np.uint8)


CORRUPTIONS: Mapping[str, Corruption] = {
    "shift": Corruption("pixels", (0, 1, 2, 3, 4), shift),
    "rotation": Corruption("degrees", (0, 10, 20, 30, 45), rotate),
    "scale": Corruption("factor", (0.6, 0.8, 1, 1.2, 1.4), scale, neutral=1),
    "stroke width": Corruption("pixels added", (-2, -1, 0, 1, 2), change_stroke_width),
    "occlusion": Corruption("side in pixels", (0, 4, 6, 8, 10), occlude),
    "blur": Corruption("pixels", (0, 0.5, 1, 1.5, 2), blur),
    "noise": Corruption("grey values", (0, 25, 50, 75, 100), add_noise),
    "contrast": Corruption("fraction left", (0.1, 0.25, 0.5, 0.75, 1), reduce_contrast, neutral=1),
}
