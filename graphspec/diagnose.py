"""Type conflicts as diagnostics: what each operand is, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from graphspec.errors import Diagnostic, OpTypeError, Related, problem
from graphspec.graph import Value
from graphspec.leaf import Leaf, Literal
from graphspec.origin import Origin
from graphspec.types import TensorType, shape_text

_SECTIONS = {"input": "inputs", "parameter": "parameters", "state": "state", "constant": "constants"}


def type_problem(error: OpTypeError, place: Origin, operands: Sequence[Value]) -> Diagnostic:
    """Return the diagnostic of an op whose operands do not fit."""
    related = tuple(described(value) for value in operands)
    hint = error.hint or transposed_hint(error, operands)
    return problem(error.code, error.message, place.location, hint=hint, related=(*related, *place.chain))


def described(value: Value) -> Related:
    """Return the type of an operand and the place it comes from."""
    graph, op = value.graph, value.graph.ops[value.id]
    if isinstance(op, Literal):
        return Related(f"{op.value}: {value.type}")
    path, origin = graph.label(value.id), graph.origins[value.id]
    section = _SECTIONS.get(op.role, "nodes") if isinstance(op, Leaf) else "nodes"
    return Related(f"{path}: {value.type}   from {section}.{path}", origin.location if origin else None)


def transposed_hint(error: OpTypeError, operands: Sequence[Value]) -> str:
    """Return the shape that would mend a matrix product, where the second operand is declared."""
    if error.code != "GS402" or "matmul" not in error.message or len(operands) != 2:
        return ""
    a, b = (value.type for value in operands)
    if not a.rank or b.rank != 2 or not isinstance(operands[1].graph.ops[operands[1].id], Leaf):
        return ""
    return f"did you mean shape {shape_text((a.shape[-1], b.shape[1]))}?"


def mismatch(
    name: str, declared: str, found: TensorType, place: Origin, why: str, code: str = "GS402", hint: str = ""
) -> Diagnostic:
    """Return the diagnostic of an operand that is not of the type an input declares."""
    message = f"{name} is declared {declared}, found {found}: {why}"
    return problem(code, message, place.location, hint=hint, related=place.chain)
