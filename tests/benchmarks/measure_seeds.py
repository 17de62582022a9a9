"""Measure accuracy and training time over seeds, ours beside others: `python tests/benchmarks/seeds.py [RECIPE ...]`.

Writes notebooks/results/seeds.csv, from which the README's table and 05-compare are made. Takes a quarter of an hour on
two cores; run nothing beside it. Each network is scored on the test images once, after its training; of ours
the first seed prepares the steps, and the others run them.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neural_network import MLPClassifier

from mnist_nn import Augmentation, build_model, load_mnist, predict_probabilities, train
from mnist_nn._internal.tensorflow import keras
from mnist_nn._internal.files import replacing
from mnist_nn.training import muon, warmup_cosine

RESULTS = Path(__file__).parents[2] / "notebooks" / "results" / "seeds.csv"
EPOCHS = 17


def ours(mnist, seed, optimizer=None, **settings):
    """Return how the network trained by `train` answers images. optimizer: makes one for a model."""
    model = build_model(seed)
    if optimizer is not None:
        settings["optimizer"] = optimizer(model)
    train(model, mnist.train, mnist.validation, seed=seed, verbose=0, **settings)
    return lambda images: predict_probabilities(model, images).argmax(axis=1)


def adamw(model):
    """Return the best AdamW of six tried on validation images, for seeds 0 to 2."""
    steps = EPOCHS * (55_000 // 2048)
    return keras.optimizers.AdamW(warmup_cosine(0.07, steps), weight_decay=0.2)


def constant(model):
    """Return Muon at the best constant rate of four tried on validation images, for seeds 0 to 2."""
    return muon(model, 0.01, weight_decay=0.2)


def textbook_network(mnist, seed, callbacks=()):
    """Return the same network, trained as tutorials do: Keras' defaults, Adam at 0.001, batches of 32, 10 epochs."""
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
    """Return how the network trained as tutorials do answers images."""
    model = textbook_network(mnist, seed)
    return lambda images: predict_probabilities(model, images).argmax(axis=1)


def scikit_learn(mnist, seed):
    """Return how scikit-learn's network of the same size answers after 20 epochs at its defaults."""
    network = MLPClassifier((128, 64), random_state=seed)
    for _ in range(20):
        network.partial_fit(_flat(mnist.train.images), mnist.train.labels, classes=range(10))
    return lambda images: network.predict(_flat(images))


def _flat(images):
    return images.reshape(-1, 784).astype(np.float32) / 255


# name, how, settings, epochs, seeds
RECIPES = [
    ("ours", ours, {}, EPOCHS, 10),
    ("ours", ours, {"epochs": 5}, 5, 10),
    ("textbook", textbook, {}, 10, 10),
    ("scikit-learn", scikit_learn, {}, 20, 5),
    ("without warps", ours, {"augmentation": None}, EPOCHS, 5),
    ("without elastic", ours, {"augmentation": Augmentation(elastic=0)}, EPOCHS, 5),
    ("without decline", ours, {"augmentation": Augmentation(final_strength=1)}, EPOCHS, 5),
    ("without Muon", ours, {"optimizer": adamw}, EPOCHS, 5),
    ("without schedule", ours, {"optimizer": constant}, EPOCHS, 5),
    ("without weight decay", ours, {"weight_decay": 0}, EPOCHS, 5),
]


def main():
    """Run every recipe on every seed, or those of the names given, show each result, and write the table."""
    names = sys.argv[1:] or [name for name, *_ in RECIPES]
    earlier = pd.read_csv(RESULTS).to_dict("records") if sys.argv[1:] else []
    mnist, rows = load_mnist(), []
    for name, recipe, settings, epochs, seeds in RECIPES:
        if name not in names:
            rows += [row for row in earlier if (row["recipe"], row["epochs"]) == (name, epochs)]
            continue
        for seed in range(seeds):
            start = time.perf_counter()
            answer = recipe(mnist, seed, **settings)
            seconds = round(time.perf_counter() - start, 1)
            splits = {"validation": mnist.validation, "test": mnist.test}
            correct = {key: int((answer(split.images) == split.labels).sum()) for key, split in splits.items()}
            rows.append({"recipe": name, "epochs": epochs, "seed": seed, "seconds": seconds, **correct})
            print(rows[-1], flush=True)
    with replacing(RESULTS) as written:
        pd.DataFrame(rows).to_csv(written, index=False)


if __name__ == "__main__":
    main()
