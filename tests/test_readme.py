"""What the README states is what the files say."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_results_is_that_of_the_seeds():
    seeds = pd.read_csv(ROOT / "notebooks" / "results" / "seeds.csv")
    for (_, epochs), runs in seeds.groupby(["recipe", "epochs"]):
        assert sorted(runs["seed"]) == list(range(10))
        accuracy = runs["test"] / 100
        row = (
            f"| {epochs} | {runs['seconds'].median():.0f} s | {accuracy.mean():.2f} % ± {accuracy.std():.2f} "
            f"| {accuracy.min():.2f} to {accuracy.max():.2f} % |"
        )
        assert row in README, f"the README's table lacks {row}"


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
