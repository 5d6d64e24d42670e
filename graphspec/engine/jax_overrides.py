"""Kernels that JAX computes another way than the reference: each is tested against it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


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


def _recurrence(op: Any, a: Any, b: Any) -> Any:
    """Scan along the axis instead of unrolling it."""
    a, b = (jnp.moveaxis(array, op.axis, 0) for array in jnp.broadcast_arrays(a, b))

    def step(y: Any, row: Any) -> tuple[Any, Any]:
        return row[0] * y + row[1], y

    first = jnp.full(b.shape[1:], op.initial, dtype=b.dtype)
    return jnp.moveaxis(jax.lax.scan(step, first, (a, b), reverse=op.reverse)[1], 0, op.axis)


OVERRIDES: dict[str, Callable[..., Any]] = {
    "random_uniform": _random_uniform,
    "random_normal": _random_normal,
    "recurrence": _recurrence,
}
