"""Data with the place of every key and value, and its builder, which YAML and JSON share."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn

from graphspec.errors import Diagnostic, Location, Related, SpecError, first_stage, problem
from graphspec.places import Text
from graphspec.scalars import shortened


class Mark(NamedTuple):
    """Where a value and its key stand: lines and columns from 1, in characters; no key in a list (0, 0).

    ``style`` is ``""`` for plain scalars, else ``'``, ``"``, ``|`` or ``>``; ``{`` and ``[`` for flow collections,
    ``block`` for block collections. An alias has its own place and the style of what it stands for.
    """

    line: int
    column: int
    style: str
    key_line: int
    key_column: int


class Map(dict[str, Any]):
    """A mapping; ``marks`` has one `Mark` per key."""

    __slots__ = ("marks",)
    marks: dict[str, Mark]

    def __init__(self) -> None:
        self.marks = {}


class Seq(list[Any]):
    """A list; ``marks`` has one `Mark` per item."""

    __slots__ = ("marks",)
    marks: list[Mark]

    def __init__(self) -> None:
        self.marks = []


@dataclass(frozen=True)
class Limits:
    """What a file may hold. Larger ones are refused with GS104 before they cost time or memory."""

    size: int = 64 * 2**20
    """In bytes; in characters for text in memory."""
    depth: int = 100
    nodes: int = 10_000_000
    alias_nodes: int = 1_000_000
    """Nodes that all aliases together stand for."""
    problems: int = 100
    """Reading ends after so many problems."""


LIMITS: Final = Limits()

_new = tuple.__new__  # a third of the time of calling Mark

DROPPED: Final = object()
"""Stands for a key or value that takes no further part, because it was reported."""
_NO_KEY: Final = object()
_KINDS: Final = ((Map, "a mapping"), (Seq, "a list"), (bool, "a boolean"), ((int, float), "a number"), (object, "null"))


class _Frame:
    """An open collection: its data, the key that waits for its value, and what it holds so far."""

    __slots__ = (
        "anchor",
        "composed",
        "data",
        "height",
        "is_list",
        "key",
        "key_column",
        "key_line",
        "nodes",
        "place",
        "style",
    )

    def __init__(self, data: Map | Seq, style: str, anchor: str | None, place: tuple[int, int]):
        self.data: Any = data
        self.place = place
        self.style, self.anchor, self.is_list = style, anchor, type(data) is Seq
        self.key: Any = _NO_KEY
        self.key_line = self.key_column = 0
        self.nodes, self.height = 0, 1  # nodes inside collections and aliases inside this one
        self.composed: dict[str, str] | None = None  # NFC form of each key that is not ASCII


class TreeBuilder:
    """Build data from a stream of scalars and brackets; keep an explicit stack, check keys, aliases and limits."""

    def __init__(self, text: Text):
        self.text = text
        self.data: Any = DROPPED
        self.mark = Mark(1, 1, "", 0, 0)
        self.problems: list[Diagnostic] = []
        self._stack: list[_Frame] = []
        self._frame: _Frame | None = None
        self._nodes = self._alias_nodes = 0
        self._anchors: dict[str, tuple[Any, str, int, int]] = {}

    @property
    def style(self) -> str:
        """The style of the innermost open collection, or nothing."""
        return self._frame.style if self._frame else ""

    @property
    def opened(self) -> tuple[int, int]:
        """Line and column at which the innermost open collection begins."""
        return self._frame.place if self._frame else (1, 1)

    @property
    def key(self) -> str | None:
        """The key whose value comes next, where there is one."""
        return self._frame.key if self._frame and isinstance(self._frame.key, str) else None

    @property
    def last_key(self) -> str | None:
        """The key of the value that came last, where it had one."""
        frame = self._frame
        if frame is None or frame.key is not _NO_KEY or not isinstance(frame.data, Map):
            return None
        return next(reversed(frame.data), None)

    def report(self, code: str, message: str, where: Location | None, **facts: Any) -> None:
        """Add a problem.

        Raises:
            SpecError: there are as many as are worth reading.
        """
        self.problems.append(problem(code, message, where, **facts))
        if len(self.problems) >= LIMITS.problems:
            raise SpecError(first_stage(self.problems))

    def fail(self, code: str, message: str, where: Location, **facts: Any) -> NoReturn:
        """Raise SpecError with this problem and those before it."""
        raise SpecError(first_stage([*self.problems, problem(code, message, where, **facts)]))

    def scalar(self, value: Any, style: str, line: int, column: int, anchor: str | None = None) -> None:
        """Add a key or a value."""
        frame = self._frame
        if frame is None:
            self.data, self.mark = value, Mark(line, column, style, 0, 0)
        elif frame.is_list:
            frame.data.append(value)
            frame.data.marks.append(_new(Mark, (line, column, style, 0, 0)))
        elif frame.key is _NO_KEY:
            frame.key_line, frame.key_column = line, column
            frame.key = value if self._is_new_key(frame, value, style) else DROPPED
        else:
            key, frame.key = frame.key, _NO_KEY
            if key is not DROPPED:
                frame.data[key] = value
                frame.data.marks[key] = _new(Mark, (line, column, style, frame.key_line, frame.key_column))
        if anchor is not None:
            self._anchors[anchor] = value, style, 1, 0
        self._nodes += 1
        if self._nodes > LIMITS.nodes:
            self._limit("nodes", f"more than {LIMITS.nodes:,} keys and values", line, column)

    def open(self, data: Map | Seq, style: str, line: int, column: int, anchor: str | None = None) -> None:
        """Begin a collection."""
        self.scalar(data, style, line, column)
        if anchor is not None:
            self._anchors.pop(anchor, None)
        if len(self._stack) >= LIMITS.depth:
            self._too_deep(line, column)
        self._frame = _Frame(data, style, anchor, (line, column))
        self._stack.append(self._frame)

    def close(self) -> None:
        """End the innermost collection."""
        frame = self._stack.pop()
        nodes = frame.nodes + len(frame.data) * (1 if frame.is_list else 2)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = frame.data, frame.style, nodes + 1, frame.height
        self._frame = outer = self._stack[-1] if self._stack else None
        if outer is not None:
            outer.nodes += nodes
            outer.height = max(outer.height, frame.height + 1)

    def alias(self, name: str, line: int, column: int) -> bool:
        """Add what an anchor names, shared; return whether there is such an anchor.

        Raises:
            SpecError: the aliases stand for more than the limits allow.
        """
        if name not in self._anchors:
            recursive = any(frame.anchor == name for frame in self._stack)
            if recursive:
                where = self.text.location(line, column, len(name) + 1)
                self.report("GS101", f"the alias *{name} stands inside the value that it names", where)
            self.scalar(DROPPED, "", line, column)
            return recursive
        value, style, nodes, height = self._anchors[name]
        self._alias_nodes += nodes
        if self._alias_nodes > LIMITS.alias_nodes:
            self._limit("alias_nodes", f"aliases that stand for more than {LIMITS.alias_nodes:,} nodes", line, column)
        if len(self._stack) + height > LIMITS.depth:
            self._too_deep(line, column)
        self.scalar(value, style, line, column)
        if self._frame is not None:
            self._frame.nodes += nodes - 1
            self._frame.height = max(self._frame.height, height + 1)
        return True

    def _is_new_key(self, frame: _Frame, key: Any, style: str) -> bool:
        if type(key) is not str:
            if key is not DROPPED:
                self._not_a_string(frame, key)
            return False
        if style == "" and key == "<<":
            where = self.text.location(frame.key_line, frame.key_column, 2)
            self.report("GS105", "merge keys are not allowed: write the keys out", where)
            return False
        if key.isascii() and frame.composed is None:
            form = first = key
        else:
            form = unicodedata.normalize("NFC", key)
            first = (frame.composed or {}).get(form, form)
        if first in frame.data:
            self._duplicate(frame, key, first)
            return False
        if form != key:
            frame.composed = frame.composed or {}
            frame.composed[form] = key
        return True

    def _duplicate(self, frame: _Frame, key: str, first: str) -> None:
        same = "" if key == first else " (the two are equal after Unicode normalisation)"
        mark = frame.data.marks[first]
        related = (Related("the first", self.text.location(mark.key_line, mark.key_column, len(first))),)
        where = self.text.location(frame.key_line, frame.key_column, len(key))
        message = f"the key '{shortened(key)}' is written twice in one mapping{same}"
        self.report("GS102", message, where, related=related)

    def _not_a_string(self, frame: _Frame, key: Any) -> None:
        where = self.text.location(frame.key_line, frame.key_column)
        kind = next(kind for types, kind in _KINDS if isinstance(key, types))
        hint = "" if isinstance(key, Map | Seq) else "put the key in quotes"
        self.report("GS103", f"a key must be a string, not {kind}", where, hint=hint)

    def _too_deep(self, line: int, column: int) -> NoReturn:
        self._limit("depth", f"more than {LIMITS.depth} collections inside one another", line, column)

    def _limit(self, name: str, found: str, line: int, column: int) -> NoReturn:
        limit = f"limit: {name} {getattr(LIMITS, name):,}"
        self.fail("GS104", f"{found} ({limit})", self.text.location(line, column))
