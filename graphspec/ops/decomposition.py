"""Factors of matrices: Cholesky, QR, singular values, eigenvalues of symmetric matrices.

Constraints of all of them: (C1) x is float32 or float64; (C2) x has at least two dims; (C3) those of a symmetric matrix
are equal, and else it is known which of them is less.
"""

from __future__ import annotations

from typing import Any

from graphspec.dims import Dim
from graphspec.errors import OpTypeError
from graphspec.op import Op, attribute, op, require_kind
from graphspec.types import TensorType


def _matrix(name: str, x: TensorType) -> tuple[Dim, Dim]:
    """Return the dims of a matrix. Checks C1 and C2."""
    require_kind(name, "float", x)
    if x.dtype not in ("float32", "float64"):
        hint = 'cast(x, dtype="float32") converts'
        raise OpTypeError("C1", f"{name} takes float32 or float64, found {x}", hint=hint)
    if x.rank < 2:
        raise OpTypeError("C2", f"{name} needs a matrix, found {x}", code="GS403")
    return x.shape[-2], x.shape[-1]


def _square(name: str, x: TensorType) -> Dim:
    """Return the rows of a square matrix. Checks C1, C2 and C3."""
    rows, columns = _matrix(name, x)
    if rows != columns:
        raise OpTypeError("C3", f"{name} needs a square matrix, found {x}", code="GS402")
    return rows


def _lesser(name: str, x: TensorType) -> tuple[Dim, Dim, Dim]:
    """Return the dims of a matrix and the lesser of them. Checks C1, C2 and C3."""
    rows, columns = _matrix(name, x)
    if rows == columns:
        return rows, columns, rows
    if isinstance(rows, int) and isinstance(columns, int):
        return rows, columns, min(rows, columns)
    message = f"{name} must know which of {rows} and {columns} is less, found {x}"
    raise OpTypeError("C3", message, code="GS402", hint="a file that fixes these dims has it")


def _symmetric(xp: Any, x: Any) -> Any:
    """Return the symmetric part of matrices."""
    return (x + xp.matrix_transpose(x)) * 0.5


def _balanced(g: Any, x: Any) -> Any:
    """Emit the symmetric part of matrices."""
    return (x + g.matrix_transpose(x)) * 0.5


def _reciprocal(g: Any, x: Any) -> Any:
    """Emit 1 / x, and 0 where x is 0."""
    zero = g.equal(x, 0)
    return g.where(zero, 0, 1 / g.where(zero, 1, x))


def _gaps(g: Any, values: Any) -> Any:
    """Emit one over the differences of values: element i, j is 1 / (values[j] - values[i]), 0 where they are equal."""
    return _reciprocal(g, g.expand_dims(values, axis=(-2,)) - g.expand_dims(values, axis=(-1,)))


@op("cholesky", ports="x")
class Cholesky(Op):
    """The triangle l with a positive diagonal whose product ``l @ l.T`` is x.

    Shapes: ``x[..., n, n]`` to the same. Of x its symmetric part ``(x + x.T) / 2`` counts.
    Constraints: (C1) float32 or float64; (C2) x has at least two dims; (C3) x is square. A matrix that is not positive
    definite fails when run.
    Gradient: the symmetric part of ``inv(l).T @ p @ inv(l)``, where p is the lower triangle of ``l.T @ ct``, with half
    of its diagonal.
    Example: ``cholesky(covariance)``
    Source: Murray, Differentiation of the Cholesky decomposition, 2016.
    """

    upper: bool = attribute("whether the result is upper triangular, u with u.T @ u = x", default=False)

    def infer(self, *types: TensorType) -> TensorType:
        _square(self.name, types[0])
        return types[0]

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        lower = xp.linalg.cholesky(_symmetric(xp, arrays[0]))
        return xp.matrix_transpose(lower) if self.upper else lower

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        lower = values[1]
        if self.upper:
            lower, ct = g.matrix_transpose(lower), g.matrix_transpose(ct)
        product = g.matmul(g.matrix_transpose(lower), ct)
        half = (g.tril(product) + g.tril(product, k=-1)) * 0.5
        left = g.triangular_solve(lower, half, transpose=True)
        both = g.triangular_solve(lower, g.matrix_transpose(left), transpose=True)
        return (_balanced(g, both),)


@op("qr", ports="x", outputs="q r")
class Qr(Op):
    """The reduced QR factors: ``q @ r`` is x, the columns of q are orthonormal, and r is upper triangular.

    Shapes: ``x[..., m, n]`` to q ``[..., m, k]`` and r ``[..., k, n]`` with k = min(m, n). The diagonal of r has the
    signs that LAPACK finds.
    Constraints: (C1) float32 or float64; (C2) x has at least two dims; (C3) it is known which of m and n is less.
    Gradient: ``(ct_q + q @ s) @ inv(r).T``, where s is the lower triangle of ``r @ ct_r.T - ct_q.T @ q`` mirrored to a
    symmetric matrix. Where n > m this holds for the first m columns, which alone determine q. It fails when run where
    they lack full rank.
    Example: ``qr(x).q``
    Source: Walter and Lehmann, Algorithmic differentiation of linear algebra functions with application in optimum
    experimental design, 2010; Roberts and Roberts, QR and LQ decomposition matrix backpropagation algorithms, 2020.
    """

    def infer(self, *types: TensorType) -> tuple[TensorType, ...]:
        (x,) = types
        rows, columns, least = _lesser(self.name, x)
        batch = x.shape[:-2]
        return TensorType(x.dtype, (*batch, rows, least)), TensorType(x.dtype, (*batch, least, columns))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return tuple(xp.linalg.qr(arrays[0]))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, q, r = values
        _, columns, least = _lesser(self.name, x.type)
        if columns == least:
            return (_pull_qr(g, ct[0], ct[1], q, r),)
        to_q, (to_left, to_right) = ct[0], g.split(ct[1], sizes=(least, columns - least), axis=-1)
        left, _ = g.split(r, sizes=(least, columns - least), axis=-1)
        _, beside = g.split(x, sizes=(least, columns - least), axis=-1)
        to_q = to_q + g.matmul(beside, g.matrix_transpose(to_right))  # r[:, m:] is q.T @ x[:, m:]
        return (g.concat(_pull_qr(g, to_q, to_left, q, left), g.matmul(q, to_right), axis=-1),)


