"""Measure confidence and robustness of our networks and the textbook's: `python -m tests.benchmarks.measure_evidence`.

It writes notebooks/results/confidence.csv (calibration and selective prediction) and notebooks/results/robustness.csv
(the number of correctly classified test images at every strength of every corruption). It measures the pretrained
weights and five seeds of each recipe, which takes about four minutes on two cores.
"""

from pathlib import Path

import pandas as pd

from mnist_nn import (
    build_model,
    confidence_threshold,
    evaluate,
    load_mnist,
    load_pretrained,
    measure_robustness,
    select_confident,
    train,
)
from mnist_nn._internal.files import atomic_write
from mnist_nn.pretrained.__main__ import SEED
from tests.benchmarks.measure_seeds import textbook_network

RESULTS = Path(__file__).parents[2] / "notebooks" / "results"
SEEDS = range(5)  # of the others


def trained(mnist, seed):
    """Return a network trained by `train` with its default settings."""
    model = build_model(seed)
    train(model, mnist.train, mnist.validation, seed=seed, verbose=0)
    return model


def networks(mnist):
    """Yield the name, the seed and the model of every network to be measured."""
    yield "pretrained", SEED, load_pretrained()
    for name, recipe in {"train": trained, "textbook": textbook_network}.items():
        for seed in SEEDS:
            yield name, seed, recipe(mnist, seed)


def measure_confidence(model, mnist):
    """Return the calibration of a network on the test images, and its selection for an error budget of 0.1 %."""
    validation, test = evaluate(model, mnist.validation), evaluate(model, mnist.test)
    selection = select_confident(test, confidence_threshold(validation, budget=0.001))
    return {
        "correct": test.correct,
        "calibration_error": round(test.calibration_error, 6),
        "loss": round(test.loss, 6),
        "threshold": round(selection.threshold, 6),
        "accepted": selection.accepted,
        "wrong": selection.wrong,
    }


def main():
    """Measure every network, print each result at once, and write the tables."""
    mnist, robustness, confidence = load_mnist(), [], []
    for name, seed, model in networks(mnist):
        key = {"network": name, "seed": seed}
        confidence.append(key | measure_confidence(model, mnist))
        table = measure_robustness(model, mnist.test).drop(columns="accuracy")
        robustness.append(table.assign(**key)[[*key, *table]])
        print(confidence[-1], flush=True)
    for file, table in {"robustness.csv": pd.concat(robustness), "confidence.csv": pd.DataFrame(confidence)}.items():
        with atomic_write(RESULTS / file) as written:
            table.to_csv(written, index=False)


if __name__ == "__main__":
    main()
