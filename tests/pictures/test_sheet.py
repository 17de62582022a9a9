"""A sheet of paper is told from what lies around it, and from shadows and digits."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from mnist_nn.pictures.sheet import Sheet, find_light_area, find_sheet


def page(color):
    """Return a grey picture of 128x96 pixels, and a pen to draw on it."""
    picture = Image.new("L", (128, 96), color)
    return picture, ImageDraw.Draw(picture)


def brightness(picture):
    return np.asarray(picture, np.float32) / 255


@pytest.mark.parametrize("ground", [0, 20, 140, 200, 255])
@pytest.mark.parametrize(
    "corners",
    [
        (30, 20, 100, 20, 100, 80, 30, 80),
        (30, 30, 95, 15, 105, 70, 40, 85),
        (30, 20, 100, 20, 100, 95, 30, 95),
    ],
    ids=["upright", "tilted", "at the edge of the picture"],
)
def test_a_sheet_on_another_ground_is_found(ground, corners):
    picture, pen = page(ground)
    pen.polygon(corners, fill=230 if ground < 230 else 180)
    pen.line((60, 40, 70, 60), fill=10, width=4)
    sheet = find_sheet(brightness(picture))
    assert sheet is not None
    assert np.linalg.norm(sheet.corners - np.reshape(corners, (4, 2)), axis=1).max() <= 5
    flat = sheet.flatten(brightness(picture))
    assert flat.shape == sheet.size[::-1]
    assert np.ptp(flat[[0, -1]]) < 0.02  # nothing of the ground
    assert np.ptp(flat[:, [0, -1]]) < 0.02


def test_a_box_on_a_flattened_sheet_is_located_in_the_picture():
    sheet = Sheet(np.array([[30.0, 10], [90, 30], [80, 60], [20, 40]]))  # a parallelogram
    width, height = sheet.size
    assert (width, height) == (63, 32)
    assert sheet.locate((0, 0, width, height)) == (20, 10, 90, 60)
    assert sheet.scale(2).size == (126, 63)
    dot = np.zeros((70, 100), np.float32)
    dot[32:37, 53:58] = 1
    y, x = np.unravel_index(sheet.flatten(dot).argmax(), (height, width))
    left, top, right, bottom = sheet.locate((int(x), int(y), int(x) + 1, int(y) + 1))
    assert 50 <= left <= right <= 60
    assert 30 <= top <= bottom <= 40


def test_paper_that_fills_the_picture_is_no_sheet():
    picture, pen = page(230)
    pen.line((60, 40, 70, 60), fill=10, width=4)
    for y in (10, 40, 70):  # the paper between ruled lines is one, but the rest is as light
        pen.line((0, y, 127, y), fill=120, width=2)
    assert find_sheet(brightness(picture)) is None
    assert find_sheet(np.zeros((5, 5), np.float32)) is None


@pytest.mark.parametrize("corners", [(0, 0, 60, 0, 60, 96, 0, 96), (0, 0, 127, 0, 0, 60)], ids=["half", "corner"])
def test_light_beside_a_shadow_is_no_sheet(corners):
    picture, pen = page(100)
    pen.polygon(corners, fill=230)
    assert find_sheet(brightness(picture)) is None


@pytest.mark.parametrize("ground", [20, 230])
def test_a_zero_is_no_sheet(ground):
    picture, pen = page(ground)
    pen.ellipse((40, 15, 90, 80), outline=250 - ground, width=10)
    assert find_sheet(brightness(picture)) is None


def test_a_rectangular_spot_of_light_has_no_sharp_edges():
    picture, pen = page(100)
    pen.rectangle((30, 20, 100, 80), fill=230)
    assert find_sheet(brightness(picture)) is not None
    assert find_sheet(ndimage.gaussian_filter(brightness(picture), 8)) is None


def test_black_on_both_sides_of_an_edge_is_no_step():
    picture, pen = page(0)
    pen.polygon((30, 20, 100, 20, 100, 80, 30, 80), fill=230)
    pen.polygon((30, 40, 34, 40, 34, 60, 30, 60), fill=0)
    assert find_sheet(brightness(picture)) is not None


def test_a_dark_desk_beside_the_paper_is_left_out():
    picture, pen = page(230)
    pen.rectangle((90, 0, 127, 95), fill=50)
    paper = brightness(picture)
    area = find_light_area(paper, paper)
    assert area is not None
    assert area[:, :85].all()
    assert not area[:, 92:].any()
    shadow = np.where(paper < 0.5, 0.45, paper)
    assert find_light_area(shadow, shadow) is None