def _pull_qr(g: Any, to_q: Any, to_r: Any, q: Any, r: Any) -> Any:
    """Emit the cotangent of a matrix with at least as many rows as columns."""
    product = g.matmul(r, g.matrix_transpose(to_r)) - g.matmul(g.matrix_transpose(to_q), q)
    mirrored = g.tril(product) + g.matrix_transpose(g.tril(product, k=-1))
    right = to_q + g.matmul(q, mirrored)
    return g.matrix_transpose(g.triangular_solve(r, g.matrix_transpose(right), lower=False))


@op("svd", ports="x", outputs="u s vh")
class Svd(Op):
    """The reduced singular value decomposition: x is ``u @ diag(s) @ vh``, and s falls.

    Shapes: ``x[..., m, n]`` to u ``[..., m, k]``, s ``[..., k]`` and vh ``[..., k, n]`` with k = min(m, n). The columns
    of u and the rows of vh are orthonormal; their common signs are those that LAPACK finds.
    Constraints: (C1) float32 or float64; (C2) x has at least two dims; (C3) it is known which of m and n is less.
    Gradient: that of Townsend. From a sum of functions of each element of s it exists where none is 0; there it is
    one of several. From u and vh it exists where singular values are distinct and, unless x is square, not 0: the
    formula divides by the differences of their squares, and by themselves. A quotient whose divisor is 0 counts as 0.
    Example: ``sum(svd(x).s)``
    Source: Townsend, Differentiating the singular value decomposition, 2016.
    """

    def infer(self, *types: TensorType) -> tuple[TensorType, ...]:
        (x,) = types
        rows, columns, least = _lesser(self.name, x)
        shapes = ((rows, least), (least,), (least, columns))
        return tuple(TensorType(x.dtype, (*x.shape[:-2], *shape)) for shape in shapes)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return tuple(xp.linalg.svd(arrays[0], full_matrices=False))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, u, s, vh = values
        to_u, to_s, to_vh = ct
        rows, columns, least = _lesser(self.name, x.type)
        across, down = g.expand_dims(s, axis=(-2,)), g.expand_dims(s, axis=(-1,))
        gaps = _gaps(g, g.square(s))
        middle = gaps * _rotation(g, g.matmul(g.matrix_transpose(u), to_u)) * across
        middle = middle + down * gaps * _rotation(g, g.matmul(to_vh, g.matrix_transpose(vh)), back=True)
        left = g.matmul(u, middle) + u * g.expand_dims(to_s, axis=(-2,))
        if rows != least:
            scaled = to_u * _reciprocal(g, across)
            left = left + scaled - g.matmul(u, g.matmul(g.matrix_transpose(u), scaled))
        result = g.matmul(left, vh)
        if columns != least:
            scaled = to_vh * _reciprocal(g, down)
            inside = g.matmul(g.matmul(scaled, g.matrix_transpose(vh)), vh)
            result = result + g.matmul(u, scaled - inside)
        return (result,)


def _rotation(g: Any, x: Any, back: bool = False) -> Any:
    """Emit x - x.T, or its negative."""
    turned = g.matrix_transpose(x)
    return turned - x if back else x - turned


@op("eigh", ports="x", outputs="values vectors")
class Eigh(Op):
    """Eigenvalues, which rise, and eigenvectors of symmetric matrices: ``x @ vectors`` is ``vectors * values``.

    Shapes: ``x[..., n, n]`` to values ``[..., n]`` and vectors ``[..., n, n]``, whose columns are orthonormal, with the
    signs that LAPACK finds. Of x its symmetric part ``(x + x.T) / 2`` counts.
    Constraints: (C1) float32 or float64; (C2) x has at least two dims; (C3) x is square.
    Gradient: the symmetric part of ``v @ (diag(ct_values) + f * (v.T @ ct_vectors)) @ v.T``, where f has the elements
    1 / (values[j] - values[i]). From the vectors it exists where the values are distinct; where two are equal, f counts
    as 0.
    Example: ``eigh(covariance).values``
    Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation, 2008.
    """

    def infer(self, *types: TensorType) -> tuple[TensorType, ...]:
        (x,) = types
        _square(self.name, x)
        return TensorType(x.dtype, x.shape[:-1]), x

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return tuple(xp.linalg.eigh(_symmetric(xp, arrays[0])))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        _, found, vectors = values
        to_values, to_vectors = ct
        turned = g.matrix_transpose(vectors)
        middle = g.matmul(vectors, _gaps(g, found) * g.matmul(turned, to_vectors))
        middle = middle + vectors * g.expand_dims(to_values, axis=(-2,))
        return (_balanced(g, g.matmul(middle, turned)),)
