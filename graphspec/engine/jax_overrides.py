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


def _convolve(op: Any, windows: Any, x: Any, weight: Any) -> Any:
    """Convolve channels-first arrays."""
    return jax.lax.conv_general_dilated(
        x,
        weight,
        window_strides=windows.stride,
        padding=list(zip(windows.before, windows.after, strict=True)),
        rhs_dilation=windows.dilation,
        feature_group_count=op.groups,
        precision=jax.lax.Precision.HIGHEST,
    )


def _conv(op: Any, x: Any, weight: Any) -> Any:
    x = jnp.permute_dims(x, op.first_axes(x.ndim))
    windows = op.windows(weight.shape[2:], x.shape[2:])
    return jnp.permute_dims(_convolve(op, windows, x, weight), op.laid_axes(x.ndim))


def _conv_transpose(op: Any, x: Any, weight: Any) -> Any:
    """Transpose the convolution in its first operand."""
    x = jnp.permute_dims(x, op.first_axes(x.ndim))
    windows, dims = op.geometry(x.shape[2:], weight.shape[2:])
    result = jax.ShapeDtypeStruct((x.shape[0], weight.shape[1] * op.groups, *dims), x.dtype)
    (y,) = jax.linear_transpose(lambda value: _convolve(op, windows, value, weight), result)(x)
    return jnp.permute_dims(y, op.laid_axes(x.ndim))


def _conv_weight_gradient(op: Any, x: Any, ct: Any) -> Any:
    """Transpose the convolution in its second operand."""
    x, ct = (jnp.permute_dims(array, op.first_axes(array.ndim)) for array in (x, ct))
    windows = op.geometry(x.shape[2:])
    weight = jax.ShapeDtypeStruct((ct.shape[1], x.shape[1] // op.groups, *windows.size), x.dtype)
    (y,) = jax.linear_transpose(lambda value: _convolve(op, windows, x, value), weight)(ct)
    return y


OVERRIDES: dict[str, Callable[..., Any]] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "conv_weight_gradient": _conv_weight_gradient,
    "random_uniform": _random_uniform,
    "random_normal": _random_normal,
    "random_bernoulli": _random_bernoulli,
    "random_categorical": _random_categorical,
    "random_permutation": _random_permutation,
    "recurrence": _recurrence,
}
