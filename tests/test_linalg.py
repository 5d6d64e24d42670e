"""Linear algebra against PyTorch, forward and backward; its conventions at degenerate operands; the library's part."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from test_catalogue import Trial, compare

import graphspec as gs
from graphspec.dims import symbol
from graphspec.errors import ExecutionError, SpecError
from graphspec.types import TensorType

torch = pytest.importorskip("torch")

RANDOM = np.random.default_rng(11)
SHAPES = [(3, 3), (2, 4, 4), (2, 1, 2, 2)]
OBLONGS = [(5, 3), (3, 5), (2, 4, 2), (2, 2, 4)]


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape)


def definite(*shape: int) -> np.ndarray:
    x = normal(*shape)
    return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])


def agree(name: str, given: dict[str, Any], peer: Callable[..., Any], *operands: np.ndarray, tolerance: float) -> None:
    """Compare outputs, and the cotangents of all operands for random cotangents of the outputs, with PyTorch."""
    made = Trial()
    leaves = [made.leaf(x) for x in operands]
    outputs = made.apply(name, given, leaves)
    cts, pulled = made.pull(outputs, leaves)
    tensors = [torch.tensor(x, requires_grad=True) for x in operands]
    expected = peer(*tensors)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for found, wanted in zip(made.run(outputs), expected, strict=True):
        np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=tolerance, atol=tolerance)
    total = sum((torch.tensor(made.arrays[ct.id]) * y).sum() for ct, y in zip(cts, expected, strict=True))
    gradients = torch.autograd.grad(total, tensors)
    for found, wanted in zip(made.run(pulled), gradients, strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("name", "peer"), [("inv", torch.linalg.inv), ("det", torch.linalg.det), ("pinv", torch.linalg.pinv)]
)
def test_inverses_and_determinants_agree_with_torch(name: str, peer: Any, shape: tuple[int, ...]) -> None:
    agree(name, {}, peer, definite(*shape), tolerance=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
def test_slogdet_agrees_with_torch(shape: tuple[int, ...]) -> None:
    agree("slogdet", {}, lambda x: tuple(torch.linalg.slogdet(x)), normal(*shape), tolerance=1e-10)


@pytest.mark.parametrize("shape", OBLONGS)
def test_pinv_agrees_with_torch(shape: tuple[int, ...]) -> None:
    agree("pinv", {}, torch.linalg.pinv, normal(*shape), tolerance=1e-9)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("transpose", [True, False])
@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize(("a", "b"), [((3, 3), (3, 2)), ((2, 4, 4), (4, 1)), ((3, 3), (2, 3, 2))])
def test_triangular_solve_agrees_with_torch(
    a: tuple[int, ...], b: tuple[int, ...], unit: bool, transpose: bool, lower: bool
) -> None:
    def peer(a: Any, b: Any) -> Any:
        triangle = a.tril() if lower else a.triu()
        upper = (not lower) != transpose
        side = triangle.mT if transpose else triangle
        return torch.linalg.solve_triangular(side, b, upper=upper, unitriangular=unit)

    given = {"lower": lower, "transpose": transpose, "unit_diagonal": unit}
    agree("triangular_solve", given, peer, definite(*a), normal(*b), tolerance=1e-10)


@pytest.mark.parametrize("lower", [True, False])
def test_triangular_solve_works_by_blocks(lower: bool) -> None:
    a, b = normal(150, 150) / 20 + 2 * np.eye(150), normal(150, 2)
    agree("triangular_solve", {"lower": lower}, lambda a, b: _triangular(a, b, lower), a, b, tolerance=1e-9)


def _triangular(a: Any, b: Any, lower: bool) -> Any:
    return torch.linalg.solve_triangular(a.tril() if lower else a.triu(), b, upper=not lower)


@pytest.mark.parametrize(("a", "b"), [((3, 3), (3,)), ((2, 4, 4), (4, 3)), ((2, 2), (3, 2, 2))])
def test_solve_agrees_with_torch(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    agree("solve", {}, torch.linalg.solve, definite(*a), normal(*b), tolerance=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("upper", [True, False])
def test_cholesky_agrees_with_torch(upper: bool, shape: tuple[int, ...]) -> None:
    agree("cholesky", {"upper": upper}, lambda x: _cholesky(x, upper), definite(*shape), tolerance=1e-10)


def _cholesky(x: Any, upper: bool) -> Any:
    return torch.linalg.cholesky((x + x.mT) / 2, upper=upper)


@pytest.mark.parametrize("shape", SHAPES + OBLONGS)
def test_qr_agrees_with_torch(shape: tuple[int, ...]) -> None:
    agree("qr", {}, lambda x: tuple(torch.linalg.qr(x)), normal(*shape), tolerance=1e-9)


@pytest.mark.parametrize("shape", SHAPES + OBLONGS)
def test_svd_agrees_with_torch(shape: tuple[int, ...]) -> None:
    """Compare what does not depend on the signs of the vectors, for which PyTorch has a gradient."""
    weight = normal(max(shape), max(shape))

    def peer(x: Any) -> Any:
        u, s, vh = torch.linalg.svd(x, full_matrices=False)
        return _invariant(u, s, vh, torch.tensor(weight))

    made = Trial()
    x = made.leaf(normal(*shape))
    u, s, vh = made.apply("svd", {}, [x])
    y = _invariant(u, s, vh, made.leaf(weight), made.graph.g)
    cts, pulled = made.pull([y], [x])
    tensor = torch.tensor(made.arrays[x.id], requires_grad=True)
    expected = peer(tensor)
    np.testing.assert_allclose(made.run([y])[0], expected.detach().numpy(), rtol=1e-9, atol=1e-9)
    (wanted,) = torch.autograd.grad((torch.tensor(made.arrays[cts[0].id]) * expected).sum(), tensor)
    np.testing.assert_allclose(made.run(pulled)[0], wanted.numpy(), rtol=1e-8, atol=1e-8)


def _invariant(u: Any, s: Any, vh: Any, weight: Any, g: Any = None) -> Any:
    """Return u @ f(s) @ vh for an f that is not the identity, times numbers: signs cancel out."""
    if g is None:
        return (u * torch.exp(s)[..., None, :]) @ vh * weight[: u.shape[-2], : vh.shape[-1]]
    rows, columns = u.type.shape[-2], vh.type.shape[-1]
    weight = g.slice(weight, axis=(0, 1), start=(0, 0), stop=(rows, columns))
    return (u * g.expand_dims(g.exp(s), axis=(-2,))) @ vh * weight


@pytest.mark.parametrize("shape", SHAPES)
def test_eigh_agrees_with_torch(shape: tuple[int, ...]) -> None:
    x, weight = normal(*shape), normal(shape[-1], shape[-1])
    made = Trial()
    leaf = made.leaf(x)
    values, vectors = made.apply("eigh", {}, [leaf])
    g = made.graph.g
    y = vectors * g.expand_dims(g.sin(values), axis=(-2,)) @ g.matrix_transpose(vectors) * made.leaf(weight)
    cts, pulled = made.pull([y], [leaf])
    tensor = torch.tensor(x, requires_grad=True)
    found = torch.linalg.eigh((tensor + tensor.mT) / 2)
    expected = (found.eigenvectors * torch.sin(found.eigenvalues)[..., None, :]) @ found.eigenvectors.mT
    expected = expected * torch.tensor(weight)
    np.testing.assert_allclose(made.run([y])[0], expected.detach().numpy(), rtol=1e-10, atol=1e-10)
    (wanted,) = torch.autograd.grad((torch.tensor(made.arrays[cts[0].id]) * expected).sum(), tensor)
    np.testing.assert_allclose(made.run(pulled)[0], wanted.numpy(), rtol=1e-9, atol=1e-9)


EQUATIONS = [
    ("ij,jk->ik", (3, 4), (4, 2)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    ("...ij,...jk", (2, 1, 3, 4), (5, 4, 2)),
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("ij,jk,kl,lm->im", (2, 3), (3, 4), (4, 3), (3, 2)),
    ("bi,oij,bj->bo", (3, 4), (2, 4, 5), (3, 5)),
    ("ii->i", (4, 4)),
    ("bii->b", (2, 4, 4)),
    ("i,j,k->kji", (2,), (3,), (4,)),
    ("ijk->ki", (2, 3, 4)),
    ("...i,...i->...", (3, 1, 4), (2, 4)),
]


@pytest.mark.parametrize(("equation", "shapes"), [(equation, shapes) for equation, *shapes in EQUATIONS])
def test_einsum_agrees_with_torch(equation: str, shapes: list[tuple[int, ...]]) -> None:
    operands = [normal(*shape) for shape in shapes]
    agree("einsum", {"equation": equation}, lambda *xs: torch.einsum(equation, *xs), *operands, tolerance=1e-10)


@pytest.mark.parametrize(("of_a", "of_b"), [([1, 2], [0, 1]), ([2, 0], [1, 2]), ([], []), ([0, 1, 2], [2, 0, 1])])
def test_tensordot_agrees_with_torch(of_a: list[int], of_b: list[int]) -> None:
    a, b = normal(2, 3, 4), normal(3, 4, 2)
    peer = lambda a, b: torch.tensordot(a, b, dims=(of_a, of_b))
    agree("tensordot", {"a_axis": of_a, "b_axis": of_b}, peer, a, b, tolerance=1e-10)


def test_einsum_keeps_symbolic_dims() -> None:
    made = Trial()
    batch, n = symbol("batch"), symbol("n")
    a = made.graph.leaf("input", "a", TensorType("float64", (batch, n, 3)))
    b = made.graph.leaf("input", "b", TensorType("float64", (batch, 3, n)))
    y = made.graph.g.einsum(a, b, equation="bij,bjk->bik")
    assert y.type.shape == (batch, n, n)
    assert made.graph.g.einsum(y, equation="...ii").type.shape == (batch,)


@pytest.mark.parametrize("name", ["cholesky", "qr", "svd", "eigh", "inv", "det", "slogdet"])
def test_batch_and_square_dims_may_be_symbolic(name: str) -> None:
    made = Trial()
    made.dims = {"batch": 2, "n": 3}
    leaf = made.graph.leaf("input", "x", TensorType("float64", (symbol("batch"), symbol("n"), symbol("n"))))
    made.arrays[leaf.id] = definite(2, 3, 3)
    outputs = made.apply(name, {}, [leaf])
    cts, pulled = made.pull(outputs, [leaf])
    compare(made, outputs, cts, [leaf], pulled)


def gradient(name: str, x: Any, output: int = 0) -> np.ndarray:
    """Return the gradient of the sum of an output."""
    made = Trial()
    leaf = made.leaf(np.asarray(x, float))
    y = made.apply(name, {}, [leaf])[output]
    (ct,), (pulled,) = made.pull([y], [leaf])
    made.arrays[ct.id] = np.ones(made.arrays[ct.id].shape)
    return made.run([pulled])[0]


def test_equal_singular_values_have_a_gradient() -> None:
    np.testing.assert_allclose(gradient("svd", np.eye(3), 1), np.eye(3), atol=1e-15)
    assert np.isfinite(gradient("svd", np.eye(3), 0)).all()
    np.testing.assert_allclose(gradient("pinv", np.eye(2)), -np.ones((2, 2)), atol=1e-15)


def test_equal_eigenvalues_have_a_gradient() -> None:
    np.testing.assert_allclose(gradient("eigh", 2 * np.eye(3), 0), np.eye(3), atol=1e-15)
    assert np.isfinite(gradient("eigh", np.eye(3), 1)).all()


def test_singular_values_of_zero_have_a_finite_gradient() -> None:
    assert np.isfinite(gradient("svd", np.zeros((3, 2)), 1)).all()


def test_a_singular_matrix_has_a_determinant_but_no_gradient() -> None:
    made = Trial()
    x = made.leaf(np.array([[1.0, 2.0], [2.0, 4.0]]))
    (y,) = made.apply("det", {}, [x])
    assert made.run([y])[0] == pytest.approx(0.0, abs=1e-15)
    _, pulled = made.pull([y], [x])
    with pytest.raises(ExecutionError, match="Singular matrix"):
        made.run(pulled)


def test_slogdet_of_zeros() -> None:
    made = Trial()
    sign, logarithm = made.run(made.apply("slogdet", {}, [made.leaf(np.zeros((2, 2)))]))
    assert (sign, logarithm) == (0.0, -np.inf)


def test_cholesky_of_an_indefinite_matrix_says_so() -> None:
    made = Trial()
    with pytest.raises(ExecutionError, match="positive definite"):
        made.run(made.apply("cholesky", {}, [made.leaf(-np.eye(2))]))


def test_the_other_triangle_counts_for_nothing() -> None:
    a = np.array([[2.0, np.nan], [1.0, 4.0]])
    made = Trial()
    (y,) = made.apply("triangular_solve", {}, [made.leaf(a), made.leaf(np.array([2.0, 9.0]))])
    np.testing.assert_allclose(made.run([y])[0], [1.0, 2.0])


# -- the library ------------------------------------------------------------------------------------------------------


def backprop(expression: str, dtype: str = "float64", **arrays: np.ndarray) -> Any:
    """Run the sum of an expression of arrays, and differentiate it."""
    inputs = {name: {"shape": list(x.shape)} for name, x in arrays.items()}
    document = {
        "graphspec": 1,
        "dtype": dtype,
        "inputs": inputs,
        "nodes": {"y": expression, "f": "sum(y)"},
        "outputs": ["y", "f"],
        "differentiate": "f",
    }
    return gs.loads(json.dumps(document)).backprop({name: x.astype(dtype) for name, x in arrays.items()})


def library_agrees(expression: str, peer: Callable[..., Any], **arrays: np.ndarray) -> None:
    result = backprop(expression, **arrays)
    tensors = {name: torch.tensor(x, requires_grad=True) for name, x in arrays.items()}
    expected = peer(*tensors.values())
    np.testing.assert_allclose(result["y"], expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    gradients = torch.autograd.grad(expected.sum(), list(tensors.values()))
    for name, wanted in zip(tensors, gradients, strict=True):
        np.testing.assert_allclose(result.gradients[name], wanted.numpy(), rtol=1e-9, atol=1e-12)


def test_products_of_the_library() -> None:
    a, b = normal(2, 3), normal(2, 3)
    library_agrees("vecdot(a, b)", torch.linalg.vecdot, a=a, b=b)
    library_agrees("vecdot(a, b, axis=0)", lambda a, b: torch.linalg.vecdot(a, b, dim=0), a=a, b=b)
    library_agrees("outer(a, b)", torch.outer, a=normal(2), b=normal(3))
    library_agrees("outer(a, b)", lambda a, b: torch.einsum("bi,bj->bij", a, b), a=a, b=normal(2, 4))


def test_trace_of_the_library() -> None:
    library_agrees("trace(x)", lambda x: x.diagonal(0, -2, -1).sum(-1), x=normal(2, 3, 3))
    library_agrees("trace(x, offset=1)", lambda x: x.diagonal(1, -2, -1).sum(-1), x=normal(3, 4))


@pytest.mark.parametrize("order", ["2", "1", "3", "0.5", "-1", "inf", "-inf"])
@pytest.mark.parametrize("axis", [-1, 0])
def test_vector_norms_of_the_library(axis: int, order: str) -> None:
    peer = lambda x: torch.linalg.vector_norm(x, float(order), dim=axis)
    library_agrees(f"vector_norm(x, ord={order}, axis={axis})", peer, x=normal(3, 4))


@pytest.mark.parametrize("order", ["2", "1", "3", "0.5", "-1", "inf", "-inf"])
@pytest.mark.parametrize(("axis", "dim"), [("null", (0, 1, 2)), ("[0, -1]", (0, 2)), ("[1]", 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_vector_norms_over_axes(keepdims: bool, axis: str, dim: Any, order: str) -> None:
    peer = lambda x: torch.linalg.vector_norm(x, float(order), dim=dim, keepdim=keepdims)
    expression = f"vector_norm(x, ord={order}, axis={axis}, keepdims={str(keepdims).lower()})"
    library_agrees(expression, peer, x=normal(3, 4, 2))


@pytest.mark.parametrize("order", ["2", "1", "3", "0.5", "inf", "-inf"])
def test_a_norm_over_no_axes_is_the_size(order: str) -> None:
    """As in NumPy; PyTorch takes an empty list for all axes."""
    library_agrees(f"vector_norm(x, ord={order}, axis=[])", torch.abs, x=normal(3, 4))


@pytest.mark.parametrize(("order", "axis"), [*product(["2", "1", "3", "0.5", "0"], ["0", "null", "[0, 1]"])])
def test_the_norm_of_nothing_is_0(order: str, axis: str) -> None:
    result = backprop(f"vector_norm(x, ord={order}, axis={axis})", x=np.zeros((0, 2)))
    assert result["y"].tolist() == ([0.0, 0.0] if axis == "0" else 0.0)
    assert result.gradients["x"].shape == (0, 2)


def test_the_greatest_of_nothing_is_refused() -> None:
    with pytest.raises(SpecError, match="over an empty axis has no value"):
        backprop("vector_norm(x, ord=inf, axis=0)", x=np.zeros((0, 2)))


@pytest.mark.parametrize("order", ["fro", "nuc", "1", "-1", "2", "-2", "inf", "-inf"])
def test_matrix_norms_of_the_library(order: str) -> None:
    name: Any = order if order in ("fro", "nuc") else float(order)
    library_agrees(f'matrix_norm(x, ord="{order}")', lambda x: torch.linalg.matrix_norm(x, name), x=normal(2, 4, 3))


def test_norms_are_flat_at_zero() -> None:
    zero = np.zeros((2, 2))
    for expression in ("vector_norm(x)", "vector_norm(x, ord=1)", "vector_norm(x, ord=3)", "matrix_norm(x)"):
        result = backprop(expression, x=zero)
        assert not result["y"].any()
        assert not result.gradients["x"].any()
    assert backprop("vector_norm(x, ord=0)", x=np.array([[0.0, 2.0, 3.0]]))["y"].tolist() == [2.0]


def test_norms_keep_their_dims_and_dtype() -> None:
    assert backprop("vector_norm(x, axis=0, keepdims=true)", x=normal(3, 2))["y"].shape == (1, 2)
    for expression in ("vector_norm(x)", "vector_norm(x, ord=0)", 'matrix_norm(x, ord="nuc")'):
        assert backprop(expression, "float32", x=normal(3, 2))["y"].dtype == np.float32
