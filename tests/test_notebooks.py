"""Notebooks are committed after one clean run, have the agreed form and name no machine. (nbval compares outputs.)"""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel
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


def test_every_figure_has_alternative_text(notebook):
    """nbconvert writes a cell's metadata "alt" beside its images."""
    for cell in code_cells(notebook):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            assert len(cell.metadata.get("alt", "")) >= 20, cell.source


def test_links_lead_to_files_and_to_terms_of_the_glossary(notebook):
    terms = re.findall(r"^### (.*)$", (NOTEBOOKS[0].parent / "GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", term.lower()).replace(" ", "-") for term in terms}
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\(((?!http)[^)]+)\)", text):
        path, _, anchor = link.partition("#")
        assert (NOTEBOOKS[0].parent / path).exists(), link
        assert path != "GLOSSARY.md" or anchor in anchors, link


def test_the_last_cells_summarise_and_set_three_exercises(notebook):
    last = notebook.cells[-1].source
    summary, exercises, solutions = re.split(r"^## Exercises$|<details><summary>Solutions</summary>", last, flags=re.M)
    assert summary.startswith("## Summary\n")
    assert len(re.findall(r"^\d\. ", exercises, re.MULTILINE)) == 3
    assert len(re.findall(r"^\d\. ", solutions, re.MULTILINE)) == 3


def test_prose_and_code_are_balanced(notebook):
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    lines = [line.strip() for cell in code_cells(notebook) for line in cell.source.splitlines()]
    assert 10 <= words / sum(bool(line) and not line.startswith("#") for line in lines) <= 20


def test_jupyterlab_changes_nothing_when_it_opens_a_notebook(notebook):
    """JupyterLab sets language_info to what the kernel reports, and only the Python version may differ from here."""
    found = notebook.metadata.language_info
    assert found == IPythonKernel.language_info | {"version": found.version}
    assert re.fullmatch(r"3\.\d+\.\d+", found.version)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert all(cell.id for cell in notebook.cells)


def test_no_machine_is_named(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert "execution" not in cell.metadata  # it holds the time of day of the run
    text = re.sub(r'"image/png": "[^"]*"', "", nbformat.writes(notebook))
    assert not re.search(r"/(home|Users|root|tmp)/|site-packages|[A-Z]:\\\\", text)
