"""The command line: its commands, the files they write, and errors in one sentence."""

import inspect
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mnist_nn
from mnist_nn import build_model, evaluate, load_mnist, load_weights, train
from mnist_nn.__main__ import main, parser
from mnist_nn._internal.checkpoint import parse
from mnist_nn._internal.files import CHECKPOINT
from mnist_nn._internal.tensorflow import keras
from mnist_nn.training import LEARNING_RATE


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("command") / "run"
    assert main(["train", "--epochs", "1", "--seed", "3", "--run", str(folder)]) == 0
    return folder


@pytest.fixture
def failing(capsys):
    """Run a command that must fail with one sentence for each error, which contains the words."""

    def check(arguments, *words):
        before = capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith("mnist_nn: ")
        assert "Traceback" not in shown.err + before.err
        for word in words:
            assert str(word) in shown.err
        return shown

    return check


def test_train_writes_all_files(run):
    files = sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())
    figures = [f"figures/{name}.png" for name in ("confusion", "history", "mistakes")]
    assert files == [*figures, "history.json", "model.weights.h5", "results.json"]
    results = json.loads((run / "results.json").read_text())
    assert (results["seed"], results["epochs"], results["test_images"]) == (3, 1, 10_000)
    assert results["test_accuracy"] == results["test_correct"] / 10_000 > 0.93
    assert results["test_interval_95"][0] < results["test_accuracy"] < results["test_interval_95"][1]
    history = json.loads((run / "history.json").read_text())
    assert history["val_accuracy"][-1] == pytest.approx(results["validation_accuracy"], abs=1e-6)
    for figure in figures:
        with Image.open(run / figure) as picture:
            assert picture.width > 600


def test_the_saved_weights_have_the_stated_accuracy(run, mnist):
    results = json.loads((run / "results.json").read_text())
    model = load_weights(build_model(), run / "model.weights.h5")
    assert evaluate(model, mnist.test).correct == results["test_correct"]


