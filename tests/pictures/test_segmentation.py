"""Ink is separated from paper and divided into marks."""

import numpy as np
import pytest

from mnist_nn.pictures.page import Page, find_contrast
from mnist_nn.pictures.segmentation import Marks, find_marks, measure_marks


def test_a_dark_desk_is_not_paper():
    grey = np.full((300, 400), 0.05, np.float32)
    grey[60:240, 80:320] = 0.9
    grey[100:104, 20:30] = 0.01  # a speck on the desk
    assert not find_marks(find_contrast(Page(grey))).labels[90:120, 5:50].any()


def test_faint_strokes_stay_connected_and_noise_is_rejected():
    contrast = np.random.default_rng(0).normal(0, 0.01, (300, 300)).astype(np.float32)
    contrast[150:154, 50:150], contrast[150:154, 150:250] = 0.3, 0.11  # a pencil that runs dry
    marks = find_marks(contrast)
    assert len(marks.boxes) == 1
    assert marks.boxes[0, [1, 3]] == pytest.approx((50, 250), abs=2)


def test_separate_marks_are_found():
    contrast = np.zeros((60, 80), np.float32)
    contrast[10:20, 5:9], contrast[30:50, 40:70], contrast[0:3, 78:] = 0.5, 1, 0.8
    marks = find_marks(contrast)
    order = np.argsort(marks.boxes[:, 1])
    assert marks.boxes[order].tolist() == [[10, 5, 20, 9], [30, 40, 50, 70], [0, 78, 3, 80]]
    assert marks.mass[order] == pytest.approx([20, 600, 4.8])
    assert marks.strength[order] == pytest.approx([0.5, 1, 0.8])
    assert marks.sizes[order].tolist() == [10, 30, 3]


def test_marks_that_leave_the_picture_are_told_from_others():
    inked = np.zeros((100, 100), bool)
    inked[20] = True  # from edge to edge
    inked[40:60, 0] = True  # along an edge
    inked[80:90, 0:40] = True  # only touches it
    inked[50:70, 50:60] = True
    marks = measure_marks(inked.astype(np.float32), inked)
    assert marks.leave_picture[np.argsort(marks.boxes[:, 0])].tolist() == [True, True, False, False]


def test_a_mark_is_cut_out_without_its_neighbours():
    contrast = np.zeros((60, 80), np.float32)
    contrast[10:40, 10:20], contrast[10:40, 24:30] = 0.5, 1
    marks: Marks = find_marks(contrast)
    number = int(marks.boxes[:, 1].argmin())
    cut, box = marks.cut_out([number])
    assert box == (10, 10, 20, 40)
    assert cut.max() == 1, "the darkest stroke of the mark is scaled to 1"
    assert cut.sum() == 300, "the neighbour is erased"
    both, box = marks.cut_out([0, 1])
    assert box == (10, 10, 30, 40)
    assert (both > 0).sum() == 480


@pytest.mark.parametrize(
    "grey", [np.full((40, 40), 0.5), np.linspace(0.4, 0.46, 1600).reshape(40, 40), np.ones((1, 1))]
)
def test_a_blank_page_has_no_marks(grey):
    marks = find_marks(find_contrast(Page(grey.astype(np.float32))))
    assert marks.boxes.shape == (0, 4)
    assert marks.mass.shape == (0,)
