"""What the README states is what the files say."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


SEEDS = pd.read_csv(ROOT / "notebooks" / "results" / "seeds.csv").assign(accuracy=lambda runs: runs["test"] / 100)


def test_the_table_of_results_is_that_of_the_seeds():
    for (recipe, epochs), runs in SEEDS.groupby(["recipe", "epochs"]):
        accuracy, seconds = runs["accuracy"], f"{runs['seconds'].median():.0f} s"
        score = f"{accuracy.mean():.2f} % ± {accuracy.std():.2f}"
        if recipe in ("ours", "textbook"):
            row = rf"\| {epochs} \| {seconds} \| {score} \| {accuracy.min():.2f} to {accuracy.max():.2f} % \|"
        else:
            row = rf"\| .*{recipe}.* \| {seconds} \| {score} \|"
        assert re.search(row, README), f"the README's tables lack {row}"
        assert sorted(runs["seed"]) == list(range(10 if recipe in ("ours", "textbook") else 5))


def test_the_promises_hold_for_every_seed():
    default, five = (SEEDS.query("recipe == 'ours' and epochs == @epochs") for epochs in (17, 5))
    assert default["accuracy"].mean() >= 99.1
    assert default["accuracy"].min() >= 98.9
    assert default["seconds"].median() <= 20
    assert five["accuracy"].min() >= 98.3
    assert five["seconds"].median() <= 5


def test_what_is_said_of_pictures_is_what_was_counted():
    pictures = pd.read_csv(ROOT / "notebooks" / "results" / "pictures.csv", index_col="kind")
    percent = 100 * pictures["right"] / pictures["pictures"]
    hard = percent.index.str.contains("pen|hard shadow")
    of_test = pictures["pictures"] == 2000
    said = [
        f"{percent[of_test & ~hard].min():.1f} to {percent[of_test & ~hard].max():.1f} % are read right",
        f"hard shadow {percent[hard].min():.1f} to {percent[hard].max():.1f} %",
        f"of rows of five digits {percent['rows of 5 digits']:.1f} %",
        f"takes {100 * pictures.loc['letters', 'sure'] / pictures.loc['letters', 'pictures']:.1f} % for a digit",
    ]
    assert [words for words in said if words not in README] == []


NETWORKS = ["pretrained", "train", "textbook"]  # the columns of the table of evidence
EVIDENCE = {
    "moved by 2 pixels": ("shift", 2),
    "moved by 4 pixels": ("shift", 4),
    "turned by 30 degrees": ("rotation", 30),
    "0.6 times the size": ("scale", 0.6),
    "noise of 50 grey values": ("noise", 50),
    "a tenth of the contrast": ("contrast", 0.1),
}


def evidence():
    """What was measured, in per cent, means over seeds: a row for each row of the README's table."""
    confidence = pd.read_csv(ROOT / "notebooks" / "results" / "confidence.csv")
    confidence["wrong"] /= confidence["accepted"]
    confidence["accepted"] /= 10_000
    columns = {"calibration_error": "expected calibration error", "accepted": "answered, if", "wrong": "of these wrong"}
    table = confidence.groupby("network")[list(columns)].mean().rename(columns=columns)
    robust = pd.read_csv(ROOT / "notebooks" / "results" / "robustness.csv")
    robust["accuracy"] = robust["correct"] / robust["images"]
    means = robust.pivot_table("accuracy", "network", ["distortion", "strength"])
    return 100 * table.assign(**{words: means[key] for words, key in EVIDENCE.items()}).T[NETWORKS]


def test_the_evidence_is_what_was_measured():
    for words, row in evidence().iterrows():
        digits = 2 if row.name in ("expected calibration error", "of these wrong") else 1
        cells = r" \| ".join(f"{value:.{digits}f} %" for value in row)
        assert re.search(rf"^\| .*{words}.*\| {cells} \|$", README, re.MULTILINE), f"the README lacks {words}: {cells}"


def test_the_shipped_weights_can_be_trusted_that_far():
    shipped = evidence()["pretrained"]
    assert shipped["expected calibration error"] <= 0.4
    assert shipped["answered, if"] >= 92
    assert shipped["of these wrong"] <= 0.1
    assert shipped["moved by 2 pixels"] >= 97.5
    assert shipped["moved by 4 pixels"] >= 65


def test_the_model_card_says_the_same():
    card = (ROOT / "src" / "mnist_nn" / "pretrained" / "README.md").read_text(encoding="utf-8")
    shipped = evidence()["pretrained"]
    confidence = pd.read_csv(ROOT / "notebooks" / "results" / "confidence.csv").query("network == 'pretrained'").iloc[0]
    said = [
        f"expected calibration error {shipped['expected calibration error']:.2f} %",
        f"validation, {confidence['threshold']:.3f}, for at most 0.1 % wrong answers: {confidence['accepted']:,}",
        f"answered, {confidence['wrong']} of these wrong",
        f"by 2 pixels {shipped['moved by 2 pixels']:.1f} %, by 4 pixels {shipped['moved by 4 pixels']:.1f} %",
        f"a tenth of the contrast {shipped['a tenth of the contrast']:.1f} %",
    ]
    assert [words for words in said if words not in card] == []


@pytest.mark.parametrize("path", re.findall(r"\]\(((?!http)[^)#]+)\)", README))
def test_links_lead_somewhere(path):
    assert (ROOT / path).exists()


def test_ci_runs_the_readmes_own_command():
    commands = re.findall(r"^python -m venv .*bin/pytest$", README, re.MULTILINE)
    assert len(commands) == 1
    assert "grep -m1 'bin/pytest$' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_requirement_is_bounded_and_has_its_reason():
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "-e")):
            assert re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+ +# .+", line), line
