"""The weights that ship are what their model card says, and their teacher is one."""

import re
from pathlib import Path

from mnist_nn import evaluate, load_pretrained, predict_probabilities
from mnist_nn.network import PRETRAINED
from mnist_nn.pretrained.__main__ import build_teacher


def test_the_shipped_weights_are_as_good_as_their_card_says(mnist):
    card = Path(PRETRAINED.parent, "README.md").read_text(encoding="utf-8")
    stated = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) of (?:5|10),000", card)]
    model = load_pretrained()
    assert stated == [evaluate(model, split).correct for split in (mnist.validation, mnist.test)]
    assert PRETRAINED.stat().st_size <= 500_000


def test_the_teacher(mnist):
    teacher = build_teacher(seed=1)
    assert teacher.count_params() == 66_778
    probabilities = predict_probabilities(teacher, mnist.train.images[:10])
    again = predict_probabilities(build_teacher(seed=1), mnist.train.images[:10])
    assert (probabilities == again).all()
