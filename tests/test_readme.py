"""Check that the README and the other pages state what the files of the repository contain."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "notebooks" / "results"
PACKAGE = ROOT / "src" / "mnist_nn"
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = (PACKAGE / "pretrained" / "README.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / ".github").glob("*.md")),
    ROOT / "tests" / "benchmarks" / "README.md",
    PACKAGE / "pretrained" / "README.md",
    ROOT / "notebooks" / "GLOSSARY.md",
]
SEEDS = pd.read_csv(RESULTS / "seeds.csv").assign(accuracy=lambda runs: runs["test"] / 100)


def missing(sentences: list[str], page: str) -> list[str]:
    """Return the sentences that the page does not contain."""
    return [sentence for sentence in sentences if sentence not in page]


def test_readme_is_short():
    assert len(README.splitlines()) <= 130


@pytest.mark.parametrize(("recipe", "epochs"), [("ours", 17), ("ours", 5), ("textbook", 10)])
def test_result_table_matches_seeds(recipe, epochs):
    runs = SEEDS.query("recipe == @recipe and epochs == @epochs")
    accuracy, seconds = runs["accuracy"], runs["seconds"].median()
    score = f"{accuracy.mean():.2f} % ± {accuracy.std():.2f}"
    row = f"| {epochs} | {seconds:.0f} s | {score} | {accuracy.min():.2f} to {accuracy.max():.2f} % |"
    assert missing([row], README) == []
    assert sorted(runs["seed"]) == list(range(10))


def test_claims_hold_for_every_seed():
    default, five, textbook = (
        SEEDS.query("recipe == @recipe and epochs == @epochs")
        for recipe, epochs in [("ours", 17), ("ours", 5), ("textbook", 10)]
    )
    assert default["accuracy"].mean() >= 99.1
    assert default["accuracy"].min() > 99  # "more than 99 % ... for each of ten seeds"
    assert default["seconds"].median() <= 20
    assert five["accuracy"].min() >= 98.3
    assert five["seconds"].median() <= 5
    accuracy = textbook["accuracy"]
    claims = [
        f"the usual recipe reaches {accuracy.mean():.1f} %",
        f"their recipe reaches {accuracy.min():.1f} to {accuracy.max():.1f} %",
    ]
    assert missing(claims, README) == []


def test_ablation_matches_seeds():
    runs = SEEDS[SEEDS["recipe"].str.startswith("without ")].groupby("recipe")["accuracy"]
    assert (runs.count() == 5).all()
    assert runs.mean().idxmin() == "without augmentation"
    lowest = runs.get_group("without augmentation")
    score = f"{lowest.mean():.2f} % ± {lowest.std():.2f}"
    assert missing([f"The largest loss comes from removing augmentation, which leaves {score}"], README) == []


def letters_phrases() -> list[str]:
    """Return the phrases about both groups of printed letters and about photographs, as measured."""
    pictures = pd.read_csv(RESULTS / "pictures.csv", index_col="kind")
    percent = 100 * pictures["sure"] / pictures["pictures"]
    return [
        f"confidently misclassifies {percent['other letters']:.1f} % of printed letters that do not look like a digit",
        f"{percent['letters that look like a digit']:.1f} % of those that do",
        f"{percent['pieces of photographs']:.1f} % of pieces of photographs",
    ]


def test_picture_results_match_pictures():
    pictures = pd.read_csv(RESULTS / "pictures.csv", index_col="kind")
    rendered = pictures[pictures["pictures"] == 2000]  # the kinds made from 2,000 test digits each
    percent = 100 * rendered["correct"] / rendered["pictures"]
    sentences = [f"{percent.min():.2f} to {percent.max():.2f} % are classified correctly", *letters_phrases()]
    assert missing(sentences, README) == []


def test_real_handwriting_matches_its_counts():
    real = pd.read_csv(RESULTS / "handwriting.csv", index_col="set")
    photos, boxed, rows = real.loc["photos"], real.loc["boxed"], real.loc["rows"]
    sentence = (
        f"it read {photos['correct']} of {photos['pictures']} in photos, {boxed['correct']} of {boxed['pictures']} "
        f"in printed boxes and {rows['digits_correct']} of {rows['digits']} in photos of rows"
    )
    assert missing([sentence], README) == []
    single = real.loc[["photos", "cells", "boxed", "drawn"]]
    assert single["sure_wrong"].sum() == 0  # 04: "All of these answers that it calls sure are correct"
    assert (real["correct"] + real["sure_wrong"] <= real["pictures"]).all()


def pretrained_evidence() -> tuple[pd.Series, pd.Series]:
    """Return the pretrained weights' row in confidence.csv and their accuracy in per cent on corrupted images."""
    confidence = pd.read_csv(RESULTS / "confidence.csv").query("network == 'pretrained'").iloc[0]
    robustness = pd.read_csv(RESULTS / "robustness.csv").query("network == 'pretrained'")
    robustness = robustness.set_index(["corruption", "strength"])
    return confidence, 100 * robustness["correct"] / robustness["images"]


def test_pretrained_weights_are_trustworthy():
    confidence, accuracy = pretrained_evidence()
    assert confidence["calibration_error"] <= 0.004
    assert confidence["accepted"] >= 9_200
    assert confidence["wrong"] / confidence["accepted"] <= 0.001
    assert accuracy["shift", 2] >= 97.5
    assert accuracy["shift", 4] >= 65
    shifted = f"{accuracy['shift', 2]:.1f} % of the test images"
    assert missing([f"{shifted} are still classified correctly after a shift by 2 pixels"], README) == []


