"""Time what people wait for, each beside a peer and a limit: `pytest tests/benchmarks/speed.py`.

Takes about seven minutes on two cores; run nothing beside it. Read the ratios: seconds are this machine's. A limit is
what the arithmetic costs at least, at the speed of this machine's own matrix product; a goal is what we want to reach.
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
from tests.benchmarks.measure_seeds import textbook_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from mnist_nn import (
    Augmentation,
    build_model,
    evaluate,
    load_mnist,
    load_network,
    load_pretrained,
    open_picture,
    predict_digit,
    predict_probabilities,
    prepare_image,
    train,
)
from mnist_nn._internal.tensorflow import keras, tf
from mnist_nn.data import BUNDLED

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "notebooks" / "samples" / "2-photo.jpg"
WEIGHTS = 784 * 128, 128 * 64, 64 * 10
GUESS = 2 * sum(WEIGHTS)  # operations: a multiplication and an addition each
EPOCH = 55_000 * (3 * GUESS - 2 * WEIGHTS[0])  # forwards, and twice backwards, but not to the pixels

# Measures in a process of its own, as this one's memory would count as that of its children.
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
    """Run a command and return its wall seconds, its peak memory in MB, and its last line."""
    measured = [sys.executable, "-c", MEASURE, *map(str, command)]
    *lines, figures = subprocess.run(measured, check=True, capture_output=True, text=True).stdout.splitlines()
    return [*map(float, figures.split()), lines[-1] if lines else ""]


def python(code, *arguments):
    """Run Python code in a new process and return its wall seconds, its peak memory in MB, and its last line."""
    return run(sys.executable, "-c", code, *arguments)


def median_of_five(start, *arguments):
    """Return the median seconds and the median peak memory in MB of five processes, as `run` or `python` start them."""
    seconds, memory, _ = zip(*(start(*arguments) for _ in range(5)), strict=True)
    return statistics.median(seconds), statistics.median(memory)


class Clock(keras.callbacks.Callback):
    """Takes the seconds of every epoch, without the validation at its end."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_test_begin(self, logs=None):
        self.seconds.append(time.perf_counter() - self.start)

    @property
    def epoch(self):
        """The median of all epochs but the first, in which the steps are compiled."""
        return statistics.median(self.seconds[1:])


@pytest.fixture(scope="session")
def speed():
    """Operations a second of this machine's matrix product: the best of twenty products of 2,048 x 2,048."""
    a, b = tf.random.normal([2048, 2048], seed=0), tf.random.normal([2048, 2048], seed=1)
    product = tf.function(lambda: tf.reduce_sum(a @ b))
    return 2 * 2048**3 / min(timed(lambda: product().numpy()))


@pytest.fixture(scope="session")
def textbook(mnist):
    """The textbook network, the seconds of its epochs, and those of its whole training."""
    clock, start = Clock(), time.perf_counter()
    return textbook_network(mnist, 0, callbacks=[clock]), clock.epoch, time.perf_counter() - start


