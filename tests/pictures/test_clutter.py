"""Printed lines are removed; the strokes that cross them stay."""

import numpy as np
import pytest

from mnist_nn.pictures.clutter import remove_lines
from mnist_nn.pictures.segmentation import measure_marks


def marks_of(inked):
    return measure_marks(inked.astype(np.float32), inked)


@pytest.fixture
def stroke():
    """A thick upright stroke, bool (200, 300)."""
    inked = np.zeros((200, 300), bool)
    inked[60:140, 140:155] = True
    return inked


@pytest.mark.parametrize("slope", [0, 0.04, 0.13, -0.25])
def test_a_line_through_a_stroke_is_removed(stroke, slope):
    line = np.zeros_like(stroke)
    for column in range(300):
        row = round(90 + slope * column)
        line[row : row + 4, column] = True
    left = remove_lines(marks_of(stroke | line)).labels > 0
    assert left[stroke].all(), "the stroke stays whole"
    assert (left & ~stroke).sum() < 20, "of 1,140 pixels of the line"


def test_a_box_is_removed_with_its_corners(stroke):
    lines = np.zeros_like(stroke)
    lines[20:24], lines[176:180], lines[:, 40:44], lines[:, 256:260] = True, True, True, True
    left = remove_lines(marks_of(stroke | lines))
    assert np.array_equal(left.labels > 0, stroke)


def test_a_tilted_box_is_removed_with_its_corners(stroke):
    down, right = np.indices(stroke.shape)
    across, along = down - 100 - 0.2 * (right - 150), right - 150 + 0.2 * (down - 100)
    box = (np.abs(across) < 70) & (np.abs(along) < 90) & ~((np.abs(across) < 66) & (np.abs(along) < 86))
    left = remove_lines(marks_of(stroke | box))
    assert np.array_equal(left.labels > 0, stroke)


def test_a_line_across_a_corner_of_the_picture_is_removed_if_there_are_long_ones(stroke):
    down, right = np.indices(stroke.shape)
    short, long = (np.abs(down - 0.2 * right - start) < 2 for start in (170, 20))
    assert np.array_equal(remove_lines(marks_of(stroke | short | long)).labels > 0, stroke)
    assert (remove_lines(marks_of(stroke | short)).labels[short] > 0).all(), "it may be a stroke"


def test_a_faint_piece_of_a_line_is_removed(stroke):
    lines, piece = np.zeros_like(stroke), np.zeros_like(stroke)
    lines[20:23], lines[180:183], piece[50:53, 220:270] = True, True, True
    contrast = np.where(stroke | piece, 1.0, 0.5 * lines).astype(np.float32)
    inked = contrast > 0
    assert remove_lines(measure_marks(contrast, inked)).labels[piece].all(), "the stroke of a pen"
    contrast[piece] = 0.5
    assert np.array_equal(remove_lines(measure_marks(contrast, inked)).labels > 0, stroke)


def test_marks_without_lines_are_returned_unchanged(stroke):
    marks = marks_of(stroke)
    assert remove_lines(marks) is marks


def test_a_long_stroke_inside_the_picture_stays():
    inked = np.zeros((200, 300), bool)
    inked[10:190, 150:156] = True  # a tall 1
    assert np.array_equal(remove_lines(marks_of(inked)).labels > 0, inked)
