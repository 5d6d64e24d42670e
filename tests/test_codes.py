"""The error codes: all that are used are explained, all examples are wrong in the way they say, docs are up to date."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from graphspec.cli import main
from graphspec.codes import CODES, STAGES, errors_markdown, explanation

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "graphspec"
CODE = re.compile(r"GS[1-6]\d\d")
WITHOUT_FAILURE = {"GS505", "GS661", "GS662", "GS663", "GS665", "GS666"}  # notes and warnings
WITH_EXAMPLE = [code for code, entry in CODES.items() if entry.example]


def used_codes() -> set[str]:
    """Return every code that stands as a string in the package, its explanations left out."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name != "codes":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            found |= {text for text in strings if isinstance(text, str) and CODE.fullmatch(text)}
    return found


def test_codes_that_are_used_are_explained_and_the_other_way_round() -> None:
    assert used_codes() == set(CODES)


def test_codes_that_are_mentioned_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in [*PACKAGE.rglob("*.py"), *(ROOT / "docs").glob("*.md")]]
    assert {code for text in texts for code in CODE.findall(text)} <= set(CODES)


def test_each_code_stands_under_its_stage_in_order() -> None:
    assert list(CODES) == sorted(CODES)
    for stage, entries in STAGES.items():
        assert all(code[2] == stage[2] for code in entries)


@pytest.mark.parametrize("code", CODES)
def test_entries_are_complete(code: str) -> None:
    entry = CODES[code]
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.explanation.endswith(".")
    assert entry.remedy.endswith((".", "]."))
    assert len(entry.example.splitlines()) <= 6


@pytest.mark.parametrize("code", WITH_EXAMPLE)
def test_examples_give_their_code(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = CODES[code]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(entry.example + "\n", encoding="utf-8")
    program, *arguments = shlex.split(entry.command or "graphspec run spec.yaml")
    assert program == "graphspec"
    assert main(arguments) == (0 if code in WITHOUT_FAILURE else 1)
    shown = capsys.readouterr()
    heads = re.findall(r"^(?:[\w./]+:\d+:\d+: |note: )?(GS\d{3}) ", shown.err, re.MULTILINE)
    heads += re.findall(r"^(?:error|warning|note) (GS\d{3}) ", shown.out, re.MULTILINE)  # of `graphspec doctor`
    assert set(heads) == {code}


def test_most_codes_have_an_example() -> None:
    assert set(CODES) - set(WITH_EXAMPLE) == {
        *("GS104", "GS108", "GS612"),
        *("GS615", "GS637", "GS638", "GS645", "GS646"),  # these need a log, or Python
        "GS639",  # this needs a file of data
        *("GS650", "GS652", "GS653", "GS654", "GS655", "GS656"),  # these need checkpoints
    }


def test_the_page_is_up_to_date() -> None:
    """Write it with: python -c 'import graphspec.codes as c; print(c.errors_markdown(), end="")' > docs/errors.md"""
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == errors_markdown()


@pytest.mark.parametrize("width", [40, 88])
def test_explanations_fit_the_width(width: int) -> None:
    for code, entry in CODES.items():
        verbatim = {line.strip() for line in f"{entry.example}\n{entry.command}\n$ {entry.command}".splitlines()}
        title, *lines = explanation(code, width).splitlines()
        assert title == f"{code}: {entry.title}"
        assert all(len(line) <= width for line in lines if line.strip() not in verbatim)


def test_explaining_is_cheap() -> None:
    heavy = ("numpy", "networkx", "yaml", "jsonschema", "rich", "safetensors")
    program = (
        "import sys; from graphspec.cli import main; assert main(['explain', 'GS402']) == 0; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
