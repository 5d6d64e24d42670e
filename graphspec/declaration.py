"""Declarations: a document as it was written, before anything is built from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from graphspec.attribute import Attribute
from graphspec.expression import Term
from graphspec.origin import Origin
from graphspec.source import Mark, Seq, Source


@dataclass(frozen=True, slots=True)
class Expression:
    """An operand slot: its tree and where it was written."""

    term: Term
    origin: Origin

    def at(self, term: Term) -> Origin:
        """Return the place of one of its terms."""
        o = self.origin
        return Origin(o.source, o.mark, o.text, term.start, term.end, o.calls)


@dataclass(frozen=True, slots=True)
class AttributeSlot:
    """An attribute slot of a node: a literal; strings that begin with ``$`` in it are computed from attributes."""

    value: Any
    origin: Origin

    def key(self, name: str) -> Origin:
        """Return the place of the key ``name`` that the slot stands under."""
        mark = self.origin.mark
        return Origin(self.origin.source, Mark(mark.key_line, mark.key_column, "", 0, 0), name, 0, len(name))

    @property
    def items(self) -> tuple[AttributeSlot, ...]:
        """The slots of the items of a list."""
        if not isinstance(self.value, Seq):
            return ()
        texts = [item if isinstance(item, str) else "" for item in self.value]
        places = [
            Origin(self.origin.source, mark, text, 0, len(text), self.origin.calls)
            for mark, text in zip(self.value.marks, texts, strict=True)
        ]
        return tuple(AttributeSlot(item, place) for item, place in zip(self.value, places, strict=True))


@dataclass(frozen=True, slots=True)
class ShapeSlot:
    """A declared shape; its dims are terms, integers or `...`."""

    dims: tuple[Any, ...]
    origin: Origin
    places: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class InputDeclaration:
    name: str
    origin: Origin
    shape: ShapeSlot | None = None
    dtype: str | None = None
    value: Any = None
    optional: bool = False
    variadic: bool = False
    doc: str = ""

    @property
    def may_be_left_out(self) -> bool:
        return self.optional or self.value is not None


@dataclass(frozen=True, slots=True)
class ParameterDeclaration:
    """A parameter or state: exactly one of ``value``, ``init`` and ``file`` is given.

    Once its document is loaded, ``file`` is relative to the spec's folder.
    """

    name: str
    origin: Origin
    role: str
    shape: ShapeSlot | None = None
    dtype: str | None = None
    value: Any = None
    init: Expression | None = None
    file: str | None = None
    key: str | None = None
    trainable: bool = True
    doc: str = ""
    file_origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Weight:
    """The weight of an edge: a new parameter, or the name of one."""

    parameter: str
    declared: ParameterDeclaration | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow: ``source`` is a path, ``target`` a node of this document."""

    source: str
    target: str
    port: str | None
    weight: Weight | None
    source_origin: Origin
    target_origin: Origin


@dataclass(frozen=True, slots=True)
class NodeDeclaration:
    """A node: an expression, or (``op``) a call with its operands and attributes written as keys."""

    name: str
    origin: Origin
    expression: Expression | None = None
    op: str | None = None
    op_origin: Origin | None = None
    positional: tuple[Expression, ...] = ()
    by_port: dict[str, tuple[Expression, ...]] = field(default_factory=dict)
    attributes: dict[str, AttributeSlot] = field(default_factory=dict)
    repeat: AttributeSlot | None = None
    over: dict[str, AttributeSlot] | None = None
    share: str | None = None
    share_origin: Origin | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """An output: the name it is reported under and the path it refers to."""

    name: str
    path: str
    origin: Origin


@dataclass(eq=False)
class Function:
    """A document or a function in one."""

    name: str
    source: Source
    origin: Origin
    outer: Function | None = None
    folder: Path | None = None
    doc: str = ""
    dtype: str | None = None
    surrogate: bool = False
    data: Any = None
    attributes: dict[str, Attribute] = field(default_factory=dict)
    inputs: dict[str, InputDeclaration] = field(default_factory=dict)
    parameters: dict[str, ParameterDeclaration] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, NodeDeclaration] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    updates: dict[str, Expression] = field(default_factory=dict)
    gradient: dict[str, Expression | None] | None = None
    functions: dict[str, Function] = field(default_factory=dict)
    imports: dict[str, Function] = field(default_factory=dict)
    tests: list[Any] = field(default_factory=list)
    differentiate: Any = None
    data_section: Any = None  # of a file with a section `data`: a `DataSection`
    train_section: Any = None  # of a file that is trained: a `TrainSection`
    places: dict[str, Origin] = field(default_factory=dict)  # of every declared name
    order: tuple[list[str], list[list[str]]] | None = None  # see `mentions.node_order`

    @property
    def root(self) -> Function:
        """The file this function stands in."""
        return self if self.outer is None else self.outer.root

    @property
    def kinds(self) -> dict[str, str]:
        """The section of every declared value name: "inputs", "parameters", "state", "constants", "nodes"."""
        found: dict[str, str] = {}
        for section in ("attributes", "inputs", "constants", "nodes"):
            found.update(dict.fromkeys(getattr(self, section), section))
        for name, declared in self.parameters.items():
            found[name] = "state" if declared.role == "state" else "parameters"
        return found

    @cached_property
    def arriving(self) -> dict[str, list[Edge]]:
        """The edges that arrive at each node, in the order of their declaration."""
        found: dict[str, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.target, []).append(edge)
        return found

    def edges_to(self, node: str) -> list[Edge]:
        return self.arriving.get(node, [])
