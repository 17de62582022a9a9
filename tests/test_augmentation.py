"""The warp moves pixels where it says, each image its own way, as a function of (seed, step) alone."""

import numpy as np
import pytest
from scipy.ndimage import center_of_mass, map_coordinates

from mnist_nn import Augmentation
from mnist_nn.augmentation import BASIS, _places, _sample

STILL = Augmentation(rotation=0, scale=0, shear=0, shift=0, elastic=0)


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.train.images[:256]


def warp(augmentation, images, seed=0, step=0, **rest):
    return augmentation.warp(images, seed, step, **rest).numpy()


def test_no_strength_changes_nothing(images):
    np.testing.assert_allclose(warp(STILL, images), images, atol=0.05)
    np.testing.assert_allclose(warp(Augmentation(), images, strength=0.0), images, atol=0.05)


def test_type_shape_and_range(images):
    warped = warp(Augmentation(), images)
    assert warped.dtype == np.float32
    assert warped.shape == images.shape
    assert warped.min() >= 0
    assert warped.max() <= 255


def test_a_function_of_seed_and_step(images):
    first = warp(Augmentation(), images, seed=3, step=7)
    assert np.array_equal(first, warp(Augmentation(), images, seed=3, step=7))
    assert not np.array_equal(first, warp(Augmentation(), images, seed=4, step=7))
    assert not np.array_equal(first, warp(Augmentation(), images, seed=3, step=8))


def test_each_image_is_warped_its_own_way(images):
    warped = warp(Augmentation(), np.repeat(images[:1], 64, axis=0))
    assert len({image.tobytes() for image in warped}) == 64


def test_sampling_agrees_with_scipy(images):
    random = np.random.default_rng(0)
    coefficients = random.normal(0, 0.1, (2, len(images), len(BASIS))).astype(np.float32)
    coefficients[0, :, 1] += 1  # near the identity: y from y, x from x
    coefficients[1, :, 2] += 1
    coefficients[:, :, 0] += 14.5  # the middle of a padded image
    places = coefficients @ BASIS
    expected = [
        map_coordinates(image.astype(float), place, order=1, cval=0.0).reshape(28, 28)
        for image, place in zip(np.pad(images, [(0, 0), (1, 1), (1, 1)]), places.swapaxes(0, 1), strict=True)
    ]
    np.testing.assert_allclose(_sample(images, *_places(coefficients)).numpy(), expected, atol=0.15)


def shifts(**strength):
    """Return by how many pixels the centre of a blob in the middle moves, (n, 2)."""
    y, x = np.mgrid[:28, :28] - 13.5
    blob = np.round(255 * np.exp(-(y**2 + x**2) / 8)).astype(np.uint8)
    still = {"rotation": 0, "scale": 0, "shear": 0, "shift": 0, "elastic": 0}
    warped = warp(Augmentation(**still | strength), np.repeat(blob[None], 2000, axis=0))
    return np.array([center_of_mass(image) for image in warped]) - 13.5


def test_shift_is_in_pixels():
    moved = shifts(shift=2.0)
    assert np.abs(moved).max() <= 2.05
    assert moved.std(axis=0) == pytest.approx(2 / np.sqrt(3), rel=0.1)


def test_elastic_is_in_pixels():
    bumps = BASIS[3:].reshape(5, 5, 28, 28)
    for row in (0, 4):  # at a grid point its own bump is 1 and every other 0
        np.testing.assert_allclose(bumps[:, :, 27 * row // 4, 27], np.eye(25).reshape(5, 5, 5, 5)[row, 4], atol=1e-6)
    np.testing.assert_allclose(bumps.sum(axis=(0, 1)), 1, atol=1e-5)
    moved = shifts(elastic=1.5)
    assert np.abs(moved).max() <= 1.55
    assert 0.4 < moved.std() < 1.5 / np.sqrt(3)  # a blob is as wide as a bump, so it moves by less


def test_rotation_is_in_degrees_and_scale_a_logarithm():
    y, x = np.mgrid[:28, :28] - 13.5
    bar = (255 * ((np.abs(y) < 9) & (np.abs(x) < 1.6))).astype(np.uint8)
    bars = np.repeat(bar[None], 500, axis=0)

    def lean_and_length(augmentation):
        warped = warp(augmentation, bars)
        total = warped.sum(axis=(1, 2))
        yy, xy = (warped * y * y).sum(axis=(1, 2)) / total, (warped * x * y).sum(axis=(1, 2)) / total
        return np.degrees(np.arctan(xy / yy)), np.sqrt(yy)

    still = {"rotation": 0, "scale": 0, "shear": 0, "shift": 0, "elastic": 0}
    lean, _ = lean_and_length(Augmentation(**still | {"rotation": 10}))
    assert 9 < np.abs(lean).max() < 10.5
    length = lean_and_length(Augmentation(**still | {"scale": 0.1}))[1]
    assert np.log(length.max() / length.min()) == pytest.approx(0.2, abs=0.03)
    lean, _ = lean_and_length(Augmentation(**still | {"shear": 0.2}))
    assert np.tan(np.radians(np.abs(lean).max())) == pytest.approx(0.2, abs=0.02)


def test_strength_falls_over_the_second_half():
    falling = Augmentation(final_strength=0.3)
    strengths = [float(falling.strength(np.float32(progress))) for progress in (0, 0.5, 0.75, 1)]
    assert strengths == pytest.approx([1, 1, 0.65, 0.3])
