"""The specs that train: as they stand they load, lower their loss, and reach what docs/training.md says of them."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import graphspec as gs
from graphspec.loader import train_section

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "specs" / "networks"
PAGE = ROOT / "docs" / "training.md"
SPECS = sorted(path.stem for path in FOLDER.glob("*.yaml") if "\ntrain:" in path.read_text(encoding="utf-8"))


def program(name: str) -> gs.Program:
    return gs.load(FOLDER / f"{name}.yaml")


def reached(name: str) -> dict[str, float]:
    """Train a spec as its file says; return the record of the last epoch."""
    return program(name).train().records[-1]


def test_the_specs_are_those_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.peers import PEERS

    assert set(PEERS) == set(SPECS)
    text = PAGE.read_text(encoding="utf-8")
    assert not [name for name in SPECS if f"graphspec train specs/networks/{name}.yaml" not in text]


@pytest.mark.parametrize("name", SPECS)
def test_an_epoch_or_two_lower_the_loss(name: str) -> None:
    trained = program(name)
    training = trained.trainer(epochs=2)
    before = trained.evaluate(training.data, ["loss"])["loss"]
    history = trained.finish(training)
    assert trained.evaluate("train", ["loss"])["loss"] < before
    wanted = set(train_section(trained.model.function).metrics)
    assert wanted
    assert wanted <= history.records[-1].keys()
    assert name == "xor" or {f"validation.{metric}" for metric in wanted} <= history.records[-1].keys()


# -- what they reach on rows that they have not seen ----------------------------------------------------------------


def test_xor_is_learned() -> None:
    record = reached("xor")
    assert record["loss"] < 1e-6
    assert record["accuracy"] == 1


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("two_moons", 0.97),
        ("iris_linear", 0.93),
        ("iris_mlp", 0.93),
        ("breast_cancer_linear", 0.97),
        ("breast_cancer_mlp", 0.97),
        ("digits_linear", 0.95),
        ("digits_mlp", 0.97),
        ("digits_cnn", 0.985),
    ],
)
def test_accuracy(name: str, least: float) -> None:
    assert reached(name)["validation.accuracy"] >= least


def test_diabetes_is_no_worse_than_least_squares() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    trained = program("diabetes_linear")
    record = trained.train().records[-1]
    rows = {part: next(trained.rows(part).batches(None)) for part in ("train", "validation")}
    solved = linear_model.LinearRegression().fit(rows["train"]["patient"], rows["train"]["progression"])
    r2 = solved.score(rows["validation"]["patient"], rows["validation"]["progression"])
    assert record["validation.r2"] >= r2 - 1e-9
    assert trained.parameters["weight"] == pytest.approx(solved.coef_, rel=1e-5)


def test_digits_are_drawn_from_their_code() -> None:
    assert reached("digits_autoencoder")["validation.explained"] > 0.75


# -- the data ---------------------------------------------------------------------------------------------------------


def test_the_files_are_those_that_the_script_writes(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    found = importlib.util.spec_from_file_location("export", ROOT / "specs" / "data" / "export.py")
    assert found is not None
    assert found.loader is not None
    export = importlib.util.module_from_spec(found)
    found.loader.exec_module(export)
    export.main(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in (FOLDER / "data").iterdir()}
    assert set(kept) - set(written) == {"xor.csv"}
    assert [name for name, content in written.items() if kept.get(name) != content] == []


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "diabetes", "digits"])
def test_a_fifth_is_held_out(name: str) -> None:
    lines = {part: (FOLDER / "data" / f"{name}_{part}.csv").read_text().splitlines()[1:] for part in ("train", "test")}
    share = len(lines["test"]) / (len(lines["train"]) + len(lines["test"]))
    assert share == pytest.approx(0.2, abs=0.005)


# -- the page ---------------------------------------------------------------------------------------------------------

TIMES = re.compile(r"[\d.]+ (ms|s)\b|\d+ rows/s")


def test_the_first_training_prints_what_the_page_shows(tmp_path: Path) -> None:
    """The commands of the section are run one after another in a folder that has only the specs; times may differ."""
    ignored = shutil.ignore_patterns("runs")
    shutil.copytree(FOLDER, tmp_path / "specs" / "networks", ignore=ignored)
    section = PAGE.read_text(encoding="utf-8").partition("## A first training")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```text\n\$ (.*)\n((?:.*\n)*?)```$", section, flags=re.MULTILINE)
    assert len(blocks) == 5
    for command, shown in blocks:
        words = [sys.executable, "-m", *shlex.split(command.partition(" | ")[0])]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        printed = (done.stderr + done.stdout).splitlines()
        assert len(printed) == len(shown.splitlines()) or "| head" in command
        for line, found in zip(shown.splitlines(), printed, strict=False):
            assert same(line, found), f"{command}: {found}"


def same(line: str, found: str) -> bool:
    """Tell whether two lines have the same words, and numbers that are equal in three digits; times may differ."""
    pair = [re.split(r"[\s,;]+", TIMES.sub("", text).strip()) for text in (line, found)]
    timed = len(pair[0]) == 6 and pair[0][0].isdigit()  # a row of the table, which ends in seconds
    words, others = (text[: -1 if timed else None] for text in pair)
    return len(words) == len(others) and all(map(equal, words, others))


def equal(a: str, b: str) -> bool:
    try:
        return float(a) == pytest.approx(float(b), rel=1e-3)
    except ValueError:
        return a == b
