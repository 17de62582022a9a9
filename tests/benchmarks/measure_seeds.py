"""Measure accuracy and training time of all recipes: `python -m tests.benchmarks.measure_seeds [RECIPE ...]`.

It writes notebooks/results/seeds.csv, from which the README's table and 05-compare are made. With names of recipes it
measures these again and keeps the other rows. It takes about 15 minutes on two cores; run nothing else at the same
time. Every network is evaluated on the test images once, after its training. The training times include compilation.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neural_network import MLPClassifier

from mnist_nn import Augmentation, build_model, load_mnist, predict_probabilities, train
from mnist_nn._internal.files import atomic_write
from mnist_nn._internal.tensorflow import keras
from mnist_nn.batches import steps_per_epoch
from mnist_nn.training import muon, warmup_cosine

RESULTS = Path(__file__).parents[2] / "notebooks" / "results" / "seeds.csv"
EPOCHS = 17
STEPS = EPOCHS * steps_per_epoch(55_000, 2048)


def ours(mnist, seed, optimizer=None, **settings):
    """Train a network with `train`; return a function from images to predicted digits.

    `optimizer` is a function that returns an optimiser for a model; None means that of `train`.
    """
    model = build_model(seed)
    if optimizer is not None:
        settings["optimizer"] = optimizer(model)
    train(model, mnist.train, mnist.validation, seed=seed, verbose=0, **settings)
    return lambda images: predict_probabilities(model, images).argmax(axis=1)


def adamw(model):
    """Return AdamW with the best of six settings, chosen on the validation images with seeds 0 to 2."""
    return keras.optimizers.AdamW(warmup_cosine(0.07, STEPS), weight_decay=0.2)


def constant_rate(model):
    """Return Muon with the best of four constant rates, chosen on the validation images with seeds 0 to 2."""
    return muon(model, 0.01, weight_decay=0.2)


def no_weight_decay(model):
    """Return the optimiser of `train` without its weight decay."""
    return muon(model, warmup_cosine(0.04, STEPS), weight_decay=0)


def textbook_network(mnist, seed, callbacks=()):
    """Train the same network as tutorials do: Keras' default settings, Adam at 0.001, batches of 32, 10 epochs."""
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
    model.fit(
        mnist.train.images,
        mnist.train.labels,
        epochs=10,
        validation_data=validation,
        verbose=0,
        callbacks=list(callbacks),
    )
    return model


def textbook(mnist, seed):
    """Train the network as tutorials do; return a function from images to predicted digits."""
    model = textbook_network(mnist, seed)
    return lambda images: predict_probabilities(model, images).argmax(axis=1)


def scikit_learn(mnist, seed):
    """Train scikit-learn's network of the same size for 20 epochs with its default settings; return as `textbook`."""
    network = MLPClassifier((128, 64), random_state=seed)
    for _ in range(20):
        network.partial_fit(_flat(mnist.train.images), mnist.train.labels, classes=range(10))
    return lambda images: network.predict(_flat(images))


def _flat(images):
    return images.reshape(-1, 784).astype(np.float32) / 255


# Name, function, settings, number of epochs, number of seeds.
RECIPES = [
    ("ours", ours, {}, EPOCHS, 10),
    ("ours", ours, {"epochs": 5}, 5, 10),
    ("textbook", textbook, {}, 10, 10),
    ("scikit-learn", scikit_learn, {}, 20, 5),
    ("without augmentation", ours, {"augmentation": None}, EPOCHS, 5),
    ("without elastic distortion", ours, {"augmentation": Augmentation(elastic=0)}, EPOCHS, 5),
    ("without decreasing strength", ours, {"augmentation": Augmentation(final_strength=1)}, EPOCHS, 5),
    ("without non-digits", ours, {"non_digits": None}, EPOCHS, 5),
    ("without Muon", ours, {"optimizer": adamw}, EPOCHS, 5),
    ("without schedule", ours, {"optimizer": constant_rate}, EPOCHS, 5),
    ("without weight decay", ours, {"optimizer": no_weight_decay}, EPOCHS, 5),
]


def main():
    """Run all recipes, or those named on the command line, print each result at once, and write the table."""
    known = [name for name, *_ in RECIPES]
    names = sys.argv[1:] or known
    if unknown := set(names) - set(known):
        sys.exit(f"unknown recipes: {', '.join(sorted(unknown))}; choose from {', '.join(dict.fromkeys(known))}")
    earlier = pd.read_csv(RESULTS).to_dict("records") if sys.argv[1:] else []
    mnist, rows = load_mnist(), []
    for name, recipe, settings, epochs, seeds in RECIPES:
        if name not in names:
            rows += [row for row in earlier if (row["recipe"], row["epochs"]) == (name, epochs)]
            continue
        for seed in range(seeds):
            start = time.perf_counter()
            predict = recipe(mnist, seed, **settings)
            seconds = round(time.perf_counter() - start, 1)
            splits = {"validation": mnist.validation, "test": mnist.test}
            correct = {key: int((predict(split.images) == split.labels).sum()) for key, split in splits.items()}
            rows.append({"recipe": name, "epochs": epochs, "seed": seed, "seconds": seconds, **correct})
            print(rows[-1], flush=True)
    with atomic_write(RESULTS) as written:
        pd.DataFrame(rows).to_csv(written, index=False)


if __name__ == "__main__":
    main()
