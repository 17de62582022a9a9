"""Figures of pictures show the picture, the pixels and the prediction."""

import numpy as np
import pytest

from mnist_nn import Prediction, plot_prediction, plot_row, predict_digit
from tests.plots.conftest import texts


def test_prediction(trained, small):
    image = 255 - small.images[0]
    prediction = predict_digit(trained[0], image)
    figure = plot_prediction(image, prediction)
    picture, pixels, bars = figure.axes
    assert np.array_equal(picture.images[0].get_array(), image)
    assert np.array_equal(pixels.images[0].get_array(), prediction.pixels)
    assert [bar.get_height() for bar in bars.patches] == pytest.approx(100 * prediction.probabilities)
    doubt = "predicted:" if prediction.sure else "not sure, perhaps"
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
