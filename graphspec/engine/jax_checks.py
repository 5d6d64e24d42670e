"""What fails on NumPy because of the numbers that arrive: JAX goes on with some other number, so flags tell of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

OUTSIDE = "an index lies outside of its axis"
SINGULAR = "the matrix is singular, or so nearly that the result overflows"


def _is_outside(indices: Any, dim: Any) -> Any:
    """Tell whether any index lies outside of a dim; negative ones count from its end."""
    indices = (jnp.minimum(indices, 2**63 - 1) if indices.dtype == "uint64" else indices).astype(jnp.int64)
    return jnp.any((indices < -dim) | (indices >= dim))


def _places_are_outside(op: Any, y: Any, x: Any, indices: Any, *others: Any) -> Any:
    return _is_outside(indices, jnp.asarray(x.shape[: indices.shape[-1]], dtype=jnp.int64))


def _is_spoilt(op: Any, y: Any, *operands: Any) -> Any:
    """Tell whether a result is not finite though the operands are."""
    fine = [jnp.all(jnp.isfinite(array)) for array in operands]
    return ~jnp.all(jnp.isfinite(y)) & jnp.all(jnp.asarray(fine))


def _diagonal_has_zero(op: Any, y: Any, a: Any, b: Any) -> Any:
    return jnp.any(jnp.diagonal(a, axis1=-2, axis2=-1) == 0) & (not op.unit_diagonal)


# By op: what is wrong, and a function of the op, its result and its operands that tells whether it is.
CHECKS: dict[str, tuple[str, Callable[..., Any]]] = {
    "cholesky": ("Matrix is not positive definite", _is_spoilt),
    "gather_nd": (OUTSIDE, _places_are_outside),
    "inv": (SINGULAR, _is_spoilt),
    "scatter": (OUTSIDE, lambda op, y, x, indices, updates: _is_outside(indices, x.shape[op.axis])),
    "scatter_add": (OUTSIDE, lambda op, y, x, indices, updates: _is_outside(indices, x.shape[op.axis])),
    "scatter_nd": (OUTSIDE, _places_are_outside),
    "solve": (SINGULAR, _is_spoilt),
    "take": (OUTSIDE, lambda op, y, x, indices: _is_outside(indices, x.shape[op.axis])),
    "take_along_axis": (OUTSIDE, lambda op, y, x, indices: _is_outside(indices, x.shape[op.axis])),
    "triangular_solve": ("a zero is on the diagonal", _diagonal_has_zero),
    "untake": (OUTSIDE, lambda op, y, x, indices: _is_outside(indices, op.size)),
    "untake_along_axis": (OUTSIDE, lambda op, y, x, indices: _is_outside(indices, op.size)),
}
