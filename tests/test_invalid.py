"""Invalid specs: each states on its first line which codes it must give and where.

``# expect: GS402 at 14:9`` is one diagnostic at line 14, column 9 of the file; several are separated by commas, and
one in another file is written ``GS113 at parts/back.yaml:2:18``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphspec.cli import main
from graphspec.codes import CODES
from graphspec.errors import Diagnostic, GraphSpecError, NotDifferentiableError, SpecError
from graphspec.program import load

FOLDER = Path(__file__).resolve().parent / "specs" / "invalid"
SPECS = sorted(FOLDER.glob("*.yaml"))
EXPECTED = re.compile(r"(GS\d{3}) at (?:([\w/]+\.yaml):)?(\d+):(\d+)")
# What no file alone can give: the engine, feeds, running, training; and what only a caller's names can miss.
FROM_OUTSIDE = {"GS504", "GS505"}


def expected(path: Path) -> list[tuple[str, str, int, int]]:
    """Return code, file, line and column of every diagnostic that a spec must give, in order."""
    first = path.read_bytes().splitlines()[0].decode("utf-8")
    assert first.startswith("# expect: ")
    items = first.removeprefix("# expect: ").split(", ")
    found = [EXPECTED.fullmatch(item) for item in items]
    assert all(found), first
    return [(m[1], m[2] or path.name, int(m[3]), int(m[4])) for m in found if m]


def diagnostics(path: Path) -> tuple[Diagnostic, ...]:
    """Load and differentiate a spec; return what is wrong with it."""
    try:
        program = load(path)
    except SpecError as error:
        return error.diagnostics
    with pytest.raises(NotDifferentiableError) as info:
        program.backprop()
    return info.value.diagnostics


def place(diagnostic: Diagnostic) -> tuple[str, str, int, int]:
    where = diagnostic.where
    assert where is not None, diagnostic
    file = Path(where.file).resolve().relative_to(FOLDER).as_posix()
    return diagnostic.code, file, where.line, where.column


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_codes_and_places(path: Path) -> None:
    assert [place(found) for found in diagnostics(path)] == expected(path)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_shows_its_line_with_a_caret(path: Path) -> None:
    for found in diagnostics(path):
        assert found.severity == "error"
        assert found.message
        where, lines = found.where, str(found).splitlines()
        assert where is not None
        assert lines[0] == f"{where.file}:{where.line}:{where.column}: {found.code} {found.message}"
        if found.code in ("GS108", "GS109"):  # the line may not be text at all
            continue
        gutter, _, caret = lines[2].partition("| ")
        assert not gutter.strip()
        assert re.fullmatch(r" *\^+", caret)
        excerpt = lines[1].partition("| ")[2]
        written = Path(where.file).read_text(encoding="utf-8").splitlines()[where.line - 1]
        assert excerpt.strip() in written.replace("\t", " ")
        assert excerpt[caret.index("^") :].startswith(written[where.column - 1 :][:1].replace("\t", " "))


def test_every_code_of_a_file_is_covered() -> None:
    covered = {code for path in SPECS for code, *_ in expected(path)}
    assert covered == {code for code in CODES if code < "GS600"} - FROM_OUTSIDE


def test_the_errors_are_ours() -> None:
    assert issubclass(SpecError, GraphSpecError)
    assert issubclass(SpecError, ValueError)
    assert issubclass(NotDifferentiableError, GraphSpecError)
    assert issubclass(NotDifferentiableError, TypeError)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_command_line_returns_1(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert all(f":{line}:{column}: {code}" in err for code, _, line, column in expected(path))
    assert "Traceback" not in err


@pytest.mark.parametrize("stage", "12345")
def test_the_process_exits_with_1(stage: str) -> None:
    path = next(path for path in SPECS if f"GS{stage}" in expected(path)[0][0])
    command = [sys.executable, "-m", "graphspec", "run", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert expected(path)[0][0] in done.stderr
    assert "Traceback" not in done.stderr
