"""A file or a text to a checked document, or every diagnostic of the first stage that fails."""

from __future__ import annotations

import os
from pathlib import Path

from graphspec.declaration import Function
from graphspec.errors import Diagnostic, Location, SpecError, first_stage, problem
from graphspec.reader import Reader
from graphspec.references import check_references
from graphspec.source import Map, Source, read_file, read_text
from graphspec.structure import check_structure, functions_in
from graphspec.validation import validate


def load_document(path: str | os.PathLike[str]) -> Function:
    """Read and check a file and everything it imports.

    Raises:
        SpecError: every problem of the first stage that fails.
    """
    shown = os.fspath(path)
    folder = Path(shown).resolve().parent
    return _Loader(folder).load(lambda: read_file(path, shown), Path(shown))


def load_text(text: str, folder: str | os.PathLike[str] | None = None, name: str = "<text>") -> Function:
    """Read and check a text; imports and weights need the ``folder`` they are in.

    Raises:
        SpecError: every problem of the first stage that fails.
    """
    home = None if folder is None else Path(folder).resolve()
    return _Loader(home).load(lambda: read_text(text, name), None)


class _Loader:
    """Loads one spec; every file is read once. ``folder`` is the spec's: nothing outside it is touched (L7.3)."""

    def __init__(self, folder: Path | None):
        self.folder = folder
        self.diagnostics: list[Diagnostic] = []
        self.files: dict[Path, Function | None] = {}

    def load(self, read: object, path: Path | None) -> Function:
        source: Source = read()  # type: ignore[operator]
        function = self._document(source, path, ())
        self._raise(1)
        documents = [function, *(found for found in self.files.values() if found is not None and found is not function)]
        for document in documents:
            self.diagnostics += check_structure(document)
        self._raise(2)
        for document in documents:
            self.diagnostics += check_references(document)
        self._raise(3)
        return function

    def _raise(self, stage: int) -> None:
        """Raise what is wrong, if it belongs to a stage that is complete now."""
        found = first_stage(self.diagnostics)
        if any(diagnostic.severity == "error" and diagnostic.stage <= stage for diagnostic in found):
            raise SpecError(found)

    def _document(self, source: Source, path: Path | None, importing: tuple[Path, ...]) -> Function:
        """Read one file and what it imports."""
        here = None if path is None else path.resolve()
        self.diagnostics += validate(source)
        reader = Reader(source, self.folder)
        function = reader.file(path.stem if path is not None else "spec")
        self.diagnostics += reader.diagnostics
        if here is not None:
            self.files[here] = function
        for inner in functions_in(function):
            self._imports(inner, here, (*importing, here) if here else importing)
        return function

    def _imports(self, function: Function, here: Path | None, importing: tuple[Path, ...]) -> None:
        section = function.data.get("imports") if isinstance(function.data, Map) else None
        if not isinstance(section, Map):
            return
        home = here.parent if here is not None else self.folder
        for alias, text in section.items():
            if isinstance(text, str):
                where = function.source.at(section.marks[alias], 0, len(text))
                found = self._import(text, home, where, importing)
                if found is not None:
                    function.imports[alias] = found

    def _import(self, text: str, home: Path | None, where: Location, importing: tuple[Path, ...]) -> Function | None:
        if home is None or self.folder is None:
            message = f"'{text}' cannot be found: a spec given as text has no folder"
            self.diagnostics.append(problem("GS112", message, where, hint="loads(text, folder=...) names one"))
            return None
        target = inside(self.folder, home, text)
        if target is None:
            message = f"'{text}' is outside the spec's folder"
            self.diagnostics.append(problem("GS112", message, where, hint="imports, weights and data stay inside it"))
            return None
        if target in importing:
            names = " -> ".join(path.name for path in (*importing[importing.index(target) :], target))
            self.diagnostics.append(problem("GS113", f"files import one another: {names}", where))
            return None
        if target not in self.files:
            self.files[target] = None
            try:
                source = read_file(
                    target, os.path.relpath(target) if len(os.path.relpath(target)) < len(str(target)) else str(target)
                )
            except SpecError as error:
                self.diagnostics += [_imported(found, where) for found in error.diagnostics]
                return None
            self._document(source, target, importing)
        return self.files[target]


def _imported(found: Diagnostic, where: Location) -> Diagnostic:
    """Place what is wrong with a file itself at the import that names it."""
    if found.where is not None and found.where.line > 1:
        return found
    if found.code in ("GS111", "GS114"):
        return problem(found.code, found.message, where, hint=found.hint)
    return found


def inside(folder: Path, home: Path, text: str) -> Path | None:
    """Return the file that ``text`` names relative to ``home``, or None where it leaves ``folder`` (2.7, L7.3)."""
    if "\0" in text or "://" in text or os.path.isabs(text) or "\\" in text:
        return None
    target = (home / text).resolve()
    return target if target.is_relative_to(folder) else None
