"""Strokes are brought to MNIST's form."""

import numpy as np
import pytest

from mnist_nn.pictures.normalization import to_mnist


def bar(height, width, side=300):
    ink = np.zeros((side, side), np.float32)
    ink[20 : 20 + height, 30 : 30 + width] = 1
    return ink


def mnist_size(pixels):
    """Return height and width of what is at least half as dark as the darkest."""
    return tuple(int((pixels > 127).any(axis=axis).sum()) for axis in (1, 0))


def test_the_longer_side_is_20_and_the_aspect_kept():
    assert mnist_size(to_mnist(bar(200, 50))) == (20, 5)
    assert mnist_size(to_mnist(bar(40, 160))) == (5, 20)


def test_the_centre_of_mass_is_in_the_middle():
    ink = bar(200, 50)
    ink[20:60, 30:150] = 1  # a flag: more ink above
    pixels = to_mnist(ink).astype(float)
    for axis in (0, 1):
        assert pixels.sum(axis=1 - axis) @ np.arange(28) / pixels.sum() == pytest.approx(14, abs=0.51)


@pytest.mark.parametrize("pen", [1, 2, 5])
def test_hair_lines_become_as_thick_as_mnists_thinnest(pen):
    assert mnist_size(to_mnist(bar(200, pen)))[1] in (2, 3)


def test_usual_strokes_are_left_alone():
    for pen in (25, 40):
        assert mnist_size(to_mnist(bar(200, pen)))[1] == pytest.approx(pen / 10, abs=0.6)


def test_thick_strokes_become_as_thick_as_mnists_thickest():
    ring = np.hypot(*(np.indices((300, 300)) - 150))
    pixels = to_mnist(((ring < 140) & (ring > 60)).astype(np.float32))
    assert pixels[14, 14] == 0
    assert (pixels[14] > 127).sum() == pytest.approx(2 * 4.4, abs=2)


def test_no_part_of_a_stroke_stays_a_hair():
    ink = bar(200, 3)
    ink[20:60, 30:70] = 1  # a blot on a hair line: their mean is no hair
    pixels = to_mnist(ink)
    assert (pixels[12:22] > 127).any(axis=1).all()


def test_blots_become_thinner_but_never_nothing():
    assert 0 < to_mnist(bar(200, 180)).sum() / 255 < 18 * 20
    assert to_mnist(bar(200, 200)).max() == 255


def test_form():
    pixels = to_mnist(bar(3, 2))
    assert (pixels.shape, pixels.dtype, pixels.max()) == ((28, 28), np.uint8, 255)
