"""A sheet of paper is told from what lies around it, and from shadows and digits."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_nn.pictures.sheet import find_light_area, find_rectangle


def page(color):
    """Return a grey picture of 128x96 pixels, and a pen to draw on it."""
    picture = Image.new("L", (128, 96), color)
    return picture, ImageDraw.Draw(picture)


def brightness(picture):
    return np.asarray(picture, np.float32) / 255


@pytest.mark.parametrize("ground", [20, 140])
@pytest.mark.parametrize("corners", [(30, 20, 100, 20, 100, 80, 30, 80), (30, 30, 95, 15, 105, 70, 40, 85)])
def test_a_sheet_on_a_darker_ground_is_found(ground, corners):
    picture, pen = page(ground)
    pen.polygon(corners, fill=230)
    pen.line((60, 40, 70, 60), fill=10, width=4)
    sheet = find_rectangle(brightness(picture))
    assert sheet is not None
    assert sheet[30:70, 45:90].all()
    assert not sheet[:14].any()
    assert not sheet[:, :28].any()


def test_paper_that_fills_the_picture_is_no_rectangle():
    picture, pen = page(230)
    pen.line((60, 40, 70, 60), fill=10, width=4)
    for y in (10, 40, 70):  # the paper between ruled lines is one, but the rest is as light
        pen.line((0, y, 127, y), fill=120, width=2)
    assert find_rectangle(brightness(picture)) is None
    assert find_rectangle(np.zeros((5, 5), np.float32)) is None


@pytest.mark.parametrize("corners", [(0, 0, 60, 0, 60, 96, 0, 96), (0, 0, 127, 0, 0, 60)], ids=["half", "corner"])
def test_light_beside_a_shadow_is_no_sheet(corners):
    picture, pen = page(100)
    pen.polygon(corners, fill=230)
    assert find_rectangle(brightness(picture)) is None


def test_a_light_zero_is_no_sheet():
    picture, pen = page(20)
    pen.ellipse((40, 15, 90, 80), outline=230, width=10)
    assert find_rectangle(brightness(picture)) is None


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
