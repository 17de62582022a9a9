"""Digits are normalised as in MNIST: size, position and stroke width."""

import numpy as np
import pytest

from mnist_nn.pictures.normalization import normalize


def bar(height, width, side=300):
    """Return the ink of a bar, float32 (side, side)."""
    ink = np.zeros((side, side), np.float32)
    ink[20 : 20 + height, 30 : 30 + width] = 1
    return ink


def size(pixels):
    """Return the height and width of the pixels above 127."""
    return tuple(int((pixels > 127).any(axis=axis).sum()) for axis in (1, 0))


def test_the_longer_side_is_20_and_the_aspect_ratio_is_kept():
    assert size(normalize(bar(200, 50))) == (20, 5)
    assert size(normalize(bar(40, 160))) == (5, 20)


def test_the_centre_of_mass_is_in_the_middle_of_the_image():
    ink = bar(200, 50)
    ink[20:60, 30:150] = 1  # a flag: more ink at the top
    pixels = normalize(ink).astype(float)
    for axis in (0, 1):
        assert pixels.sum(axis=1 - axis) @ np.arange(28) / pixels.sum() == pytest.approx(14, abs=0.51)


@pytest.mark.parametrize("pen", [1, 2, 5])
def test_hairlines_are_thickened_to_mnists_thinnest_strokes(pen):
    assert size(normalize(bar(200, pen)))[1] in (2, 3)


def test_strokes_of_the_usual_width_are_unchanged():
    for pen in (25, 40):
        assert size(normalize(bar(200, pen)))[1] == pytest.approx(pen / 10, abs=0.6)


def test_thick_strokes_are_thinned_to_mnists_thickest_strokes():
    ring = np.hypot(*(np.indices((300, 300)) - 150))
    pixels = normalize(((ring < 140) & (ring > 60)).astype(np.float32))
    assert pixels[14, 14] == 0
    assert (pixels[14] > 127).sum() == pytest.approx(2 * 4.4, abs=2)


def test_hairlines_are_thickened_beside_a_thick_part():
    ink = bar(200, 3)
    ink[20:60, 30:70] = 1  # a blot: the mean width is not that of a hairline
    pixels = normalize(ink)
    assert (pixels[12:22] > 127).any(axis=1).all()


def test_blots_are_thinned_but_do_not_disappear():
    assert 0 < normalize(bar(200, 180)).sum() / 255 < 18 * 20
    assert normalize(bar(200, 200)).max() == 255


def test_the_result_has_mnists_format():
    pixels = normalize(bar(3, 2))
    assert (pixels.shape, pixels.dtype, pixels.max()) == ((28, 28), np.uint8, 255)
