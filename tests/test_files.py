"""Files are written whole or not at all."""

import pytest

from mnist_nn.files import make_folder, replacing


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
