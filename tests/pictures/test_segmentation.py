"""Ink is separated from paper in even and uneven light, and divided into marks."""

import numpy as np
import pytest

from mnist_nn.pictures.segmentation import find_ink, find_marks


def page(light=1.0):
    """Return the brightness of a white page with a dark cross, float32 (200, 200), and where the cross is."""
    cross = np.zeros((200, 200), bool)
    cross[90:105, 50:150] = cross[50:150, 90:105] = True
    return (np.where(cross, 0.2, 0.9) * light).astype(np.float32), cross


DOWN, RIGHT = np.indices((200, 200)) / 200


@pytest.mark.parametrize(
    "light",
    [1.0, 0.4, 0.5 + RIGHT / 2, 1 - 0.5 * (DOWN + RIGHT) / 2, np.where(RIGHT > 0.6, 0.5, 1.0)],
    ids=["bright", "dim", "from the right", "from a corner", "half in shadow"],
)
def test_the_ink_does_not_depend_on_the_light(light):
    grey, cross = page(light)
    ink = find_ink(grey)
    assert ink[cross].mean() == pytest.approx(0.7 / 0.9, abs=0.08)
    assert ink[~cross].mean() < 0.03


def test_light_ink_on_a_dark_board_is_found():
    grey, cross = page()
    ink = find_ink(1 - grey)
    assert ink[cross].mean() > 0.6
    assert ink[~cross].mean() < 0.02


@pytest.mark.parametrize("light", [1.0, 0.5 + RIGHT / 2], ids=["even", "uneven"])
def test_light_on_dark_gives_the_same_ink_as_dark_on_light(light):
    grey, _ = page(light)
    assert find_ink(1 - grey) == pytest.approx(find_ink(grey), abs=1e-5)


def test_a_shadow_does_not_weaken_strokes():
    grey, cross = page(np.where(DOWN > 0.5, 0.5, 1.0))
    ink = find_ink(grey)
    upper, lower = (ink[part][cross[part]].mean() for part in (np.s_[55:85], np.s_[115:145]))
    assert lower == pytest.approx(upper, rel=0.1)


def test_separate_marks_are_found():
    ink = np.zeros((60, 80), np.float32)
    ink[10:20, 5:9], ink[30:50, 40:70], ink[0:3, 78:] = 0.5, 1, 0.8
    marks = find_marks(ink, 0.25)
    order = np.argsort(marks.boxes[:, 1])
    assert marks.boxes[order].tolist() == [[10, 5, 20, 9], [30, 40, 50, 70], [0, 78, 3, 80]]
    assert marks.mass[order] == pytest.approx([20, 600, 4.8])
    assert marks.at_edge[order].tolist() == [False, False, True]


def test_a_mark_is_cut_out_without_its_neighbours():
    ink = np.zeros((60, 80), np.float32)
    ink[10:40, 10:20], ink[10:40, 24:30] = 0.5, 1
    marks = find_marks(ink, 0.25)
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
    marks = find_marks(find_ink(grey.astype(np.float32)), 0.25)
    assert marks.boxes.shape == (0, 4)
    assert marks.mass.shape == (0,)
