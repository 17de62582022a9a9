"""Measure how far networks can be trusted, ours beside the textbook's: `python tests/benchmarks/evidence.py`.

Writes notebooks/results/robustness.csv, how many test images are read right at every strength of every distortion, and
notebooks/results/confidence.csv, how good their confidence is. Five seeds a recipe, and the weights that ship; four
minutes on two cores.
"""

from pathlib import Path

import pandas as pd
from tests.benchmarks.measure_seeds import textbook_network

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
from mnist_nn._internal.files import replacing

RESULTS = Path(__file__).parents[2] / "notebooks" / "results"
SEEDS = range(5)


def trained(mnist, seed):
    """Return the network that `train` gives at its defaults."""
    model = build_model(seed)
    train(model, mnist.train, mnist.validation, seed=seed, verbose=0)
    return model


def networks(mnist):
    """Yield a name, a seed and a network for every network to be measured."""
    yield "pretrained", 0, load_pretrained()
    for name, recipe in {"train": trained, "textbook": textbook_network}.items():
        for seed in SEEDS:
            yield name, seed, recipe(mnist, seed)


def confidence(model, mnist):
    """Return how good the confidence of a network is: calibration, and what is answered within 0.1 % error."""
    validation, test = evaluate(model, mnist.validation), evaluate(model, mnist.test)
    chosen = select_confident(test, confidence_threshold(validation, budget=0.001))
    return {
        "correct": test.correct,
        "calibration_error": round(test.calibration_error, 6),
        "loss": round(test.loss, 6),
        "threshold": round(chosen.threshold, 6),
        "accepted": chosen.accepted,
        "wrong": chosen.wrong,
    }


def main():
    """Measure every network, showing each result as it comes, and write the tables."""
    mnist, robust, confident = load_mnist(), [], []
    for name, seed, model in networks(mnist):
        key = {"network": name, "seed": seed}
        confident.append(key | confidence(model, mnist))
        table = measure_robustness(model, mnist.test).drop(columns="accuracy")
        robust.append(table.assign(**key)[[*key, *table]])
        print(confident[-1], flush=True)
    for file, table in {"robustness.csv": pd.concat(robust), "confidence.csv": pd.DataFrame(confident)}.items():
        with replacing(RESULTS / file) as written:
            table.to_csv(written, index=False)


if __name__ == "__main__":
    main()
