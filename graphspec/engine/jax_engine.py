"""The JAX engine: the plan traced through the same kernels, the whole of it under one `jax.jit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from graphspec.engine.jax_overrides import OVERRIDES
from graphspec.op import Op
from graphspec.plan import Plan, step_failure


def run(plan: Plan, leaves: Mapping[int, Any], dims: Mapping[str, int]) -> list[Any]:
    """Run a plan and return the arrays of its outputs; compiled once for each set of shapes.

    Arrays live on JAX's default device while the plan runs, and come back as NumPy arrays.

    Args:
        plan: the schedule.
        leaves: the array of every leaf of the plan, by node.
        dims: the integer of every symbolic dim.

    Raises:
        ExecutionError: a node cannot be compiled.
    """
    arrays = [np.asarray(leaves[node]) for node in plan.leaves]
    key = ("jax", *sorted(dims.items()), *((array.shape, array.dtype.str) for array in arrays))
    with jax.enable_x64(True):  # dtypes are those of the spec, also float64; the caller's own setting stays
        if key not in plan.bound:
            plan.bound[key] = jax.jit(traced(plan, dims))
        return [np.asarray(value) for value in plan.bound[key](arrays)]


def traced(plan: Plan, dims: Mapping[str, int]) -> Callable[[Sequence[Any]], list[Any]]:
    """Return the plan as a function of the arrays of its leaves."""
    steps = [(step, step.op.bind(dims) if dims else step.op) for step in plan.steps]

    def function(leaves: Sequence[Any]) -> list[Any]:
        arrays: dict[int, Any] = dict(zip(plan.leaves, leaves, strict=True))
        for step, op in steps:
            try:
                arrays[step.node] = compute(op, [arrays[i] for i in step.operands])
            except (ValueError, IndexError, TypeError, ArithmeticError, NotImplementedError) as error:
                raise step_failure(plan, step, error) from error
        return [jnp.asarray(arrays[node]) for node in plan.outputs]

    return function


def compute(op: Op, operands: Sequence[Any]) -> Any:
    """Apply one op: its override for JAX where there is one, else its kernel."""
    override = OVERRIDES.get(op.name)
    return op.kernel(jnp, *operands) if override is None else override(op, *operands)
