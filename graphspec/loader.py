"""A file or a text to a checked document, or every diagnostic of the first stage that fails."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphspec.data_reader import read_data
from graphspec.data_section import DataSection
from graphspec.declaration import Function
from graphspec.errors import Diagnostic, Location, Related, SpecError, did_you_mean, first_stage, problem
from graphspec.graph import declared_order
from graphspec.outline import with_paths
from graphspec.reader import Reader
from graphspec.references import check_references
from graphspec.source import Map, Source, read_file, read_text
from graphspec.structure import check_structure, functions_in
from graphspec.train_section import TrainSection, read_train
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


def train_section(document: Function, overrides: Mapping[str, Any] | None = None) -> TrainSection:
    """Return how a loaded document is trained, with keys of its section `train` replaced.

    Raises:
        SpecError: every problem of the first stage that fails.
    """
    if not overrides and document.train_section is not None:
        known: TrainSection = document.train_section
        return known
    section, found = read_train(document, overrides)
    for check in (check_structure, check_references):
        found += check(section.function)
        wrong = first_stage(found)
        if any(diagnostic.severity == "error" for diagnostic in wrong):
            raise SpecError(wrong)
    return section


class _Loader:
    """Loads one spec; every file is read once. ``folder`` is the spec's: nothing outside it is touched (L7.3)."""

    def __init__(self, folder: Path | None):
        self.folder = folder
        self.diagnostics: list[Diagnostic] = []
        self.files: dict[Path, Function | None] = {}
        self.sources: list[Source] = []
        self.pending: list[tuple[Function, Path | None]] = []  # documents whose imports are still to be read
        self.imports: dict[Path, dict[Path, Location]] = {}  # what each file imports, and where

    def load(self, read: object, path: Path | None) -> Function:
        source: Source = read()  # type: ignore[operator]
        function = self._document(source, path)
        while self.pending:
            self._imports(*self.pending.pop())
        if isinstance(source.data, Map) and isinstance(source.data.get("data"), Map):
            function.data_section = self._data(function)
        self.diagnostics += self._cycles()
        self._raise(1)
        documents = [function, *(found for found in self.files.values() if found is not None and found is not function)]
        if isinstance(source.data, Map) and isinstance(source.data.get("train"), Map):
            function.train_section, found = read_train(function)
            self.diagnostics += found
            documents.append(function.train_section.function)
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
            raise SpecError(with_paths(found, self.sources))

    def _document(self, source: Source, path: Path | None) -> Function:
        """Read one file; what it imports is read next."""
        here = None if path is None else path.resolve()
        self.sources.append(source)
        self.diagnostics += validate(source, called=len(self.sources) > 1)
        reader = Reader(source, self.folder)
        function = reader.file(path.stem if path is not None else "spec")
        self.diagnostics += reader.diagnostics
        if here is not None:
            self.files[here] = function
        documents = list(functions_in(function))
        for inner in documents:
            self._weights(inner, here)
        self.pending.extend((inner, here) for inner in reversed(documents))
        return function

    def _imports(self, function: Function, here: Path | None) -> None:
        section = function.data.get("imports") if isinstance(function.data, Map) else None
        if not isinstance(section, Map):
            return
        for alias, text in section.items():
            if isinstance(text, str):
                where = function.source.at(section.marks[alias], 0, len(text))
                found = self._import(text, here, where)
                if found is not None:
                    function.imports[alias] = found

    def _import(self, text: str, here: Path | None, where: Location) -> Function | None:
        """Return the file that ``text`` names in an import of the file ``here``; it is read once."""
        target = self._target(text, here, where)
        if target is None:
            return None
        if here is not None:
            self.imports.setdefault(here, {}).setdefault(target, where)
        if target not in self.files:
            self.files[target] = None
            try:
                source = read_file(
                    target, os.path.relpath(target) if len(os.path.relpath(target)) < len(str(target)) else str(target)
                )
            except SpecError as error:
                self.diagnostics += [_imported(found, where) for found in error.diagnostics]
                return None
            self._document(source, target)
        return self.files[target]

    def _target(self, text: str, here: Path | None, where: Location) -> Path | None:
        """Return the path that ``text`` names in the file ``here``; note where it leaves the spec's folder."""
        if self.folder is None:
            message = f"'{text}' cannot be found: a spec given as text has no folder"
            self.diagnostics.append(problem("GS112", message, where, hint="loads(text, folder=...) names one"))
            return None
        target = inside(self.folder, here.parent if here is not None else self.folder, text)
        if target is None:
            message = f"'{text}' is outside the spec's folder"
            self.diagnostics.append(problem("GS112", message, where, hint="imports, weights and data stay inside it"))
        return target

    def _weights(self, function: Function, here: Path | None) -> None:
        """Find the files of parameters, so that they are named relative to the spec's folder from here on."""
        for name, declared in function.parameters.items():
            if declared.file_origin is None or declared.file is None or declared.value is not None or declared.init:
                continue  # one with several sources has been reported
            where = declared.file_origin.location
            target = self._target(declared.file, here, where)
            if target is None or self.folder is None:
                continue
            if not target.is_file():
                near = sorted(path.name for path in target.parent.iterdir()) if target.parent.is_dir() else []
                hint = did_you_mean(target.name, near)
                self.diagnostics.append(problem("GS111", f"there is no file {declared.file}", where, hint=hint))
            function.parameters[name] = replace(declared, file=target.relative_to(self.folder).as_posix())

    def _data(self, function: Function) -> DataSection:
        """Read the section `data`; its files stay inside the spec's folder, and need not exist (2.8)."""
        section, found = read_data(function)
        self.diagnostics += found
        for source in section.sources.values():
            for text, origin in source.origins.items():
                if self.folder is not None:
                    self._target(text, None, origin.location)
        return section

    def _cycles(self) -> Iterator[Diagnostic]:
        """Report files that import themselves, directly or through others."""
        names = {str(path): path for path in self.files}
        uses = {name: [str(target) for target in self.imports.get(path, ())] for name, path in names.items()}
        for first, *others in declared_order(uses)[1]:
            ring = [names[name] for name in (first, *reversed(others), first)]
            lines = [(a, b, self.imports[a][b]) for a, b in itertools.pairwise(ring)]
            related = tuple(Related(f"{a.name} imports {b.name}", where) for a, b, where in lines)
            message = f"files import one another: {' -> '.join(path.name for path in ring)}"
            yield problem("GS113", message, lines[-1][2], related=related)


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
