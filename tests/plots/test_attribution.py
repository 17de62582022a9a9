"""Figures of a model's inside show the numbers they are given."""

import numpy as np

from mnist_nn import plot_attributions, plot_changes, plot_units


def test_maps_are_on_one_scale(small):
    maps = np.random.default_rng(0).normal(size=(3, 28, 28))
    figure = plot_attributions(maps, ["a", "b", "c"], small.images[:3], columns=2)
    limits = {ax.images[0].get_clim() for ax in figure.axes[:3]}
    assert limits == {(-np.percentile(np.abs(maps), 99.5), np.percentile(np.abs(maps), 99.5))}
    assert np.array_equal(figure.axes[2].images[0].get_array(), maps[2])
    assert [ax.get_title() for ax in figure.axes[:3]] == ["a", "b", "c"]


def test_units_beside_their_strongest_images(small):
    answers = np.zeros((20, 6))
    answers[7, 4] = 1
    figure = plot_units(np.arange(28 * 28 * 6).reshape(28, 28, 6), small.images[:20], answers, [4, 0])
    weights, first = figure.axes[:2]
    assert weights.get_ylabel() == "unit 4"
    assert np.array_equal(weights.images[0].get_array(), np.arange(28 * 28 * 6).reshape(28, 28, 6)[:, :, 4])
    assert np.array_equal(first.images[0].get_array(), small.images[7])


def test_changes(small):
    before, after = small.images[:2], small.images[2:4]
    figure = plot_changes(before, after, [1, 2], [3, 4])
    shown = [ax.images[0].get_array() for ax in figure.axes[:6]]
    assert np.array_equal(shown[0], before[0])
    assert np.array_equal(shown[3], after[1].astype(int) - before[1])
    assert np.array_equal(shown[5], after[1])
    assert [ax.get_title() for ax in figure.axes[:6]] == ["1", "2", "", "", "3", "4"]
