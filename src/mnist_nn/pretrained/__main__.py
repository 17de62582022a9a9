"""Train the pretrained weights again: `python -m mnist_nn.pretrained [FILE]`, about two minutes on two cores.

This is `train` with synthetic digits beside MNIST's, more epochs, and other settings, which were chosen on the
validation images.
"""

import argparse
from pathlib import Path

from .._internal.tensorflow import keras
from ..augmentation import Augmentation
from ..batches import steps_per_epoch
from ..data import Mnist, load_mnist
from ..evaluation import evaluate
from ..model import PRETRAINED, build_model, save_weights
from ..non_digits import NonDigits
from ..synthetic_digits import draw_digits
from ..training import muon, train, warmup_cosine

SEED, EPOCHS, BATCH_SIZE, LEARNING_RATE = 2, 240, 2048, 0.02
SYNTHETIC = 6_000


def train_network(
    mnist: Mnist, seed: int = SEED, epochs: int = EPOCHS, synthetic: int = SYNTHETIC, verbose: str | int = 2
) -> keras.Model:
    """Return a network trained as the pretrained one.

    Args:
        mnist: The data; the test images are not used.
        seed: That of the pretrained weights is 2.
        epochs: The number of passes over the training images.
        synthetic: The number of synthetic digits.
        verbose: Keras' progress display: 0 for none, 1 for a bar, 2 for one line per epoch.
    """
    model = build_model(seed)
    images = mnist.train + draw_digits(synthetic, seed)
    schedule = warmup_cosine(LEARNING_RATE, epochs * steps_per_epoch(len(images), BATCH_SIZE))
    train(
        model,
        images,
        mnist.validation,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        augmentation=Augmentation(final_strength=0.7),
        non_digits=NonDigits(weight=0.5, different=8192),
        optimizer=muon(model, schedule, weight_decay=0.1, momentum=0.9),
        seed=seed,
        verbose=verbose,
    )
    return model


def main(arguments: list[str] | None = None) -> None:
    """Train the network, write its weights to a file, and print the progress.

    Args:
        arguments: The words after the program's name; None takes them from the command line.
    """
    parser = argparse.ArgumentParser("python -m mnist_nn.pretrained", description="Train the pretrained weights again.")
    parser.add_argument(
        "file", nargs="?", type=Path, default=PRETRAINED, help="a .weights.h5 file (default: that of the package)"
    )
    path = parser.parse_args(arguments).file
    if not path.name.endswith(".weights.h5"):
        parser.error(f"the name of a weights file must end in .weights.h5, not {path}")
    mnist = load_mnist()
    print(f"drawing {SYNTHETIC:,} synthetic digits, then training for {EPOCHS} epochs", flush=True)
    model = train_network(mnist)
    save_weights(model, path)
    print(f"validation: {evaluate(model, mnist.validation)}")


if __name__ == "__main__":
    main()