def test_evaluate_prints_the_accuracy_that_train_measured(run, capsys):
    assert main(["evaluate", "--weights", str(run / "model.weights.h5")]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    correct = json.loads((run / "results.json").read_text())["test_correct"]
    assert re.match(rf"test: {correct:,} of 10,000 correct: 9\d\.\d\d % \(95 % interval", last)


def test_predict_prints_one_line_per_picture(run, mnist, tmp_path, capsys):
    paths = []
    for digit in (0, 1):
        paths.append(str(tmp_path / f"{digit}.png"))
        Image.fromarray(255 - mnist.train.images[mnist.train.labels == digit][1]).save(paths[-1])
    assert main(["predict", "--weights", str(run / "model.weights.h5"), *paths]) == 0
    lines = capsys.readouterr().out.splitlines()
    said = [re.sub(r"\d+\.\d %", "x", line.replace("not sure: ", "")) for line in lines]
    assert said == [f"{paths[0]}: 0 (x)", f"{paths[1]}: 1 (x)"]


def test_predict_reads_rows_and_says_when_it_is_not_sure(mnist, tmp_path, capsys):
    digits = [mnist.train.images[mnist.train.labels == digit][1] for digit in (2, 0, 1)]
    row, blank = str(tmp_path / "row.png"), str(tmp_path / "blank.png")
    Image.fromarray(255 - np.concatenate(digits, axis=1)).save(row)
    Image.new("L", (50, 50), "white").save(blank)
    assert main(["predict", "--row", row, blank]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"{row}: (not sure: )?201 \(\d+\.\d %\)", first)
    assert second == f"{blank}: no digits"
    assert main(["predict", blank]) == 0
    assert capsys.readouterr().out == f"{blank}: no digit\n"


def test_predict_prints_one_line_for_each_row_of_digits(mnist, tmp_path, capsys):
    digits = [mnist.train.images[mnist.train.labels == digit][1] for digit in (2, 0, 1, 3)]
    path = str(tmp_path / "rows.png")
    page = np.concatenate([np.concatenate(digits[:2], axis=1), np.concatenate(digits[2:], axis=1)])
    Image.fromarray(255 - page).resize((280, 280)).save(path)
    assert main(["predict", "--row", path]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"{path}: (not sure: )?20 \(\d+\.\d %\)", first)
    assert re.fullmatch(rf"{path}: (not sure: )?13 \(\d+\.\d %\)", second)


def test_predict_says_that_there_are_two_digits(mnist, tmp_path, capsys):
    digits = [mnist.train.images[mnist.train.labels == digit][1] for digit in (2, 0)]
    path = str(tmp_path / "two.png")
    Image.fromarray(255 - np.concatenate(digits, axis=1)).resize((560, 280)).save(path)
    assert main(["predict", path]) == 0
    assert re.fullmatch(rf"{path}: not sure: \d \(\d+\.\d %\); 2 digits found: try --row\n", capsys.readouterr().out)


def test_predict_continues_after_a_picture_that_cannot_be_read(run, mnist, tmp_path, failing):
    good = tmp_path / "good.png"
    Image.fromarray(255 - mnist.train.images[0]).save(good)
    (tmp_path / "bad.png").write_text("text")
    weights = run / "model.weights.h5"
    shown = failing(
        ["predict", "--weights", weights, tmp_path / "bad.png", good, tmp_path / "none.png", run / "figures" / ".."],
        "bad.png",
        "none.png",
        "no pictures in this folder",
    )
    assert shown.out.startswith(str(good))
    assert len(shown.err.splitlines()) == 3


def test_predict_continues_after_a_folder_that_cannot_be_opened(mnist, tmp_path, failing, monkeypatch):
    good, closed = tmp_path / "good.png", tmp_path / "closed"
    Image.fromarray(255 - mnist.train.images[0]).save(good)
    closed.mkdir()

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    shown = failing(["predict", closed, good], f"{closed}: cannot be opened (Permission denied)")
    assert shown.out.startswith(str(good))


def test_a_page_that_is_refused_is_named(tmp_path, failing):
    texture = np.random.default_rng(0).integers(0, 2, (60, 60), np.uint8).repeat(12, axis=0).repeat(12, axis=1)
    page = np.pad(255 * texture, 40, constant_values=255)
    page[::12] = page[:, ::12] = 255
    Image.fromarray(page).save(tmp_path / "page.png")
    failing(["predict", "--row", tmp_path / "page.png"], tmp_path / "page.png", "marks, more than 300 digits")


def test_a_blank_picture_holds_no_digit(tmp_path, capsys):
    Image.new("L", (50, 50), "white").save(tmp_path / "blank.png")
    (tmp_path / "labels.csv").write_text("file,label\nblank.png,0\n", encoding="utf-8")
    assert main(["predict", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'blank.png'}: no digit\n"
    assert main(["predict", "--json", str(tmp_path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["digits"], shown["confidence"], shown["box"], shown["parts"]) == ("", None, None, [])
    assert main(["score", str(tmp_path), "--sheet", str(tmp_path / "misread.png")]) == 0
    assert "0 of 1 pictures correct" in capsys.readouterr().out


def test_the_boxes_refer_to_the_upright_picture_in_its_full_size(mnist, tmp_path, capsys):
    digit = Image.fromarray(255 - mnist.validation.images[8]).resize((840, 840))
    picture = Image.new("L", (3000, 4500), "white")
    picture.paste(digit, (1200, 3000))
    orientation = Image.Exif()
    orientation[0x0112] = 6  # taken with the camera turned to the right
    picture.rotate(90, expand=True).save(tmp_path / "3.jpg", exif=orientation)
    assert main(["predict", "--json", str(tmp_path / "3.jpg")]) == 0
    shown = json.loads(capsys.readouterr().out)
    rows, columns = (np.flatnonzero(mnist.validation.images[8].any(axis=axis)) for axis in (1, 0))
    expected = [columns[0] * 30 + 1200, rows[0] * 30 + 3000, columns[-1] * 30 + 1230, rows[-1] * 30 + 3030]
    assert shown["digits"] == "3"
    assert np.abs(np.subtract(shown["box"], expected)).max() < 40
    assert shown["box"] == shown["parts"][0]["box"]


def test_predict_ends_quietly_if_nobody_reads_its_output(pictures):
    command = [sys.executable, "-m", "mnist_nn", "predict", *[str(pictures)] * 50]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 141)


def test_the_same_command_gives_the_same_weights(run):
    before = (run / "model.weights.h5").read_bytes()
    assert main(["train", "--epochs", "1", "--seed", "3", "--run", str(run), "--overwrite"]) == 0
    assert (run / "model.weights.h5").read_bytes() == before


def test_errors_are_one_sentence(run, tmp_path, failing):
    weights = run / "model.weights.h5"
    failing(["train", "--data", tmp_path / "none"], "none", "bundled copy")
    failing(["evaluate", "--weights", tmp_path / "none.weights.h5"], "none.weights.h5", "no such weights file")
    failing(["evaluate", "--weights", weights, "--data", tmp_path], tmp_path, "no file like")
    failing(["predict", "--weights", tmp_path, "a.png"], tmp_path, "no such weights file")
    failing(["predict", tmp_path], tmp_path, "no pictures in this folder")
    failing(["train", "--run", run], run, "holds a finished run", "--overwrite")
    failing(["score", tmp_path], tmp_path / "labels.csv", "no such file", "file,label")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--epochs", "0", "--epochs must be at least 1, not 0"),
        ("--batch-size", "-5", "--batch-size must be at least 1, not -5"),
        ("--learning-rate", "0", "--learning-rate must be between 0 and 10, not 0"),
        ("--seed", "-1", "seed must be a whole number from 0"),
        ("--data", "nowhere", "nowhere: no such file or folder"),
    ],
)
def test_impossible_settings_are_refused_before_a_folder_is_made(option, value, message, tmp_path, failing):
    failing(["train", option, value, "--run", tmp_path / "r"], message)
    assert not (tmp_path / "r").exists()


def test_the_settings_reach_train(monkeypatch, tmp_path):
    given = {}

    def stop(*_, **settings):
        given.update(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr("mnist_nn.training.train", stop)
    monkeypatch.setattr("mnist_nn.train", stop, raising=False)
    words = ["--epochs", "3", "--batch-size", "512", "--learning-rate", "0.01", "--no-augmentation", "--no-non-digits"]
    assert main(["train", "--run", str(tmp_path), *words]) == 130
    assert (given["epochs"], given["batch_size"]) == (3, 512)
    assert given["augmentation"] is given["non_digits"] is None
    assert given["optimizer"].get_config()["learning_rate"]["config"]["warmup_target"] == 0.01


def test_the_defaults_in_the_help_are_those_of_train():
    options = parser().parse_args(["train"])
    defaults = {name: parameter.default for name, parameter in inspect.signature(train).parameters.items()}
    assert (options.epochs, options.batch_size) == (defaults["epochs"], defaults["batch_size"])
    assert f"(default: {LEARNING_RATE})" in parser()._subparsers._group_actions[0].choices["train"].format_help()


def test_a_resumed_run_stores_its_training_time(tmp_path, capsys):
    command = ["train", "--epochs", "2", "--run", str(tmp_path)]
    model = build_model(seed=0)
    mnist = load_mnist()

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.warns(mnist_nn.InterruptedTraining):
        train(model, mnist.train, mnist.validation, epochs=2, verbose=0, callbacks=[Stop()], checkpoint=tmp_path)
    earlier = parse((tmp_path / CHECKPOINT).read_bytes())["seconds"]
    assert main(command) == 0
    assert json.loads((tmp_path / "results.json").read_text())["training_seconds"] >= round(earlier, 1) > 0
    assert "loading TensorFlow" in capsys.readouterr().out


def test_weights_may_be_the_folder_of_a_run(run, capsys):
    assert main(["evaluate", "--weights", str(run)]) == 0
    correct = json.loads((run / "results.json").read_text())["test_correct"]
    assert f"test: {correct:,} of 10,000 correct" in capsys.readouterr().out


@pytest.fixture
def pictures(mnist, tmp_path):
    """A folder with a 2, a 0 and a blank page, and with labels, of which one is wrong."""
    for digit in (2, 0):
        Image.fromarray(255 - mnist.train.images[mnist.train.labels == digit][1]).save(tmp_path / f"{digit}.png")
    Image.new("L", (50, 50), "white").save(tmp_path / "blank.PNG")
    (tmp_path / "labels.csv").write_text("file,label\n0.png,0\n2.png,7\n")
    return tmp_path


def test_predict_reads_the_pictures_in_a_folder(pictures, capsys):
    assert main(["predict", str(pictures)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [str(pictures / name) for name in ("0.png", "2.png", "blank.PNG")]


def test_predict_prints_json(pictures, capsys):
    assert main(["predict", "--json", str(pictures)]) == 0
    zero, two, blank = map(json.loads, capsys.readouterr().out.splitlines())
    assert (zero["digits"], two["digits"], blank["sure"]) == ("0", "2", False)
    assert zero["picture"] == str(pictures / "0.png")
    assert zero["box"] == zero["parts"][0]["box"]
    assert 0.9 < two["confidence"] <= 1
    assert main(["predict", "--json", "--row", str(pictures / "blank.PNG")]) == 0
    blank = json.loads(capsys.readouterr().out)
    assert (blank["digits"], blank["confidence"], blank["box"], blank["parts"]) == ("", None, None, [])


def test_score_counts_and_draws_what_is_misread(pictures, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    assert main(["score", str(pictures), "--sheet", str(sheet)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("1 of 2 pictures correct: 50.0 % (95 % interval ")
    assert "2 sure, 1 of these wrong" in shown
    assert re.search(r"2\.png +7 +2 ", shown)
    with Image.open(sheet) as picture:
        assert picture.width > 600
    assert main(["score", str(pictures), "--row", "--sheet", str(sheet)]) == 0
    assert "1 of 2 digits correct: 50.0 %" in capsys.readouterr().out


def test_score_checks_the_name_of_the_sheet_before_it_reads_pictures(tmp_path, failing):
    failing(["score", tmp_path / "nowhere", "--sheet", tmp_path / "sheet"], "--sheet", "misread.png")


def test_score_goes_on_after_a_picture_that_cannot_be_opened(pictures, tmp_path, failing):
    (tmp_path / "notes.png").write_text("no picture")
    lines = f"file,label\nnotes.png,1\n{pictures / '0.png'},0\n"
    (tmp_path / "labels.csv").write_text(lines)
    shown = failing(["score", tmp_path], tmp_path / "notes.png", "cannot be read as a picture")
    assert shown.out.startswith("1 of 1 pictures correct: 100.0 %")


def test_score_does_not_replace_a_picture_by_the_sheet(pictures, failing):
    before = (pictures / "2.png").read_bytes()
    failing(["score", pictures, "--sheet", pictures / "2.png"], "is one of the pictures", "choose another name")
    assert (pictures / "2.png").read_bytes() == before


def test_score_shows_its_progress_on_a_terminal(pictures, tmp_path, capsys, monkeypatch):
    command = ["score", str(pictures), "--sheet", str(tmp_path / "sheet.png")]
    assert main(command) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(command) == 0
    assert "\r1 of 2 pictures read" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["predict", ""], ["train", "--run", ""], ["evaluate", "--weights", ""]])
def test_an_empty_path_is_refused(command, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(command)
    assert "the path is empty; to use the current folder, type ." in capsys.readouterr().err


def test_a_name_that_cannot_be_printed_is_escaped(mnist, tmp_path):
    Image.fromarray(mnist.test.images[0]).save(tmp_path / "шесть.png")
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "mnist_nn", "predict", str(tmp_path / "шесть.png")]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert b"\\u0448" in done.stdout
    assert b".png: 7 (" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_an_output_that_cannot_be_written_is_one_sentence():
    command = [sys.executable, "-m", "mnist_nn", "evaluate"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert done.stderr.startswith(b"mnist_nn: ")


def test_a_folder_that_is_not_writable_fails_before_training(tmp_path, failing):
    (tmp_path / "file").write_text("kept")
    shown = failing(["train", "--run", tmp_path / "file"], "cannot write to the folder", tmp_path / "file")
    assert "Epoch" not in shown.out
    assert (tmp_path / "file").read_text() == "kept"


def test_an_interruption_before_training(monkeypatch, tmp_path, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mnist_nn.commands.training.load_mnist", interrupted)
    assert main(["train", "--run", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "mnist_nn: interrupted\n"


@pytest.mark.end_to_end
@pytest.mark.parametrize(("line", "seconds"), [("loading", 0.0), ("loading", 0.5), ("loading", 1.5), ("Epoch 1/", 0.0)])
def test_ctrl_c_ends_the_program_with_one_sentence(tmp_path, line, seconds):
    """From the first line on, which is printed before TensorFlow is imported, and during the training."""
    command = [sys.executable, "-u", "-m", "mnist_nn", "train", "--run", str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "loading TensorFlow ...\n"
        if line != "loading":
            while not (shown := process.stdout.readline()).startswith(line):
                assert shown, "the program has ended"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, shown = process.communicate(timeout=120)
    assert process.returncode == 130
    assert re.fullmatch(r"mnist_nn: interrupted( after \d+ epochs; run the same command again to continue)?\n", shown)


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"], ["predict"], ["score"]])
def test_help_fits_on_a_screen(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        parser().parse_args([*command, "--help"])
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) <= 28
    assert max(map(len, shown)) <= 80


def test_the_version_is_the_packages():
    done = subprocess.run([sys.executable, "-m", "mnist_nn", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"mnist_nn {mnist_nn.__version__}\n"
