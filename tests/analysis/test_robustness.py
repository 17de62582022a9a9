"""Every corruption does what its name says, and the table counts the correct predictions."""

import numpy as np
import pytest
from scipy import ndimage

from mnist_nn import Split, evaluate, measure_robustness
from mnist_nn.analysis.robustness import (
    CORRUPTIONS,
    Corruption,
    add_noise,
    blur,
    change_stroke_width,
    occlude,
    reduce_contrast,
    rotate,
    scale,
    shift,
)


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.validation.images[:40]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_deterministic_and_returns_uint8(name, images):
    corruption, before = CORRUPTIONS[name], images.copy()
    assert corruption.neutral in corruption.strengths
    for strength in corruption.strengths:
        if strength != corruption.neutral:
            first, second = (list(corruption.variants(images, strength)) for _ in range(2))
            for variant, repeated in zip(first, second, strict=True):
                assert (variant.dtype, variant.shape) == (np.uint8, images.shape)
                assert np.array_equal(variant, repeated)
                assert not np.array_equal(variant, images)
    assert np.array_equal(images, before)


def test_a_shift_moves_pixels_in_eight_directions():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10, 20] = 255
    image[0, 0, 27] = 7  # in a corner: it moves inwards or out of the image, never to the opposite side
    shifted = list(shift(image, 3))
    positions = {tuple(np.argwhere(variant[0] == 255)[0]) for variant in shifted}
    assert positions == {(10 + y, 20 + x) for y in (-3, 0, 3) for x in (-3, 0, 3)} - {(10, 20)}
    assert sum((variant == 7).sum() for variant in shifted) == 3  # down, left, and both


def test_a_rotation_by_90_degrees_agrees_with_numpy(images):
    anticlockwise, clockwise = rotate(images, 90)
    assert np.array_equal(anticlockwise, np.rot90(images, axes=(1, 2)))
    assert np.array_equal(clockwise, np.rot90(images, -1, axes=(1, 2)))


def test_scaling_changes_the_area_and_keeps_the_centre(images):
    for factor in (0.6, 0.8, 1.2, 1.4):
        (scaled,) = scale(images, factor)
        areas = scaled.sum(axis=(1, 2)) / images.sum(axis=(1, 2))
        assert np.median(areas) == pytest.approx(factor**2, rel=0.06)
        if factor > 1.2:
            continue  # parts of the digits are cut off
        after = np.array([ndimage.center_of_mass(image) for image in scaled])
        before = np.array([ndimage.center_of_mass(image) for image in images])
        assert np.median(np.abs(after - 13.5 - factor * (before - 13.5))) < 0.1


def test_noise_has_the_given_deviation_and_differs_between_images():
    grey = np.full((100, 28, 28), 128, np.uint8)
    (noisy,) = add_noise(grey, 25)
    assert noisy.std() == pytest.approx(25, rel=0.01)
    assert not np.array_equal(noisy[0], noisy[1])


def test_blur_agrees_with_scipy(images):
    (blurred,) = blur(images, 1.5)
    expected = ndimage.gaussian_filter(images[7].astype(float), 1.5, mode="constant")
    assert np.abs(blurred[7] - expected).max() <= 0.51


def test_the_stroke_width_changes_by_the_given_pixels():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 5:23, 12:16] = 200  # a bar of 4 pixels
    for pixels in (-2, -1, 1, 2):
        (changed,) = change_stroke_width(image, pixels)
        assert (changed[0, 14] > 0).sum() == 4 + pixels
        assert changed.max() == 200


def test_occlusion_covers_the_digit_with_nine_squares():
    white = np.full((1, 28, 28), 255, np.uint8)
    variants = np.concatenate(list(occlude(white, 6)))
    assert ((variants == 0).sum(axis=(1, 2)) == 36).all()
    covered = (variants == 0).any(axis=0)
    assert len(np.unique(variants, axis=0)) == 9
    assert covered[4:24, 4:24].sum() == covered.sum() == 18**2


def test_reduced_contrast_scales_the_grey_values(images):
    (reduced,) = reduce_contrast(images, 0.25)
    assert np.abs(reduced - images / 4).max() <= 0.5


def test_the_accuracy_is_the_mean_over_all_variants(trained, mnist):
    split = mnist.validation[:500]
    table = measure_robustness(trained[0], split, {"shift": CORRUPTIONS["shift"]})
    assert list(table.columns) == ["corruption", "unit", "strength", "images", "correct", "accuracy"]
    assert table["images"].tolist() == [500, 4000, 4000, 4000, 4000]
    assert table.loc[0, "correct"] == evaluate(trained[0], split).correct
    shifted = [Split(variant, split.labels) for variant in shift(split.images, 2)]
    accuracies = [evaluate(trained[0], variant).accuracy for variant in shifted]
    assert table.loc[2, "accuracy"] == pytest.approx(np.mean(accuracies))


def test_a_user_can_define_a_corruption(trained, mnist):
    flip = Corruption("flips", (0, 1), lambda images, _: [images[:, ::-1]])
    table = measure_robustness(trained[0], mnist.validation[:500], {"flip": flip})
    assert table["corruption"].tolist() == ["flip", "flip"]
    assert table["unit"].tolist() == ["flips", "flips"]
    assert table["accuracy"][1] < 0.8 < table["accuracy"][0]


def test_invalid_arguments_are_refused(trained, images):
    with pytest.raises(ValueError, match="split must be a Split"):
        measure_robustness(trained[0], images)
    with pytest.raises(ValueError, match="corruptions must hold at least one"):
        measure_robustness(trained[0], Split(images, np.zeros(len(images), int)), {})


@pytest.mark.parametrize(
    ("corrupt", "strength"), [(shift, 0.5), (shift, -1), (occlude, 26), (occlude, 2.5), (change_stroke_width, 1.5)]
)
def test_a_strength_that_must_be_whole_is_checked(corrupt, strength, images):
    with pytest.raises(ValueError, match="must be a whole number from"):
        list(corrupt(images, strength))
