"""Checks of arguments; each error is one sentence that says what is expected and what was given."""

from typing import Any

import numpy as np


def check_whole_number(name: str, value: Any, lowest: int, highest: int | None = None) -> None:
    """Raise a ValueError unless `value` is a whole number of Python or NumPy from `lowest` to `highest`."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < lowest or (highest is not None and value > highest):
        allowed = f"of at least {lowest:,}" if highest is None else f"from {lowest:,} to {highest:,}"
        raise ValueError(f"{name} must be a whole number {allowed}, not {value!r}")


def check_number(name: str, value: Any, lowest: float, highest: float | None = None) -> None:
    """Raise a ValueError unless `value` is a finite number of Python or NumPy from `lowest` to `highest`."""
    limit = float("inf") if highest is None else highest
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or not lowest <= value <= limit or value == float("inf"):
        allowed = f"of at least {lowest:,}" if highest is None else f"from {lowest:,} to {highest:,}"
        raise ValueError(f"{name} must be a number {allowed}, not {value!r}")
