"""Edges: text such as ``a -> b.port`` to declarations (rule L5.2)."""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

from graphspec.declaration import Edge, Function, ParameterDeclaration, Weight
from graphspec.grammar import EDGE, END
from graphspec.origin import Origin
from graphspec.source import Map, Mark, Seq, Source

_END = re.compile(r"[^\s>-]+")


class EdgeReader(ABC):
    """Reads `edges`; the rest of a document is read by the class that builds on it."""

    source: Source

    @abstractmethod
    def place(self, mark: Mark, text: str = "") -> Origin:
        """Return the place of a scalar."""

    @abstractmethod
    def report(self, code: str, message: str, origin: Origin, **facts: Any) -> None:
        """Note a problem."""

    @abstractmethod
    def declare(self, function: Function, section: str, name: str, origin: Origin) -> bool:
        """Note that a name is declared."""

    @abstractmethod
    def parameter(self, name: str, value: Any, mark: Mark, role: str) -> ParameterDeclaration:
        """Read a parameter."""

    def edges(self, value: Any, function: Function) -> None:
        """Read `edges` (L5.2)."""
        for item, mark in zip(value, value.marks, strict=True) if isinstance(value, Seq) else ():
            if isinstance(item, str):
                self._chain(self.place(mark, item), None, function)
            elif isinstance(item, Map) and any("->" in key for key in item):
                self._weighted(item, mark, function)
            elif isinstance(item, Map) and isinstance(item.get("from"), str) and isinstance(item.get("to"), str):
                self._mapping(item, function)

    def _weighted(self, item: Map, place: Mark, function: Function) -> None:
        """Read ``source -> target: weight``."""
        text = next(iter(item))
        mark = item.marks[text]
        if len(item) > 1:
            hint = f"write each edge as an item of its own: - {text}: {item[text]}"
            self.report("GS214", "an edge with a weight is a mapping of one key", self.place(place), hint=hint)
            return
        key = Mark(mark.key_line, mark.key_column, "", 0, 0)
        self._chain(self.place(key, text), (item[text], mark), function)

    def _chain(self, origin: Origin, weight: tuple[Any, Mark] | None, function: Function) -> None:
        """Read ``source -> target`` or a chain of several."""
        if not re.match(EDGE, origin.text):
            hint = "an edge is written source -> target or source -> target.port"
            self.report("GS214", f"'{origin.text}' is not an edge", origin, hint=hint)
            return
        ends = [replace(origin, start=end.start(), end=end.end()) for end in _END.finditer(origin.text)]
        if weight is not None and len(ends) > 2:
            self.report("GS214", "only an edge of two ends takes a weight", origin)
            return
        for source, target in itertools.pairwise(ends):
            self._arrow(source, target, weight, function)

    def _mapping(self, item: Map, function: Function) -> None:
        """Read ``{from, to, weight}``."""
        source, target = (self.place(item.marks[key], item[key]) for key in ("from", "to"))
        wrong = [end for end in (source, target) if not re.match(END, end.text)]
        for end in wrong:
            self.report("GS214", f"'{end.text}' is not the end of an edge", end, hint="it is a name or a path")
        if not wrong:
            weight = (item["weight"], item.marks["weight"]) if "weight" in item else None
            self._arrow(source, target, weight, function)

    def _arrow(self, source: Origin, target: Origin, weight: tuple[Any, Mark] | None, function: Function) -> None:
        node, port = self.target(target.expression, function)
        name = f"{source.expression} -> {target.expression}"
        known = self.weight(name, weight, function) if weight else None
        function.edges.append(Edge(source.expression, node, port, known, source, target))

    def target(self, text: str, function: Function) -> tuple[str, str | None]:
        """Split NAME[.PORT]; a declared node with a dot in its name is the node."""
        if text in function.nodes or "." not in text:
            return text, None
        node, _, port = text.rpartition(".")
        return node, port

    def weight(self, name: str, weight: tuple[Any, Mark], function: Function) -> Weight | None:
        value, mark = weight
        place = self.place(mark, value if isinstance(value, str) else "")
        if isinstance(value, str):
            return Weight(value, None, place)
        if isinstance(value, bool) or not isinstance(value, int | float | Seq | Map):
            return None
        declared = self.parameter(name, value, mark, "parameter")
        if not self.declare(function, "edges", name, declared.origin):
            return None
        function.parameters[name] = declared
        return Weight(name, declared, place)
