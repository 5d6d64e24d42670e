"""The JAX engine: the plan traced through the same kernels, the whole of it under one `jax.jit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from graphspec.engine.jax_checks import CHECKS
from graphspec.engine.jax_overrides import OVERRIDES
from graphspec.errors import EngineError, ExecutionError, problem
from graphspec.op import Op
from graphspec.plan import Plan, Step, step_failure

# What tells that JAX lacks something, or that it would have to know numbers when it compiles.
BEYOND_JAX = (
    AttributeError,
    NotImplementedError,
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


def run(plan: Plan, leaves: Mapping[int, Any], dims: Mapping[str, int], *, native: bool = False) -> list[Any]:
    """Run a plan and return the arrays of its outputs; compiled once for each set of shapes.

    Arrays live on JAX's default device while the plan runs, and come back as NumPy arrays unless ``native`` is set.

    Args:
        plan: the schedule.
        leaves: the array of every leaf of the plan, by node.
        dims: the integer of every symbolic dim.
        native: whether the arrays stay on the device: they may be leaves of a later run.

    Raises:
        ExecutionError: a node failed, or all of it did: what JAX compiles as one names no node.
        EngineError: JAX cannot compute an op.
    """
    given = (leaves[node] for node in plan.leaves)
    arrays = [array if isinstance(array, jax.Array) else np.asarray(array) for array in given]
    key = ("jax", *sorted(dims.items()), *((array.shape, array.dtype.str) for array in arrays))
    with jax.enable_x64(True):  # dtypes are those of the spec, also float64; the caller's own setting stays
        if key not in plan.bound:
            plan.bound[key] = jax.jit(traced(plan, dims)), watched(plan)
        function, steps = plan.bound[key]
        try:
            found, flags = function(arrays)
            failed = [steps[i] for i in np.flatnonzero(flags)] if steps else []
            values = found if native else [np.asarray(value) for value in found]
        except (jax.errors.JaxRuntimeError, MemoryError) as error:
            raise ExecutionError(problem("GS620", f"JAX failed to run the graph: {first_line(error)}")) from error
    for step in failed:
        raise step_failure(plan, step, ValueError(CHECKS[step.op.name][0]))
    return values


def watched(plan: Plan) -> list[Step]:
    """Return the steps that may fail because of the numbers that arrive."""
    return [step for step in plan.steps if step.op.name in CHECKS]


def traced(plan: Plan, dims: Mapping[str, int]) -> Callable[[Sequence[Any]], tuple[list[Any], Any]]:
    """Return the plan as a function of the arrays of its leaves: its outputs, and which of `watched` have failed."""
    steps = [(step, step.op.bind(dims) if dims else step.op) for step in plan.steps]

    def function(leaves: Sequence[Any]) -> tuple[list[Any], Any]:
        arrays: dict[int, Any] = dict(zip(plan.leaves, leaves, strict=True))
        flags = []
        for step, op in steps:
            operands = [arrays[i] for i in step.operands]
            try:
                arrays[step.node] = compute(op, operands)
                if op.name in CHECKS:
                    flags.append(CHECKS[op.name][1](op, arrays[step.node], *operands))
            except BEYOND_JAX as error:
                raise refusal(plan, step, error) from error
            except (ValueError, LookupError, TypeError, ArithmeticError, RuntimeError, MemoryError) as error:
                raise step_failure(plan, step, error) from error
        return [jnp.asarray(arrays[node]) for node in plan.outputs], jnp.asarray(flags, dtype=bool)

    return function


def compute(op: Op, operands: Sequence[Any]) -> Any:
    """Apply one op: its override for JAX where there is one, else its kernel."""
    override = OVERRIDES.get(op.name)
    return op.kernel(jnp, *operands) if override is None else override(op, *operands)


def refusal(plan: Plan, step: Step, error: Exception) -> EngineError:
    """Return the error of a node whose op JAX cannot compute."""
    message = f"JAX cannot compute {step.op.name} at {plan.graph.label(step.node)}: {first_line(error)}"
    (known,) = step_failure(plan, step, error).diagnostics
    return EngineError(replace(known, message=message, hint="the numpy engine computes every op"))


def first_line(error: Exception) -> str:
    """Return what an error of JAX says, without its advice."""
    return next(iter(str(error).splitlines()), type(error).__name__)
