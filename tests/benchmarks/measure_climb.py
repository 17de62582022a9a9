"""Measure the steps of 02-train over five seeds: `python -m tests.benchmarks.measure_climb`.

It writes notebooks/results/climb.csv: how many of the 55,000 training and the 5,000 validation images, undistorted, the
network classifies correctly after each step. It takes about four minutes on two cores. The test images are not used.
"""

from pathlib import Path

import pandas as pd

from mnist_nn import Augmentation, NonDigits, build_model, evaluate, load_mnist, train
from mnist_nn._internal.files import atomic_write
from mnist_nn._internal.tensorflow import keras
from tests.benchmarks.measure_seeds import adamw

RESULTS = Path(__file__).parents[2] / "notebooks" / "results" / "climb.csv"
SEEDS = range(5)


def textbook(model, mnist, seed):
    """Train as tutorials do, with Adam at 0.001 and batches of 32, for six epochs."""
    keras.utils.set_random_seed(seed)
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=191)
    model.fit(mnist.train.images, mnist.train.labels, epochs=6, verbose=0)


def ours(model, mnist, seed, optimizer=None, augmentation=None, non_digits=None):
    """Train with `train`, in batches of 2,048. `optimizer` makes an optimiser for a model; None means Muon."""
    settings = {"augmentation": augmentation, "non_digits": non_digits, "seed": seed, "verbose": 0}
    train(model, mnist.train, mnist.validation, optimizer=optimizer and optimizer(model), **settings)


# Every step keeps what the steps before it have added.
STEPS = [
    ("textbook recipe", textbook, {}),
    ("+ schedule, weight decay", ours, {"optimizer": adamw}),
    ("+ augmentation", ours, {"optimizer": adamw, "augmentation": Augmentation()}),
    ("+ Muon", ours, {"augmentation": Augmentation()}),
    ("+ non-digits", ours, {"augmentation": Augmentation(), "non_digits": NonDigits()}),
]


def main():
    """Train every network, print each result at once, and write the table."""
    mnist, rows = load_mnist(), []
    for step, recipe, settings in STEPS:
        for seed in SEEDS:
            model = build_model(seed)
            recipe(model, mnist, seed, **settings)
            splits = {"training": mnist.train, "validation": mnist.validation}
            correct = {name: evaluate(model, split).correct for name, split in splits.items()}
            rows.append({"step": step, "seed": seed, **correct})
            print(rows[-1], flush=True)
    with atomic_write(RESULTS) as written:
        pd.DataFrame(rows).to_csv(written, index=False)


if __name__ == "__main__":
    main()
