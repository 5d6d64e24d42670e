"""Locations, diagnostics, the exception tree and spelling suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a spec file. Line and column count from 1, in characters.

    ``length`` and ``text`` (the whole source line) serve the excerpt with its caret; they take no part in comparison.
    """

    file: str
    line: int
    column: int
    length: int = field(default=1, compare=False)
    text: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that belongs to a diagnostic: an operand, a line of a cycle, the first of two duplicates."""

    message: str
    where: Location | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: message, file, line, column."""
        return {"message": self.message, **_place(self.where)}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: what was found, where, and what to do about it.

    ``code`` is a key of `graphspec.codes.CODES`; ``severity`` is "error", "warning" or "note"; ``path`` names the
    node or key in the document's own terms (``nodes.h.units``).
    """

    code: str
    severity: str
    message: str
    path: str = ""
    where: Location | None = None
    hint: str = ""
    related: tuple[Related, ...] = ()

    @property
    def stage(self) -> int:
        """The hundreds of the code: 1 text, 2 structure, 3 names, 4 types, 5 differentiation, 6 running."""
        return int(self.code[2])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            **_place(self.where),
            "path": self.path,
            "hint": self.hint,
            "related": [related.to_dict() for related in self.related],
        }

    def __str__(self) -> str:
        head = f"{self.where}: " if self.where else ""
        lines = [f"{head}{self.code} {self.message}", *_excerpt(self.where)]
        lines += _table(self.related)
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


def problem(code: str, message: str, where: Location | None = None, **facts: Any) -> Diagnostic:
    """Return a diagnostic of severity "error"."""
    return Diagnostic(code, "error", message, where=where, **facts)


class GraphSpecError(Exception):
    """Root of every error that graphspec raises on purpose; ``diagnostics`` lists the problems found."""

    def __init__(self, diagnostics: Sequence[Diagnostic] | Diagnostic):
        self.diagnostics = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


class SpecError(GraphSpecError, ValueError):
    """A spec is wrong; all problems of the first stage that fails, in file order."""


class NotDifferentiableError(GraphSpecError, TypeError):
    """A gradient was asked for that does not exist."""


class FeedError(GraphSpecError, ValueError):
    """A feed is missing, unknown, or not of its declared type."""


class ExecutionError(GraphSpecError, RuntimeError):
    """A node failed while it was run."""


class EngineError(GraphSpecError, RuntimeError):
    """An engine is unknown or cannot run this graph, or a package for something optional is not installed."""


class CheckpointError(GraphSpecError, RuntimeError):
    """A file of weights or a checkpoint cannot be read or written."""


class OpTypeError(GraphSpecError, TypeError):
    """Operand types violate a numbered constraint of an op; the loader adds the place."""

    def __init__(self, constraint: str, message: str, *, code: str = "GS401", hint: str = ""):
        self.constraint, self.message, self.code, self.hint = constraint, message, code, hint
        super().__init__(problem(code, message, hint=hint))


def _place(where: Location | None) -> dict[str, Any]:
    if where is None:
        return {"file": None, "line": None, "column": None}
    return {"file": where.file, "line": where.line, "column": where.column}


def _excerpt(where: Location | None) -> list[str]:
    """Return the source line and a line of carets under the place, windowed to a readable width."""
    if where is None or where.text is None:
        return []
    start = max(0, where.column - 61)
    text = where.text[start : start + 120].replace("\t", " ")
    room = max(1, len(text) - (where.column - 1 - start))
    gutter = f"{where.line:>5} | "
    caret = " " * (len(gutter) - 2) + "| " + " " * (where.column - 1 - start) + "^" * min(max(1, where.length), room)
    return [gutter + text.rstrip(), caret]


def _table(related: Sequence[Related]) -> list[str]:
    width = max((len(item.message) for item in related if item.where), default=0)
    return [f"  {item.message.ljust(width)} {item.where}" if item.where else f"  {item.message}" for item in related]


def first_stage(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the errors of the earliest stage that has any, in file order, without repetitions."""
    found = list(dict.fromkeys(diagnostics))
    stage = min((d.stage for d in found if d.severity == "error"), default=0)
    return sorted((d for d in found if d.stage == stage), key=_file_order)


def _file_order(diagnostic: Diagnostic) -> tuple[str, int, int]:
    where = diagnostic.where
    return (where.file, where.line, where.column) if where else ("", 0, 0)


def suggestions(word: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return up to ``limit`` names that a person may have meant by ``word``, nearest first."""
    allowed = 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3
    folded = word.lower().replace("-", "_")
    scored = []
    for name in dict.fromkeys(known):
        other = name.lower()
        if abs(len(other) - len(folded)) <= allowed:
            distance = edit_distance(folded, other, allowed)
            if distance <= allowed and distance < max(len(folded), len(other)):
                scored.append((distance, name))
    return [name for _, name in sorted(scored)[:limit]]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint such as ``did you mean 'units'?``, or nothing."""
    names = [f"'{name}'" for name in suggestions(word, known)]
    if not names:
        return ""
    return f"did you mean {names[0] if len(names) == 1 else ', '.join(names[:-1]) + ' or ' + names[-1]}?"


def edit_distance(a: str, b: str, limit: int) -> int:
    """Return the optimal string alignment distance (a transposition is one edit), or ``limit + 1`` when above it."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)
