"""Kernels that JAX computes another way than the reference: each is tested against it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from math import copysign, nan
from typing import Any

import jax
import jax.numpy as jnp

from graphspec.engine.jax_windows import WINDOW_OVERRIDES


def _key(op: Any, seed: Any) -> Any:
    """Return the random key of a node: the run's seed and step, then the node's own key."""
    words = hashlib.sha256(op.key.encode()).digest()
    key = jax.random.fold_in(jax.random.key(seed[0]), seed[1])
    for i in range(0, 8, 4):
        key = jax.random.fold_in(key, int.from_bytes(words[i : i + 4], "little"))
    return key


def _random_uniform(op: Any, seed: Any) -> Any:
    return jax.random.uniform(_key(op, seed), op.shape, jnp.dtype(op.dtype), op.low, op.high)


def _random_normal(op: Any, seed: Any) -> Any:
    return op.mean + op.std * jax.random.normal(_key(op, seed), op.shape, jnp.dtype(op.dtype))


def _random_bernoulli(op: Any, p: Any, seed: Any) -> Any:
    return jax.random.uniform(_key(op, seed), p.shape if op.shape is None else op.shape) < p


def _random_categorical(op: Any, logits: Any, seed: Any) -> Any:
    return jax.random.categorical(_key(op, seed), logits, axis=op.axis).astype(jnp.int64)


def _random_permutation(op: Any, seed: Any) -> Any:
    return jax.random.permutation(_key(op, seed), op.n).astype(jnp.int64)


def _recurrence(op: Any, a: Any, b: Any) -> Any:
    """Scan along the axis instead of unrolling it."""
    a, b = (jnp.moveaxis(array, op.axis, 0) for array in jnp.broadcast_arrays(a, b))

    def step(y: Any, row: Any) -> tuple[Any, Any]:
        return row[0] * y + row[1], y

    first = jnp.full(b.shape[1:], op.initial, dtype=b.dtype)
    return jnp.moveaxis(jax.lax.scan(step, first, (a, b), reverse=op.reverse)[1], 0, op.axis)


def _triangular_solve(op: Any, a: Any, b: Any) -> Any:
    columns = b[:, None] if b.ndim == 1 else b
    batch = jnp.broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    y = jax.lax.linalg.triangular_solve(
        jnp.broadcast_to(a, (*batch, *a.shape[-2:])),
        jnp.broadcast_to(columns, (*batch, *columns.shape[-2:])),
        left_side=True,
        lower=op.lower,
        transpose_a=op.transpose,
        unit_diagonal=op.unit_diagonal,
    )
    return y[..., 0] if b.ndim == 1 else y


def _top_k(op: Any, x: Any) -> Any:
    """Search without sorting where XLA can: in floats of up to 32 bits, whose zeros and nans it tells apart by sign."""
    if x.dtype.name not in ("float16", "bfloat16", "float32") or op.k > x.shape[op.axis]:
        return op.kernel(jnp, x)
    sign = 1.0 if op.largest else -1.0
    key = sign * x.astype(jnp.float32)
    key = jnp.where(key == 0, 0.0, jnp.where(key != key, copysign(nan, sign), key))
    order = jax.lax.top_k(key, op.k, axis=op.axis % x.ndim)[1].astype(jnp.int64)
    return jnp.take_along_axis(x, order, axis=op.axis), order


def _nonzero(op: Any, x: Any) -> Any:
    """Count instead of sorting."""
    if not x.size:
        return op.kernel(jnp, x)
    return tuple(index.astype(jnp.int64) for index in jnp.nonzero(x, size=op.size, fill_value=-1))


def _narrow(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the override of a function that JAX has, for floats of up to 32 bits; in 64 bits the kernel is faster."""

    def override(op: Any, x: Any) -> Any:
        if x.dtype == jnp.float64:
            return op.kernel(jnp, x)
        return function(x.astype(jnp.float32)).astype(x.dtype)

    return override


OVERRIDES: dict[str, Callable[..., Any]] = {
    **WINDOW_OVERRIDES,
    "erf": _narrow(jax.lax.erf),
    "erfc": _narrow(jax.lax.erfc),
    "nonzero": _nonzero,
    "random_uniform": _random_uniform,
    "random_normal": _random_normal,
    "random_bernoulli": _random_bernoulli,
    "random_categorical": _random_categorical,
    "random_permutation": _random_permutation,
    "recurrence": _recurrence,
    "top_k": _top_k,
    "triangular_solve": _triangular_solve,
}
