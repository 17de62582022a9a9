"""Notebooks are committed as one clean run left them, and name no machine. (nbval runs them again and compares.)"""

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, len(NOTEBOOKS) + 1)]


def test_the_first_cell_asks_and_answers(notebook):
    first = notebook.cells[0].source
    assert re.match(r"# .*\?\n\n\*\*.*\d", first), "a question as the title, then the answer with a number"
    assert len(re.findall(r"^- ", first, re.MULTILINE)) == 3


def test_one_clean_run(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


def test_short_cells(notebook):
    lengths = [len(cell.source.splitlines()) for cell in code_cells(notebook)]
    assert max(lengths) <= 15
    assert sorted(lengths)[len(lengths) // 2] <= 5
    assert not re.search(r"^\s*(class|def) ", "\n".join(cell.source for cell in code_cells(notebook)), re.MULTILINE)


def test_uncompared_output_is_explained(notebook):
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if "NBVAL_IGNORE_OUTPUT" in cell.source:
            assert before.cell_type == "markdown"
            assert "machine" in before.source


def test_no_machine_is_named(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert "version" not in notebook.metadata.language_info
    for cell in notebook.cells:
        assert "execution" not in cell.metadata  # the times of day of a run
    text = re.sub(r'"image/png": "[^"]*"', "", nbformat.writes(notebook))
    assert not re.search(r"/(home|Users|root|tmp)/|site-packages|[A-Z]:\\\\", text)
