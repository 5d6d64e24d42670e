"""A function with a gradient rule of its own (rule L7.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from graphspec.op import Op, Port, Types
from graphspec.types import TensorType


class Rule:
    """The gradient rule of one call: emits the cotangents of its inputs. Compared by identity."""

    def __init__(self, name: str, emit: Callable[..., tuple[Any, ...]], surrogate: bool):
        self.name, self.emit, self.surrogate = name, emit, surrogate


@dataclass(frozen=True)
class Custom(Op):
    """Pass the first ``count`` operands through; the gradient is the rule's, not that of the nodes that made them.

    Operands: the outputs as computed, then everything that the rule reads: inputs, parameters and inner nodes.
    """

    rule: Rule
    count: int

    name: ClassVar[str] = "custom"
    family: ClassVar[str] = "leaf"
    ports: ClassVar[tuple[Port, ...]] = (Port("operands", variadic=True),)
    outputs: ClassVar[tuple[str, ...]] = ()
    differentiable: ClassVar[bool] = True

    def infer(self, *types: TensorType) -> Types:
        return types[0] if self.count == 1 else types[: self.count]

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return arrays[0] if self.count == 1 else arrays[: self.count]

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return self.rule.emit(ct, values)
