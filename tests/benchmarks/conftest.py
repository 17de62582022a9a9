"""Collect the results of the benchmarks and print them as one table at the end."""

import pytest

HEADER = ("operation", "result", "for comparison", "limit and goal")
rows = []


@pytest.fixture(scope="session")
def add_row():
    """A function that adds a row to the table: the operation, its result, that of others, and the limit and goal."""
    return lambda operation, result, comparison="", limit="": rows.append((operation, result, comparison, limit))


@pytest.hookimpl(trylast=True)  # after the table of pytest-benchmark
def pytest_terminal_summary(terminalreporter):
    widths = [max(map(len, column)) for column in zip(HEADER, *rows, strict=True)]
    for row in [HEADER, *rows] if rows else []:
        terminalreporter.line("   ".join(map(str.ljust, row, widths)).rstrip())
