"""Measure how often networks take other pictures for digits: `python -m tests.benchmarks.measure_non_digits`.

It writes notebooks/results/non_digits.csv: for five networks trained with non-digits and five trained without, how many
pictures without a digit were accepted as one. Every network accepts the same share of the validation digits, so that
no network gains by being less confident about everything. It takes about two minutes on two cores.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mnist_nn import NonDigits, build_model, load_mnist, prepare_image, train
from mnist_nn._internal.files import atomic_write
from mnist_nn.pictures.prediction import mean_probabilities
from tests.benchmarks.measure_pictures import letters, photos, scribbles, textures

RESULTS = Path(__file__).parents[2] / "notebooks" / "results" / "non_digits.csv"
SEEDS = range(5)
COVERAGE = 0.95  # of the validation digits


def pictures(mnist):
    """Return pictures without a digit, prepared for the network, by kind."""
    mirrored = mnist.test.images[np.isin(mnist.test.labels, [2, 3, 4, 5, 6, 7, 9])][:500, :, ::-1]
    kinds = {
        "letters that look like a digit": letters(look_alike=True),
        "other letters": letters(look_alike=False),
        "mirrored test digits": mirrored,
        "scribbles": scribbles(np.random.default_rng(0)),
        "textures": textures(np.random.default_rng(0)),
        "pieces of photographs": photos(np.random.default_rng(0)),
    }
    return {kind: np.array([prepare_image(picture) for picture in made]) for kind, made in kinds.items()}


def main():
    """Train the networks, print each result at once, and write the table."""
    mnist, rows = load_mnist(), []
    prepared = pictures(mnist)
    for name, non_digits in {"with non-digits": NonDigits(), "without non-digits": None}.items():
        for seed in SEEDS:
            model = build_model(seed)
            train(model, mnist.train, mnist.validation, non_digits=non_digits, seed=seed, verbose=0)
            digits = mean_probabilities(model, mnist.validation.images).max(axis=1)
            threshold = np.quantile(digits, 1 - COVERAGE)
            for kind, images in prepared.items():
                accepted = int((mean_probabilities(model, images).max(axis=1) >= threshold).sum())
                rows.append(
                    {"network": name, "seed": seed, "kind": kind, "pictures": len(images), "accepted": accepted}
                )
                print(rows[-1], flush=True)
    with atomic_write(RESULTS) as written:
        pd.DataFrame(rows).to_csv(written, index=False)


if __name__ == "__main__":
    main()
