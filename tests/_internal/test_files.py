"""Files are written whole or not at all."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mnist_nn import build_model, load_weights, save_weights
from mnist_nn._internal.files import make_folder, replacing


def test_a_file_appears_whole_with_its_folder(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with replacing(path) as written:
        assert written.name == "a.txt"
        written.write_text("first")
        assert not path.exists()
    with replacing(path) as written:
        written.write_text("second")
        assert path.read_text() == "first"
    assert path.read_text() == "second"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_failure_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("earlier")
    with pytest.raises(RuntimeError, match="in the middle"), replacing(path) as written:
        written.write_text("half")
        raise RuntimeError("in the middle")
    assert path.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write to the folder .*file.*; choose another") as caught:
        make_folder(tmp_path / "file" / "below")
    assert "\n" not in str(caught.value)


@pytest.fixture
def full_disk():
    """Files end at 100,000 bytes, as where a disk is full; only the number of the error differs."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_earlier_weights(tmp_path, request):
    path = save_weights(build_model(1), tmp_path / "a.weights.h5")
    earlier = path.read_bytes()
    request.getfixturevalue("full_disk")
    with pytest.raises(OSError, match=r"a\.weights\.h5: cannot be written \(File too large\); free some space"):
        save_weights(build_model(2), path)
    assert path.read_bytes() == earlier
    assert os.listdir(tmp_path) == [path.name]
    load_weights(build_model(3), path)


def test_a_read_only_folder_is_named():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        user = os.geteuid()
        if user == 0:  # who may write anywhere
            os.seteuid(65534)
        try:
            with pytest.raises(PermissionError, match=f"cannot write to the folder {folder} .*; choose another"):
                save_weights(build_model(1), f"{folder}/a.weights.h5")
        finally:
            os.seteuid(user)
            Path(folder).chmod(0o755)


HALF = """
import sys, time
from mnist_nn._internal.files import replacing
with replacing(sys.argv[1]) as written:
    written.write_text("half")
    print("written", flush=True)
    time.sleep(60)
"""


def test_a_kill_in_the_middle_leaves_the_earlier_file_and_is_cleared_away(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("earlier")
    with subprocess.Popen([sys.executable, "-c", HALF, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "earlier"
    [left] = tmp_path.glob(".writing-*")
    for age, remains in [(60, True), (7200, False)]:  # another process may be writing there now, but not for hours
        moment = left.stat().st_mtime - age
        os.utime(left, (moment, moment))
        with replacing(path) as written:
            written.write_text("later")
        assert left.exists() == remains
    assert path.read_text() == "later"


WRITER = """
import sys
from mnist_nn._internal.files import replacing
for _ in range(100):
    with replacing(sys.argv[1]) as written:
        written.write_text(sys.argv[2] * 100_000)
"""


def test_four_processes_that_write_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "a.txt"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, letter]) for letter in "abcd"]
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            content = path.read_text()
            assert len(content) == 100_000
            assert len(set(content)) == 1
    assert [writer.returncode for writer in writers] == [0] * 4
    assert os.listdir(tmp_path) == [path.name]
