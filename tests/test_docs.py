"""The pages a stranger reads are run: examples, commands with their output, Python, and the recipe for an op."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from graphspec.errors import SpecError
from graphspec.program import loads

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```([\w-]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(#[\w-]+)?\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, its language, its text and its line."""

    page: Path
    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.page.stem}-{self.line}"


def blocks(*languages: str, pages: list[Path] = PAGES) -> list[Block]:
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match[1] in languages:
                found.append(Block(page, match[1], match[2], text.count("\n", 0, match.start()) + 1))
    return found


SPECS = [block for block in blocks("yaml") if "graphspec: 1" in block.text and block.page.name != "errors.md"]


def test_every_page_has_only_blocks_that_are_run() -> None:
    known = {"yaml", "python", "console", "sh", "text"}
    pages = [page for page in PAGES if page.name != "errors.md"]
    assert {match[1] for page in pages for match in FENCE.finditer(page.read_text(encoding="utf-8"))} <= known
    assert [block.page.name for block in blocks("sh")] == ["README.md"]


@pytest.mark.parametrize("block", SPECS, ids=str)
def test_examples_load_or_fail_as_they_say(block: Block) -> None:
    if block.text.startswith("# expect: "):
        with pytest.raises(SpecError) as info:
            loads(block.text)
        codes = [found.code for found in info.value.diagnostics]
        assert codes == block.text.splitlines()[0].removeprefix("# expect: ").split(", ")
        return
    program = loads(block.text)
    if all(item.default is not None for item in program.model.inputs.values()):
        result = program.backprop() if program.model.of else program.run()
        assert list(result.outputs) == list(program.outputs)


@pytest.mark.parametrize("block", SPECS, ids=str)
def test_examples_are_valid_by_the_schema_where_their_structure_is(block: Block) -> None:
    import jsonschema

    from graphspec.schema import document_schema
    from graphspec.source import read_text

    first = block.text.splitlines()[0]
    if not first.startswith(("# expect: GS1", "# expect: GS2")):
        assert jsonschema.Draft202012Validator(document_schema()).is_valid(read_text(block.text).data)


def run(command: str) -> str:
    """Run a command line of a page in the root of the checkout; return what it prints on stdout."""
    words = shlex.split(command)
    if words[0] == "graphspec":
        words = [sys.executable, "-m", *words]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_commands_print_what_is_shown(block: Block) -> None:
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)[1:]
    assert parts
    for command, output in zip(parts[::2], parts[1::2], strict=True):
        assert run(command).rstrip() == output.rstrip()


@pytest.mark.parametrize(
    "block",
    [block for block in blocks("python") if block.page.name not in ("adding-an-op.md", "callbacks.md")],
    ids=str,
)
def test_python_runs(block: Block) -> None:
    done = subprocess.run(
        [sys.executable, "-"], input=block.text, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = [line.partition("# ")[2] for line in block.text.splitlines() if line.lstrip().startswith("print(")]
    assert done.stdout.splitlines() == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path = (page.parent / target).resolve()
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
            assert anchor[1:] in slugs, anchor


# -- docs/adding-an-op.md --------------------------------------------------------------------------------------------

RECIPE = ROOT / "docs" / "adding-an-op.md"


def test_the_recipe_for_an_op_works(tmp_path: Path) -> None:
    for part in ("graphspec", "tests", "schemas"):
        ignored = shutil.ignore_patterns("__pycache__", "specs")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    files = [block for block in blocks("python", pages=[RECIPE]) if block.text.startswith("# ")]
    assert len(files) == 2
    for block in files:
        first, _, code = block.text.partition("\n")
        path = tmp_path / first.removeprefix("# ")
        path.write_text(path.read_text(encoding="utf-8") + "\n" + code, encoding="utf-8")
    for block in blocks("text", pages=[RECIPE]):
        for command in block.text.splitlines():
            line = re.sub(
                r"^(python|graphspec)", lambda m: "python -m graphspec" if m[1] == "graphspec" else m[1], command
            )
            line = line.replace("python", shlex.quote(sys.executable), 1)
            environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
            done = subprocess.run(
                line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            if "pytest" in command:
                assert re.search(r"\d{2} passed|\.{10}", done.stdout), done.stdout
    schema = json.loads((tmp_path / "schemas" / "graphspec.schema.json").read_text(encoding="utf-8"))
    assert "op.sinc" in schema["$defs"]
    assert "sin(pi * x)" in done.stdout


def test_the_class_in_the_recipe_is_the_real_one() -> None:
    shown = [block for block in blocks("python", pages=[RECIPE]) if not block.text.startswith("# ")]
    assert len(shown) == 1
    assert shown[0].text in (ROOT / "graphspec" / "ops" / "tiling.py").read_text(encoding="utf-8")
