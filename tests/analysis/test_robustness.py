"""Distortions do what their names say, and the table counts what they do to a network."""

import numpy as np
import pytest
from scipy import ndimage

from mnist_nn import DISTORTIONS, Distortion, evaluate, measure_robustness
from mnist_nn.analysis.robustness import blurred, covered, faded, noisy, restroked, scaled, shifted, turned


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.validation.images[:40]


@pytest.mark.parametrize("name", DISTORTIONS)
def test_every_distortion_gives_bytes_and_the_same_ones_again(name, images):
    distortion, before = DISTORTIONS[name], images.copy()
    assert distortion.none in distortion.strengths
    for strength in distortion.strengths:
        if strength != distortion.none:
            first, again = (list(distortion.variants(images, strength)) for _ in range(2))
            for variant, same in zip(first, again, strict=True):
                assert (variant.dtype, variant.shape) == (np.uint8, images.shape)
                assert np.array_equal(variant, same)
                assert not np.array_equal(variant, images)
    assert np.array_equal(images, before)


def test_a_shift_goes_in_eight_directions_and_moves_background_in():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10, 20] = 255
    image[0, 0, 27] = 7  # moved out, or in from the corner; never round to the other side
    moved = list(shifted(image, 3))
    places = {tuple(np.argwhere(one[0] == 255)[0]) for one in moved}
    assert places == {(10 + y, 20 + x) for y in (-3, 0, 3) for x in (-3, 0, 3)} - {(10, 20)}
    assert sum((one == 7).sum() for one in moved) == 3  # down, left, and down left


def test_a_quarter_turn_agrees_with_numpy(images):
    anticlockwise, clockwise = turned(images, 90)
    assert np.array_equal(anticlockwise, np.rot90(images, axes=(1, 2)))
    assert np.array_equal(clockwise, np.rot90(images, -1, axes=(1, 2)))


def test_scaling_keeps_the_middle_and_changes_the_area(images):
    for factor in (0.6, 0.8, 1.2, 1.4):
        (made,) = scaled(images, factor)
        areas = made.sum(axis=(1, 2)) / images.sum(axis=(1, 2))
        assert np.median(areas) == pytest.approx(factor**2, rel=0.06)
        if factor > 1.2:
            continue  # parts are cut off
        centre = np.array([ndimage.center_of_mass(image) for image in made])
        before = np.array([ndimage.center_of_mass(image) for image in images])
        assert np.median(np.abs(centre - 13.5 - factor * (before - 13.5))) < 0.1


def test_noise_has_its_deviation_and_is_another_in_every_image():
    grey = np.full((100, 28, 28), 128, np.uint8)
    (noise,) = noisy(grey, 25)
    assert noise.std() == pytest.approx(25, rel=0.01)
    assert not np.array_equal(noise[0], noise[1])


def test_blur_agrees_with_scipy(images):
    (soft,) = blurred(images, 1.5)
    expected = ndimage.gaussian_filter(images[7].astype(float), 1.5, mode="constant")
    assert np.abs(soft[7] - expected).max() <= 0.51


def test_strokes_become_wider_and_narrower():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 5:23, 12:16] = 200  # a bar of 4 pixels
    for pixels in (-2, -1, 1, 2):
        (made,) = restroked(image, pixels)
        assert (made[0, 14] > 0).sum() == 4 + pixels
        assert made.max() == 200


def test_a_square_covers_each_part_of_the_digit_once():
    white = np.full((1, 28, 28), 255, np.uint8)
    variants = np.concatenate(list(covered(white, 6)))
    assert ((variants == 0).sum(axis=(1, 2)) == 36).all()
    hidden = (variants == 0).any(axis=0)
    assert len(np.unique(variants, axis=0)) == 9
    assert hidden[4:24, 4:24].sum() == hidden.sum() == 18**2


def test_contrast_fades(images):
    (pale,) = faded(images, 0.25)
    assert np.abs(pale - images / 4).max() <= 0.5


def test_the_table_counts_the_mean_over_directions(trained, mnist):
    split = mnist.validation[:500]
    table = measure_robustness(trained[0], split, {"shift": DISTORTIONS["shift"]})
    assert table["images"].tolist() == [500, 4000, 4000, 4000, 4000]
    assert table.loc[0, "correct"] == evaluate(trained[0], split).correct
    right = [evaluate(trained[0], type(split)(moved, split.labels)).accuracy for moved in shifted(split.images, 2)]
    assert table.loc[2, "accuracy"] == pytest.approx(np.mean(right))


def test_a_distortion_of_ones_own(trained, mnist):
    flipped = Distortion("flips", (0, 1), lambda images, _: [images[:, ::-1]])
    table = measure_robustness(trained[0], mnist.validation[:500], {"flipped": flipped})
    assert table["distortion"].tolist() == ["flipped", "flipped"]
    assert table["accuracy"][1] < 0.8 < table["accuracy"][0]


def test_what_it_refuses(trained, images):
    with pytest.raises(ValueError, match="split must be a Split"):
        measure_robustness(trained[0], images)
