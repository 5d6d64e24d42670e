"""What the tests of the language rules share: specs as short texts, and what is found in them."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

import graphspec as gs
from graphspec.errors import Diagnostic, GraphSpecError


def spec(text: str) -> str:
    """Return a document; its first line, the version, is line 1, so the text given begins at line 2."""
    return "graphspec: 1\n" + dedent(text).strip("\n") + "\n"


def program(text: str, **facts: Any) -> gs.Program:
    """Load a text without its version line; keywords are those of `loads`."""
    return gs.loads(spec(text), **facts)


def value(text: str, name: str = "f", **facts: Any) -> Any:
    """Return a value of a run as Python numbers and lists."""
    return program(text, **facts).run()[name].tolist()


def dtype(text: str, name: str = "f", **facts: Any) -> str:
    """Return the dtype of a value of a run."""
    return str(program(text, **facts).run()[name].dtype)


def paths(text: str, **facts: Any) -> list[str]:
    """Return the path of every listed value, in order."""
    return list(program(text, **facts).run().values)


def diagnostics(text: str, **facts: Any) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a spec."""
    with pytest.raises(gs.SpecError) as info:
        program(text, **facts)
    return info.value.diagnostics


def problems(text: str, **facts: Any) -> list[tuple[str, int, int]]:
    """Return code, line and column of everything that is wrong with a spec."""
    return [place(found) for found in diagnostics(text, **facts)]


def only(text: str, **facts: Any) -> Diagnostic:
    """Return the one thing that is wrong with a spec."""
    (found,) = diagnostics(text, **facts)
    return found


def failing(error: type[GraphSpecError], program: gs.Program, *feeds: Any, **inputs: Any) -> Diagnostic:
    """Return the one thing that is wrong with a run."""
    with pytest.raises(error) as info:
        program.run(*feeds, **inputs)
    (found,) = info.value.diagnostics
    return found


def place(found: Diagnostic) -> tuple[str, int, int]:
    """Return code, line and column."""
    assert found.where is not None, found
    return found.code, found.where.line, found.where.column


def related(found: Diagnostic) -> list[tuple[int, int]]:
    """Return line and column of the places that belong to a diagnostic."""
    return [(item.where.line, item.where.column) for item in found.related if item.where is not None]
