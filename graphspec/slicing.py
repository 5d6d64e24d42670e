"""``x[...]`` to the attributes of the op `slice` (rule L4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphspec.attribute import AttributeProblem, describe
from graphspec.dims import Expr
from graphspec.expression import Term
from graphspec.static import Environment, StaticError, evaluate
from graphspec.types import Shape, shape_text


def slice_attributes(shape: Shape, items: Sequence[Term], environment: Environment) -> dict[str, Any]:
    """Return axis, start, stop, step, drop and inside for the items between the brackets.

    Raises:
        StaticError: a bound is not static.
        AttributeProblem: more items than axes, or an index out of range.
    """
    found: dict[str, list[Any]] = {"axis": [], "start": [], "stop": [], "step": [], "drop": []}
    for axis, item in _placed(shape, items):
        if item.kind == "slice":
            start, stop, step = (None if part is None else _bound(part, environment) for part in item.parts)
            if start is None and stop is None and step in (None, 1):
                continue
            if step == 0:
                raise AttributeProblem("the step of a slice cannot be 0")
            _add(found, axis, start, stop, 1 if step is None else step)
        else:
            index = _bound(item, environment)
            size = shape[axis]
            if isinstance(size, int) and isinstance(index, int) and not -size <= index < size:
                raise AttributeProblem(f"index {index} is out of range: axis {axis} of {shape_text(shape)} has {size}")
            _add(found, axis, index, None if index == -1 else index + 1, 1)
            found["drop"].append(axis)
    found["inside"] = [
        axis
        for axis, *bounds in zip(found["axis"], found["start"], found["stop"], strict=True)
        if any(isinstance(value, Expr) for value in (shape[axis], *bounds))
    ]
    return {name: tuple(values) for name, values in found.items()}


def _add(found: dict[str, list[Any]], axis: int, start: Any, stop: Any, step: Any) -> None:
    for name, value in (("axis", axis), ("start", start), ("stop", stop), ("step", step)):
        found[name].append(value)


def _placed(shape: Shape, items: Sequence[Term]) -> list[tuple[int, Term]]:
    """Return the axis of each item; ``...`` stands for the axes that are not named."""
    dots = [i for i, item in enumerate(items) if item.kind == "ellipsis"]
    named = len(items) - len(dots)
    if len(dots) > 1:
        raise AttributeProblem("'...' may stand once in an index")
    if named > len(shape):
        raise AttributeProblem(f"{named} indices for the {len(shape)} axes of {shape_text(shape)}")
    if not dots:
        return list(enumerate(items))
    after = len(shape) - named
    return [(i if i < dots[0] else i + after - 1, item) for i, item in enumerate(items) if item.kind != "ellipsis"]


def _bound(term: Term, environment: Environment) -> Any:
    try:
        value = evaluate(term, environment)
    except StaticError as error:
        raise StaticError(
            error.message, error.term, error.code, "take(x, indices, axis=0) gathers at computed indices"
        ) from None
    if isinstance(value, bool) or not isinstance(value, int | Expr):
        raise StaticError(f"an index is an integer, found {describe(value)}", term)
    return value
