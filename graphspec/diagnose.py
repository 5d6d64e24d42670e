"""Type conflicts as diagnostics: what each operand is, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from graphspec.errors import Diagnostic, OpTypeError, Related, problem
from graphspec.leaf import Leaf, Literal
from graphspec.origin import Origin
from graphspec.types import TensorType, shape_text
from graphspec.value import Value

_SECTIONS = {"input": "inputs", "parameter": "parameters", "state": "state", "constant": "constants"}


def type_problem(error: OpTypeError, place: Origin, operands: Sequence[Value]) -> Diagnostic:
    """Return the diagnostic of an op whose operands do not fit."""
    related = described(operands)
    hint = error.hint or transposed_hint(error, operands)
    return problem(error.code, error.message, place.location, hint=hint, related=(*related, *place.chain))


def described(operands: Sequence[Value]) -> tuple[Related, ...]:
    """Return the type of every operand and the place it comes from, in columns."""
    rows = [_facts(value) for value in operands]
    name = max((len(row[0]) for row in rows), default=0)
    type = max((len(row[1]) for row in rows), default=0)
    return tuple(
        Related(f"{row[0].ljust(name)} {row[1].ljust(type)}   {row[2]}".rstrip(), origin.location if origin else None)
        for row, origin in zip(rows, (value.graph.origins[value.id] for value in operands), strict=True)
    )


def _facts(value: Value) -> tuple[str, str, str]:
    """Return the name, the type and the section of an operand."""
    graph, op = value.graph, value.graph.ops[value.id]
    if isinstance(op, Literal):
        return f"{op.value}:", str(value.type), ""
    path = graph.label(value.id)
    section = _SECTIONS.get(op.role, "nodes") if isinstance(op, Leaf) else "nodes"
    return f"{path}:", str(value.type), f"from {section}.{path}"


def transposed_hint(error: OpTypeError, operands: Sequence[Value]) -> str:
    """Return the shape that would mend a matrix product, where the second operand is declared."""
    if error.code != "GS402" or "matmul" not in error.message or len(operands) != 2:
        return ""
    a, b = (value.type for value in operands)
    if not a.rank or b.rank != 2 or not isinstance(operands[1].graph.ops[operands[1].id], Leaf):
        return ""
    return f"did you mean shape {shape_text((a.shape[-1], b.shape[1]))}?"


def mismatch(
    name: str,
    declared: str,
    found: TensorType,
    place: Origin,
    why: str,
    code: str = "GS402",
    hint: str = "",
    both: Sequence[Value] = (),
) -> Diagnostic:
    """Return the diagnostic of an operand that is not of the type an input declares, or differs from another."""
    message = f"{name} is declared {declared}, found {found}: {why}"
    return problem(code, message, place.location, hint=hint, related=(*described(both), *place.chain))
