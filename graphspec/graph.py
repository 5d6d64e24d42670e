"""The typed graph: nodes in flat lists, the emitter that grows it, and its networkx form."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from graphspec.errors import OpTypeError
from graphspec.leaf import SEED, Leaf, Literal, Project
from graphspec.op import Op, Types
from graphspec.types import TensorType
from graphspec.value import Emitter, Number, Value

if TYPE_CHECKING:
    import networkx

    from graphspec.origin import Origin


_CYCLE_STEPS = 1_000_000  # edges that the search for a shortest cycle looks at before it is content


class Graph:
    """Nodes in the order of their emission, which is topological. A node is an index into the lists.

    Attributes:
        ops, operands, types: the op, the operand nodes and the type of each node (a tuple of types where a node has
            several outputs; `Project` nodes pick them).
        paths: the path of each node; None for the anonymous ones: literals and what gradient rules emit.
        names: the node of each path. `aliases` are further paths that reach a node and are not listed.
        forward: for each node of a backward pass, the forward node whose gradient rule emitted it.
    """

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.operands: list[tuple[int, ...]] = []
        self.types: list[Types] = []
        self.paths: list[str | None] = []
        self.origins: list[Origin | None] = []
        self.names: dict[str, int] = {}
        self.aliases: dict[str, int] = {}
        self.forward: dict[int, int] = {}
        self.g = Emitter(self)
        self._merged: dict[tuple[Op, tuple[int, ...]], int] = {}
        self._inferred: dict[tuple[Op, tuple[Types, ...]], Types] = {}
        self._rule: int | None = None
        self._dag: networkx.MultiDiGraph | None = None

    def __len__(self) -> int:
        return len(self.ops)

    def copy(self) -> Graph:
        """Return an independent graph with the same nodes."""
        twin = Graph()
        for name in ("ops", "operands", "types", "paths", "origins", "names", "aliases", "forward", "_merged"):
            setattr(twin, name, getattr(self, name).copy())
        twin._inferred = self._inferred
        return twin

    def emit(self, op: Op, operands: tuple[int, ...], path: str | None = None, origin: Origin | None = None) -> int:
        """Add a node; an anonymous one that equals an earlier anonymous one is that one.

        Raises:
            OpTypeError: the operands do not fit the op.
        """
        op = op.settle(*(self.types[i] for i in operands))  # type: ignore[arg-type]
        if path is None:
            found = self._merged.get((op, operands))
            if found is not None:
                return found
        types = self.infer(op, tuple(self.types[i] for i in operands))
        node = len(self.ops)
        self.ops.append(op)
        self.operands.append(operands)
        self.types.append(types)
        self.paths.append(path)
        self.origins.append(origin)
        if path is None:
            self._merged[op, operands] = node
        else:
            self.names[path] = node
        if self._rule is not None:
            self.forward[node] = self._rule
        self._dag = None
        return node

    def infer(self, op: Op, types: tuple[Types, ...]) -> Types:
        """Return the type of ``op`` on operands of ``types``; remembered."""
        key = (op, types)
        found = self._inferred.get(key)
        if found is None:
            try:
                found = self._inferred[key] = op.infer(*types)  # type: ignore[arg-type]
            except (ValueError, ZeroDivisionError) as error:  # from the arithmetic of dims
                raise OpTypeError("dims", f"the dims of {op.name} cannot be computed: {error}", code="GS402") from None
        return found

    def apply(self, op: Op, *operands: Value, path: str | None = None, origin: Origin | None = None) -> Any:
        """Add a node and return its value, or a tuple of values where it has several outputs."""
        implicit = tuple(self.seed() for _ in op.implicit)
        node = self.emit(op, (*(value.id for value in operands), *implicit), path, origin)
        types = self.types[node]
        if isinstance(types, TensorType):
            return Value(self, node)
        outputs = op.outputs or tuple(f"y{i}" for i in range(len(types)))
        return tuple(
            Value(self, self.emit(Project(i, name), (node,), path and f"{path}.{name}", origin))
            for i, name in enumerate(outputs)
        )

    def literal(self, value: Number, dtype: str) -> Value:
        """Return the value of a number in ``dtype``."""
        return Value(self, self.emit(Literal(value, dtype), ()))

    def leaf(self, role: str, path: str, type: TensorType, origin: Origin | None = None) -> Value:
        """Add an input, parameter, state or constant."""
        return Value(self, self.emit(Leaf(role, path, type), (), path, origin))

    def seed(self) -> int:
        """Return the node of the run's seed and step: int64[2]."""
        return self.emit(Leaf("seed", "seed", SEED), ())

    def find(self, path: str) -> int | None:
        """Return the node of a path or alias."""
        return self.names.get(path, self.aliases.get(path))

    @contextmanager
    def rule_of(self, node: int | None) -> Iterator[None]:
        """Let the nodes emitted inside belong to the gradient rule of forward node ``node``."""
        before, self._rule = self._rule, node
        try:
            yield
        finally:
            self._rule = before

    def prune(self, start: int, kept: Sequence[tuple[int, Value]]) -> list[tuple[int, Value]]:
        """Remove the nodes from ``start`` on that no value of ``kept`` needs; return ``kept`` renumbered."""
        needed = {value.id for _, value in kept}
        for node in range(len(self.ops) - 1, start - 1, -1):
            if node in needed:
                needed.update(self.operands[node])
        if len(needed.intersection(range(start, len(self.ops)))) == len(self.ops) - start:
            return list(kept)
        tail = [(n, self.ops[n], self.operands[n], self.forward.get(n)) for n in range(start, len(self.ops))]
        self._truncate(start)
        moved: dict[int, int] = {}
        for node, op, operands, forward in tail:
            if node in needed:
                with self.rule_of(forward):
                    moved[node] = self.emit(op, tuple(moved.get(i, i) for i in operands))
        return [(key, Value(self, moved.get(value.id, value.id))) for key, value in kept]

    def _truncate(self, length: int) -> None:
        for node in range(length, len(self.ops)):
            self._merged.pop((self.ops[node], self.operands[node]), None)
            self.forward.pop(node, None)
        for column in (self.ops, self.operands, self.types, self.paths, self.origins):
            del column[length:]

    def verify(self) -> None:
        """Check the whole graph: operands come first, and every type is what its op infers.

        Raises:
            AssertionError: a transform broke the graph.
        """
        for node, op in enumerate(self.ops):
            if any(operand >= node for operand in self.operands[node]):
                raise AssertionError(f"node {node} ({op.name}) uses a later node")
            types = tuple(self.types[i] for i in self.operands[node])
            if op.infer(*types) != self.types[node]:  # type: ignore[arg-type]
                raise AssertionError(f"node {node} ({op.name}) is not of its inferred type {self.types[node]}")

    def ancestors(self, nodes: Sequence[int]) -> list[int]:
        """Return what ``nodes`` depend on, themselves included, in topological order."""
        needed = bytearray(len(self.ops))
        stack = list(nodes)
        while stack:
            node = stack.pop()
            if not needed[node]:
                needed[node] = 1
                stack.extend(self.operands[node])
        return [node for node, used in enumerate(needed) if used]

    def descendants(self, nodes: Sequence[int]) -> bytearray:
        """Return one byte per node: 1 where it is or depends on one of ``nodes``."""
        reached = bytearray(len(self.ops))
        for node in nodes:
            reached[node] = 1
        for node, operands in enumerate(self.operands):
            if not reached[node] and any(reached[i] for i in operands):
                reached[node] = 1
        return reached

    @property
    def dag(self) -> networkx.MultiDiGraph:
        """The graph as a networkx MultiDiGraph: nodes are paths, edges are keyed by port."""
        if self._dag is None:
            self._dag = self._build_dag()
        return self._dag

    def _build_dag(self) -> networkx.MultiDiGraph:
        import networkx

        dag = networkx.MultiDiGraph()
        labels = [self.label(node) for node in range(len(self.ops))]
        for node, op in enumerate(self.ops):
            dag.add_node(labels[node], op=op.name, type=self.types[node], node=node, instance=op)
            for port, operand in zip(port_names(op, len(self.operands[node])), self.operands[node], strict=True):
                dag.add_edge(labels[operand], labels[node], key=port)
        return dag

    def label(self, node: int) -> str:
        """Return the path of a node, or a name that no path can have for an anonymous one."""
        path, op = self.paths[node], self.ops[node]
        if path is not None:
            return path
        return f"{op.value}:{op.dtype}" if isinstance(op, Literal) else f"%{node}"


