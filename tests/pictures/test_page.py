"""Strokes stand out from the paper in even and uneven light, and the noise is estimated."""

import numpy as np
import pytest

from mnist_nn.pictures.page import Page, estimate_noise, find_contrast


def page(light=1.0):
    """Return the brightness of a white page with a dark cross, float32 (200, 200), and where the cross is."""
    cross = np.zeros((200, 200), bool)
    cross[90:105, 50:150] = cross[50:150, 90:105] = True
    return (np.where(cross, 0.2, 0.9) * light).astype(np.float32), cross


DOWN, RIGHT = np.indices((200, 200)) / 200


@pytest.mark.parametrize(
    "light",
    [1.0, 0.4, 0.5 + RIGHT / 2, 1 - 0.5 * (DOWN + RIGHT) / 2, np.where(RIGHT > 0.6, 0.5, 1.0)],
    ids=["bright", "dim", "from the right", "from a corner", "half in shadow"],
)
def test_the_contrast_does_not_depend_on_the_light(light):
    grey, cross = page(light)
    contrast = find_contrast(Page(grey))
    assert contrast[cross].mean() == pytest.approx(0.7 / 0.9, abs=0.08)
    assert contrast[~cross].mean() < 0.03


def test_a_shadow_does_not_weaken_strokes():
    grey, cross = page(np.where(DOWN > 0.5, 0.5, 1.0))
    contrast = find_contrast(Page(grey))
    upper, lower = (contrast[part][cross[part]].mean() for part in (np.s_[55:85], np.s_[115:145]))
    assert lower == pytest.approx(upper, rel=0.1)


def test_ink_at_the_edge_counts_only_if_the_paper_continues_outside():
    grey = np.full((100, 100), 0.9, np.float32)
    grey[:, :15] = 0.1  # a thick stroke in a tight crop, or a desk
    assert find_contrast(Page(grey), white_outside=True)[:, :10].min() > 0.7
    assert find_contrast(Page(grey), white_outside=False)[:, :10].max() < 0.1


def test_noise_is_estimated_where_it_is():
    noise = np.random.default_rng(0).normal(0, np.where(np.arange(512) < 256, 0.01, 0.05), (512, 512))
    estimate = estimate_noise(noise.astype(np.float32))
    assert estimate[:, 60:150].mean() == pytest.approx(0.01, rel=0.2)
    assert estimate[:, -150:-60].mean() == pytest.approx(0.05, rel=0.2)
