"""Random distortions of training images, affine and elastic, computed in the TensorFlow graph.

Elastic distortion of handwriting: P. Simard, D. Steinkraus and J. Platt, "Best practices for convolutional neural
networks applied to visual document analysis", ICDAR 2003. Here the displacements are drawn on a coarse grid.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from ._internal.arguments import check_number
from ._internal.tensorflow import tf

SIDE = 28
PADDED = SIDE + 2  # with a margin of zeros, because everything outside an image is background
GRID = 5  # elastic displacements are drawn at 5x5 points and interpolated by cubic splines


@dataclass(frozen=True)
class Augmentation:
    """The strength of the random distortions. Each one is drawn uniformly between minus and plus its limit.

    Args:
        rotation: Limit of the rotation, in degrees.
        scale: Limit of the logarithm of the scale, for each axis separately (0.1 is about 10 %).
        shear: Limit of the shear, in pixels to the side per pixel of height.
        shift: Limit of the shift, in pixels, for each axis separately.
        elastic: Limit of the displacement at each point of a 5x5 grid, in pixels, for each axis separately.
        final_strength: During the second half of training all limits fall linearly to this fraction, 0 to 1.

    Raises:
        ValueError: A setting is negative or not a number, or `final_strength` is above 1; the message names it.

    Example:
        >>> from mnist_nn import Augmentation, load_mnist
        >>> images = load_mnist().train.images[:16]
        >>> Augmentation(rotation=15).warp(images, seed=0, step=0).shape
        TensorShape([16, 28, 28])
    """

    rotation: float = 10.0
    scale: float = 0.1
    shear: float = 0.1
    shift: float = 1.5
    elastic: float = 1.4
    final_strength: float = 0.3

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            check_number(name, value, 0, 1 if name == "final_strength" else None)

    def strength(self, progress: Any) -> Any:
        """Return the fraction of the limits that applies at a point of training.

        Args:
            progress: float32 from 0 (start) to 1 (end of training).

        Returns:
            A float32 from `final_strength` to 1.
        """
        return 1.0 - (1.0 - self.final_strength) * tf.maximum(2.0 * progress - 1.0, 0.0)

    def warp(self, images: Any, seed: Any, step: Any, strength: Any = 1.0) -> Any:
        """Distort every image in its own way.

        The result depends on (seed, step) only: the same numbers give the same distortions.

        Args:
            images: uint8 (n, 28, 28), an array or a tensor.
            seed: A whole number.
            step: A whole number, such as the number of the batch.
            strength: The fraction of the limits to apply, 0 to 1.

        Returns:
            A float32 tensor (n, 28, 28) with values from 0 to 255.
        """
        n = tf.shape(images)[0]
        key = tf.stack([tf.cast(seed, tf.int64), tf.cast(step, tf.int64)])
        # Drawn outside the XLA functions: XLA's random generator is many times slower.
        drawn = tf.random.stateless_uniform(tf.stack([2, n, len(BASIS)]), key, -1.0, 1.0) * strength
        coefficients = tf.concat([self._affine(*tf.unstack(drawn[..., :3])), self.elastic * drawn[..., 3:]], axis=2)
        return _sample(images, *_coordinates(coefficients))

    def _affine(self, first, second):
        """Return the coefficients of the source y and x over (1, y, x), float32 (2, n, 3), from two (n, 3) in -1..1."""
        (shift_y, log_y, turn), (shift_x, log_x, lean) = tf.unstack(first, axis=1), tf.unstack(second, axis=1)
        angle = turn * np.deg2rad(self.rotation)
        cos, sin = tf.cos(angle), tf.sin(angle)
        scale_y, scale_x = tf.exp(log_y * self.scale), tf.exp(log_x * self.scale)
        shear = lean * self.shear
        middle = (PADDED - 1) / 2
        y = [middle + shift_y * self.shift, scale_y * cos, scale_y * sin]
        x = [middle + shift_x * self.shift, scale_x * (shear * cos - sin), scale_x * (shear * sin + cos)]
        return tf.stack([tf.stack(y, axis=1), tf.stack(x, axis=1)])


def _basis() -> np.ndarray:
    """Return the basis of source coordinates, float32 (3 + 25, 784): a constant, y and x, and 25 bumps."""
    offsets = np.arange(SIDE) - (SIDE - 1) / 2
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    spline = CubicSpline(np.linspace(0, SIDE - 1, GRID), np.eye(GRID))(np.arange(SIDE))
    rows = [np.ones(SIDE * SIDE), y.ravel(), x.ravel(), *np.kron(spline, spline).T]
    return np.stack(rows).astype(np.float32)


BASIS = _basis()


def _inside(coordinate):
    """Clip coordinates to the padded image, so that the lower right neighbour is inside as well."""
    return tf.clip_by_value(coordinate, 0.0, PADDED - 1 - 1e-5)


@tf.function(jit_compile=True, reduce_retracing=True, autograph=False)
def _coordinates(coefficients):
    """Return the source coordinates of each output pixel, and the index of the pixel there.

    The coordinates y and x are float32 (2, n, 784). The index counts through all padded images, int32 (n, 784).
    """
    coordinate = tf.einsum("ank,kp->anp", coefficients, BASIS)
    row, column = tf.unstack(tf.cast(_inside(coordinate), tf.int32))
    start = tf.range(tf.shape(row)[0])[:, None] * PADDED**2
    return coordinate, start + row * PADDED + column


# Kept separate from _coordinates: if they were fused, XLA would recompute the coordinates at each use.
@tf.function(jit_compile=True, reduce_retracing=True, autograph=False)
def _sample(images, coordinate, index):
    """Sample images at the coordinates, with bilinear interpolation."""
    flat = tf.reshape(tf.pad(images, [[0, 0], [1, 1], [1, 1]]), [-1])
    # Gathering is the expensive part, so gather the four neighbours of a pixel, one byte each, as one int32.
    n, later = tf.size(flat), tf.pad(flat, [[0, PADDED + 1]])
    four = tf.bitcast(tf.stack([later[step : n + step] for step in (0, 1, PADDED, PADDED + 1)], axis=1), tf.int32)
    found = tf.gather(four, index)
    neighbours = (tf.bitwise.bitwise_and(tf.bitwise.right_shift(found, bits), 255) for bits in (0, 8, 16, 24))
    a, b, c, d = (tf.cast(neighbour, tf.float32) for neighbour in neighbours)
    coordinate = _inside(coordinate)
    down, right = tf.unstack(coordinate - tf.floor(coordinate))  # recomputing is cheaper than passing it in
    top, bottom = a + right * (b - a), c + right * (d - c)
    return tf.reshape(top + down * (bottom - top), [-1, SIDE, SIDE])