def port_names(op: Op, count: int) -> list[str]:
    """Return the port of each operand; those of a variadic port are numbered: ``terms.0``, ``terms.1``."""
    names = [port.name for port in op.ports if not port.variadic]
    if op.ports and op.ports[-1].variadic:
        many = count - len(names) - len(op.implicit)
        names += [f"{op.ports[-1].name}.{i}" for i in range(many)]
    names = names[: count - len(op.implicit)]
    return [*names, *op.implicit]


def declared_order(references: Mapping[str, Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Sort declared names so that each follows what it refers to, otherwise in document order.

    ``references`` maps each name to the names it refers to; others are ignored. Returns the order and the shortest
    cycle of every strongly connected part that has one; names in or behind a cycle are left out of the order.
    """
    declared = _declared(references)
    order = _sorted(declared)
    return order, [] if len(order) == len(declared) else _cycles(declared)


def _declared(references: Mapping[str, Sequence[str]]) -> networkx.DiGraph:
    """Return the declared graph: an edge from each name to every name that refers to it."""
    import networkx

    declared = networkx.DiGraph()
    declared.add_nodes_from(references)
    declared.add_edges_from(
        (other, name) for name, others in references.items() for other in others if other in references
    )
    return declared


def _sorted(declared: networkx.DiGraph) -> list[str]:
    """Return the names that no cycle is in the way of, each as early as what it refers to and the document allow.

    It is networkx's lexicographical topological sort, without its exception where there is a cycle.
    """
    names = list(declared)
    rank = {name: i for i, name in enumerate(names)}
    waiting = dict(declared.in_degree())
    ready = [i for i, name in enumerate(names) if not waiting[name]]  # ascending, so it is a heap
    order: list[str] = []
    while ready:
        first = names[heapq.heappop(ready)]
        order.append(first)
        for user in declared.adj[first]:
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, rank[user])
    return order


def _cycles(declared: networkx.DiGraph) -> list[list[str]]:
    import networkx

    rank = {name: i for i, name in enumerate(declared)}
    parts = [part for part in networkx.strongly_connected_components(declared) if _cyclic(declared, part)]
    cycles = [_shortest_cycle({n: [o for o in declared[n] if o in part] for n in part}, rank) for part in parts]
    return sorted(cycles, key=lambda cycle: rank[cycle[0]])


def _cyclic(declared: networkx.DiGraph, part: set[str]) -> bool:
    return len(part) > 1 or any(declared.has_edge(name, name) for name in part)


def _shortest_cycle(part: Mapping[str, Sequence[str]], rank: Mapping[str, int]) -> list[str]:
    """Return a shortest cycle of a strongly connected part, given as the successors of each of its names.

    In a very large part only cycles through its first names are compared.
    """
    best: list[str] = []
    looked_at = 0
    for start in sorted(part, key=rank.__getitem__):
        found, steps = _cycle_through(part, start, len(best))
        best, looked_at = found or best, looked_at + steps
        if len(best) <= 2 or looked_at > _CYCLE_STEPS:
            break
    first = min(range(len(best)), key=lambda i: rank[best[i]])
    return best[first:] + best[:first]


def _cycle_through(part: Mapping[str, Sequence[str]], start: str, limit: int) -> tuple[list[str], int]:
    """Return the shortest cycle through ``start`` of fewer than ``limit`` names, and how many edges were seen."""
    before: dict[str, str] = {}
    level, depth, steps = [start], 1, 0
    while level and (depth < limit or not limit):
        following = []
        for name in level:
            for other in part[name]:
                steps += 1
                if other == start:
                    return _way_back(before, start, name), steps
                if other not in before:
                    before[other] = name
                    following.append(other)
        level, depth = following, depth + 1
    return [], steps


def _way_back(before: Mapping[str, str], start: str, name: str) -> list[str]:
    path = [name]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]
