"""Synthetic digits are reproducible, are in MNIST's format, and show what their labels say."""

import numpy as np
import pytest

from mnist_nn import draw_digits, load_network, predict_probabilities
from mnist_nn.synthetic_digits import STYLES, _draw, _parse


@pytest.fixture(scope="module")
def synthetic():
    return draw_digits(1000, seed=0)


@pytest.fixture(scope="module")
def network():
    return load_network()


def test_the_seed_determines_the_digits():
    first, again = draw_digits(50, seed=1), draw_digits(50, seed=1)
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.images, draw_digits(50, seed=2).images)


def test_all_digits_are_drawn_equally_often_and_none_twice(synthetic):
    assert np.bincount(synthetic.labels).min() > 60
    assert len({image.tobytes() for image in synthetic.images}) == 1000


def test_digits_are_scaled_and_centred_like_mnist(synthetic, small):
    mass = synthetic.images.sum(axis=(1, 2), dtype=float)
    for axis in (1, 2):
        middle = (synthetic.images.sum(axis=axis, dtype=float) @ np.arange(28)) / mass
        assert np.abs(middle - 14).max() < 1
        assert abs(middle.mean() - 14) < 0.1
    extents = [max(np.ptp(np.flatnonzero(image.any(axis=axis))) + 1 for axis in (0, 1)) for image in synthetic.images]
    assert set(extents) == {20}
    ink, usual = (
        np.median(images.reshape(len(images), -1).mean(axis=1)) for images in (synthetic.images, small.images)
    )
    assert 0.7 < ink / usual < 1.3


def test_the_pretrained_network_reads_digits_of_another_seed(synthetic, network):
    predicted = predict_probabilities(network, synthetic.images).argmax(axis=1)
    assert np.mean(predicted == synthetic.labels) > 0.97
    assert min(np.mean(predicted[synthetic.labels == digit] == digit) for digit in range(10)) > 0.93


@pytest.mark.parametrize(("digit", "style"), [(digit, style) for digit, styles in STYLES.items() for style in styles])
def test_each_way_of_writing_is_read_more_often_than_not(digit, style, network):
    random = np.random.default_rng(0)
    images = np.stack([_draw(random, style) for _ in range(20)])
    predicted = predict_probabilities(network, images).argmax(axis=1)
    assert np.mean(predicted == digit) > 0.5


def test_strokes_that_meet_share_a_point():
    points, strokes = _parse("0,0 60,0 / ~ 60,0 20,50 60,0")
    assert points.tolist() == [[0, 0], [60, 0], [20, 50]]
    assert strokes == [(False, [0, 1]), (True, [1, 2, 1])]


@pytest.mark.parametrize("n", [0, -1, 100_001, 2.5, "many"])
def test_an_impossible_number_is_refused(n):
    with pytest.raises(ValueError, match="n must be a whole number from 1 to 100,000"):
        draw_digits(n, seed=0)


def test_an_impossible_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be a whole number"):
        draw_digits(10, seed=-1)
