"""Nodes as text: the expression that an op on its operands is written as."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from graphspec.dims import Expr
from graphspec.leaf import Literal
from graphspec.op import Op, attributes
from graphspec.ops.slicing import Slice

_INFIX = {
    "equal": ("==", 1),
    "not_equal": ("!=", 1),
    "less": ("<", 1),
    "less_equal": ("<=", 1),
    "greater": (">", 1),
    "greater_equal": (">=", 1),
    "add": ("+", 2),
    "subtract": ("-", 2),
    "multiply": ("*", 3),
    "divide": ("/", 3),
    "floor_divide": ("//", 3),
    "remainder": ("%", 3),
    "matmul": ("@", 3),
    "pow": ("**", 5),
}
ATOM = 6
_MAX_TERMS = 20


@dataclass(frozen=True, slots=True)
class Written:
    """An expression and how tightly it binds: 1 comparison, 2 sum, 3 product, 4 unary, 5 power, 6 atom."""

    text: str
    binding: int = ATOM

    def at_least(self, binding: int) -> str:
        """Return the text, in parentheses where it binds less tightly."""
        return self.text if self.binding >= binding else f"({self.text})"


def number(value: Any) -> str:
    """Return a number, boolean or dim as it is written in an expression."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value)) if value or str(value)[0] != "-" else "-0.0"
    return repr(value) if isinstance(value, int | float) else str(value)


def literal(op: Literal, sizes: Mapping[str, str]) -> Written:
    """Return a literal; a negative one has a sign, a dim is written as ``sizes`` says: ``x.shape[0]`` for ``n``."""
    text = number(op.value)
    if isinstance(op.value, Expr):
        return Written(size(op.value, sizes), ATOM if op.value.is_symbol else 1)
    return Written(text, 4 if text.startswith("-") else ATOM)


def size(dim: Expr, sizes: Mapping[str, str]) -> str:
    """Return a dim with its names written as ``sizes`` says."""
    return re.sub(r"[A-Za-z_]\w*", lambda name: sizes.get(name[0], name[0]), str(dim))


def apply(op: Op, operands: Sequence[Written], complete: bool, sizes: Mapping[str, str]) -> Written:
    """Return an op on its operands.

    ``complete`` also writes attributes that have their default; ``sizes`` says how to write dims without a name here.
    """
    if op.name == "identity":
        return operands[0]
    infix = _INFIX.get(op.name)
    if infix is not None and 2 <= len(operands) <= (_MAX_TERMS if op.name == "add" else 2):
        return _infix(*infix, operands)
    if op.name == "negative":
        return Written(f"-{operands[0].at_least(4)}", 4)
    if isinstance(op, Slice):
        index = _index(op)
        if index is not None and operands[0].binding == ATOM:
            return Written(f"{operands[0].text}[{index}]")
    arguments = [operand.text for operand in operands]
    for item in fields(op):
        value, declared = getattr(op, item.name), attributes(type(op))[item.name]
        if complete or declared.required or value != declared.default:
            arguments.append(f"{item.name}={attribute(value, sizes)}")
    return Written(f"{op.name}({', '.join(arguments)})")


def _infix(sign: str, binding: int, operands: Sequence[Written]) -> Written:
    if sign == "**":
        return Written(f"{operands[0].at_least(ATOM)}**{operands[1].at_least(4)}", binding)
    if binding == 1:
        return Written(f" {sign} ".join(operand.at_least(2) for operand in operands), binding)
    if len(operands) > 2:  # one node of many terms is a call: a sum of sums would be several nodes
        return Written(f"add({', '.join(operand.text for operand in operands)})")
    return Written(f"{operands[0].at_least(binding)} {sign} {operands[1].at_least(binding + 1)}", binding)


def attribute(value: Any, sizes: Mapping[str, str]) -> str:
    """Return the value of an attribute in the call form."""
    if isinstance(value, Expr):
        return size(value, sizes)
    if value is None:
        return "null"
    if isinstance(value, str):
        quote = "'" if '"' in value else '"'
        return quote + value + quote
    if isinstance(value, tuple):
        return f"[{', '.join(attribute(item, sizes) for item in value)}]"
    return number(value)


def _index(op: Slice) -> str | None:
    """Return the text between the brackets, where the axes are the first ones in order."""
    steps = op.step or (1,) * len(op.axis)
    spans = dict(zip(op.axis, zip(op.start, op.stop, steps, strict=True), strict=True))
    if any(not isinstance(axis, int) or axis < 0 for axis in op.axis) or not spans:
        return None
    items = []
    for axis in range(max(int(axis) for axis in op.axis) + 1):  # type: ignore[arg-type]
        if axis not in spans:
            items.append(":")
            continue
        start, stop, step = spans[axis]
        if axis in op.drop:
            items.append(number(start))
        else:
            ends = f"{'' if start is None else number(start)}:{'' if stop is None else number(stop)}"
            items.append(ends if step == 1 else f"{ends}:{number(step)}")
    if any(isinstance(value, Expr) for span in spans.values() for value in span):
        return None
    return ", ".join(items)