@pytest.fixture(scope="session")
def classifier(mnist):
    """scikit-learn's network of the same size, and the seconds of its epochs."""
    images = mnist.train.images.reshape(-1, 784).astype(np.float32) / 255
    network = MLPClassifier((128, 64), max_iter=1, warm_start=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch at a time never converges
        seconds = timed(lambda: network.fit(images, mnist.train.labels), 7)
    return network, statistics.median(seconds)


def test_importing(benchmark, found):
    seconds, memory = benchmark.pedantic(median_of_five, [python, "from mnist_nn import train"])
    peer, peer_memory = median_of_five(python, WITH_TENSORFLOW)
    found("import", f"{seconds:.2f} s, {memory:.0f} MB", f"TensorFlow and Keras {peer:.2f} s, {peer_memory:.0f} MB")
    seconds, memory = median_of_five(python, "from mnist_nn import load_network, predict_digit")
    peer, peer_memory = median_of_five(python, "import numpy, scipy.ndimage, PIL.Image, h5py")
    found("import, to guess", f"{seconds:.2f} s, {memory:.0f} MB", f"what it needs {peer:.2f} s, {peer_memory:.0f} MB")


def test_loading(benchmark, found):
    seconds = median(benchmark, load_mnist)
    _, memory, _ = python("from mnist_nn import load_mnist; load_mnist()")

    def plainly():
        with np.load(BUNDLED) as file:
            return [file[name] for name in file]

    peer = lasting(plainly)
    size = sum(array.nbytes for array in plainly()) / 2**20
    found(
        "load MNIST, verified",
        f"{seconds:.2f} s, {memory:.0f} MB",
        f"numpy.load {peer:.2f} s",
        f"{size:.0f} MB of data",
    )


@pytest.mark.parametrize(("name", "augmentation", "goal"), [("plain", None, 2), ("augmented", Augmentation(), 3)])
def test_an_epoch(name, augmentation, goal, mnist, speed, textbook, classifier, benchmark, found):
    clock, settings = Clock(), {"epochs": 30, "augmentation": augmentation, "verbose": 0}
    arguments = [build_model(), mnist.train, mnist.validation]
    benchmark.pedantic(train, arguments, {**settings, "callbacks": [clock]})
    others = f"MLPClassifier {classifier[1]:.2f} s, textbook {textbook[1]:.2f} s"
    limit = EPOCH / speed
    limits = f"matrix product {limit:.3f} s: {clock.epoch / limit:.2f} times, goal {goal}"
    found(f"epoch, {name}", f"{clock.epoch:.3f} s", others, limits)


@pytest.mark.parametrize(
    ("percent", "settings", "goal"), [(98, {"epochs": 4, "augmentation": None}, 3), (99, {"epochs": 17}, 15)]
)
def test_training_to(percent, settings, goal, mnist, textbook, benchmark, found):
    lines = benchmark.pedantic(lambda: [python(TRAIN, seed, settings)[2] for seed in range(5)])
    columns = list(zip(*(map(float, line.split()) for line in lines), strict=True))
    seconds, memory, accuracy = map(statistics.median, columns)
    assert accuracy >= percent / 100
    _, base, _ = python(f"from mnist_nn import load_mnist; mnist = load_mnist(); {WITH_TENSORFLOW}")
    peer, _, peer_seconds = textbook
    figure = f"{seconds:.1f} s: {accuracy:.2%}, at least {min(columns[2]):.2%}"
    beside = f"textbook, 10 epochs, {peer_seconds:.0f} s: {evaluate(peer, mnist.test).accuracy:.2%}"
    found(f"train to {percent} %, {settings['epochs']} epochs", figure, beside, f"goal {goal} s")
    beside, limit = f"TensorFlow and the data {base:.0f} MB", f"{memory / base:.2f} times, goal 1.3"
    found("... its memory", f"{memory:.0f} MB", beside, limit)


@pytest.mark.parametrize(("number", "goal"), [(1, 0.002), (10_000, 0.2)])
def test_guessing(number, goal, mnist, speed, textbook, classifier, benchmark, found):
    images = mnist.test.images[:number]
    seconds = median(benchmark, predict_probabilities, load_network(), images)
    keras_model, flat = load_pretrained(), images.reshape(-1, 784) / np.float32(255)
    peers = {
        "as a Keras model": lambda: predict_probabilities(keras_model, images),
        "model.predict": lambda: textbook[0].predict(images, verbose=0),
        "MLPClassifier": lambda: classifier[0].predict_proba(flat),
    }
    beside = ", ".join(f"{name} {milliseconds(lasting(peer))}" for name, peer in peers.items())
    limit = f"matrix product {milliseconds(number * GUESS / speed)}, goal {milliseconds(goal)}"
    found(f"{number:,} guess{'es' if number > 1 else ''}, warm", milliseconds(seconds), beside, limit)


def test_a_picture_to_its_answer(benchmark, found):
    network = load_network()
    seconds = median(benchmark, predict_digit, network, PHOTO)
    peer = lasting(lambda: predict_probabilities(network, only_resized(Image.open(PHOTO))))
    found("picture file to answer", milliseconds(seconds), f"only resized {milliseconds(peer)}")


def test_preparing_a_drawing(mnist, benchmark, found):
    drawings = [
        Image.fromarray(255 - image).resize((280, 280), Image.Resampling.BICUBIC) for image in mnist.test.images[:20]
    ]
    seconds = median(benchmark, lambda: [prepare_image(drawing) for drawing in drawings]) / len(drawings)
    peer = lasting(lambda: [only_resized(drawing) for drawing in drawings]) / len(drawings)
    found("prepare a 280x280 drawing", milliseconds(seconds), f"only resized {milliseconds(peer)}", "goal 3 ms")


def test_preparing_a_photo(benchmark, found):
    file = io.BytesIO()
    Image.open(PHOTO).resize((4000, 3000), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    decoded = open_picture(file.getvalue())
    seconds = median(benchmark, prepare_image, decoded)
    both, peer = lasting(lambda: prepare_image(file.getvalue())), lasting(lambda: only_resized(decoded))
    beside = f"with decoding {milliseconds(both)}, only resized {milliseconds(peer)}"
    found("prepare a decoded photo of 12 MP", milliseconds(seconds), beside, "goal 20 ms")


def test_the_first_answer_of_a_process(benchmark, found):
    command = [sys.executable, "-m", "mnist_nn", "predict", PHOTO]
    seconds, memory = benchmark.pedantic(median_of_five, [run, *command])
    peer, peer_memory = median_of_five(python, WITH_TENSORFLOW)
    beside = f"importing TensorFlow and Keras {peer:.2f} s, {peer_memory:.0f} MB"
    found("python -m mnist_nn predict", f"{seconds:.2f} s, {memory:.0f} MB", beside, "goal 1.0 s")


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook(notebook, benchmark, found, tmp_path):
    command = [Path(sys.executable).with_name("jupyter"), "nbconvert", "--to", "notebook", "--execute"]
    seconds, memory, _ = benchmark.pedantic(run, [*command, "--output-dir", tmp_path, notebook])
    found(notebook.name, f"{seconds:.0f} s, {memory:.0f} MB")


def median(benchmark, function, *arguments):
    """Return the median seconds of some twenty warm calls, as pytest-benchmark takes them."""
    benchmark.pedantic(function, arguments, rounds=20, warmup_rounds=2)
    return benchmark.stats["median"]


def lasting(function):
    """Return the median seconds of twenty warm calls of a peer."""
    return statistics.median(timed(function))


def timed(function, calls=22):
    """Return the seconds of each of so many calls, without the first two, which warm up."""
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return seconds[2:]


def milliseconds(seconds):
    """Return seconds as text in milliseconds."""
    return f"{1000 * seconds:.3g} ms"


def only_resized(picture):
    """Return a picture as most tutorials prepare it, uint8 (1, 28, 28)."""
    return 255 - np.asarray(picture.convert("L").resize((28, 28)))[None]
