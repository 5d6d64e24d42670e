"""Calls of functions with a custom gradient, written back as functions (rule L9.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from graphspec.custom import Custom
from graphspec.dims import Expr
from graphspec.graph import Graph
from graphspec.leaf import Leaf, Project
from graphspec.model import Model
from graphspec.names import join, reference_text
from graphspec.notation import Written
from graphspec.scope import Scope
from graphspec.types import TensorType
from graphspec.value import Value
from graphspec.yaml_text import operand_scalar


class Printer(Protocol):
    """What writes a model: the bodies of functions are written as the document around them is."""

    complete: bool

    def operand(self, node: int) -> Written:
        """Return a node as an operand of an expression."""

    def declarations(self) -> Iterator[str]:
        """Yield the sections between inputs and nodes."""

    def nodes(self) -> Iterator[str]:
        """Yield the lines of the nodes."""

    sizes: dict[str, str]

    def another(self, model: Model, sizes: dict[str, str]) -> Printer:
        """Return the printer of another model, in the same form."""


class CustomFunctions:
    """What a flat spec says of the custom gradients in a model.

    The nodes inside such a call are hidden from the flat list: they stand in a function of the document, one for each
    call whose body differs. The document's own gradient, if it has one, stays its own.
    """

    def __init__(self, model: Model):
        self.model, self.graph = model, model.graph
        self.calls = {node: _Call(model, node, scope) for node, scope in model.custom.items() if scope.prefix != ""}
        self.root = next((node for node, scope in model.custom.items() if scope.prefix == ""), None)
        self._hidden = {inner for call in self.calls.values() for inner in call.inside}
        self._owned = {model.graph.paths[node] for node in self._hidden}
        self._names: dict[int, str] = {}

    def owns(self, path: str) -> bool:
        """Tell whether a parameter is declared by one of the functions."""
        return path in self._owned

    def hides(self, node: int) -> bool:
        """Tell whether a node stands in one of the functions."""
        return node in self._hidden

    def lines(self, writer: Printer) -> Iterator[str]:
        """Yield the section `functions`."""
        bodies: dict[tuple[str, tuple[str, ...]], str] = {}
        for node, call in self.calls.items():
            if node in self._hidden:
                continue
            body = (call.scope.function.name, tuple(call.lines(writer)))
            if body not in bodies:
                taken = set(bodies.values())
                bodies[body] = next(n for n in _numbered(call.scope.function.name) if n not in taken)
            self._names[node] = bodies[body]
        if bodies:
            yield "functions:"
        for (_, body_lines), name in bodies.items():
            yield f"  {name}:"
            yield from (f"    {line}" for line in body_lines)

    def call(self, writer: Printer, node: int) -> Written:
        """Return the expression of a custom node: a call, or for the document's own gradient what it guards."""
        if node not in self.calls:
            return writer.operand(self.graph.operands[node][0])
        call = self.calls[node]
        arguments = [f"{name}={writer.operand(operand).text}" for name, operand in call.bound.items()]
        return Written(f"{self._names.get(node, call.scope.function.name)}({', '.join(arguments)})")

    def guarded(self, node: int) -> int | None:
        """Return the value behind an output of the document's own custom gradient."""
        op = self.graph.ops[node]
        if self.root is None or not isinstance(op, Project) or self.graph.operands[node][0] != self.root:
            return None
        return self.graph.operands[self.root][op.index]

    def root_lines(self, writer: Printer) -> Iterator[str]:
        """Yield the document's own gradient."""
        if self.root is not None and writer.complete:
            op = self.graph.ops[self.root]
            assert isinstance(op, Custom)
            yield from rule_lines(self._root_rules(), op.rule.surrogate, self.model.custom[self.root], writer)

    def constants(self) -> dict[str, np.ndarray]:
        """Return the arrays that only the document's own gradient uses."""
        return {} if self.root is None or self.model.derived else self._root_rules().constants

    def _root_rules(self) -> Rules:
        assert self.root is not None
        return emitted(self.graph, self.root, self.model.custom[self.root])


