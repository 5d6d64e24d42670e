"""Which key of a document stands at a place: the path of a diagnostic in the document's own terms."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace

from graphspec.errors import Diagnostic
from graphspec.source import Map, Seq, Source


def with_paths(diagnostics: Iterable[Diagnostic], sources: Iterable[Source]) -> list[Diagnostic]:
    """Return diagnostics with the path of the key that they stand at, such as ``nodes.h.units``."""
    known = {source.file: source for source in sources}
    outlines: dict[str, list[tuple[int, int, str]]] = {}
    found = []
    for diagnostic in diagnostics:
        where = diagnostic.where
        if not diagnostic.path and where is not None and where.file in known:
            if where.file not in outlines:
                outlines[where.file] = outline(known[where.file])
            entries = outlines[where.file]
            index = bisect_right(entries, (where.line, where.column, "\U0010ffff"))
            diagnostic = replace(diagnostic, path=entries[index - 1][2] if index else "")
        found.append(diagnostic)
    return found


def outline(source: Source) -> list[tuple[int, int, str]]:
    """Return line, column and path of every key, and of every item of a list that is no number, in file order."""
    found: list[tuple[int, int, str]] = []
    stack = [(source.data, "", (0, 0))]
    while stack:
        data, path, start = stack.pop()
        places: list[tuple[int, int, str | int]] = []
        if isinstance(data, Map):
            places = [(mark.key_line, mark.key_column, key) for key, mark in data.marks.items()]
        elif isinstance(data, Seq):
            marks = zip(data, data.marks, strict=True)
            places = [(m.line, m.column, i) for i, (x, m) in enumerate(marks) if isinstance(x, str | Map | Seq)]
        for line, column, key in places:
            if (line, column) >= start:  # what an alias stands for was written, and is listed, elsewhere
                below = f"{path}.{key}" if path else str(key)
                found.append((line, column, below))
                stack.append((data[key], below, (line, column)))
    return sorted(found)
