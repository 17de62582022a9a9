"""Collects what the benchmarks find, and prints it as one table at the end."""

import pytest

HEAD = ("what", "figure", "beside", "limit")
rows = []


@pytest.fixture(scope="session")
def found():
    """A function that adds a row to the table: what was measured, the figure, a peer's, and the limit."""
    return lambda what, figure, beside="", limit="": rows.append((what, figure, beside, limit))


@pytest.hookimpl(trylast=True)  # after the table of pytest-benchmark
def pytest_terminal_summary(terminalreporter):
    widths = [max(map(len, column)) for column in zip(HEAD, *rows, strict=True)]
    for row in [HEAD, *rows] if rows else []:
        terminalreporter.line("   ".join(map(str.ljust, row, widths)).rstrip())
