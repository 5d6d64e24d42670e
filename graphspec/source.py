"""YAML and JSON text to data that remembers where each key and value was written (rules L10, design 2.7)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from graphspec.errors import Diagnostic, Location, SpecError, did_you_mean, problem
from graphspec.json_text import read_json
from graphspec.places import Text, value_index
from graphspec.scalars import WORDS, ambiguous, plain_value
from graphspec.syntax import Found, entry, explain, is_unbalanced, owned, quoted, swallowed
from graphspec.tree import DROPPED, LIMITS, Limits, Map, Mark, Seq, TreeBuilder

__all__ = ["LIMITS", "Limits", "Map", "Mark", "Seq", "Source", "read_file", "read_text"]

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_BLANK = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|[\r\n]|\Z))*")
_PROPERTIES = re.compile(r"(?:[&!][^\s]*(?:\s|#[^\r\n]*)*)+")


@dataclass
class Source:
    """A text that was read: its data, and the places of everything in it. ``file`` is the name shown to people."""

    file: str
    text: str
    data: Any
    mark: Mark
    places: Text = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.places = Text(self.text, self.file)

    def at(self, mark: Mark, offset: int = 0, length: int = 1) -> Location:
        """Return the place of ``length`` characters from ``offset`` on of a scalar's value, or of a collection."""
        start = self.places.index(mark.line, mark.column)
        if mark.style in ("{", "[", "block") or self.text[start : start + 1] == "*":
            return self.places.location(mark.line, mark.column, length)
        indent = max(0, mark.key_column - 1)
        first = value_index(self.text, start, mark.style, offset, indent)
        last = value_index(self.text, start, mark.style, offset + max(1, length) - 1, indent)
        return self.places.location_at(first, last - first + 1)

    def at_key(self, mark: Mark, length: int = 1) -> Location:
        """Return the place of a value's key; in a list, of the value."""
        if not mark.key_line:
            return self.at(mark, 0, length)
        return self.places.location(mark.key_line, mark.key_column, length)

    def disputed(self, value: Any, mark: Mark, path: str = "") -> Diagnostic | None:
        """Return what is wrong with a text where a number or boolean is wanted, if YAML readers disagree about it."""
        readings = ambiguous(value) if isinstance(value, str) and mark.style == "" else None
        if readings is None:
            return None
        message, hint = f"'{value}' is not a number here: {readings}", "write decimal numbers, true or false"
        return problem("GS106", message, self.at(mark, 0, len(value)), path=path, hint=hint)


