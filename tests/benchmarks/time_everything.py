"""Time everything that users wait for: `pytest -n 0 tests/benchmarks/time_everything.py`.

It takes about seven minutes on two cores; run nothing else at the same time. The seconds depend on the machine, so each
result is shown beside that of other software. A limit is the time of the arithmetic alone, at the speed of this
machine's own matrix product. A goal is what we want to reach.
"""

import io
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from mnist_nn import (
    Augmentation,
    NonDigits,
    build_model,
    evaluate,
    load_mnist,
    load_network,
    load_pretrained,
    predict_digit,
    predict_probabilities,
    prepare_image,
    train,
)
from mnist_nn._internal.tensorflow import keras, tf
from mnist_nn.data import BUNDLED
from mnist_nn.pictures.loading import open_picture
from tests.benchmarks.measure_seeds import textbook_network

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "notebooks" / "samples" / "2-photo.jpg"
WEIGHTS = 784 * 128, 128 * 64, 64 * 10
# Operations of one prediction: a multiplication and an addition per weight.
PREDICTION = 2 * sum(WEIGHTS)
# Operations of one epoch: the backward pass takes twice the forward pass, except that pixels need no gradient.
EPOCH = 55_000 * (3 * PREDICTION - 2 * WEIGHTS[0])

# The command runs in a child of a small new process, because the peak memory of a child starts at that of its parent.
MEASURE = """if True:
    import resource, subprocess, sys, time
    start = time.perf_counter()
    subprocess.run(sys.argv[1:], check=True)
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
WITH_TENSORFLOW = "import tensorflow, keras"
TRAIN = """if True:
    import ast, resource, sys, time
    from mnist_nn import build_model, evaluate, load_mnist, train
    seed, settings = map(ast.literal_eval, sys.argv[1:])
    mnist = load_mnist()
    start = time.perf_counter()
    model = build_model(seed)
    train(model, mnist.train, mnist.validation, seed=seed, verbose=0, **settings)
    seconds, memory = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, memory, evaluate(model, mnist.test).accuracy)
"""


def run(*command):
    """Run a command; return its seconds, its peak memory in MB, and the last line of its output."""
    pytest.importorskip("resource", reason="only POSIX systems report the peak memory of a process")
    measured = [sys.executable, "-c", MEASURE, *map(str, command)]
    *lines, measurements = subprocess.run(measured, check=True, capture_output=True, text=True).stdout.splitlines()
    return [*map(float, measurements.split()), lines[-1] if lines else ""]


def python(code, *arguments):
    """Run Python code in a new process; return its seconds, peak memory in MB, and the last line of its output."""
    return run(sys.executable, "-c", code, *arguments)


def median_of_five(start, *arguments):
    """Return the median seconds and peak memory in MB of five processes; `start` is `run` or `python`."""
    seconds, memory, _ = zip(*(start(*arguments) for _ in range(5)), strict=True)
    return statistics.median(seconds), statistics.median(memory)


class Clock(keras.callbacks.Callback):
    """Measure the seconds of every epoch, without the validation at its end."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_test_begin(self, logs=None):
        self.seconds.append(time.perf_counter() - self.start)

    @property
    def median(self):
        """The median of all epochs except the first, which includes compilation."""
        return statistics.median(self.seconds[1:])


@pytest.fixture(scope="session")
def speed():
    """Operations per second in this machine's matrix product: the best of 20 products of two 2,048x2,048 matrices."""
    a, b = tf.random.normal([2048, 2048], seed=0), tf.random.normal([2048, 2048], seed=1)
    product = tf.function(lambda: tf.reduce_sum(a @ b))
    return 2 * 2048**3 / min(timed(lambda: product().numpy()))


@pytest.fixture(scope="session")
def textbook(mnist):
    """The trained textbook network, the seconds of an epoch, and the seconds of the whole training."""
    clock, start = Clock(), time.perf_counter()
    return textbook_network(mnist, 0, callbacks=[clock]), clock.median, time.perf_counter() - start


