"""A random affine and elastic warp of a batch of digits, each image its own, in the TensorFlow graph.

Elastic distortion of handwriting: P. Simard, D. Steinkraus and J. Platt, "Best practices for convolutional neural
networks applied to visual document analysis", ICDAR 2003. Here the displacement is drawn on a coarse grid.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from ._internal.tensorflow import tf

SIDE = 28
PADDED = SIDE + 2  # a margin of zeros: what lies outside an image is background
GRID = 5  # elastic displacements are drawn on 5x5 points and interpolated by cubic splines


@dataclass(frozen=True)
class Augmentation:
    """How strongly training images are warped. A random warp is drawn uniformly up to these.

    rotation: degrees to either side.
    scale: logarithm of the stretch, each axis its own (0.1 is about 10 %).
    shear: pixels sideways for each pixel up.
    shift: pixels, each axis its own.
    elastic: pixels of the displacement at each point of a 5x5 grid, each axis its own.
    final_strength: all of these fall to this share, linearly, over the second half of training.
    """

    rotation: float = 10.0
    scale: float = 0.1
    shear: float = 0.1
    shift: float = 1.5
    elastic: float = 1.4
    final_strength: float = 0.3

    def strength(self, progress):
        """Return the share of the strengths in force at `progress` through training, a float32 from 0 to 1."""
        return 1.0 - (1.0 - self.final_strength) * tf.maximum(2.0 * progress - 1.0, 0.0)

    def warp(self, images, seed, step, strength=1.0):
        """Return uint8 images (n, 28, 28) warped at random, as float32 of the same shape and range.

        A pure function of (seed, step), whole numbers: the same numbers give the same warps.
        """
        n = tf.shape(images)[0]
        key = tf.stack([tf.cast(seed, tf.int64), tf.cast(step, tf.int64)])
        # Drawn out here because TensorFlow's own generator is many times faster than XLA's.
        drawn = tf.random.stateless_uniform([2, n, len(BASIS)], key, -1.0, 1.0) * strength
        coefficients = tf.concat([self._affine(*tf.unstack(drawn[..., :3])), self.elastic * drawn[..., 3:]], axis=2)
        return _sample(images, *_places(coefficients))

    def _affine(self, first, second):
        """Return the coefficients of source y and x over (1, y, x), float32 (2, n, 3), from two (n, 3) in -1..1."""
        (shift_y, log_y, turn), (shift_x, log_x, lean) = tf.unstack(first, axis=1), tf.unstack(second, axis=1)
        angle = turn * np.deg2rad(self.rotation)
        cos, sin = tf.cos(angle), tf.sin(angle)
        stretch_y, stretch_x = tf.exp(log_y * self.scale), tf.exp(log_x * self.scale)
        shear = lean * self.shear
        middle = (PADDED - 1) / 2
        y = [middle + shift_y * self.shift, stretch_y * cos, stretch_y * sin]
        x = [middle + shift_x * self.shift, stretch_x * (shear * cos - sin), stretch_x * (shear * sin + cos)]
        return tf.stack([tf.stack(y, axis=1), tf.stack(x, axis=1)])


def _basis() -> np.ndarray:
    """Return what source coordinates are made of, float32 (3 + 25, 784): a constant, y and x from the centre, bumps."""
    offsets = np.arange(SIDE) - (SIDE - 1) / 2
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    spline = CubicSpline(np.linspace(0, SIDE - 1, GRID), np.eye(GRID))(np.arange(SIDE))
    rows = [np.ones(SIDE * SIDE), y.ravel(), x.ravel(), *np.kron(spline, spline).T]
    return np.stack(rows).astype(np.float32)


BASIS = _basis()


def _inside(place):
    """Return places moved into the padded image, so far that the lower right neighbour is inside too."""
    return tf.clip_by_value(place, 0.0, PADDED - 1 - 1e-5)


@tf.function(jit_compile=True, reduce_retracing=True, autograph=False)
def _places(coefficients):
    """Return where in its padded image each output pixel looks, y and x, float32 (2, n, 784), and at which pixel.

    The pixel is counted through the batch of padded images, int32 (n, 784).
    """
    place = tf.einsum("ank,kp->anp", coefficients, BASIS)
    row, column = tf.unstack(tf.cast(_inside(place), tf.int32))
    start = tf.range(tf.shape(row)[0])[:, None] * PADDED**2
    return place, start + row * PADDED + column


# A function of its own: fused with the above, the places would be computed anew for each of their uses.
@tf.function(jit_compile=True, reduce_retracing=True, autograph=False)
def _sample(images, place, pixel):
    """Return images sampled at these places, linearly between the four neighbours of each."""
    flat = tf.reshape(tf.pad(images, [[0, 0], [1, 1], [1, 1]]), [-1])
    # Gathering is what costs: the four neighbours of a place, a byte each, are gathered at once as an int32.
    n, later = tf.size(flat), tf.pad(flat, [[0, PADDED + 1]])
    four = tf.bitcast(tf.stack([later[step : n + step] for step in (0, 1, PADDED, PADDED + 1)], axis=1), tf.int32)
    found = tf.gather(four, pixel)
    bytes_ = (tf.bitwise.bitwise_and(tf.bitwise.right_shift(found, bits), 255) for bits in (0, 8, 16, 24))
    a, b, c, d = (tf.cast(byte, tf.float32) for byte in bytes_)
    place = _inside(place)
    down, right = tf.unstack(place - tf.floor(place))  # cheaper computed here than handed over
    top, bottom = a + right * (b - a), c + right * (d - c)
    return tf.reshape(top + down * (bottom - top), [-1, SIDE, SIDE])
