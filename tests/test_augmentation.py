"""Distortions stay within their limits, differ between images, and depend on (seed, step) only."""

import numpy as np
import pytest
from scipy.ndimage import center_of_mass, map_coordinates

from mnist_nn import Augmentation
from mnist_nn.augmentation import BASIS, _coordinates, _sample

NO_DISTORTION = {"rotation": 0, "scale": 0, "shear": 0, "shift": 0, "elastic": 0}


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.train.images[:256]


def warp(augmentation, images, seed=0, step=0, **options):
    return augmentation.warp(images, seed, step, **options).numpy()


def test_zero_strength_changes_nothing(images):
    np.testing.assert_allclose(warp(Augmentation(**NO_DISTORTION), images), images, atol=0.05)
    np.testing.assert_allclose(warp(Augmentation(), images, strength=0.0), images, atol=0.05)


def test_the_result_is_float32_from_0_to_255(images):
    warped = warp(Augmentation(), images)
    assert warped.dtype == np.float32
    assert warped.shape == images.shape
    assert warped.min() >= 0
    assert warped.max() <= 255


def test_the_result_depends_on_seed_and_step(images):
    first = warp(Augmentation(), images, seed=3, step=7)
    assert np.array_equal(first, warp(Augmentation(), images, seed=3, step=7))
    assert not np.array_equal(first, warp(Augmentation(), images, seed=4, step=7))
    assert not np.array_equal(first, warp(Augmentation(), images, seed=3, step=8))


def test_every_image_gets_its_own_distortion(images):
    warped = warp(Augmentation(), np.repeat(images[:1], 64, axis=0))
    assert len({image.tobytes() for image in warped}) == 64


def test_sampling_agrees_with_scipy(images):
    random = np.random.default_rng(0)
    coefficients = random.normal(0, 0.1, (2, len(images), len(BASIS))).astype(np.float32)
    coefficients[0, :, 1] += 1  # near the identity: y depends on y, x on x
    coefficients[1, :, 2] += 1
    coefficients[:, :, 0] += 14.5  # the centre of a padded image
    coordinates = coefficients @ BASIS
    expected = [
        map_coordinates(image.astype(float), coordinate, order=1, cval=0.0).reshape(28, 28)
        for image, coordinate in zip(np.pad(images, [(0, 0), (1, 1), (1, 1)]), coordinates.swapaxes(0, 1), strict=True)
    ]
    np.testing.assert_allclose(_sample(images, *_coordinates(coefficients)).numpy(), expected, atol=0.15)


def displacements(**limits):
    """Distort a blob in the middle of an image 2,000 times; return how far its centre moves, in pixels (2000, 2)."""
    y, x = np.mgrid[:28, :28] - 13.5
    blob = np.round(255 * np.exp(-(y**2 + x**2) / 8)).astype(np.uint8)
    warped = warp(Augmentation(**NO_DISTORTION | limits), np.repeat(blob[None], 2000, axis=0))
    return np.array([center_of_mass(image) for image in warped]) - 13.5


def test_the_shift_is_in_pixels():
    moved = displacements(shift=2.0)
    assert np.abs(moved).max() <= 2.05
    assert moved.std(axis=0) == pytest.approx(2 / np.sqrt(3), rel=0.1)


def test_the_elastic_displacement_is_in_pixels():
    bumps = BASIS[3:].reshape(5, 5, 28, 28)
    for row in (0, 4):  # at each grid point one bump is 1 and all others are 0
        np.testing.assert_allclose(bumps[:, :, 27 * row // 4, 27], np.eye(25).reshape(5, 5, 5, 5)[row, 4], atol=1e-6)
    np.testing.assert_allclose(bumps.sum(axis=(0, 1)), 1, atol=1e-5)
    moved = displacements(elastic=1.5)
    assert np.abs(moved).max() <= 1.55
    assert 0.4 < moved.std() < 1.5 / np.sqrt(3)  # the blob is as wide as a bump, so its mean displacement is smaller


def test_rotation_scale_and_shear_have_the_documented_units():
    y, x = np.mgrid[:28, :28] - 13.5
    bar = (255 * ((np.abs(y) < 9) & (np.abs(x) < 1.6))).astype(np.uint8)
    bars = np.repeat(bar[None], 500, axis=0)

    def angles_and_lengths(augmentation):
        warped = warp(augmentation, bars)
        total = warped.sum(axis=(1, 2))
        yy, xy = (warped * y * y).sum(axis=(1, 2)) / total, (warped * x * y).sum(axis=(1, 2)) / total
        return np.degrees(np.arctan(xy / yy)), np.sqrt(yy)

    angles, _ = angles_and_lengths(Augmentation(**NO_DISTORTION | {"rotation": 10}))
    assert 9 < np.abs(angles).max() < 10.5
    _, lengths = angles_and_lengths(Augmentation(**NO_DISTORTION | {"scale": 0.1}))
    assert np.log(lengths.max() / lengths.min()) == pytest.approx(0.2, abs=0.03)
    angles, _ = angles_and_lengths(Augmentation(**NO_DISTORTION | {"shear": 0.2}))
    assert np.tan(np.radians(np.abs(angles).max())) == pytest.approx(0.2, abs=0.02)


def test_the_strength_falls_in_the_second_half_of_training():
    augmentation = Augmentation(final_strength=0.3)
    strengths = [float(augmentation.strength(np.float32(progress))) for progress in (0, 0.5, 0.75, 1)]
    assert strengths == pytest.approx([1, 1, 0.65, 0.3])


@pytest.mark.parametrize(
    ("name", "value"), [("rotation", "10"), ("shift", -1), ("elastic", float("nan")), ("final_strength", 1.5)]
)
def test_impossible_settings_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number .*, not {value!r}"):
        Augmentation(**{name: value})
