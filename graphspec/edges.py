"""Edges: text such as ``a -> b.port`` to declarations (rule L5.2)."""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from typing import Any

from graphspec.declaration import Edge, Function, ParameterDeclaration, Weight
from graphspec.grammar import EDGE
from graphspec.origin import Origin
from graphspec.source import Map, Mark, Seq, Source

_ARROW = re.compile(r"\s*->\s*")


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
                self.chain(item, mark, function)
            elif isinstance(item, Map) and len(item) == 1 and "->" in next(iter(item)):
                text = next(iter(item))
                self.chain(text, item.marks[text], function, item)
            elif isinstance(item, Map) and isinstance(item.get("from"), str) and isinstance(item.get("to"), str):
                text = f"{item['from']} -> {item['to']}"
                weight = (item["weight"], item.marks["weight"]) if "weight" in item else None
                self.arrow(item["from"], item["to"], weight, self.place(item.marks["from"], text), function)

    def chain(self, text: str, mark: Mark, function: Function, weighted: Map | None = None) -> None:
        key = Mark(mark.key_line, mark.key_column, "", 0, 0) if weighted else mark
        origin = self.place(key, text)
        if not re.match(EDGE, text):
            self.report(
                "GS214",
                f"'{text}' is not an edge",
                origin,
                hint="an edge is written source -> target or source -> target.port",
            )
            return
        ends = _ARROW.split(text.strip())
        if weighted is not None and len(ends) > 2:
            self.report("GS214", "only an edge of two ends takes a weight", origin)
            return
        weight = (weighted[text], mark) if weighted is not None else None
        for source, target in itertools.pairwise(ends):
            self.arrow(source, target, weight, origin, function)

    def arrow(
        self, source: str, target: str, weight: tuple[Any, Mark] | None, origin: Origin, function: Function
    ) -> None:
        node, port = self.target(target, function)
        name = f"{source} -> {target}"
        start = origin.text.rfind(target)
        place = Origin(self.source, origin.mark, origin.text, max(start, 0), max(start, 0) + len(target))
        edge = Edge(source, node, port, self.weight(name, weight, function) if weight else None, origin, place)
        function.edges.append(edge)

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
