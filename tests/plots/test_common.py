"""What all figures share: they are shown once, and look right in any style."""

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib import pyplot as plt

from mnist_nn import plot_digits, plot_mistakes, plot_prediction, plot_robustness, predict_digit
from mnist_nn.analysis.robustness import measure_robustness


def test_a_new_figure_is_left_to_pyplot_and_not_shown_again(small):
    figure = plot_digits(small.images[:3])
    assert DisplayFormatter().format(figure) == ({}, {})
    assert plt.fignum_exists(figure.number)


def test_a_figure_of_an_earlier_cell_is_shown_as_a_picture(small, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display_png", shown.append)
    figure = plot_digits(small.images[:3])
    plt.close(figure)
    DisplayFormatter().format(figure)
    assert shown == [figure]


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
