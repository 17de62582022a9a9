"""Files are written whole or not at all."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mnist_nn import build_model, load_weights, save_weights
from mnist_nn._internal.files import atomic_write, make_folder


def test_a_file_appears_whole_and_its_folder_is_created(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with atomic_write(path) as written:
        assert written.name == "a.txt"
        written.write_text("first")
        assert not path.exists()
    with atomic_write(path) as written:
        written.write_text("second")
        assert path.read_text() == "first"
    assert path.read_text() == "second"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_an_exception_keeps_the_earlier_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("earlier")
    with pytest.raises(RuntimeError, match="while writing"), atomic_write(path) as written:
        written.write_text("half")
        raise RuntimeError("while writing")
    assert path.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write to the folder .*file.*; choose another") as caught:
        make_folder(tmp_path / "file" / "below")
    assert "\n" not in str(caught.value)


@pytest.fixture
def full_disk():
    """Limit files to 100,000 bytes. This fails like a full disk; only the error number differs."""
    resource = pytest.importorskip("resource", reason="only POSIX systems can limit the size of files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_the_earlier_weights(tmp_path, request):
    path = save_weights(build_model(1), tmp_path / "a.weights.h5")
    earlier = path.read_bytes()
    request.getfixturevalue("full_disk")
    with pytest.raises(OSError, match=r"a\.weights\.h5: cannot be written \(File too large\); free some space"):
        save_weights(build_model(2), path)
    assert path.read_bytes() == earlier
    assert os.listdir(tmp_path) == [path.name]
    load_weights(build_model(3), path)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the permissions of a POSIX system")
def test_a_read_only_folder_is_named():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        user = os.geteuid()
        if user == 0:  # root can write anywhere: continue as another user
            os.seteuid(65534)
        try:
            with pytest.raises(PermissionError, match=f"cannot write to the folder {folder} .*; choose another"):
                save_weights(build_model(1), f"{folder}/a.weights.h5")
        finally:
            os.seteuid(user)
            Path(folder).chmod(0o755)


WRITE_HALF = """
import sys, time
from mnist_nn._internal.files import atomic_write
with atomic_write(sys.argv[1]) as written:
    written.write_text("half")
    print("written", flush=True)
    time.sleep(60)
"""


@pytest.mark.end_to_end
def test_a_kill_keeps_the_earlier_file_and_the_temporary_folder_is_removed_later(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("earlier")
    with subprocess.Popen([sys.executable, "-c", WRITE_HALF, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        process.kill()
    assert path.read_text() == "earlier"
    [left_over] = tmp_path.glob(".writing-*")
    # In a recent folder another process may be writing; one that is two hours old is left over.
    for age, remains in [(60, True), (7200, False)]:
        modified = left_over.stat().st_mtime - age
        os.utime(left_over, (modified, modified))
        with atomic_write(path) as written:
            written.write_text("later")
        assert left_over.exists() == remains
    assert path.read_text() == "later"


WRITE_REPEATEDLY = """
import sys
from mnist_nn._internal.files import atomic_write
for _ in range(100):
    with atomic_write(sys.argv[1]) as written:
        written.write_text(sys.argv[2] * 100_000)
"""


@pytest.mark.end_to_end
def test_four_processes_can_write_the_same_file(tmp_path):
    path = tmp_path / "a.txt"
    writers = [subprocess.Popen([sys.executable, "-c", WRITE_REPEATEDLY, path, letter]) for letter in "abcd"]
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            content = path.read_text()
            assert len(content) == 100_000
            assert len(set(content)) == 1
    assert [writer.returncode for writer in writers] == [0] * 4
    assert os.listdir(tmp_path) == [path.name]
