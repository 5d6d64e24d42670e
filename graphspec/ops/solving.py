"""Linear systems, inverses and determinants.

Constraints of all of them: (C1) operands are float32 or float64; (C2) they share a dtype; (C3) the first is a square
matrix, or a batch of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphspec.dims import Dim
from graphspec.errors import OpTypeError
from graphspec.op import Op, attribute, op, require_kind, same_dtype
from graphspec.types import TensorType, broadcast

_BLOCK = 64  # rows that a triangular system is solved by at a time


def _require_floats(name: str, *types: TensorType) -> None:
    """Check C1 and C2: float32 or float64, one of them."""
    require_kind(name, "float", *types)
    same_dtype(name, *types)
    if types[0].dtype not in ("float32", "float64"):
        hint = 'cast(x, dtype="float32") converts'
        raise OpTypeError("C1", f"{name} takes float32 or float64, found {types[0]}", hint=hint)


def _side(name: str, a: TensorType) -> Dim:
    """Return the rows of a square matrix. Checks C3."""
    if a.rank < 2:
        raise OpTypeError("C3", f"{name} needs a matrix, found {a}", code="GS403")
    if a.shape[-1] != a.shape[-2]:
        raise OpTypeError("C3", f"{name} needs a square matrix, found {a}", code="GS402")
    return a.shape[-1]


@dataclass(frozen=True)
class System(Op):
    """What solvers share: the type of the solution, and (C1) to (C5)."""

    def infer(self, *types: TensorType) -> TensorType:
        a, b = types
        _require_floats(self.name, a, b)
        side = _side(self.name, a)
        if b.rank == 0:
            raise OpTypeError("C4", f"{self.name} needs a right side with dims, found {b}", code="GS403")
        rows = b.shape[0] if b.rank == 1 else b.shape[-2]
        if rows != side:
            message = f"{self.name} needs as many rows on both sides, found {a} and {b}"
            raise OpTypeError("C4", message, code="GS402")
        batch = broadcast(a.shape[:-2], b.shape[:-2])
        if batch is None:
            raise OpTypeError("C5", f"leading dims do not broadcast in {self.name}: {a} and {b}", code="GS402")
        return TensorType(a.dtype, (*batch, side, *b.shape[-1:]) if b.rank > 1 else (*batch, side))

    def columns(self, g: Any, b: Any, *others: Any) -> tuple[Any, ...]:
        """Emit values with the dims of a solution as matrices of columns."""
        return others if b.type.rank > 1 else tuple(g.expand_dims(other, axis=(-1,)) for other in others)


@op("solve", ports="a b")
class Solve(System):
    """y with a @ y = b.

    Shapes: a ``[..., n, n]``, b ``[..., n, k]`` to ``[..., n, k]``; b ``[n]``, with one dim only, to ``[..., n]``. The
    dims before broadcast.
    Constraints: (C1) float32 or float64; (C2) one dtype; (C3) a is square; (C4) b has n rows; (C5) the dims before
    broadcast. A singular matrix fails when run.
    Gradient: ``solve(a.T, ct)`` to b, and minus that times ``y.T`` to a.
    Example: ``solve(a, b)``
    Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation, 2008.
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.linalg.solve(*arrays)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        a, b, y = values
        ct, y = self.columns(g, b, ct, y)
        to_b = g.solve(g.matrix_transpose(a), ct)
        to_a = -g.matmul(to_b, g.matrix_transpose(y))
        return to_a, to_b if b.type.rank > 1 else g.squeeze(to_b, axis=(-1,))


@op("triangular_solve", ports="a b")
class TriangularSolve(System):
    """y with t @ y = b, where t is a triangle of a: the elements on its other side are not used.

    Shapes: a ``[..., n, n]``, b ``[..., n, k]`` to ``[..., n, k]``; b ``[n]``, with one dim only, to ``[..., n]``. The
    dims before broadcast.
    Constraints: (C1) float32 or float64; (C2) one dtype; (C3) a is square; (C4) b has n rows; (C5) the dims before
    broadcast. A zero on the diagonal fails when run.
    Gradient: the transposed triangle's solution for ct to b, and minus that times ``y.T``, in the triangle, to a.
    Example: ``triangular_solve(cholesky(a), b)``
    Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation, 2008.
    """

    # JAX should override this kernel: its loop over blocks of rows is unrolled there

    lower: bool = attribute("whether t is the lower triangle, else the upper", default=True)
    transpose: bool = attribute("whether to solve with the transpose of t", default=False)
    unit_diagonal: bool = attribute("whether the diagonal of t counts as 1, whatever a has there", default=False)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        a, b = arrays
        t = self.triangle(xp, a)
        t = xp.matrix_transpose(t) if self.transpose else t
        y = _substitute(xp, t, b[:, None] if b.ndim == 1 else b, forward=self.lower != self.transpose)
        return y[..., 0] if b.ndim == 1 else y

    def triangle(self, xp: Any, a: Any) -> Any:
        """Return t: only its triangle is not zero."""
        unit = int(self.unit_diagonal)
        t = xp.tril(a, k=-unit) if self.lower else xp.triu(a, k=unit)
        return t + xp.eye(a.shape[-1], dtype=a.dtype) if unit else t

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        a, b, y = values
        ct, y = self.columns(g, b, ct, y)
        flags = {"lower": self.lower, "unit_diagonal": self.unit_diagonal}
        to_b = g.triangular_solve(a, ct, transpose=not self.transpose, **flags)
        left, right = (y, to_b) if self.transpose else (to_b, y)
        to_a = -g.matmul(left, g.matrix_transpose(right))
        unit = int(self.unit_diagonal)
        to_a = g.tril(to_a, k=-unit) if self.lower else g.triu(to_a, k=unit)
        return to_a, to_b if b.type.rank > 1 else g.squeeze(to_b, axis=(-1,))


