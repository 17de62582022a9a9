"""Numbers of Python and NumPy are accepted, and everything else is refused in one sentence."""

import numpy as np
import pytest

from mnist_nn import Augmentation, NonDigits, build_model, draw_digits
from mnist_nn._internal.arguments import check_number, check_whole_number


@pytest.mark.parametrize("value", [1, 100, np.int64(5), np.uint8(5)])
def test_whole_numbers_are_accepted(value):
    check_whole_number("n", value, 1, 100)


@pytest.mark.parametrize("value", [0, 101, 5.0, np.float32(5), True, "5", None, np.array([5])])
def test_other_values_are_refused(value):
    with pytest.raises(ValueError, match="^n must be a whole number from 1 to 100, not "):
        check_whole_number("n", value, 1, 100)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int64(1)])
def test_numbers_are_accepted(value):
    check_number("x", value, 0, 1)


@pytest.mark.parametrize("value", [-1, 2, float("nan"), float("inf"), "1", None])
def test_values_that_are_no_such_numbers_are_refused(value):
    with pytest.raises(ValueError, match="^x must be a number from 0 to 1, not "):
        check_number("x", value, 0, 1)


def test_limits_may_be_open():
    check_whole_number("n", 10**9, 1)
    with pytest.raises(ValueError, match="^x must be a number of at least 0, not inf$"):
        check_number("x", float("inf"), 0)


def test_settings_may_be_numpy_numbers():
    assert NonDigits(share=np.float32(0.5), different=np.int64(10)).different == 10
    assert Augmentation(rotation=np.float64(5)).rotation == 5
    assert len(draw_digits(np.int64(3), seed=np.uint32(1))) == 3
    assert build_model(seed=np.int64(1)).name == "mnist_nn"
