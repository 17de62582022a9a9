"""Figures of the data show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest

from mnist_nn import plot_attributions, plot_changes, plot_class_balance, plot_digits, plot_embedding
from tests.plots.conftest import texts


def test_digits(small):
    figure = plot_digits(small.images[:13], small.labels[:13], columns=5)
    assert len(figure.axes) == 15
    assert [ax.get_title() for ax in figure.axes[:13]] == [str(label) for label in small.labels[:13]]
    assert np.array_equal(figure.axes[3].images[0].get_array(), small.images[3])


def test_titles_may_be_a_column_with_any_index_but_must_be_one_per_image(small):
    column = pd.Series(["a", "b", "c"], index=[7, 8, 9])
    assert [ax.get_title() for ax in plot_digits(small.images[:3], column, columns=3).axes] == ["a", "b", "c"]
    for plot in (plot_digits, plot_attributions, lambda images, titles: plot_changes(images, images, titles, titles)):
        with pytest.raises(ValueError, match="titles must be one for each of the 4 images, not 3"):
            plot(small.images[:4], column)


def test_class_balance(mnist):
    ax = plot_class_balance(train=mnist.train, test=mnist.test)
    heights = [bar.get_height() for bar in ax.patches]
    assert len(heights) == 20
    assert heights[:10] == pytest.approx(100 * np.bincount(mnist.train.labels) / 55_000)
    assert [text.get_text() for text in ax.get_legend().texts] == ["train (55,000)", "test (10,000)"]
    assert len(plot_class_balance(**dict.fromkeys("abcde", mnist.test)).patches) == 50


def test_embedding(small):
    places = np.random.default_rng(0).normal(size=(2000, 2))
    ax = plot_embedding(places, small.labels)
    assert texts(ax) == [str(digit) for digit in range(10)]
    assert sum(len(points.get_offsets()) for points in ax.collections) == 2000
    assert texts(plot_embedding(places, small.labels, class_names=list("abcdefghij"))) == list("abcdefghij")
