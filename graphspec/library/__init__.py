"""The library: composite functions written in the language itself, one family per YAML file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from graphspec.declaration import Function
from graphspec.errors import SpecError
from graphspec.reader import Reader
from graphspec.source import read_file

_FOLDER = Path(__file__).parent
_ENTRY = re.compile(r"^  ([a-z_][a-z0-9_]*):", re.MULTILINE)


@cache
def _index() -> dict[str, Path]:
    """Return the file of every function: the keys two spaces deep under `functions:`, found without parsing YAML."""
    found: dict[str, Path] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        body = path.read_text(encoding="utf-8").partition("\nfunctions:\n")[2]
        found.update(dict.fromkeys(_ENTRY.findall(body), path))
    return found


@cache
def _family(path: Path) -> Function:
    reader = Reader(read_file(path, shown=f"graphspec/library/{path.name}"), None)
    result = reader.file(path.stem)
    if reader.diagnostics:
        raise SpecError(reader.diagnostics)
    return result


def names() -> list[str]:
    """Return the names of all library functions, by family."""
    return list(_index())


def families() -> dict[str, list[str]]:
    """Return the names of the functions of each family."""
    grouped: dict[str, list[str]] = {}
    for name, path in _index().items():
        grouped.setdefault(path.stem, []).append(name)
    return grouped


def find(name: str) -> Function | None:
    """Return a library function; its file is read when it is first asked for."""
    path = _index().get(name)
    return None if path is None else _family(path).functions[name]
