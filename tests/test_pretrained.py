"""The pretrained weights are as good as their model card says, and distillation learns from the teacher."""

import re
from pathlib import Path

import numpy as np

from mnist_nn import Mnist, Split, evaluate, load_pretrained, predict_probabilities
from mnist_nn.model import PRETRAINED
from mnist_nn.pretrained.__main__ import build_teacher, distill


def test_the_model_card_states_the_measured_accuracy(mnist):
    card = Path(PRETRAINED.parent, "README.md").read_text(encoding="utf-8")
    stated = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) of (?:5|10),000", card)]
    model = load_pretrained()
    assert stated == [evaluate(model, split).correct for split in (mnist.validation, mnist.test)]
    assert PRETRAINED.stat().st_size <= 500_000


def test_the_teacher_depends_on_the_seed_only(mnist):
    teacher = build_teacher(seed=1)
    assert teacher.count_params() == 66_778
    first, again, other = (
        predict_probabilities(model, mnist.train.images[:10])
        for model in (teacher, build_teacher(seed=1), build_teacher(seed=2))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_distillation_learns_from_the_teacher_instead_of_the_labels(trained, small, mnist):
    wrong = Split(small.images, (small.labels + 1) % 10)  # the labels must not be used
    part = mnist.validation[:1000]
    student = distill(trained[0], Mnist(wrong, part, part), seed=1, epochs=8, batch_size=64)
    agreement = evaluate(student, part).predicted == evaluate(trained[0], part).predicted
    assert agreement.mean() > 0.9
    assert evaluate(student, part).accuracy > 0.85
