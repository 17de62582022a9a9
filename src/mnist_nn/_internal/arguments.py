"""Checks of arguments; each error is one sentence that says what is expected and what was given."""

from typing import Any

import numpy as np


def check_whole_number(name: str, value: Any, lowest: int, highest: int | None = None) -> None:
    """Raise a ValueError unless `value` is a whole number of Python or NumPy from `lowest` to `highest`."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    _check_range(name, "whole number", value, is_whole, lowest, highest)


def check_number(name: str, value: Any, lowest: float, highest: float | None = None) -> None:
    """Raise a ValueError unless `value` is a finite number of Python or NumPy from `lowest` to `highest`."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    _check_range(name, "number", value, is_number, lowest, highest)


def _check_range(name: str, kind: str, value: Any, is_kind: bool, lowest: float, highest: float | None) -> None:
    if not is_kind or not lowest <= value < float("inf") or (highest is not None and value > highest):
        allowed = f"of at least {lowest:,}" if highest is None else f"from {lowest:,} to {highest:,}"
        raise ValueError(f"{name} must be a {kind} {allowed}, not {value!r}")
