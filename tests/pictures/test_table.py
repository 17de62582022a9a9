"""Many pictures at once, and their scores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mnist_nn import load_network, predict_digit, predict_pictures, read_digits
from mnist_nn.pictures.table import edit_distance, score_folder


@pytest.fixture(scope="module")
def model():
    return load_network()


@pytest.fixture
def row(mnist):
    """Two lines of two digits each, dark on white."""
    images = [mnist.train.images[mnist.train.labels == digit][1] for digit in (2, 0, 1, 3)]
    page = np.concatenate([np.concatenate(images[:2], axis=1), np.concatenate(images[2:], axis=1)])
    return np.asarray(Image.fromarray(255 - page).resize((280, 280)))


def test_the_table_holds_what_predict_digit_returns(model, mnist):
    table = predict_pictures(model, mnist.test.images[:3])
    assert table["picture"].tolist() == [0, 1, 2]
    for line, image in zip(table.itertuples(), mnist.test.images, strict=False):
        expected = predict_digit(model, image)
        assert (line.digit, line.confidence, line.sure) == (expected.digit, expected.confidence, expected.sure)
        assert (line.left, line.top, line.right, line.bottom) == expected.box


def test_boxes_are_in_pixels_of_the_full_size(model, mnist, tmp_path):
    page = np.full((1_000, 4_000), 255, np.uint8)
    page[300:720, 2_500:2_920] -= np.asarray(Image.fromarray(mnist.test.images[0]).resize((420, 420)))
    Image.fromarray(page).save(tmp_path / "page.png")
    path = tmp_path / "page.png"
    table = predict_pictures(model, [path, str(path), path.read_bytes(), Image.fromarray(page), page])
    rows, columns = (np.flatnonzero((page < 128).any(axis=axis)) for axis in (1, 0))
    expected = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert (table["digit"] == 7).all()
    assert np.abs(table[["left", "top", "right", "bottom"]] - expected).to_numpy().max() <= 12


def test_the_pictures_may_be_a_column_of_paths(model, row, tmp_path):
    path = str(tmp_path / "row.png")
    Image.fromarray(row).save(path)
    for column in (pd.Series([path, path]), np.array([path, path])):
        assert predict_pictures(model, column)["picture"].tolist() == [path, path]


def test_a_texture_is_named_when_it_is_refused(model, tmp_path):
    dots = np.full((800, 800), 255, np.uint8)
    for shift in range(8):
        dots[10 + shift :: 24, 10::24] = dots[10::24, 10 + shift :: 24] = 0
    Image.fromarray(dots).save(tmp_path / "texture.png")
    with pytest.raises(ValueError, match=r"texture\.png: image holds .* marks, more than 300 digits"):
        predict_pictures(model, [tmp_path / "texture.png"], row=True)


def test_rows_have_one_line_per_digit(model, row, tmp_path):
    Image.fromarray(row).save(tmp_path / "row.png")
    table = predict_pictures(model, [tmp_path / "row.png", np.full((50, 50), 255, np.uint8)], row=True)
    assert table["digit"].tolist() == [prediction.digit for prediction in read_digits(model, row)] == [2, 0, 1, 3]
    assert table["line"].tolist() == [0, 0, 1, 1]
    assert set(table["picture"]) == {str(tmp_path / "row.png")}


def test_rows_are_scored_by_their_digits(model, row, tmp_path):
    Image.fromarray(row).save(tmp_path / "row.png")
    (tmp_path / "labels.csv").write_text("file,label\nrow.png,20/18\n", encoding="utf-8")
    table = score_folder(model, tmp_path, row=True)
    assert table["label"].tolist() == ["2018"]
    assert table["predicted"].tolist() == ["2013"]
    assert table["errors"].tolist() == [1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,digit\n", "the first line must be 'file,label'"),
        ("file,label\n", "lists no pictures"),
        ("file,label\nnone.png,3\n", "none.png: no such file"),
        ("file,label\nnone.png,x\n", "must be one digit"),
        ("file,label\nnone.png,12\n", "use --row"),
        ("file,label\nnone.png,-5\n", "must be one digit"),
    ],
)
def test_wrong_labels_are_named(model, tmp_path, content, message):
    (tmp_path / "labels.csv").write_text(content, encoding="utf-8")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        score_folder(model, tmp_path)


def test_labels_in_another_encoding_are_refused(model, tmp_path):
    (tmp_path / "labels.csv").write_text("file,label\na.png,5\n", encoding="utf-16")
    with pytest.raises(ValueError, match=r"labels\.csv: cannot be read as a table .* save it as CSV in UTF-8"):
        score_folder(model, tmp_path)


@pytest.mark.parametrize(
    ("truth", "predicted", "distance"),
    [("", "", 0), ("12", "12", 0), ("12", "", 2), ("1234", "134", 1), ("12", "21", 2)],
)
def test_edit_distance(truth, predicted, distance):
    assert edit_distance(truth, predicted) == edit_distance(predicted, truth) == distance


@pytest.mark.parametrize("function", [predict_digit, read_digits, predict_pictures])
def test_a_missing_model_is_named(function):
    remedy = rf"not '5\.png'; it comes before the picture: type {function.__name__}\(load_network\(\), \.\.\.\)"
    for arguments in [("5.png",), (Path("5.png"),), ("5.png", load_network())]:
        with pytest.raises(ValueError, match=f"model must be a Keras model or a Network, {remedy}"):
            function(*arguments)


@pytest.mark.parametrize(
    "picture", ["5.png", Path("folder"), b"x", Image.new("L", (9, 9)), np.zeros((9, 9, 3), np.uint8)]
)
def test_a_single_picture_is_no_list(model, picture):
    with pytest.raises(ValueError, match=r"pictures must be a list of pictures, not .*; type \[picture\]"):
        predict_pictures(model, picture)
