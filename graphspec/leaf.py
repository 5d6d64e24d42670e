"""Nodes without a kernel of their own: leaves, literals and the outputs of nodes that have several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from graphspec.dims import Dim
from graphspec.op import Op, Port, native
from graphspec.types import TensorType

SEED = TensorType("int64", (2,))


@dataclass(frozen=True)
class Leaf(Op):
    """A value that comes from outside the graph.

    ``role`` is "input", "parameter", "state", "constant" or "seed" (the run's seed and step).
    """

    role: str
    path: str
    type: TensorType

    name: ClassVar[str] = "leaf"
    family: ClassVar[str] = "leaf"
    ports: ClassVar[tuple[Port, ...]] = ()

    def infer(self, *types: TensorType) -> TensorType:
        return self.type

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        raise LookupError(f"no array was given for {self.role} {self.path}")


@dataclass(frozen=True)
class Literal(Op):
    """A number or boolean written in an expression; a symbolic dim is filled in when the plan is bound."""

    value: Dim | float | bool
    dtype: str

    name: ClassVar[str] = "literal"
    family: ClassVar[str] = "leaf"
    ports: ClassVar[tuple[Port, ...]] = ()

    def infer(self, *types: TensorType) -> TensorType:
        return TensorType(self.dtype, ())

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.asarray(self.value, dtype=native(xp, self.dtype))

    def __eq__(self, other: object) -> bool:
        # repr tells 1 from 1.0 and -0.0 from 0.0, and makes nan equal to itself
        return isinstance(other, Literal) and (repr(self.value), self.dtype) == (repr(other.value), other.dtype)

    def __hash__(self) -> int:
        return hash((repr(self.value), self.dtype))


@dataclass(frozen=True)
class Project(Op):
    """One output of a node that has several."""

    index: int
    output: str

    name: ClassVar[str] = "project"
    family: ClassVar[str] = "leaf"
    ports: ClassVar[tuple[Port, ...]] = (Port("node"),)

    def infer(self, *types: Any) -> TensorType:
        found: TensorType = types[0][self.index]
        return found

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return arrays[0][self.index]
