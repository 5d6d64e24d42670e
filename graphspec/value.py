"""Values of a graph under construction: arithmetic on them emits nodes; numbers among them become literals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from graphspec.dims import Expr
from graphspec.errors import OpTypeError
from graphspec.leaf import Literal
from graphspec.op import OPS, Port
from graphspec.types import TensorType, kind

if TYPE_CHECKING:
    from graphspec.graph import Graph

Number = bool | int | float | Expr


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One value of a graph under construction. Arithmetic on it emits nodes."""

    graph: Graph
    id: int

    @property
    def type(self) -> TensorType:
        found = self.graph.types[self.id]
        assert isinstance(found, TensorType)
        return found

    @property
    def number(self) -> bool | int | float | None:
        """The number, where the value is one that was written."""
        op = self.graph.ops[self.id]
        return None if not isinstance(op, Literal) or isinstance(op.value, Expr) else op.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and other.id == self.id and other.graph is self.graph

    def __hash__(self) -> int:
        return hash(self.id)

    def __add__(self, other: Any) -> Value:
        return self.graph.g.add(self, other)

    def __radd__(self, other: Any) -> Value:
        return self.graph.g.add(other, self)

    def __sub__(self, other: Any) -> Value:
        return self.graph.g.subtract(self, other)

    def __rsub__(self, other: Any) -> Value:
        return self.graph.g.subtract(other, self)

    def __mul__(self, other: Any) -> Value:
        return self.graph.g.multiply(self, other)

    def __rmul__(self, other: Any) -> Value:
        return self.graph.g.multiply(other, self)

    def __truediv__(self, other: Any) -> Value:
        return self.graph.g.divide(self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return self.graph.g.divide(other, self)

    def __pow__(self, other: Any) -> Value:
        return self.graph.g.pow(self, other)

    def __matmul__(self, other: Any) -> Value:
        return self.graph.g.matmul(self, other)

    def __neg__(self) -> Value:
        return self.graph.g.negative(self)


class Emitter:
    """Where gradient rules put their nodes: ``g.exp(x)`` adds a node, or finds an equal one, and returns its value."""

    def __init__(self, graph: Graph):
        self._graph = graph

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in OPS:
            raise AttributeError(f"no op is called {name!r}")

        def emit(*operands: Value | Number, **values: Any) -> Any:
            op = OPS[name](**values)
            return self._graph.apply(op, *adopt(self._graph, op.ports, operands))

        return emit


def adopt(
    graph: Graph,
    ports: Sequence[Port],
    operands: Sequence[Value | Number],
    dtype: str = "float64",
    statics: Mapping[int, Number] = MappingProxyType({}),
) -> list[Value]:
    """Turn literal operands into values: a literal takes the dtype it meets, alone the float dtype ``dtype``.

    ``statics`` are the nodes that compute with literals only, and their numbers: they adopt a dtype as literals do.

    Raises:
        OpTypeError: GS405, a fraction meets an integer array.
    """
    groups = [ports[min(i, len(ports) - 1)].group for i in range(len(operands))]
    meets: dict[str, str] = {"integer": "int64", "boolean": "bool"}
    for group, operand in zip(groups, operands, strict=True):
        if isinstance(operand, Value) and operand.id not in statics:
            meets.setdefault(group, operand.type.dtype)
    if statics:
        operands = [_adopting(x, meets.get(group), statics) for group, x in zip(groups, operands, strict=True)]
    numbers = [x for group, x in zip(groups, operands, strict=True) if group == "T" and not isinstance(x, Value)]
    alone = "bool" if numbers and all(isinstance(x, bool) for x in numbers) else dtype
    return [
        operand if isinstance(operand, Value) else _literal(graph, operand, meets.get(group, alone))
        for group, operand in zip(groups, operands, strict=True)
    ]


def _adopting(operand: Value | Number, dtype: str | None, statics: Mapping[int, Number]) -> Value | Number:
    """Return the number instead of a static node that is not of the dtype it meets."""
    if isinstance(operand, Value) and dtype not in (None, operand.type.dtype):
        return statics.get(operand.id, operand)
    return operand


def _literal(graph: Graph, number: Number, dtype: str) -> Value:
    if isinstance(number, bool):
        return graph.literal(number, "bool")
    if kind(dtype) == "boolean":
        dtype = "int64"
    if isinstance(number, Expr):
        return graph.literal(number, dtype)
    if kind(dtype) == "integer":
        if isinstance(number, float) and not number.is_integer():
            message = f"the fraction {number} meets an integer array of {dtype}"
            raise OpTypeError("literal", message, code="GS405")
        return graph.literal(_integer(int(number), dtype), dtype)
    try:
        return graph.literal(float(number), dtype)
    except OverflowError:
        raise OpTypeError("literal", f"the number {str(number)[:20]}... does not fit {dtype}", code="GS405") from None


def _integer(number: int, dtype: str) -> int:
    """Return an integer that ``dtype`` can hold."""
    unsigned, bits = dtype.startswith("u"), int(dtype.removeprefix("u").removeprefix("int"))
    low, high = (0, 2**bits) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if not low <= number < high:
        raise OpTypeError("literal", f"the number {str(number)[:20]} does not fit {dtype}", code="GS405")
    return number