def test_model_card_matches_results():
    confidence, accuracy = pretrained_evidence()
    sentences = [
        f"| test | {confidence['correct']:,} of 10,000, {confidence['correct'] / 100:.2f} %",
        f"expected calibration error {100 * confidence['calibration_error']:.2f} %",
        f"a confidence threshold of {confidence['threshold']:.3f}, chosen on validation images",
        f"for at most 0.1 % errors: {confidence['accepted']:,} test images accepted",
        f"accepted, {confidence['wrong']} of them misclassified",
        f"by 2 pixels {accuracy['shift', 2]:.1f} %, by 4 pixels {accuracy['shift', 4]:.1f} %",
        f"a tenth of the contrast {accuracy['contrast', 0.1]:.1f} %",
        *letters_phrases(),
    ]
    assert missing(sentences, " ".join(CARD.split())) == []
    accuracies = re.findall(r"^\| test \|.*, ([\d.]+ % \(95 % interval .*?\))", CARD, re.MULTILINE)
    assert len(accuracies) == 1
    assert missing([f"reach {accuracies[0]}"], README) == []


LINKS = [
    (page, link) for page in PAGES for link in re.findall(r"\]\(((?!http)[^)#]+)\)", page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "link"), LINKS, ids=[f"{page.relative_to(ROOT)}:{link}" for page, link in LINKS])
def test_links_lead_to_files(page, link):
    assert (page.parent / link).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_name_existing_scripts(page):
    text = page.read_text(encoding="utf-8")
    modules = [name.replace(".", "/") for name in re.findall(r"python -m (tests\.[\w.]+)", text)]
    files = [f"{module}.py" for module in modules] + re.findall(r"pytest (tests[\w/.]*)", text)
    files += re.findall(r"notebooks/[\w./-]+\.\w+", text)
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_ci_runs_the_readme_command():
    commands = re.findall(r"^```bash\n(python -m venv .*)\n```$", README, re.MULTILINE)
    install = "python -m venv .venv && .venv/bin/pip install -r requirements.txt && "
    assert commands == [f"{install}.venv/bin/python -m mnist_nn train", f"{install}.venv/bin/pytest"]
    assert re.findall(r"^.*bin/pytest$", README, re.MULTILINE) == commands[1:]
    assert "grep -m1 'bin/pytest$' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_ci_runs_the_unit_tests_on_windows_and_macos():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (job,) = re.findall(r"^  unit:\n((?:    .*\n)+)", workflow, re.MULTILINE)
    assert "os: [windows-latest, macos-latest]" in job
    assert '- run: python -m pytest tests -m "not end_to_end"' in job


def file_tree() -> dict[Path, str]:
    """Return the path and the description of every entry of the README's file tree."""
    (block,) = re.findall(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    tree, folder = {}, ROOT
    for indent, name, description in re.findall(r"^( *)(\S+) +(.*)$", block, re.MULTILINE):
        path = (folder if indent else ROOT) / name
        if not indent:
            folder = path
        tree[path] = description
    return tree


def test_tree_names_only_existing_files():
    paths = set(file_tree())
    for path, description in file_tree().items():
        names = re.findall(r"[\w-]+/(?!\w)|\w+\.(?:md|py|toml|txt)\b", description)
        paths |= {path / name for name in names}
    assert [str(path) for path in paths if not path.exists()] == []


def test_tree_names_every_folder():
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    folders = [
        path
        for path in ROOT.iterdir()
        if path.is_dir() and path.name[0] not in "._" and not any(fnmatch(path.name, name) for name in ignored)
    ]
    named = {ROOT / path.relative_to(ROOT).parts[0] for path in file_tree()}
    assert set(folders) <= named
    assert {ROOT / ".ci", ROOT / ".github"} <= named


def test_tree_names_every_module():
    tree = file_tree()
    unnamed = []
    for path in sorted(PACKAGE.rglob("*.py")):
        folder = path.parent
        if folder == PACKAGE:
            named = path in tree or path.name == "__init__.py"
        else:
            words = re.findall(r"\w+", tree.get(folder, ""))
            named = folder in tree and (path.stem.startswith("_") or path.stem in words)
        if not named:
            unnamed.append(str(path.relative_to(PACKAGE)))
    assert unnamed == []


def test_every_requirement_is_bounded_and_has_a_reason():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"]
    assert {"notebooks", "test"} <= set(extras)
    for requirement in [*project["dependencies"], *(item for extra in extras.values() for item in extra)]:
        assert re.fullmatch(r"[\w-]+(\[\w+\])?>=[\d.]+,<[\d.]+", requirement), requirement
        assert re.search(rf'^ +"{re.escape(requirement)}", +# \S.*$', text, re.MULTILINE), f"no reason: {requirement}"


def test_requirements_install_the_package_with_its_extras():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == ["-e .[notebooks,test]"]


def test_citation_names_the_current_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = re.search(r'^__version__ = "(.*)"$', (PACKAGE / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\ntitle: {project['name']}\n" in citation
    assert f"\nversion: {version[1]}\n" in citation
