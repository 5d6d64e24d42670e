"""The NumPy engine: run a plan's kernels one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphspec.plan import Plan, Step, step_failure


def run(plan: Plan, leaves: Mapping[int, Any], dims: Mapping[str, int], *, native: bool = False) -> list[Any]:
    """Run a plan and return the arrays of its outputs.

    Args:
        plan: the schedule.
        leaves: the array of every leaf of the plan, by node.
        dims: the integer of every symbolic dim.
        native: whether the arrays may be the engine's own; here they are NumPy arrays either way.

    Raises:
        ExecutionError: a node failed.
    """
    arrays: dict[int, Any] = {node: leaves[node] for node in plan.leaves}
    with np.errstate(all="ignore"):
        for step in plan.steps:
            arrays[step.node] = _compute(plan, step, arrays, dims)
            for dead in step.dies:
                del arrays[dead]
    return [np.asarray(arrays[node]) for node in plan.outputs]


def _compute(plan: Plan, step: Step, arrays: Mapping[int, Any], dims: Mapping[str, int]) -> Any:
    try:
        op = step.op.bind(dims) if dims else step.op
        return op.kernel(np, *(arrays[i] for i in step.operands))
    except (ValueError, IndexError, TypeError, ArithmeticError, MemoryError) as error:
        raise step_failure(plan, step, error) from error
