"""A built program as a flat spec: everything expanded, inferred and defaulted (rules L9.1, L9.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from graphspec import notation
from graphspec.custom import Custom
from graphspec.extract import CustomFunctions, input_sizes
from graphspec.leaf import Leaf, Literal, Project
from graphspec.model import Input, Model
from graphspec.names import reference_text
from graphspec.notation import Written
from graphspec.parameter import Parameter
from graphspec.result import to_list
from graphspec.yaml_text import flow, operand_scalar, scalar


def to_yaml(model: Model) -> str:
    """Return a model as the text of a spec that builds the same graph: same paths, same bits."""
    return "\n".join(Writer(model).lines()) + "\n"


class Writer:
    """Writes one model; ``complete`` shows every default, otherwise the short forms are used."""

    def __init__(self, model: Model):
        self.model, self.graph = model, model.graph
        self.complete = not model.derived
        self.custom = CustomFunctions(model)
        self.texts: dict[int, Written] = {}
        self.next = {n for path, n in model.updates.items() if (model.graph.paths[n] or "").startswith(f"{path}.next")}
        self.sizes = input_sizes((p, i.type) for p, i in model.inputs.items())  # of dims as operands
        self.names: dict[str, str] = {}  # of dims in attributes, where they have no name of their own

    def another(self, model: Model, sizes: dict[str, str]) -> Writer:
        """Return the writer of the body of a function, in the same form; dims are written as ``sizes`` says."""
        writer = Writer(model)
        writer.complete = self.complete
        writer.sizes = writer.names = sizes
        return writer

    def lines(self) -> Iterator[str]:
        """Yield the lines of the document."""
        model = self.model
        yield "graphspec: 1"
        yield f"name: {scalar(model.function.name)}"
        if model.function.doc and self.complete:
            yield f"doc: {scalar(' '.join(model.function.doc.split()))}"
        yield f"dtype: {model.dtype}"
        yield from self._section("inputs", ((p, self._input(i)) for p, i in model.inputs.items()))
        yield from self.declarations()
        nodes = list(self.nodes())
        yield from (["nodes:", *nodes] if nodes else [])
        yield f"outputs: {self._outputs()}"
        yield from self._section("updates", ((p, operand_scalar(self._of_update(n))) for p, n in model.updates.items()))
        if model.of is not None and self.complete:
            wrt = model.wrt if model.wrt is not None else model.default_wrt()
            yield f"differentiate: {flow({'of': model.of, 'wrt': list(wrt)})}"
        yield from self.custom.root_lines(self)

    def declarations(self) -> Iterator[str]:
        """Yield the sections between inputs and nodes."""
        model = self.model
        for role, section in (("parameter", "parameters"), ("state", "state")):
            known = {p: item for p, item in model.parameters.items() if item.role == role and not self.custom.owns(p)}
            yield from self._section(section, ((p, self._parameter(i)) for p, i in known.items()))
        yield from self._section("constants", self._constants())
        yield from self.custom.lines(self)

    def _section(self, name: str, entries: Iterable[tuple[str, str]]) -> Iterator[str]:
        rows = [f"  {scalar(key)}: {text}" for key, text in entries]
        if rows:
            yield f"{name}:"
            yield from rows

    # -- leaves -----------------------------------------------------------------------------------------------------

    def _input(self, item: Input) -> str:
        plain = item.type.is_scalar and item.type.dtype == self.model.dtype
        value = None if item.default is None else to_list(item.default)
        if not self.complete and plain:
            return flow(value)
        entry: dict[str, Any] = {"shape": [dim(d) for d in item.type.shape], "dtype": item.type.dtype}
        if value is not None:
            entry["value"] = value
        if item.doc:
            entry["doc"] = item.doc
        return flow(entry)

    def _parameter(self, item: Parameter) -> str:
        entry: dict[str, Any] = {"shape": list(item.shape), "dtype": item.type.dtype}
        if item.init is not None:
            name, arguments = item.init
            entry["init"] = f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
        elif item.file is not None:
            entry |= {"file": item.file, "key": item.key or item.path}
        else:
            entry["value"] = to_list(np.asarray(item.value))
        if item.role == "parameter" and (self.complete or not item.trainable):
            entry["trainable"] = item.trainable
        if item.doc:
            entry["doc"] = item.doc
        return flow(entry)

    def _constants(self) -> Iterator[tuple[str, str]]:
        for node, op in enumerate(self.graph.ops):
            if isinstance(op, Leaf) and op.role == "constant" and not self.custom.hides(node):
                yield op.path, flow(to_list(self.model.constants[op.path]))
        for path, array in self.custom.constants().items():
            yield path, flow(to_list(array))

    # -- nodes ------------------------------------------------------------------------------------------------------

    def nodes(self) -> Iterator[str]:
        """Yield one line per node that has a path, backward ones with the forward node and the rule they come from."""
        graph = self.graph
        for node, op in enumerate(graph.ops):
            path = graph.paths[node]
            guarded = self.custom.guarded(node)
            placed = node in self.model.inline or node in self.next or (isinstance(op, Project) and guarded is None)
            if placed or path is None or isinstance(op, Leaf) or self.custom.hides(node):
                continue
            text = self.expression(node).text if guarded is None else self.operand(guarded).text
            comment = self.model.comments.get(path)
            yield f"  {scalar(path)}: {operand_scalar(text)}" + (f"  # {comment}" if comment else "")

    def expression(self, node: int) -> Written:
        """Return the expression that a node is written as."""
        graph, op = self.graph, self.graph.ops[node]
        if isinstance(op, Literal):
            return notation.literal(op, self.sizes)
        if isinstance(op, Custom):
            return self.custom.call(self, node)
        count = len(graph.operands[node]) - len(op.implicit)
        operands = [self.operand(i) for i in graph.operands[node][:count]]
        return notation.apply(op, operands, self.complete, self.names)

    def operand(self, node: int) -> Written:
        """Return how a node is referred to: by its path, or written in place where it has none."""
        path, op = self.graph.paths[node], self.graph.ops[node]
        if isinstance(op, Project):
            return self._output_of(node, op)
        if path is not None and node not in self.model.inline:
            return Written(reference_text(path))
        if node not in self.texts:
            self.texts[node] = self.expression(node)
        return self.texts[node]

    def _output_of(self, node: int, op: Project) -> Written:
        parent = self.graph.operands[node][0]
        path = self.graph.paths[parent] or self.graph.paths[node]
        if path is None:
            return Written(f"{self.expression(parent).text}.{op.output}")
        return Written(reference_text(self.graph.paths[node] or f"{path}.{op.output}"))

    def _outputs(self) -> str:
        """Return the outputs by name where the name is a path, else as expressions."""
        paths = [(name, self.graph.paths[node]) for name, node in self.model.outputs.items()]
        if all(name == path or self.graph.find(name) is not None for name, path in paths):
            names = [name if name in self.graph.names else path or name for name, path in paths]
            return flow(names)
        entries = {name: reference_text(path or name) for name, path in paths}
        return flow(entries)

    def _of_update(self, node: int) -> str:
        if node not in self.next:  # one node may be the next value of several
            return self.operand(node).text
        return self.expression(node).text


def dim(value: Any) -> Any:
    """Return a dim as JSON data."""
    return value if isinstance(value, int) else str(value)


__all__ = ["Writer", "to_yaml"]
