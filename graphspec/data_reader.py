"""The text of the section `data` to its declaration, with what is wrong with its structure and names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from graphspec.data_grammar import COLORS, FORMATS, GENERATORS, LEAST, PARTS
from graphspec.data_section import (
    ColumnDeclaration,
    DataSection,
    GeneratedRows,
    ImageDeclaration,
    SourceDeclaration,
    SplitDeclaration,
    class_name,
    format_of,
    is_pattern,
)
from graphspec.declaration import Function
from graphspec.errors import Diagnostic, Related, did_you_mean
from graphspec.expression import Term
from graphspec.origin import Origin
from graphspec.reader import Reader
from graphspec.source import Map, Mark, Seq
from graphspec.types import DTYPES


def read_data(document: Function) -> tuple[DataSection, list[Diagnostic]]:
    """Return the section `data` of a document, and what is wrong with the structure and the names in it.

    What the schema has refused is passed over. The files need not exist: a spec loads without its data.
    """
    reader = _SectionReader(document)
    section = reader.section(document.data["data"])
    return section, reader.diagnostics


class _SectionReader(Reader):
    """Reads the section of one document."""

    def __init__(self, document: Function):
        super().__init__(document.source, document.folder)
        self.document = document

    def section(self, data: Map) -> DataSection:
        written = {part: data[part] for part in PARTS if isinstance(data.get(part), Map)}
        sources = {part: self._source(part, value, self.key(data, part)) for part, value in written.items()}
        known = sources["train"].inputs if "train" in sources else {}
        for part, item in sources.items():
            sources[part] = item if item.inputs else replace(item, inputs=known or self._by_name(item.origin))
        split = self._split(data, sources) if isinstance(data.get("split"), Map) else None
        return DataSection(self.key(self.document.data, "data"), sources, split)

    # -- sources ----------------------------------------------------------------------------------------------------

    def _source(self, part: str, data: Map, origin: Origin) -> SourceDeclaration:
        given = [key for key in ("file", "generate") if key in data]
        if len(given) != 1:
            found = "both" if given else "none of them"
            hint = "for example file: train.csv, or generate: two_moons(rows=400)"
            self.report("GS203", f"'{part}' needs exactly one of file and generate, found {found}", origin, hint=hint)
        files: dict[str, Origin] = {}
        for text, place in self._files(data):
            if files.setdefault(text, place) is not place:
                related = (Related("first listed here", files[text].location),)
                self.report("GS302", f"the file '{text}' is listed twice", place, related=related)
        written = data["file"] if isinstance(data.get("file"), Map) else {}
        arrays = {name: text for name, text in written.items() if isinstance(text, str)}
        self._formats(data, files, bool(arrays))
        return SourceDeclaration(
            part,
            origin,
            () if arrays else tuple(files),
            arrays,
            files,
            self._generated(data) if isinstance(data.get("generate"), str) else None,
            data["format"] if data.get("format") in [*FORMATS] else None,
            self._inputs(data),
            "skip" if data.get("bad_rows") == "skip" else "stop",
        )

    def _files(self, data: Map) -> Iterator[tuple[str, Origin]]:
        """Yield the files of a source and where they were written."""
        value = data.get("file")
        if isinstance(value, Map):
            pairs = [(text, value.marks[name]) for name, text in value.items()]
        elif isinstance(value, Seq):
            pairs = list(zip(value, value.marks, strict=True))
        else:
            pairs = [(value, data.marks["file"])] if "file" in data else []
        if "file" in data and not pairs and isinstance(value, Map | Seq):
            self.report("GS203", "'file' names no file", self.key(data, "file"))
        for text, mark in pairs:
            if text == "":
                self.report("GS204", "'file': the name of the file is empty", self.place(mark))
            elif isinstance(text, str):
                yield text, self.place(mark, text)

    def _formats(self, data: Map, files: Mapping[str, Origin], arrays: bool) -> None:
        """Check that the format of every file is known."""
        if "generate" in data and "format" in data:
            self.report("GS203", "'format' is that of a file, and the rows are generated", self.key(data, "format"))
        for text, origin in files.items():
            found = data.get("format", format_of(text))
            if found is None:
                known = ", ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)
                hint = f"write format: csv, or another one; suffixes are {known}"
                self.report("GS203", f"the format of '{text}' is not known by its suffix", origin, hint=hint)
            elif arrays and found != "npy":
                self.report("GS205", f"'{text}' has several columns: only .npy files are named by column", origin)
            elif arrays and is_pattern(text):
                self.report("GS205", f"'{text}' is a pattern: a column is one .npy file", origin)

    def _generated(self, data: Map) -> GeneratedRows | None:
        """Read the call of a generator."""
        text, mark = data["generate"], data.marks["generate"]
        written = self.expression(text, mark)
        if written is None:
            return None
        term, place = written.term, written.at(written.term)
        if term.kind not in ("name", "call"):
            hint = "for example generate: two_moons(rows=400, noise=0.1, seed=0)"
            self.report("GS209", "'generate' is a call of a generator", place, hint=hint)
            return None
        if term.value not in GENERATORS:
            hint = did_you_mean(term.value, GENERATORS) or f"the generators are {', '.join(GENERATORS)}"
            self.report("GS201", f"unknown generator '{term.value}'", place, hint=hint)
            return None
        known = GENERATORS[term.value]
        if term.parts:
            names = ", ".join(f"{name}=..." for name in known)
            self.report("GS210", f"arguments of {term.value} are named", place, hint=f"{term.value}({names})")
        arguments = dict(known)
        for i, (name, value) in enumerate(term.keywords):
            if name not in known:
                hint = did_you_mean(name, known) or f"its arguments are {', '.join(known)}"
                where = written.at(term.keyword(i))
                self.report("GS210", f"{term.value} has no argument '{name}'", where, hint=hint)
                continue
            number = _number(value)
            wanted = "an integer" if isinstance(known[name], int) else "a number"
            if number is None or (isinstance(known[name], int) and not isinstance(number, int)):
                message = f"'{name}' expected {wanted}, found {written.at(value).expression}"
                self.report("GS205", message, written.at(value))
            elif number < LEAST[name]:
                self.report("GS205", f"'{name}' expected at least {LEAST[name]}, found {number}", written.at(value))
            else:
                arguments[name] = number
        return GeneratedRows(term.value, arguments, place)

    # -- inputs -----------------------------------------------------------------------------------------------------

    def _inputs(self, data: Map) -> dict[str, ColumnDeclaration]:
        """Read which columns feed which inputs."""
        section = data.get("inputs")
        known = self.document.inputs
        if not isinstance(section, Map):
            return {}
        if not section:
            self.report("GS203", "'inputs' feeds nothing", self.key(data, "inputs"))
        found = {}
        for name, value in section.items():
            origin = self.key(section, name)
            if name not in known:
                hint = did_you_mean(name, known) or f"the inputs are {', '.join(known) or 'none'}"
                self.report("GS301", f"no input is called '{name}'", origin, hint=hint)
            found[name] = self._input(name, value, section.marks[name], origin)
        return found

    def _by_name(self, origin: Origin) -> dict[str, ColumnDeclaration]:
        """Return what feeds the inputs where the section does not say it: columns of their names."""
        names = [name for name, declared in self.document.inputs.items() if not declared.may_be_left_out]
        return {name: ColumnDeclaration(name, origin, (name,), (origin,)) for name in names}

    def _input(self, name: str, value: Any, mark: Mark, origin: Origin) -> ColumnDeclaration:
        if not isinstance(value, Map):
            columns, origins, single = self._columns(name, value, mark, origin)
            return ColumnDeclaration(name, origin, columns, origins, single)
        inner = value.marks.get("columns", mark)
        columns, origins, single = self._columns(name, value.get("columns", name), inner, origin)
        classes = value["classes"] if isinstance(value.get("classes"), Seq) else Seq()
        declared = ColumnDeclaration(
            name,
            origin,
            columns,
            origins,
            single,
            _image(value.get("image")),
            tuple(item for item in classes if isinstance(item, str | int | float | bool)),
            value["cast"] if value.get("cast") in DTYPES else None,
            value["scale"] if _is_number(value.get("scale")) else None,
            value["shift"] if _is_number(value.get("shift")) else None,
            value.get("standardise") is True,
            value["one_hot"] if isinstance(value.get("one_hot"), int) else None,
            _dims(value.get("reshape")),
        )
        self._conflicts(declared, value, classes)
        return declared

    def _columns(
        self, name: str, value: Any, mark: Mark, origin: Origin
    ) -> tuple[tuple[str, ...], tuple[Origin, ...], bool]:
        """Return the columns, their places, and whether it is one column by name."""
        if not isinstance(value, Seq):
            text = value if isinstance(value, str) else name
            if not text:
                self.report("GS204", f"'{name}': the name of the column is empty", origin)
            return (
                (text,),
                (self.place(mark, text) if isinstance(value, str) and text else origin,),
                not is_pattern(text),
            )
        if not value:
            self.report("GS203", f"'{name}' lists no column", origin)
        pairs = [(text, place) for text, place in zip(value, value.marks, strict=True) if isinstance(text, str)]
        first: dict[str, Origin] = {}
        for text, place in pairs:
            here = self.place(place, text)
            if not text:
                self.report("GS204", f"'{name}': the name of the column is empty", here)
            elif first.setdefault(text, here) is not here:
                related = (Related("first listed here", first[text].location),)
                self.report("GS302", f"column '{text}' is listed twice", here, related=related)
        return tuple(text for text, _ in pairs), tuple(self.place(place, text) for text, place in pairs), False

    def _conflicts(self, declared: ColumnDeclaration, data: Map, classes: Seq) -> None:
        """Report transforms that exclude one another, and values that they cannot have."""
        for first, second, why in _CONFLICTS:
            if first in data and second in data and data[first] is not False:
                message = f"'{declared.input}': {second} does not go with {first}: {why}"
                self.report("GS203", message, self.key(data, second))
        seen: dict[str, Mark] = {}
        for item, mark in zip(classes, classes.marks, strict=True):
            name = class_name(item)
            if seen.setdefault(name, mark) is not mark:
                self.report("GS302", f"class '{name}' is listed twice", self.place(mark, str(item)))
        if declared.scale == 0:
            self.report("GS205", "'scale': a factor of 0 leaves nothing of the data", self.key(data, "scale"))
        if declared.reshape is not None and declared.reshape.count(-1) > 1:
            self.report("GS205", "'reshape': -1 may stand once", self.key(data, "reshape"))
        if declared.reshape is not None and 0 in declared.reshape:
            self.report("GS205", "'reshape': expected dims of at least 1, found 0", self.key(data, "reshape"))

    # -- split ------------------------------------------------------------------------------------------------------

    def _split(self, data: Map, sources: Mapping[str, SourceDeclaration]) -> SplitDeclaration:
        written = data["split"]
        origin = self.key(data, "split")
        shares = {part: written[part] for part in ("validation", "test") if _is_number(written.get(part))}
        if "train" not in sources:
            self.report("GS203", "'split' takes parts of the train source, and there is none", origin)
        for part in shares:
            if part in sources:
                message = f"'{part}' has a source of its own and a part of the split"
                related = (Related("the source", sources[part].origin.location),)
                self.report("GS203", message, self.key(written, part), related=related)
        if not shares:
            self.report("GS203", "'split' needs a share for validation or test", origin, hint="validation: 0.2")
        elif sum(shares.values()) >= 1:
            message = f"'split': the shares add up to {sum(shares.values()):g}, which leaves no row for training"
            self.report("GS205", message, origin)
        seed, key = written.get("seed"), written.get("key")
        return SplitDeclaration(
            origin,
            float(shares.get("validation", 0.0)),
            float(shares.get("test", 0.0)),
            seed if isinstance(seed, int) else 0,
            key if isinstance(key, str) else None,
            self.place(written.marks["key"], key) if isinstance(key, str) else None,
        )


_CONFLICTS = (
    ("image", "classes", "an image is numbers"),
    ("classes", "standardise", "the numbers of classes have no mean"),
    ("standardise", "one_hot", "it counts classes, and standardised numbers are none"),
)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(term: Term) -> int | float | None:
    """Return the number that a term stands for, or None."""
    if term.kind == "operation" and term.value == "negative" and term.parts[0] is not None:
        inner = _number(term.parts[0])
        return None if inner is None else -inner
    return term.value if term.kind == "number" else None


def _image(value: Any) -> ImageDeclaration | None:
    if isinstance(value, Map):
        text = value.get("from")
        return _image(value.get("mode")) and ImageDeclaration(value["mode"], text if text == "base64" else "file")
    return ImageDeclaration(value) if isinstance(value, str) and value in COLORS else None


def _dims(value: Any) -> tuple[int, ...] | None:
    return tuple(item for item in value if isinstance(item, int)) if isinstance(value, Seq) else None