def _substitute(xp: Any, t: Any, b: Any, forward: bool) -> Any:
    """Solve a triangular system by blocks of rows: each block once those before it are known."""
    rows = t.shape[-1]
    starts = range(0, rows, _BLOCK)
    parts: list[Any] = []
    for start in starts if forward else reversed(starts):
        stop = min(start + _BLOCK, rows)
        right = b[..., start:stop, :]
        if parts:
            known = xp.concat(parts, axis=-2)
            beside = t[..., start:stop, :start] if forward else t[..., start:stop, stop:]
            right = right - xp.matmul(beside, known)
        solved = xp.linalg.solve(t[..., start:stop, start:stop], right)
        parts = [*parts, solved] if forward else [solved, *parts]
    if parts:
        return xp.concat(parts, axis=-2) if len(parts) > 1 else parts[0]
    return xp.linalg.solve(t, b)


@op("inv", ports="x")
class Inv(Op):
    """The inverse of each matrix. To solve systems, `solve` is faster and more accurate.

    Shapes: ``x[..., n, n]`` to the same.
    Constraints: (C1) float32 or float64; (C3) x is square. A singular matrix fails when run.
    Gradient: ``-y.T @ ct @ y.T``.
    Example: ``inv(covariance)``
    Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation, 2008.
    """

    def infer(self, *types: TensorType) -> TensorType:
        _require_floats(self.name, *types)
        _side(self.name, types[0])
        return types[0]

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.linalg.inv(arrays[0])

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        y = g.matrix_transpose(values[1])
        return (-g.matmul(g.matmul(y, ct), y),)


@op("pinv", ports="x")
class Pinv(Op):
    """The Moore-Penrose inverse of each matrix: the least y that makes x @ y @ x nearest to x.

    Shapes: ``x[..., m, n]`` to ``[..., n, m]``.
    Constraints: (C1) float32 or float64; (C3) x has at least two dims.
    Gradient: that of the formula of Golub and Pereyra, which holds where the rank of x does not change nearby. It
    divides by no difference of singular values, so equal ones do no harm.
    Example: ``pinv(design) @ target``
    Source: Golub and Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems, 1973.
    """

    rtol: float | None = attribute(
        "singular values up to this share of the greatest count as 0; null is max(m, n) times the dtype's precision",
        default=None,
        minimum=0,
    )

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        _require_floats(self.name, x)
        if x.rank < 2:
            raise OpTypeError("C3", f"pinv needs a matrix, found {x}", code="GS403")
        return TensorType(x.dtype, (*x.shape[:-2], x.shape[-1], x.shape[-2]))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.linalg.pinv(arrays[0], rtol=self.rtol)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, y = values
        turned, y_turned = g.matrix_transpose(ct), g.matrix_transpose(y)
        inside = -g.matmul(g.matmul(y_turned, ct), y_turned)
        off_columns = turned - g.matmul(x, g.matmul(y, turned))
        off_rows = turned - g.matmul(g.matmul(turned, y), x)
        outside = g.matmul(g.matmul(off_columns, y), y_turned) + g.matmul(y_turned, g.matmul(y, off_rows))
        return (inside + outside,)


class Determinant(Op):
    """What det and slogdet share."""

    def scaled_inverse(self, g: Any, x: Any, ct: Any) -> Any:
        """Emit the transposed inverse of each matrix, times the number of its matrix."""
        return g.expand_dims(ct, axis=(-2, -1)) * g.matrix_transpose(g.inv(x))


@op("det", ports="x")
class Det(Determinant):
    """The determinant of each matrix.

    Shapes: ``x[..., n, n]`` to ``[...]``.
    Constraints: (C1) float32 or float64; (C3) x is square.
    Gradient: ``ct * y * inv(x).T``: of a singular matrix it fails when run.
    Example: ``det(jacobian)``
    Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation, 2008.
    """

    def infer(self, *types: TensorType) -> TensorType:
        _require_floats(self.name, *types)
        _side(self.name, types[0])
        return TensorType(types[0].dtype, types[0].shape[:-2])

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.asarray(xp.linalg.det(arrays[0]))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, y = values
        return (self.scaled_inverse(g, x, ct * y),)


@op("slogdet", ports="x", outputs="sign logabsdet")
class Slogdet(Determinant):
    """The sign of the determinant of each matrix, and the logarithm of its absolute value, which does not overflow.

    Shapes: ``x[..., n, n]`` to ``[...]`` and ``[...]``.
    Constraints: (C1) float32 or float64; (C3) x is square.
    Gradient: ``ct * inv(x).T`` from the logarithm: of a singular matrix it fails when run. None from the sign.
    Special values: a singular matrix has the sign 0 and the logarithm -inf.
    Example: ``slogdet(covariance).logabsdet``
    Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation, 2008.
    """

    def infer(self, *types: TensorType) -> tuple[TensorType, ...]:
        _require_floats(self.name, *types)
        _side(self.name, types[0])
        return (TensorType(types[0].dtype, types[0].shape[:-2]),) * 2

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return tuple(xp.asarray(part) for part in xp.linalg.slogdet(arrays[0]))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (self.scaled_inverse(g, values[0], ct[1]),)
