"""Tilted lines become level and upright, and every pixel returns to its place."""

import numpy as np
import pytest

from mnist_nn.pictures.straightening import Straightening, find_slopes


def grid(down, right):
    """Return lines with these slopes, bool (200, 300)."""
    y, x = np.indices((200, 300))
    level, upright = (y - down * x) % 40, (x - right * y) % 40
    return (level < 3) | (upright < 3)


@pytest.mark.parametrize("slopes", [(0.0, 0.0), (0.1, -0.1), (-0.22, 0.2), (0.12, -0.07)])
def test_the_slopes_of_squared_paper_are_found(slopes):
    assert find_slopes(grid(*slopes)) == pytest.approx(slopes, abs=0.009)


def test_tilted_lines_become_level_and_upright():
    slopes = (0.12, -0.07)
    lines, straight = grid(*slopes), Straightening((200, 300), slopes, margin=2)
    moved, size = straight.move(lines), (~straight.outside).sum(axis=1)
    full = (moved.sum(axis=1) > 0.9 * size) & (size > 100)
    assert np.count_nonzero(full) >= 8, "five lines cross at least 100 columns; two of their three rows are complete"
    assert not (lines.sum(axis=1) > 0.5 * 300).any(), "no row of the tilted page is"


def test_moved_pixels_return_to_their_places():
    pixels = np.random.default_rng(0).random((50, 80)) < 0.3
    straight = Straightening(pixels.shape, (0.2, -0.15), margin=3)
    assert np.array_equal(straight.restore(straight.move(pixels)), pixels)
    assert np.count_nonzero(~straight.outside) == pixels.size, "each pixel has one place"
