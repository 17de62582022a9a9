"""The pretrained weights are as good as their model card says, and their recipe is plain training."""

import re
from pathlib import Path

import numpy as np
import pytest

from mnist_nn import Mnist, evaluate, load_pretrained
from mnist_nn.model import PRETRAINED
from mnist_nn.pretrained.__main__ import main, train_network


def test_the_model_card_states_the_measured_accuracy(mnist):
    card = Path(PRETRAINED.parent, "README.md").read_text(encoding="utf-8")
    stated = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) of (?:5|10),000", card)]
    model = load_pretrained()
    assert stated == [evaluate(model, split).correct for split in (mnist.validation, mnist.test)]
    assert PRETRAINED.stat().st_size <= 500_000


def test_another_file_name_is_refused_before_training(capsys):
    with pytest.raises(SystemExit):
        main(["weights.h5"])
    assert "must end in .weights.h5, not weights.h5" in capsys.readouterr().err


def test_the_recipe_depends_on_the_seed_only_and_needs_no_test_images(small, mnist, blank):
    part = mnist.validation[:1000]
    models = [
        train_network(Mnist(small, part, blank), seed=seed, epochs=20, synthetic=200, verbose=0) for seed in (1, 1, 2)
    ]
    first, again, other = (model.get_weights() for model in models)
    assert all(map(np.array_equal, first, again))
    assert not np.array_equal(first[0], other[0])
    assert evaluate(models[0], part).accuracy > 0.88
