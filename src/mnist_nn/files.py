"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; at the end it takes the place of `path` in one step.

    The temporary file ends as `path` does, since libraries choose a format by the ending. If the block raises,
    or the process is killed inside it, an earlier file at `path` stays as it was.

    Raises OSError (naming the folder) if the folder cannot be written.
    """
    path = Path(path)
    folder = make_folder(path.parent)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as temporary:
        written = Path(temporary, path.name)
        yield written
        with open(written, "rb+") as file:
            os.fsync(file.fileno())  # on the disk before the name points at it
        os.replace(written, path)


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
