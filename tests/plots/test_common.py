"""What all figures share: they are shown once, and look right in any style."""

import base64

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib import pyplot as plt

from mnist_nn import plot_digits, plot_mistakes, plot_prediction, plot_robustness, predict_digit
from mnist_nn.analysis.robustness import measure_robustness


def test_a_notebook_shows_a_figure_once_in_a_cell(small, monkeypatch):
    """Jupyter displays the value of the last line, then every open figure, and closes these."""
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda content, raw: shown.append(content))
    figure = plot_digits(small.images[:3])
    for _ in range(2):  # the last line, and the end of the cell
        assert DisplayFormatter().format(figure) == ({}, {})
    assert len(shown) == 1
    assert shown[0]["text/plain"] == repr(figure)
    assert base64.b64decode(shown[0]["image/png"]).startswith(b"\x89PNG")
    plt.close(figure)
    DisplayFormatter().format(figure)  # a later cell shows it again
    assert len(shown) == 2


@pytest.mark.parametrize("kind", ["prediction", "mistakes", "robustness"])
def test_texts_are_not_cut_off_in_the_default_style(kind, trained, small, mnist, result):
    with plt.style.context("default"):
        if kind == "prediction":
            image = 255 - small.images[0]
            figure = plot_prediction(image, predict_digit(trained[0], image))
        elif kind == "mistakes":
            figure = plot_mistakes(mnist.validation, result, count=20)
        else:
            figure = plot_robustness({"model": measure_robustness(trained[0], small[:50])}, small.images[0])
        figure.canvas.draw()
        whole = figure.bbox
        for ax in figure.axes:
            for text in ax.findobj(plt.Text) if ax.axison else [ax.title]:
                if text.get_text() and text.get_visible():
                    box = text.get_window_extent()
                    inside = [box.x0 >= -2, box.y0 >= -2, box.x1 <= whole.x1 + 2, box.y1 <= whole.y1 + 2]
                    assert np.all(inside), text.get_text()
