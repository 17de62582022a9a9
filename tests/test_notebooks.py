"""Notebooks are committed after one clean run, have the agreed form and name no machine. (nbval compares outputs.)"""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

import mnist_nn

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_notebooks_are_numbered():
    assert NOTEBOOKS
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, len(NOTEBOOKS) + 1)]


def test_the_first_cell_asks_a_question_and_answers_it(notebook):
    first = notebook.cells[0].source
    assert re.match(r"# .*\?\n\n\*\*.*\d", first), "expected a question as the title, then the answer with a number"
    assert len(re.findall(r"^- ", first, re.MULTILINE)) == 3


def test_the_outputs_come_from_one_clean_run(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


def test_code_cells_are_short(notebook):
    lengths = [len(cell.source.splitlines()) for cell in code_cells(notebook)]
    assert max(lengths) <= 15
    assert sorted(lengths)[len(lengths) // 2] <= 5
    assert not re.search(r"^\s*(class|def) ", "\n".join(cell.source for cell in code_cells(notebook)), re.MULTILINE)


def test_code_cells_use_public_names_only(notebook):
    public = set(mnist_nn.__all__)
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(TransformerManager().transform_cell(cell.source))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mnist_nn":
                assert node.module == "mnist_nn"
                assert {alias.name for alias in node.names} <= public
            elif isinstance(node, ast.Import):
                assert not any(alias.name.startswith("mnist_nn.") for alias in node.names)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "mnist_nn":
                assert node.attr in public


def test_an_ignored_output_is_explained(notebook):
    """The comment line after NBVAL_IGNORE_OUTPUT says what depends on the machine."""
    for cell in notebook.cells:
        lines = cell.source.splitlines()
        marked = [number for number, line in enumerate(lines) if "NBVAL_IGNORE_OUTPUT" in line]
        for number in marked:
            assert lines[number] == "# NBVAL_IGNORE_OUTPUT"
            assert re.match(r"# .*\bmachine\b", "".join(lines[number + 1 : number + 2]))


def test_no_machine_is_named(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert "version" not in notebook.metadata.language_info
    for cell in notebook.cells:
        assert "execution" not in cell.metadata  # it holds the time of day of the run
    text = re.sub(r'"image/png": "[^"]*"', "", nbformat.writes(notebook))
    assert not re.search(r"/(home|Users|root|tmp)/|site-packages|[A-Z]:\\\\", text)
