"""The NumPy engine: a plan is bound to shapes once and run many times; or, for reference, kernel by kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphspec.engine.bound import VIEWS, Bound
from graphspec.plan import Plan, Step, step_failure

_BOUND_STEPS = 20_000  # binding a step takes about as long as running its kernel ten times
_KEPT = 4  # sets of sizes that a plan is bound for at a time


def run(plan: Plan, leaves: Mapping[int, Any], dims: Mapping[str, int], *, native: bool = False) -> list[Any]:
    """Run a plan and return the arrays of its outputs, which belong to the caller.

    Args:
        plan: the schedule.
        leaves: the array of every leaf of the plan, by node.
        dims: the integer of every symbolic dim.
        native: whether the arrays may be the engine's own; here they are NumPy arrays either way.

    Raises:
        ExecutionError: a node failed.
    """
    idle = _idle(plan, leaves, dims)
    if idle is None:
        return reference(plan, leaves, dims)
    bound = idle.pop() if idle else Bound(plan, leaves, dims)  # each of several threads has its own
    try:
        return bound.run(leaves)
    except (ValueError, IndexError, TypeError, ArithmeticError, MemoryError):
        reference(plan, leaves, dims)  # names the node that failed
        raise
    finally:
        idle.append(bound)


def _idle(plan: Plan, leaves: Mapping[int, Any], dims: Mapping[str, int]) -> list[Bound] | None:
    """Return what has been bound for these sizes and is not running; None where the plan cannot be bound."""
    key = ("numpy", *sorted(dims.items()))
    if key not in plan.bound:
        plan.bound[key] = _first(plan, leaves, dims)
        for old in [known for known in plan.bound if known[0] == "numpy"][:-_KEPT]:
            plan.bound.pop(old, None)
    found: list[Bound] | None = plan.bound[key]
    return found


def _first(plan: Plan, leaves: Mapping[int, Any], dims: Mapping[str, int]) -> list[Bound] | None:
    if len(plan.steps) > _BOUND_STEPS:
        return None
    try:
        return [Bound(plan, leaves, dims)]
    except (LookupError, ValueError, TypeError, ArithmeticError, MemoryError):
        return None  # a size that depends on numbers, or a node that fails: run it kernel by kernel


def reference(plan: Plan, leaves: Mapping[int, Any], dims: Mapping[str, int]) -> list[Any]:
    """Run a plan kernel by kernel, as `run` does it without any optimisation.

    Raises:
        ExecutionError: a node failed.
    """
    arrays: dict[int, Any] = {node: leaves[node] for node in plan.leaves}
    with np.errstate(all="ignore"):
        for step in plan.steps:
            arrays[step.node] = _compute(plan, step, arrays, dims)
            for dead in step.dies:
                del arrays[dead]
    return [np.array(arrays[node]) for node in plan.outputs]


def _compute(plan: Plan, step: Step, arrays: Mapping[int, Any], dims: Mapping[str, int]) -> Any:
    try:
        op = step.op.bind(dims) if dims else step.op
        found = op.kernel(np, *(arrays[i] for i in step.operands))
    except (ValueError, IndexError, TypeError, ArithmeticError, MemoryError) as error:
        raise step_failure(plan, step, error) from error
    if op.name in VIEWS or not isinstance(found, np.ndarray) or found.flags.c_contiguous:
        return found
    return np.array(found, order="C")  # as in the buffer of a bound step, so that later sums have the same order
