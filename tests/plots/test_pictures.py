"""Figures of pictures show the picture, the pixels and the prediction."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mnist_nn import Prediction, load_network, plot_prediction, plot_row, predict_digit
from mnist_nn.plots.pictures import plot_misread
from tests.plots.conftest import texts


def test_prediction(trained, small):
    image = 255 - small.images[0]
    prediction = predict_digit(trained[0], image)
    figure = plot_prediction(image, prediction)
    picture, pixels, bars = figure.axes
    assert np.array_equal(picture.images[0].get_array()[..., 0], image)
    assert np.array_equal(pixels.images[0].get_array(), prediction.pixels)
    assert [bar.get_height() for bar in bars.patches] == pytest.approx(100 * prediction.probabilities)
    doubt = "predicted" if prediction.sure else "not sure, perhaps"
    assert bars.get_title("left") == f"{doubt} {prediction.digit}"


def test_row(small):
    pixels, probabilities = small.images[0], np.eye(10, dtype=np.float32)
    found = [
        Prediction(probabilities[4], pixels, (10, 20, 50, 80)),
        Prediction(probabilities[2], pixels, (60, 20, 90, 80), clear=False),
    ]
    ax = plot_row(np.full((100, 300), 255, np.uint8), found)
    assert texts(ax) == ["4", "2?"]
    assert [patch.get_bbox().extents.tolist() for patch in ax.patches] == [[10, 20, 50, 80], [60, 20, 90, 80]]


def test_a_row_of_16_bits_is_not_clipped():
    picture = Image.fromarray(np.linspace(1000, 60000, 3000).reshape(30, 100).astype(np.uint16))
    shown = plot_row(picture, []).images[0].get_array()
    assert shown.min() < 0.05
    assert 0.4 < shown.mean() < 0.6


def test_photos_are_shown_in_colour():
    picture = np.full((40, 40, 3), 250, np.uint8)
    picture[10:30, 18:22] = 30, 60, 200  # blue ink
    figure = plot_prediction(picture, predict_digit(load_network(), picture))
    assert np.array_equal(figure.axes[0].images[0].get_array(), picture)


def test_misread_pictures_are_drawn_with_both_answers(tmp_path):
    Image.new("L", (40, 40), "white").save(tmp_path / "a.png")
    line = {"picture": str(tmp_path / "a.png"), "label": "4", "predicted": "9", "confidence": 0.6, "sure": False}
    figure = plot_misread(pd.DataFrame([line, line]))
    assert [ax.get_title() for ax in figure.axes if ax.images] == ["true 4\npredicted 9?"] * 2
