"""The weights that ship: `python -m mnist_nn.pretraining [FILE]` makes them again, in about ten minutes on two cores.

A convolutional network learns the 55,000 training images first, and teaches what it makes of their warps to the
784-128-64-10 network. The validation images are looked at, never learned; no other data is used.
"""

import sys
from pathlib import Path

from ..augmentation import Augmentation
from .._internal.tensorflow import keras
from ..data import load_mnist
from ..evaluation import evaluate
from ..model import build_model, check_seed, save_weights
from ..network import PRETRAINED
from ..training import muon, train, warmup_cosine

SEED = 0


def build_teacher(seed: int = 0) -> keras.Model:
    """Return an untrained convolutional network from (n, 28, 28) pixels to probabilities, 66,778 parameters.

    Each convolution is followed by batch normalisation (S. Ioffe and C. Szegedy, arXiv:1502.03167).
    """
    check_seed(seed)
    keras.utils.set_random_seed(seed)
    layers = keras.layers

    def convolution(filters, size, **options):
        convolve = layers.Conv2D(filters, size, use_bias=False, **options)
        return [convolve, layers.BatchNormalization(momentum=0.98), layers.ReLU()]

    return keras.Sequential(
        [
            keras.Input((28, 28), name="pixels"),
            layers.Rescaling(1 / 255),
            layers.Reshape((28, 28, 1)),
            *convolution(16, 5, padding="same"),
            layers.MaxPool2D(),
            *convolution(32, 3, padding="same"),
            layers.MaxPool2D(),
            *convolution(64, 3, padding="same"),
            *convolution(64, 3, strides=2),
            layers.Flatten(),
            layers.Dropout(0.3, seed=seed),
            layers.Dense(10, activation="softmax"),
        ],
        name="teacher",
    )


def pretrain(path: Path = PRETRAINED, seed: int = SEED) -> None:
    """Train the teacher, then the network, and write the network's weights to `path`; progress goes to stdout."""
    mnist = load_mnist()
    splits = (mnist.train, mnist.validation)
    teacher = build_teacher(seed)
    settings = {"epochs": 12, "batch_size": 256, "learning_rate": 0.006, "weight_decay": 0.02}
    train(teacher, *splits, **settings, seed=seed, verbose=2)
    print(f"teacher on validation: {evaluate(teacher, mnist.validation)}")
    model = build_model(seed)
    settings = {"epochs": 100, "batch_size": 1024, "augmentation": Augmentation(final_strength=0.5)}
    steps = settings["epochs"] * (len(mnist.train) // settings["batch_size"])
    optimizer = muon(model, warmup_cosine(0.015, steps), weight_decay=0.05, momentum=0.9)
    train(model, *splits, **settings, optimizer=optimizer, teacher=teacher, seed=seed, verbose=2)
    save_weights(model, path)
    print(f"network on validation: {evaluate(model, mnist.validation)}")


if __name__ == "__main__":
    pretrain(*map(Path, sys.argv[1:2]))
