"""Files that are written whole or not at all."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHECKPOINT = "checkpoint.bin"  # the state of a training, see checkpoint.py
TEMPORARY = ".writing-"  # how the names of temporary folders begin
ABANDONED_S = 3600  # age in seconds at which a temporary folder counts as left over from a killed process


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path to write to, which replaces `path` in one step when the block ends.

    If the block raises or the process is killed, an earlier file at `path` stays as it was. The temporary path has
    the same file name, because libraries choose the format by the suffix.

    Raises:
        OSError: The file cannot be written, or the disk is full. The message names the file or folder.
    """
    path = Path(path)
    folder = make_folder(path.parent)
    _remove_abandoned(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=folder) as temporary:
            written = Path(temporary, path.name)
            yield written
            with open(written, "rb+") as file:
                os.fsync(file.fileno())  # the content must be on the disk before the name points to it
            os.replace(written, path)
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"{path}: cannot be written ({reason}); free some space or choose another place") from error
    if os.name == "posix":  # other systems cannot open a folder
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)  # now the name is on the disk as well
        finally:
            os.close(opened)


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary folders that killed processes left behind."""
    for left_over in folder.glob(f"{TEMPORARY}*"):
        with suppress(OSError):  # already removed by another process
            if time.time() - left_over.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(left_over)


def make_folder(folder: str | Path) -> Path:
    """Create `folder` if necessary and return it; raise an OSError that names it if it is not writable."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise type(error)(f"cannot write to the folder {folder} ({reason}); choose another folder") from error
    return folder
