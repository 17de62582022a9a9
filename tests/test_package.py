"""`import mnist_nn` is fast, editors see all names, and only TensorFlow's start-up messages are hidden."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mnist_nn
from mnist_nn._internal import tensorflow as quiet

PACKAGE = Path(mnist_nn.__file__).parent
ROOT = Path(__file__).parent.parent


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def test_every_public_name_exists_and_has_a_docstring():
    assert set(mnist_nn.__all__) <= set(dir(mnist_nn))
    for name in mnist_nn.__all__:
        assert getattr(mnist_nn, name).__doc__, f"{name} has no docstring"
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = mnist_nn.nothing_like_it


def test_the_stub_lists_the_public_names():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imported = [alias.name for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    exported = [alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(imported) == sorted(exported) == sorted(mnist_nn.__all__)
    assert (PACKAGE / "py.typed").exists()
    assert re.fullmatch(r"\d+\.\d+\.\d+", mnist_nn.__version__)


def test_every_public_name_is_used_in_a_notebook_or_the_readme():
    """Types that public functions return, warn with or raise count as used."""
    sources = [ROOT / "README.md", *(ROOT / "notebooks").glob("*.ipynb")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    unused = {name for name in mnist_nn.__all__ if not re.search(rf"\b{name}\b", text)}
    assert unused <= {"DataError", "InterruptedTraining"}
    assert len(mnist_nn.__all__) <= 52


# From the bottom up: a module imports only from its own level and from those before it.
LEVELS = [
    "_internal",
    "data",
    "augmentation",
    "non_digits",
    "batches",
    "model",
    "synthetic_digits",
    "evaluation",
    "calibration",
    "training",
]
LEVELS += ["analysis", "pictures", "plots"]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_in_one_direction(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts[0] not in LEVELS:
        return  # __init__, __main__ and pretrained may import everything
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            module = [*parts[: len(parts) - node.level], *(node.module or "").split(".")]
            assert LEVELS.index(module[0]) <= LEVELS.index(parts[0]), f"imports {'.'.join(module)}"


def imported_at_module_level(path):
    """Yield the modules that a file imports outside its functions."""
    nodes = list(ast.parse(path.read_text(encoding="utf-8")).body)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes += ast.iter_child_nodes(node)


ONLY_POSIX = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}


def test_nothing_is_imported_that_windows_lacks():
    files = [ROOT / "conftest.py", *PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert {file.name: found for file in files if (found := ONLY_POSIX & {*imported_at_module_level(file)})} == {}


@pytest.mark.end_to_end
def test_import_loads_nothing_heavy():
    done = run("import mnist_nn, sys; print({'tensorflow', 'keras', 'matplotlib', 'numpy'} & set(sys.modules))")
    assert done.stdout == "set()\n"


@pytest.mark.end_to_end
def test_evaluating_and_predicting_need_no_tensorflow():
    done = run("import mnist_nn.evaluation, mnist_nn.pictures.drawing_pad, sys; print('tensorflow' in sys.modules)")
    assert done.stdout == "False\n"


@pytest.mark.end_to_end
def test_a_missing_anywidget_is_named_in_one_sentence():
    done = run("import sys; sys.modules['anywidget'] = None; from mnist_nn import DrawingPad")
    said = "DrawingPad needs the package anywidget; install it with: pip install anywidget"
    assert done.stderr.splitlines()[-1].endswith(said)


START_UP_MESSAGE = b"I0000 00:00:1.2 3 port.cc:153] a start-up message\n"
REAL_ERROR = b"E0000 00:00:1.2 3 disk.cc:1] a real error\n"


def test_real_errors_are_shown(capfd):
    with quiet.quiet_stderr():
        os.write(2, START_UP_MESSAGE + REAL_ERROR)
    assert capfd.readouterr().err == REAL_ERROR.decode()


def test_everything_is_shown_if_the_import_fails(capfd):
    with pytest.raises(ImportError), quiet.quiet_stderr():
        os.write(2, START_UP_MESSAGE)
        raise ImportError
    assert capfd.readouterr().err == START_UP_MESSAGE.decode()


def test_a_process_without_stderr(monkeypatch):
    def closed(_):
        raise OSError("Bad file descriptor")

    entered = False
    monkeypatch.setattr(os, "dup", closed)
    with quiet.quiet_stderr():
        entered = True
    assert entered


@pytest.mark.end_to_end
def test_another_keras_backend_is_refused_in_one_sentence():
    done = run("import mnist_nn.training", KERAS_BACKEND="jax")
    assert done.returncode == 1
    assert "KERAS_BACKEND is 'jax'; unset it" in done.stderr.splitlines()[-1]


def test_the_number_of_threads_is_fixed():
    assert quiet.tf.config.threading.get_intra_op_parallelism_threads() == 2


def test_advice_about_retracing_is_hidden_only_for_keras(caplog):
    logger = quiet.tf.get_logger()
    logger.addHandler(caplog.handler)
    try:
        logger.warning("5 out of the last 5 calls to <function TensorFlowTrainer._make_function> triggered retracing")
        logger.warning("5 out of the last 5 calls to <function mine> triggered retracing")
    finally:
        logger.removeHandler(caplog.handler)
    assert [record.getMessage() for record in caplog.records if "mine" not in record.getMessage()] == []
    assert any("mine" in record.getMessage() for record in caplog.records)
