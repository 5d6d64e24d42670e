"""The gradient of a model as a model: the forward part, then one node per cotangent (rule L9.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from graphspec.autodiff import Backward, gradient
from graphspec.custom import Custom
from graphspec.derivative import is_scalar, node_of
from graphspec.graph import Graph
from graphspec.leaf import Leaf, Literal, Project
from graphspec.model import Model
from graphspec.op import make
from graphspec.types import TensorType

_LINE = 8  # operations that one line of a written gradient holds at most


def gradient_model(model: Model, of: str, wrt: Sequence[str]) -> Model:
    """Return the model whose outputs are ``d_NAME`` for every name of ``wrt``, in order.

    Cotangents are named ``d_`` and the path, with ``.`` as ``_`` and `` -> `` as ``_to_``. What a gradient rule emits
    besides lies below the cotangent it is for, as the parts of an expression do.
    """
    nodes = {name: node_of(model, name) for name in wrt}
    mover = _moved(model, node_of(model, of), list(nodes.values()), ())
    result = mover.target
    outputs = {}
    for name, node in nodes.items():
        path = mover.names.get(node) or mover.zero(node, name)
        outputs[path] = result.names[path]
    derived = _derived(model, mover)
    derived.outputs = outputs
    scalars = [name for name, node in outputs.items() if is_scalar(derived, node)]
    derived.of = scalars[0] if len(scalars) == 1 else None
    result.verify()
    return derived


def joint_model(model: Model, of: str, wrt: Sequence[str], kept: Sequence[int]) -> tuple[Model, dict[str, int]]:
    """Return a model that computes the forward nodes ``kept``, and the node of the gradient of each name of ``wrt``.

    Its outputs and updates are those of ``model``. A name that nothing depends on has no gradient in the mapping.
    """
    nodes = {name: node_of(model, name) for name in wrt}
    mover = _moved(model, node_of(model, of), list(nodes.values()), kept)
    derived = _derived(model, mover)
    derived.outputs = {name: mover.ids[node] for name, node in model.outputs.items() if node in mover.ids}
    derived.updates = {name: mover.ids[node] for name, node in model.updates.items() if node in mover.ids}
    mover.target.aliases = {path: mover.ids[n] for path, n in model.graph.aliases.items() if n in mover.ids}
    names = {name: mover.names[node] for name, node in nodes.items() if node in mover.names}
    return derived, {name: mover.target.names[path] for name, path in names.items()}


def _moved(model: Model, of: int, wrt: Sequence[int], kept: Sequence[int]) -> _Mover:
    graph = model.graph.copy()
    backward = gradient(graph, of, wrt)
    return _Mover(graph, backward, len(model.graph), [n for n in wrt if n in backward.cotangents], kept)


def _derived(model: Model, mover: _Mover) -> Model:
    """Return the model of the graph that a mover has filled; it has no outputs yet."""
    result = mover.target
    derived = Model(model.function, result, model.dtype, derived=True, attributes=model.attributes)
    derived.comments = model.comments | mover.comments
    derived.inline = {mover.ids[n] for n in model.inline if n in mover.ids} | mover.inline
    derived.inputs = {p: replace(i, node=result.names[p]) for p, i in model.inputs.items() if p in result.names}
    known = {p: i for p, i in model.parameters.items() if p in result.names}
    derived.parameters = {p: replace(i, node=result.names[p]) for p, i in known.items()}
    derived.constants = model.constants
    derived.custom = {mover.ids[node]: scope for node, scope in model.custom.items() if node in mover.ids}
    return derived


def comment(graph: Graph, node: int, sources: Sequence[int]) -> str:
    """Return what a cotangent is of, and the rules at the forward nodes that it comes from."""
    subject = f"cotangent of {graph.label(node)}"
    rules = [f"{_rule_name(graph, source)} at {graph.label(source)}" for source in sources]
    if not rules:
        return f"{subject}: the backward pass begins here"
    return f"{subject}: {'rule of ' if len(rules) == 1 else 'sum over the rules of '}{', '.join(rules)}"


def _rule_name(graph: Graph, node: int) -> str:
    op = graph.ops[node]
    return op.rule.name if isinstance(op, Custom) else op.name


class _Mover:
    """Copies what the gradients need into a new graph, where every operation has a path.

    Attributes:
        ids: the new node of each old one.
        names: the path of the cotangent of each forward node.
        inline: new nodes that are written inside the expression of the one node that uses them.
    """

    def __init__(
        self, source: Graph, backward: Backward, forward_end: int, wanted: Sequence[int], kept: Sequence[int] = ()
    ):
        self.source, self.target = source, Graph()
        self.ids: dict[int, int] = {}
        self.names: dict[int, str] = {}
        self.comments: dict[str, str] = {}
        self.inline: set[int] = set()
        needed = set(source.ancestors([*(backward.cotangents[node].id for node in wanted), *kept]))
        self.taken = {path for path in source.paths if path is not None}
        cts = {node: ct.id for node, ct in backward.cotangents.items() if source.paths[node] and ct.id in needed}
        self.uses = Counter(i for node in needed for i in source.operands[node])
        self.uses.update(cts.values())
        for node in range(forward_end):
            if node in needed or isinstance(source.ops[node], Leaf):
                self._copy(node, source.paths[node], source.forward.get(node))
        for node, ct in cts.items():
            self.names[node] = name = self.free(source.paths[node] or "")
            self._cotangent(ct, name, node)
            self.comments[name] = comment(source, node, backward.sources.get(node, ()))

    def free(self, path: str) -> str:
        """Return ``d_`` and the path as a name, numbered where it is taken."""
        base = "d_" + "".join(c if c.isalnum() or c == "_" else "_" for c in path.replace(" -> ", "_to_"))
        return self._numbered(base)

    def _numbered(self, base: str) -> str:
        name, number = base, 1
        while name in self.taken:
            number += 1
            name = f"{base}_{number}"
        self.taken.add(name)
        return name

    def _copy(self, node: int, path: str | None, forward: int | None) -> None:
        operands = tuple(self.ids[i] for i in self.source.operands[node])
        with self.target.rule_of(forward):
            self.ids[node] = self.target.emit(self.source.ops[node], operands, path, self.source.origins[node])

    def _cotangent(self, ct: int, name: str, forward: int) -> None:
        """Copy a cotangent and what only it needs; where it is another's too, add an identity."""
        pair = self.ids.get(forward)
        parts = self._parts(ct)
        alone = [node for node in parts if not isinstance(self.source.ops[node], Leaf | Literal | Project)]
        inline = self._inline(alone, ct)
        paths = {
            node: self._numbered(f"{name}.{self.source.ops[node].name}")
            for node in alone
            if node not in inline and node != ct
        }
        for node in parts:
            op = self.source.ops[node]
            if isinstance(op, Leaf):
                path = self.source.paths[node]
            elif isinstance(op, Project):  # also where it is the cotangent, which then is an identity of it
                path = f"{self.target.paths[self.ids[self.source.operands[node][0]]]}.{op.output}"
            elif node == ct:
                path = name
            elif isinstance(op, Literal):
                path = None
            else:
                path = paths.get(node) or self._numbered(f"{name}.{op.name}")
            self._copy(node, path, self.ids.get(self.source.forward.get(node, forward)))
            if node in inline:
                self.inline.add(self.ids[node])
        if name not in self.target.names:
            with self.target.rule_of(pair):
                self.target.emit(make("identity"), (self.ids[ct],), name)

    def _parts(self, root: int) -> list[int]:
        """Return the nodes that are not copied yet, in evaluation order: operands first, left to right."""
        found: list[int] = []
        seen: set[int] = set()
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                found.append(node)
            elif node not in self.ids and node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((i, False) for i in reversed(self.source.operands[node]))
        return found

    def _inline(self, parts: Sequence[int], root: int) -> set[int]:
        """Return the nodes that are written in place: used once, and not making a line too long."""
        inline: set[int] = set()
        size: dict[int, int] = {}
        for node in parts:
            inside = [i for i in self.source.operands[node] if i in inline]
            size[node] = 1 + sum(size[i] for i in inside)
            single = isinstance(self.source.types[node], TensorType) and self.uses[node] == 1
            if single and node != root and size[node] <= _LINE:
                inline.add(node)
        return inline

    def zero(self, node: int, name: str) -> str:
        """Add zeros of the type of a forward node, as its cotangent."""
        found = self.source.types[node]
        assert isinstance(found, TensorType)
        path = self.free(self.source.paths[node] or name)
        zero = self.target.literal(0.0, found.dtype)
        op = make("identity") if found.is_scalar else make("broadcast_to", shape=found.shape)
        with self.target.rule_of(self.ids.get(node)):
            self.target.emit(op, (zero.id,), path)
        self.comments[path] = f"cotangent of {self.source.label(node)}: nothing depends on it"
        return path
