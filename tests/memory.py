"""The memory of this process, from Linux's counters.

`ru_maxrss` is no use in a test: it is the peak of the whole process, and a child process even starts at its parent's
peak. These counters can be reset, so they show what one block of code needs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")

needs_counters = pytest.mark.skipif(not CLEAR_REFS.exists(), reason="needs the memory counters of Linux")


@dataclass
class Growth:
    """By how many megabytes a block exceeded the memory that was in use before it."""

    megabytes: float = 0.0


def in_use(counter: str = "VmRSS") -> float:
    """Return the resident memory in megabytes; `VmHWM` is its peak since the last reset."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(counter))
    return int(line.split()[1]) / 1024


@contextmanager
def peak_growth() -> Iterator[Growth]:
    """Measure the peak of the memory in the block, above what was in use before."""
    growth = Growth()
    CLEAR_REFS.write_text("5")  # resets the peak
    before = in_use()
    yield growth
    growth.megabytes = in_use("VmHWM") - before