def read_file(path: str | os.PathLike[str], shown: str | None = None) -> Source:
    """Read a UTF-8 file; one that is named ``*.json`` must be strict JSON.

    Raises:
        SpecError: GS1xx, with every problem that was found.
    """
    name = os.fspath(path)
    file = shown or name
    content = _read_bytes(name, file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = Text(content[: error.start].decode("utf-8-sig", "replace"), file)
        what = "is UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else f"has a byte 0x{content[error.start]:02x}"
        line, column = before.spot(len(before.text))
        raise SpecError(
            problem(
                "GS108", f"the file {what}, which is not UTF-8", Location(file, line, column), hint="save it as UTF-8"
            )
        ) from None
    return _read(text, file, strict_json=name.lower().endswith(".json"))


def read_text(text: str, file: str = "<text>") -> Source:
    """Read a text: YAML, or JSON if it is such.

    Raises:
        SpecError: GS1xx, with every problem that was found.
    """
    return _read(text.removeprefix("\ufeff"), file, strict_json=False)


def _read(text: str, file: str, strict_json: bool) -> Source:
    places = Text(text, file)
    if len(text) > LIMITS.size:
        raise _too_large(places.location(1, 1))
    _check_characters(text, file)
    blank = _BLANK.match(text)
    if blank is not None and blank.end() == len(text):
        raise SpecError(problem("GS109", "the file is empty", Location(file, 1, 1)))
    builder = _read_json_or_yaml(places, strict_json)
    if builder.problems:
        raise SpecError(builder.problems)
    source = Source(file, text, builder.data, builder.mark)
    source.places = places
    return source


def _read_json_or_yaml(places: Text, strict_json: bool) -> TreeBuilder:
    if strict_json:
        return read_json(places)
    if places.text.lstrip()[:1] in ("{", "["):
        try:
            return read_json(places)
        except SpecError as error:
            # A flow collection of YAML begins like JSON; anything but its syntax is wrong in both.
            if error.diagnostics[-1].code != "GS101":
                raise
    return _YamlReader(places).read()


class _YamlReader:
    """Feed the events of a YAML parser to a builder."""

    def __init__(self, text: Text):
        self.text = text
        self.builder = TreeBuilder(text)
        self.last: Any = None  # the last scalar
        self.swallowed_end = 0  # what comes before is the rest of an expression that was reported
        self.dropping = 0  # how many collections are open in that rest

    def read(self) -> TreeBuilder:
        self._check_directives()
        try:
            for event in _events(self.text.text):
                if type(event) is yaml.ScalarEvent:
                    self._scalar(event)
                else:
                    self._bracket(event)
        except yaml.MarkedYAMLError as error:
            self._syntax_error(error)
        if self.builder.data is DROPPED and not self.builder.problems:
            self.builder.fail("GS109", "the file is empty", self.text.location(1, 1))
        return self.builder

    def _bracket(self, event: Any) -> None:
        kind = type(event)
        if self._swallowed(event):
            return
        if kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            data = Map() if kind is yaml.MappingStartEvent else Seq()
            flow = "{" if kind is yaml.MappingStartEvent else "["
            line, column = self._start(event)
            self.builder.open(data, flow if event.flow_style else "block", line, column, event.anchor)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self.builder.close()
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent and self.builder.data is not DROPPED:
            where = self.text.location(event.start_mark.line + 1, event.start_mark.column + 1, 3)
            self.builder.fail("GS105", "a file holds one document: '---' begins a second one", where)

    def _swallowed(self, event: Any) -> bool:
        """Tell whether an event belongs to a collection in the rest of an expression; it is dropped as a whole."""
        starts = isinstance(event, yaml.CollectionStartEvent)
        if starts and self.dropping == 0 and event.start_mark.index < self.swallowed_end:
            self.builder.scalar(DROPPED, "", *self._start(event))
            self.dropping = 1
        elif self.dropping:
            self.dropping += starts - isinstance(event, yaml.CollectionEndEvent)
        else:
            return False
        return True

    def _scalar(self, event: Any) -> None:
        if self.dropping:
            return
        start, style, value = event.start_mark, event.style or "", event.value
        line, column = start.line + 1, start.column + 1
        if event.anchor is not None or event.tag is not None:
            line, column = self._start(event)
        self.last = event
        if style == "" and (value in WORDS or not value.isidentifier()):
            value = self._plain(event, value)
            if value is None and not self.builder.style and start.index == event.end_mark.index:
                value = DROPPED  # a document with nothing in it
        self.builder.scalar(value, style, line, column, event.anchor)

    def _plain(self, event: Any, written: str) -> Any:
        start, end = event.start_mark.index, event.end_mark.index
        if start < self.swallowed_end:
            return DROPPED
        if written.count("(") != written.count(")") or written.count("[") != written.count("]"):
            in_flow = self.builder.style in ("{", "[")
            cut = in_flow or re.compile(r"[ \t]+#").match(self.text.text, end)
            if cut and is_unbalanced(written):
                diagnostic, self.swallowed_end = swallowed(self.text, start, end, self.builder.key, in_flow)
                self.builder.report(diagnostic.code, diagnostic.message, diagnostic.where, hint=diagnostic.hint)
                return DROPPED
        try:
            return plain_value(written)
        except OverflowError as error:
            self.builder.report("GS107", str(error), self.text.location_at(start, end - start))
            return DROPPED

    def _start(self, event: Any) -> tuple[int, int]:
        """Return where a node begins behind its anchor; report its tag."""
        mark, end = event.start_mark, event.end_mark.index
        if event.tag is not None:
            _, _, value = entry(self.text, mark.index)
            tag = re.compile(r"!\S*").search(self.text.text, mark.index)
            where = self.text.location_at(tag.start(), len(tag[0])) if tag else self.text.location_at(mark.index)
            hint = f"if it is meant as text, quote it: {quoted(value)}" if value.startswith("!") else ""
            message = f"tags are not allowed, and '{tag[0] if tag else event.tag}' is one"
            self.builder.report("GS105", message, where, hint=hint)
        if event.anchor is None or end == mark.index:
            return mark.line + 1, mark.column + 1
        properties = _PROPERTIES.match(self.text.text, mark.index)
        behind = properties.end() if properties else mark.index
        empty = type(event) is yaml.ScalarEvent and behind > end
        return (mark.line + 1, mark.column + 1) if empty else self.text.spot(behind)

    def _alias(self, event: Any) -> None:
        mark = event.start_mark
        self.last = None
        if self.builder.alias(event.anchor, mark.line + 1, mark.column + 1):
            return
        start, key, value = entry(self.text, mark.index)
        if self.builder.style in ("{", "[") or start != mark.index:
            key, value = None, f"*{event.anchor}"
        diagnostic = owned(self.text, mark.index, key, value)
        message = f"{diagnostic.message}; no '&{event.anchor}' stands before it"
        self.builder.report("GS101", message, self.text.location_at(mark.index, len(value)), hint=diagnostic.hint)

    def _check_directives(self) -> None:
        blank = _BLANK.match(self.text.text)
        line = self.text.spot(blank.end() if blank else 0)[0]
        while self.text.line(line).startswith("%"):
            if not re.match(r"%YAML[ \t]+1\.[0-9]+(?:\s|$)", self.text.line(line)):
                where = self.text.location(line, 1, len(self.text.line(line)))
                self.builder.fail("GS105", "no directive but %YAML 1.x is allowed", where)
            line += 1

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> None:
        """Report a syntax error unless it follows from something that was reported."""
        mark: Any = error.problem_mark or error.context_mark
        index = min(mark.index, len(self.text.text)) if mark else 0
        line, _ = self.text.spot(index)
        if any(found.code == "GS110" or (found.where and found.where.line == line) for found in self.builder.problems):
            return
        context_mark: Any = error.context_mark
        context_index = context_mark.index if context_mark else None
        in_flow = self.builder.style in ("{", "[")
        opened = self.text.index(*self.builder.opened) if in_flow else None
        key, context = self.builder.last_key, error.context or ""
        last = (self.last.start_mark.index, self.last.end_mark.index, self.last.style or "") if self.last else None
        found = Found(error.problem or "", index, context, context_index, opened, key, last)
        diagnostic = explain(self.text, found)
        self.builder.report(diagnostic.code, diagnostic.message, diagnostic.where, hint=diagnostic.hint)


def _events(text: str) -> Iterator[Any]:
    """Yield the events of a text one by one; the parsers are iterative, their composers are not."""
    parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        event = parser.get_event()
        while event is not None and type(event) is not yaml.StreamEndEvent:
            yield event
            event = parser.get_event()
    finally:
        parser.dispose()


def _check_characters(text: str, file: str) -> None:
    found = list(islice(_FORBIDDEN.finditer(text), 20))
    if not found:
        return
    # The excerpt goes to terminals and logs, which must not see control characters.
    places = Text(_FORBIDDEN.sub("\ufffd", text), file)
    problems = [problem("GS108", _forbidden(at[0]), places.location_at(at.start())) for at in found]
    raise SpecError(problems)


def _forbidden(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if character == "\0":
        return "the text has a NUL character: is it a binary file?"
    if character == "\ufeff":
        return "a byte order mark may stand only at the very beginning"
    if "\ud800" <= character <= "\udfff":
        return f"{code} is half of a surrogate pair, not a character"
    return f"the character {code} is not allowed here; in double quotes it can be written \\u{ord(character):04x}"


def _read_bytes(path: str, file: str) -> bytes:
    where = Location(file, 1, 1)
    try:
        # Asked before it is opened: opening a pipe would wait for its other end.
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise SpecError(problem("GS114", f"{file} is {what}", where))
        if status.st_size > LIMITS.size:
            raise _too_large(where)
        with open(path, "rb") as stream:
            return stream.read(LIMITS.size + 1)
    except FileNotFoundError:
        raise SpecError(problem("GS111", f"there is no file {file}", where, hint=_near(path))) from None
    except (OSError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecError(problem("GS114", f"{file} cannot be read: {reason}", where)) from None


def _near(path: str) -> str:
    folder, name = os.path.split(path)
    try:
        names = sorted(os.listdir(folder or "."))
    except (OSError, ValueError):
        return f"the folder {Path(folder).name} does not exist either" if folder else ""
    return did_you_mean(name, names)


def _too_large(where: Location) -> SpecError:
    return SpecError(problem("GS104", f"more than {LIMITS.size:,} bytes (limit: size {LIMITS.size:,})", where))
