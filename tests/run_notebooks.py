"""Run notebooks from top to bottom and save them with their outputs: `python -m tests.run_notebooks [NOTEBOOK ...]`.

Times of day and the state of widgets are removed. The description of the language stays complete, with the Python
version: JupyterLab adds whatever is missing when it opens a notebook, and marks the notebook as modified.
Without arguments all notebooks are run, which takes about three minutes on two cores.
"""

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"


def run(path: Path) -> None:
    """Run one notebook in its folder and overwrite it."""
    notebook = nbformat.read(path, as_version=4)
    settings = {"record_timing": False, "store_widget_state": False, "coalesce_streams": True}
    NotebookClient(notebook, resources={"metadata": {"path": path.parent}}, timeout=600, **settings).execute()
    nbformat.write(notebook, path)


def main() -> None:
    """Run the notebooks that are named on the command line, or all."""
    for path in [Path(name) for name in sys.argv[1:]] or sorted(FOLDER.glob("*.ipynb")):
        start = time.perf_counter()
        run(path)
        print(f"{path.name}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
