"""Files that are written whole or not at all."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WRITING = ".writing-"
ABANDONED = 3600  # seconds


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; at the end it takes the place of `path` in one step.

    The temporary file ends as `path` does, since libraries choose a format by the ending. If the block raises,
    or the process is killed inside it, an earlier file at `path` stays as it was.

    Raises OSError, naming the folder or file, if it cannot be written or the disk is full.
    """
    path = Path(path)
    folder = make_folder(path.parent)
    _clear(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=WRITING, dir=folder) as temporary:
            written = Path(temporary, path.name)
            yield written
            with open(written, "rb+") as file:
                os.fsync(file.fileno())  # on the disk before the name points at it
            os.replace(written, path)
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"{path}: cannot be written ({reason}); free some space or choose another place") from error
    if os.name == "posix":  # elsewhere a folder cannot be opened
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)  # the name too is on the disk
        finally:
            os.close(opened)


def _clear(folder: Path) -> None:
    """Remove what processes that were killed while they wrote have left, when no writing can take so long."""
    for left in folder.glob(f"{WRITING}*"):
        with suppress(OSError):  # another process was faster
            if time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left)


def make_folder(folder: str | Path) -> Path:
    """Return `folder`, made if need be and writable; else raise OSError with a sentence that names it."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise type(error)(f"cannot write to the folder {folder} ({reason}); choose another folder") from error
    return folder
