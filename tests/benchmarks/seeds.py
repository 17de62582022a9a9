"""Measure accuracy and training time over seeds, ours beside the textbook recipe: `python tests/benchmarks/seeds.py`.

Writes notebooks/results/seeds.csv, from which the README's table is made. Takes ten minutes on two cores; run nothing
beside it. Each network is scored on the test images once, after its training; seconds include compilation.
"""

import time
from pathlib import Path

import pandas as pd

from mnist_nn import build_model, evaluate, load_mnist, train
from mnist_nn.backend import keras
from mnist_nn.files import replacing

RESULTS = Path(__file__).parents[2] / "notebooks" / "results" / "seeds.csv"


def ours(mnist, seed, epochs):
    """Return the network trained by `train` with its default settings."""
    model = build_model(seed)
    train(model, mnist.train, mnist.validation, epochs=epochs, seed=seed, verbose=0)
    return model


def textbook(mnist, seed, epochs):
    """Return the same network as tutorials train it: Keras' defaults, Adam at 0.001, batches of 32."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    validation = (mnist.validation.images, mnist.validation.labels)
    model.fit(mnist.train.images, mnist.train.labels, epochs=epochs, validation_data=validation, verbose=0)
    return model


def main():
    """Run every recipe on every seed, showing each result as it comes, and write the table."""
    mnist, rows = load_mnist(), []
    for recipe, epochs in [(ours, 17), (ours, 5), (textbook, 10)]:
        for seed in range(10):
            start = time.perf_counter()
            model = recipe(mnist, seed, epochs)
            seconds = round(time.perf_counter() - start, 1)
            correct = {name: evaluate(model, getattr(mnist, name)).correct for name in ("validation", "test")}
            rows.append({"recipe": recipe.__name__, "epochs": epochs, "seed": seed, "seconds": seconds, **correct})
            print(rows[-1], flush=True)
    with replacing(RESULTS) as written:
        pd.DataFrame(rows).to_csv(written, index=False)


if __name__ == "__main__":
    main()