@pytest.fixture(scope="session")
def classifier(mnist):
    """scikit-learn's network of the same size, trained, and the seconds of an epoch."""
    images = mnist.train.images.reshape(-1, 784).astype(np.float32) / 255
    network = MLPClassifier((128, 64), max_iter=1, warm_start=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # training one epoch at a time always gives this warning
        seconds = timed(lambda: network.fit(images, mnist.train.labels), 7)
    return network, statistics.median(seconds)


def test_import(benchmark, add_row):
    seconds, memory = benchmark.pedantic(median_of_five, [python, "from mnist_nn import train"])
    other, other_memory = median_of_five(python, WITH_TENSORFLOW)
    comparison = f"TensorFlow and Keras {other:.2f} s, {other_memory:.0f} MB"
    add_row("importing for training", f"{seconds:.2f} s, {memory:.0f} MB", comparison)
    seconds, memory = median_of_five(python, "from mnist_nn import load_network, predict_digit")
    other, other_memory = median_of_five(python, "import numpy, scipy.ndimage, PIL.Image, h5py")
    comparison = f"required packages {other:.2f} s, {other_memory:.0f} MB"
    add_row("importing for prediction", f"{seconds:.2f} s, {memory:.0f} MB", comparison)


def test_load_mnist(benchmark, add_row):
    seconds = median(benchmark, load_mnist)
    _, memory, _ = python("from mnist_nn import load_mnist; load_mnist()")

    def load_with_numpy():
        with np.load(BUNDLED) as file:
            return [file[name] for name in file]

    other = median_seconds(load_with_numpy)
    size = sum(array.nbytes for array in load_with_numpy()) / 2**20
    result = f"{seconds:.2f} s, {memory:.0f} MB"
    add_row("loading MNIST", result, f"numpy.load {other:.2f} s", f"{size:.0f} MB of data")


@pytest.mark.parametrize(
    ("name", "augmentation", "non_digits", "goal"),
    [
        ("without augmentation", None, None, 2),
        ("with augmentation", Augmentation(), None, 3),
        ("with augmentation and non-digits", Augmentation(), NonDigits(), 3.9),
    ],
)
def test_one_epoch(name, augmentation, non_digits, goal, mnist, speed, textbook, classifier, benchmark, add_row):
    clock, settings = Clock(), {"epochs": 30, "augmentation": augmentation, "non_digits": non_digits, "verbose": 0}
    arguments = [build_model(), mnist.train, mnist.validation]
    benchmark.pedantic(train, arguments, {**settings, "callbacks": [clock]})
    comparison = f"MLPClassifier {classifier[1]:.2f} s, textbook {textbook[1]:.2f} s"
    limit = EPOCH / speed
    limits = f"matrix products {limit:.3f} s: {clock.median / limit:.2f} times, goal {goal}"
    add_row(f"one epoch {name}", f"{clock.median:.3f} s", comparison, limits)


@pytest.mark.parametrize(
    ("percent", "settings", "goal"),
    [(98, {"epochs": 4, "augmentation": None, "non_digits": None}, 3), (99, {"epochs": 17}, 15)],
)
def test_training_to_an_accuracy(percent, settings, goal, mnist, textbook, benchmark, add_row):
    lines = benchmark.pedantic(lambda: [python(TRAIN, seed, settings)[2] for seed in range(5)])
    columns = list(zip(*(map(float, line.split()) for line in lines), strict=True))
    seconds, memory, accuracy = map(statistics.median, columns)
    assert accuracy >= percent / 100
    _, base, _ = python(f"from mnist_nn import load_mnist; mnist = load_mnist(); {WITH_TENSORFLOW}")
    other, _, other_seconds = textbook
    result = f"{seconds:.1f} s: {100 * accuracy:.2f} %, minimum {100 * min(columns[2]):.2f} %"
    comparison = f"textbook, 10 epochs, {other_seconds:.0f} s: {100 * evaluate(other, mnist.test).accuracy:.2f} %"
    add_row(f"training to {percent} %, {settings['epochs']} epochs", result, comparison, f"goal {goal} s")
    comparison, limit = f"TensorFlow and the data {base:.0f} MB", f"{memory / base:.2f} times, goal 1.3"
    add_row("peak memory of this training", f"{memory:.0f} MB", comparison, limit)


@pytest.mark.parametrize(("number", "goal"), [(1, 0.002), (10_000, 0.2)])
def test_prediction(number, goal, mnist, speed, textbook, classifier, benchmark, add_row):
    images = mnist.test.images[:number]
    seconds = median(benchmark, predict_probabilities, load_network(), images)
    keras_model, flat = load_pretrained(), images.reshape(-1, 784) / np.float32(255)
    others = {
        "the same with a Keras model": lambda: predict_probabilities(keras_model, images),
        "model.predict": lambda: textbook[0].predict(images, verbose=0),
        "MLPClassifier": lambda: classifier[0].predict_proba(flat),
    }
    comparison = ", ".join(f"{name} {milliseconds(median_seconds(other))}" for name, other in others.items())
    limit = f"matrix products {milliseconds(number * PREDICTION / speed)}, goal {milliseconds(goal)}"
    add_row(f"predicting {number:,} image{'s' if number > 1 else ''}", milliseconds(seconds), comparison, limit)


def test_prediction_from_a_picture_file(benchmark, add_row):
    network = load_network()
    seconds = median(benchmark, predict_digit, network, PHOTO)
    other = median_seconds(lambda: predict_probabilities(network, only_resize(Image.open(PHOTO))))
    add_row("from a picture file to the digit", milliseconds(seconds), f"only resizing {milliseconds(other)}")


def test_prepare_a_drawing(mnist, benchmark, add_row):
    drawings = [
        Image.fromarray(255 - image).resize((280, 280), Image.Resampling.BICUBIC) for image in mnist.test.images[:20]
    ]
    seconds = median(benchmark, lambda: [prepare_image(drawing) for drawing in drawings]) / len(drawings)
    other = median_seconds(lambda: [only_resize(drawing) for drawing in drawings]) / len(drawings)
    comparison = f"only resizing {milliseconds(other)}"
    add_row("preparing a drawing of 280x280 pixels", milliseconds(seconds), comparison, "goal 3 ms")


def test_prepare_a_photo(benchmark, add_row):
    file = io.BytesIO()
    Image.open(PHOTO).resize((4000, 3000), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    decoded = open_picture(file.getvalue())
    seconds = median(benchmark, prepare_image, decoded)
    both, other = median_seconds(lambda: prepare_image(file.getvalue())), median_seconds(lambda: only_resize(decoded))
    comparison = f"with decoding {milliseconds(both)}, only resizing {milliseconds(other)}"
    add_row("preparing a decoded photo of 12 megapixels", milliseconds(seconds), comparison, "goal 20 ms")


def test_prediction_in_a_new_process(benchmark, add_row):
    command = [sys.executable, "-m", "mnist_nn", "predict", PHOTO]
    seconds, memory = benchmark.pedantic(median_of_five, [run, *command])
    other, other_memory = median_of_five(python, WITH_TENSORFLOW)
    comparison = f"importing TensorFlow and Keras {other:.2f} s, {other_memory:.0f} MB"
    add_row("python -m mnist_nn predict", f"{seconds:.2f} s, {memory:.0f} MB", comparison, "goal 1.0 s")


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_each_notebook(notebook, benchmark, add_row, tmp_path):
    command = [Path(sys.executable).with_name("jupyter"), "nbconvert", "--to", "notebook", "--execute"]
    seconds, memory, _ = benchmark.pedantic(run, [*command, "--output-dir", tmp_path, notebook])
    add_row(notebook.name, f"{seconds:.0f} s, {memory:.0f} MB")


def median(benchmark, function, *arguments):
    """Return the median seconds of 20 calls after a warm-up, measured by pytest-benchmark."""
    benchmark.pedantic(function, arguments, rounds=20, warmup_rounds=2)
    return benchmark.stats["median"]


def median_seconds(function):
    """Return the median seconds of 20 calls after a warm-up."""
    return statistics.median(timed(function))


def timed(function, calls=22):
    """Return the seconds of each call except the first two, which are the warm-up."""
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return seconds[2:]


def milliseconds(seconds):
    """Return seconds as text in milliseconds."""
    return f"{1000 * seconds:.3g} ms"


def only_resize(picture):
    """Prepare a picture as most tutorials do: only resize and invert it, uint8 (1, 28, 28)."""
    return 255 - np.asarray(picture.convert("L").resize((28, 28)))[None]