def input_sizes(inputs: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Return how each symbolic dim is written as the size of an axis of an input: ``x.shape[0]``."""
    found: dict[str, str] = {}
    for name, type in inputs:
        for axis, size in enumerate(type.shape if isinstance(type, TensorType) else ()):
            if isinstance(size, Expr) and size.is_symbol:
                found.setdefault(str(size), f"{reference_text(name)}.shape[{axis}]")
    return found


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        number += 1
        yield f"{name}_{number}"


class _Call:
    """One call: the nodes inside it, and what the caller passes in.

    Attributes:
        bound: the operand of every input, and of every parameter that the caller bound, by name.
        inside: the nodes between those and the outputs.
    """

    def __init__(self, model: Model, node: int, scope: Scope):
        self.model, self.node, self.scope = model, node, scope
        graph, op = model.graph, model.graph.ops[node]
        assert isinstance(op, Custom)
        operands = graph.operands[node]
        read = dict(zip(op.rule.emit.names, operands[op.count :], strict=True))  # type: ignore[attr-defined]
        self.raw = operands[: op.count]
        function = scope.function
        self.bound = {name: read[name] for name in function.inputs if name in read}
        for name in function.parameters:
            own = join(scope.prefix or "", name)
            if name in read and graph.paths[read[name]] != own:
                self.bound[name] = read[name]
        self.inner = {name: i for name, i in read.items() if name not in self.bound}
        self.inside = self._between([*self.raw, *self.inner.values()], set(self.bound.values()))

    def _between(self, ends: list[int], stops: set[int]) -> set[int]:
        found: set[int] = set()
        stack = list(ends)
        while stack:
            node = stack.pop()
            if node not in found and node not in stops:
                found.add(node)
                stack.extend(self.model.graph.operands[node])
        return {n for n in found if not (isinstance(op := self.model.graph.ops[n], Leaf) and op.role == "seed")}

    def lines(self, printer: Printer) -> list[str]:
        """Return the function's text."""
        types = [(name, self.model.graph.types[operand]) for name, operand in self.bound.items()]
        rules = emitted(self.model.graph, self.node, self.scope)
        writer = printer.another(self._body(rules.constants), input_sizes(types))
        lines = [f"inputs: [{', '.join(self.bound)}]"]  # a parameter that the caller bound is one of them
        lines += list(writer.declarations())
        nodes = list(writer.nodes())
        lines += ["nodes:", *nodes] if nodes else []
        lines.append(f"outputs: [{', '.join(output.path for output in self.scope.function.outputs)}]")
        op = self.model.graph.ops[self.node]
        assert isinstance(op, Custom)
        return lines + rule_lines(rules, op.rule.surrogate, self.scope, writer)

    def _body(self, constants: dict[str, np.ndarray]) -> Model:
        """Return the nodes inside as a model of their own, with paths relative to the call, and further constants."""
        source, target = self.model.graph, Graph()
        ids: dict[int, int] = {}
        for name, operand in self.bound.items():
            found = source.types[operand]
            assert isinstance(found, TensorType)
            ids[operand] = target.leaf("input", name, found).id
        names = dict(zip(self.raw, (output.path for output in self.scope.function.outputs), strict=True))
        for node in sorted(self.inside):
            path = names.get(node) or self._relative(source.paths[node])
            op = source.ops[node]
            if isinstance(op, Leaf) and path is not None:
                op = replace(op, path=path)
            operands = tuple(ids[i] if i in ids else target.seed() for i in source.operands[node])
            ids[node] = target.emit(op, operands, path)
        body = Model(self.scope.function, target, self.scope.dtype)
        body.parameters = {
            path: replace(item, path=path, node=target.names[path])
            for item in self.model.parameters.values()
            if item.node in self.inside and (path := self._relative(item.path) or item.path)
        }
        body.constants = {
            self._relative(path) or path: array for path, array in self.model.constants.items()
        } | constants
        for path, array in constants.items():
            target.leaf("constant", path, TensorType(str(array.dtype), array.shape))
        body.custom = {ids[n]: scope for n, scope in self.model.custom.items() if n in self.inside and n in ids}
        return body

    def _relative(self, path: str | None) -> str | None:
        prefix = f"{self.scope.prefix}."
        return path.removeprefix(prefix) if path is not None and path.startswith(prefix) else None


@dataclass(frozen=True)
class Rules:
    """The rules of one call, emitted on leaves that have the names of what they read.

    ``constants`` are arrays that only the rules use.
    """

    graph: Graph
    pulled: dict[str, Value | None]
    constants: dict[str, np.ndarray]


def emitted(graph: Graph, node: int, scope: Scope) -> Rules:
    """Return the rules of a node, with their attributes filled in."""
    op = graph.ops[node]
    assert isinstance(op, Custom)
    emitter = op.rule.emit
    scratch = Graph()
    operands = graph.operands[node]
    values = [_leaf(scratch, f"raw {i}", graph.types[raw]) for i, raw in enumerate(operands[: op.count])]
    names: list[str] = emitter.names  # type: ignore[attr-defined]
    values += [_leaf(scratch, name, graph.types[i]) for name, i in zip(names, operands[op.count :], strict=True)]
    outputs: list[str] = emitter.outputs  # type: ignore[attr-defined]
    values += [_leaf(scratch, name, graph.types[raw]) for name, raw in zip(outputs, operands, strict=False)]
    cts = [
        _leaf(scratch, "ct" if op.count == 1 else f"ct.{n}", graph.types[raw])
        for n, raw in zip(outputs, operands, strict=False)
    ]
    pulled = emitter(cts[0] if op.count == 1 else tuple(cts), values)[op.count :]
    leaves = [leaf for leaf in scratch.ops if isinstance(leaf, Leaf) and leaf.role == "constant"]
    known = emitter.builder.constants  # type: ignore[attr-defined]
    return Rules(scratch, dict(zip(names, pulled, strict=True)), {leaf.path: known[leaf.path] for leaf in leaves})


def rule_lines(rules: Rules, surrogate: bool, scope: Scope, writer: Printer) -> list[str]:
    """Return the section `gradient`."""
    printer = writer.another(Model(scope.function, rules.graph, scope.dtype), writer.sizes)
    leaves = [*scope.function.inputs, *(n for n, p in scope.function.parameters.items() if p.role == "parameter")]
    found = {name: rules.pulled[name] for name in leaves if name in rules.pulled}
    texts = {name: None if value is None else printer.operand(value.id).text for name, value in found.items()}
    rows = (f"  {name}: {'null' if text is None else operand_scalar(text)}" for name, text in texts.items())
    return ["gradient:", *rows, *(["surrogate: true"] if surrogate else [])]


def _leaf(graph: Graph, path: str, type: object) -> Value:
    assert isinstance(type, TensorType)
    return graph.leaf("input", path, type)
