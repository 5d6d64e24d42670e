"""Linear algebra."""

from __future__ import annotations

from typing import Any

from graphspec.dims import product
from graphspec.errors import OpTypeError
from graphspec.op import Op, op, require_kind, same_dtype
from graphspec.types import TensorType, broadcast


@op("matmul", ports="a b")
class Matmul(Op):
    """The matrix product ``a @ b``, as in NumPy.

    Shapes: ``[..., m, k] @ [..., k, n]`` gives ``[..., m, n]``; the dims before broadcast. One dim as ``a`` is a row,
    as ``b`` a column, and is left out of the result: ``[k] @ [k]`` gives ``[]``.
    Constraints: (C1) numbers; (C2) one dtype; (C3) each has at least one dim; (C4) the inner dims ``k`` are equal;
    (C5) the dims before broadcast.
    Gradient: ``ct @ b.T`` and ``a.T @ ct``.
    Special values: with k = 0 all elements are 0.
    Example: ``image @ weight + bias``
    """

    def infer(self, *types: TensorType) -> TensorType:
        a, b = types
        require_kind("matmul", "number", a, b)
        same_dtype("matmul", a, b)
        for name, found in (("a", a), ("b", b)):
            if found.rank == 0:
                message = f"matmul needs at least one dim, found {name}: {found}"
                raise OpTypeError("C3", message, code="GS403", hint="* multiplies by a scalar")
        if a.shape[-1] != (b.shape[0] if b.rank == 1 else b.shape[-2]):
            raise OpTypeError("C4", "dims do not match in matmul", code="GS402")
        batch = broadcast(a.shape[:-2], b.shape[:-2])
        if batch is None:
            raise OpTypeError("C5", f"leading dims do not broadcast in matmul: {a} and {b}", code="GS402")
        columns = b.shape[-1:] if b.rank > 1 else ()
        return TensorType(a.dtype, (*batch, *a.shape[-2:-1], *columns))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.asarray(xp.matmul(*arrays))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        a, b = values[:2]
        left = a if a.type.rank > 1 else g.expand_dims(a, axis=(0,))
        right = b if b.type.rank > 1 else g.expand_dims(b, axis=(1,))
        if b.type.rank == 1:
            ct = g.expand_dims(ct, axis=(-1,))
        if a.type.rank == 1:
            ct = g.expand_dims(ct, axis=(-2,))
        to_a = g.matmul(ct, g.matrix_transpose(right))
        to_b = _pull_right(g, left, right, ct)
        return (
            to_a if a.type.rank > 1 else g.squeeze(to_a, axis=(-2,)),
            to_b if b.type.rank > 1 else g.squeeze(to_b, axis=(-1,)),
        )


def _pull_right(g: Any, a: Any, b: Any, ct: Any) -> Any:
    """Return ``a.T @ ct``; one product over all rows where every batch meets the same matrix ``b``."""
    if b.type.rank == 2 and a.type.rank > 2:
        rows = product(a.type.shape[:-1])
        a = g.reshape(a, shape=(rows, a.type.shape[-1]))
        ct = g.reshape(ct, shape=(rows, ct.type.shape[-1]))
    return g.matmul(g.matrix_transpose(a), ct)


@op("matrix_transpose", ports="x")
class MatrixTranspose(Op):
    """The last two dims swapped, of any dtype.

    Shapes: ``[..., m, n]`` gives ``[..., n, m]``.
    Constraints: (C1) x has at least two dims.
    Gradient: ``ct`` transposed.
    Example: ``matmul(matrix_transpose(x), x)``
    """

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        if x.rank < 2:
            raise OpTypeError("C1", f"matrix_transpose needs at least two dims, found {x}", code="GS403")
        return TensorType(x.dtype, (*x.shape[:-2], x.shape[-1], x.shape[-2]))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.matrix_transpose(arrays[0])

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.matrix_transpose(ct),)
