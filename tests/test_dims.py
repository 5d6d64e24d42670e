"""Symbolic dims: normal form, printing, exact simplifications, limits."""

from __future__ import annotations

import ast
import copy
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphspec import dims
from graphspec.dims import Dim, Expr, evaluate, exact_quotient, floordiv, mod, product, substitute, symbol, symbols

b, h, k, n, s = map(symbol, "bhkns")


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (symbol("batch"), "batch"),
        (2 * h + 1, "2*h + 1"),
        (1 + h * 2, "2*h + 1"),
        (n // 2, "n // 2"),
        ((n + 1) // 2, "(n + 1) // 2"),
        (n - 1, "n - 1"),
        (1 - n, "1 - n"),
        (-n, "-n"),
        (-n - 1, "-n - 1"),
        (-(n // 2), "-(n // 2)"),
        (n - n // 2, "n - n // 2"),
        (n // 2 + n, "n + n // 2"),
        (2 * (n // 2), "2*(n // 2)"),
        ((n // 2) * (n // 2), "(n // 2)**2"),
        (n * n * h, "h*n**2"),
        (n * n + n + 1, "n**2 + n + 1"),
        (s * b + h, "b*s + h"),
        ((n // 2) // 2, "(n // 2) // 2"),
        ((3 * n) // 2, "3*n // 2"),
        (n // (h + 1), "n // (h + 1)"),
        (n // (2 * h), "n // (2*h)"),
        (n // -2, "n // (-2)"),
        ((-n) // 2, "(-n) // 2"),
        (7 // n, "7 // n"),
        (-7 % n, "(-7) % n"),
        ((n + 3) % 4, "(n + 3) % 4"),
        ((h + n) * (h - n), "h**2 - n**2"),
    ],
)
def test_prints_as_a_person_writes(dim: Dim, text: str) -> None:
    assert str(dim) == repr(dim) == text
    names = {name: symbol(name) for name in ("batch", "b", "h", "k", "n", "s")}
    assert _read(text, names) == dim


def _read(text: str, names: dict[str, Expr]) -> Dim:
    """Compute a printed dim by Python's own grammar: the text means what the dim is."""

    def value(node: ast.expr) -> Dim:
        if isinstance(node, ast.Constant):
            return int(str(node.value))
        if isinstance(node, ast.Name):
            return names[node.id]
        if isinstance(node, ast.UnaryOp):
            return -value(node.operand)
        assert isinstance(node, ast.BinOp)
        left, right = value(node.left), value(node.right)
        if isinstance(node.op, ast.Pow):
            assert isinstance(right, int)
            return product([left] * right)
        table: dict[type, Callable[[Dim, Dim], Dim]] = {
            ast.Add: lambda x, y: x + y,
            ast.Sub: lambda x, y: x - y,
            ast.Mult: lambda x, y: x * y,
            ast.FloorDiv: lambda x, y: x // y,
            ast.Mod: lambda x, y: x % y,
        }
        return table[type(node.op)](left, right)

    return value(ast.parse(text, mode="eval").body)


def test_equality_and_hash_follow_the_normal_form() -> None:
    assert (n + 1) * (n - 1) == n * n - 1
    assert hash((n + 1) * 2) == hash(2 * n + 2)
    assert len({n + h, h + n, n + h + 0}) == 1
    assert n != h
    assert n != 1
    assert n != "n"
    assert n // 2 != n % 2
    assert (n + n) // 4 == (2 * n) // 4


def test_constants_collapse_to_integers() -> None:
    for dim in (n - n, 0 * n, (n + 3) - n, n // n, n % n, (n // 2) * 0, 0 // n, 0 % n):
        assert type(dim) is int
    assert (n + 3) - n == 3
    assert product([]) == 1
    assert product([2, n, 3]) == 6 * n


def test_symbols_look_inside_opaque_atoms() -> None:
    dim = ((n + h) // 2) % k + b
    assert isinstance(dim, Expr)
    assert dim.symbols == symbols(dim) == {"n", "h", "k", "b"}
    assert symbols(3) == frozenset()


def test_is_symbol() -> None:
    assert n.is_symbol
    assert (n + 0).is_symbol  # type: ignore[union-attr]
    for dim in (2 * n, n + 1, n * n, n // 2, n * h, -n):
        assert not dim.is_symbol  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("a", "c", "quotient"),
    [
        (2 * n, 2, n),
        (4 * n + 8, 4, n + 2),
        (k * n, k, n),
        (n, 1, n),
        (0, n, 0),
        (n * n - 1, n - 1, n + 1),
        (4 * n, -2, -2 * n),
        (7, 2, 3),
    ],
)
def test_floor_division_simplifies_where_it_is_exact(a: Dim, c: Dim, quotient: Dim) -> None:
    assert floordiv(a, c) == quotient
    if (a, c) != (7, 2):
        assert mod(a, c) == 0


def test_otherwise_division_is_opaque() -> None:
    for a, c in ((n, 2), (2 * n + 1, 2), (n, h), (n, n * n), (5, n)):
        assert str(floordiv(a, c)) != str(mod(a, c))
        assert floordiv(a, c) == floordiv(a, c)
        assert len(floordiv(a, c).opaques) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("divide", [floordiv, mod])
def test_division_by_zero(divide: Callable[[Dim, Dim], Dim]) -> None:
    for a in (5, n, 0):
        with pytest.raises(ZeroDivisionError):
            divide(a, 0)
    with pytest.raises(ZeroDivisionError):
        divide(n, h - h)
    with pytest.raises(ZeroDivisionError):
        evaluate(divide(5, n), {"n": 0})


@pytest.mark.parametrize(
    ("a", "c", "expected"),
    [
        (n * 12, 12, n),
        (b * s * h, h, b * s),
        (b * s * h, h * b, s),
        (12, 4, 3),
        (12, 5, None),
        (n, 2, None),
        (n, h, None),
        (5, n, None),
        (0, n, 0),
        (n, 0, None),
        (0, 0, None),
        (n * n + 2 * n * h + h * h, n + h, n + h),
        (n * n + h * h, n + h, None),
        (2 * n * n + 3 * n + 1, 2 * n + 1, n + 1),
        ((n // 2) * b, n // 2, b),
    ],
)
def test_exact_quotient(a: Dim, c: Dim, expected: Dim | None) -> None:
    assert exact_quotient(a, c) == expected


def test_substitution_is_simultaneous_and_reaches_opaque_atoms() -> None:
    assert substitute(n - h, {"n": h, "h": n}) == h - n
    assert substitute((n + 1) // 2 + n, {"n": 2 * h - 1}) == 3 * h - 1
    assert substitute((n % 4) * 2, {"n": 4 * k}) == 0
    assert substitute(n // h, {"h": 2}) == n // 2
    assert substitute(n * n, {"n": n + 1}) == n * n + 2 * n + 1
    assert substitute(5, {"n": 1}) == 5
    assert substitute(n, {}) is n


def test_evaluate_wants_every_symbol() -> None:
    assert evaluate((n + 1) // 2 * h, {"n": 8, "h": 3, "unused": 1}) == 12
    assert evaluate(5, {}) == 5
    with pytest.raises(KeyError, match="h"):
        evaluate(n // h, {"n": 1})


def test_copies_and_pickles_are_equal() -> None:
    dim = (n + 1) // 2 + 3 * h
    assert copy.deepcopy(dim) == dim
    assert pickle.loads(pickle.dumps(dim)) == dim


def test_other_types_are_refused() -> None:
    for other in (1.5, "n", None):
        with pytest.raises(TypeError):
            n + other  # type: ignore[operator]
        with pytest.raises(TypeError):
            other % n if isinstance(other, float) else n // other  # type: ignore[operator]


def test_the_order_does_not_depend_on_the_hash_seed() -> None:
    code = "from graphspec.dims import symbol as s\nprint(sum(s(x) * s(y) for x in 'abc' for y in 'pqr') // s('z'))"
    root = str(Path(dims.__file__).parents[1])
    texts = set()
    for seed in "12":
        env = {"PYTHONHASHSEED": seed, "PYTHONPATH": root}
        texts.add(subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True).stdout)
    assert texts == {"(a*p + a*q + a*r + b*p + b*q + b*r + c*p + c*q + c*r) // z\n"}


def _many_terms() -> Dim:
    left = sum(symbol(f"a{index}") for index in range(100))
    right = sum(symbol(f"b{index}") for index in range(100))
    return left * right


def _doubling() -> Dim:
    dim: Dim = n
    for _ in range(60):
        dim = dim // 3 + dim % 5
    return dim


def _squaring() -> Dim:
    dim: Dim = 2 * n
    for _ in range(60):
        dim = dim * dim
    return dim


def _nesting() -> Dim:
    dim: Dim = n
    for _ in range(2000):
        dim = (dim + 1) // 2
    return dim


@pytest.mark.parametrize("build", [_many_terms, _doubling, _squaring, _nesting])
def test_growth_is_bounded(build: Callable[[], Dim]) -> None:
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"a dim|in a dim"):
        build()
    assert time.perf_counter() - start < 5


def test_a_thousand_terms_are_allowed() -> None:
    dim = sum(symbol(f"d{index}") for index in range(dims.TERMS))
    assert evaluate(dim, {f"d{index}": index for index in range(dims.TERMS)}) == 499_500
    with pytest.raises(ValueError, match="1000 terms"):
        dim + n


def test_division_that_grows_ends() -> None:
    power = product([n] * 300)
    assert exact_quotient(power - 1, n - 1) == sum(product([n] * index) for index in range(300))
    assert exact_quotient(power, n - 2) is None


def test_deep_nesting_needs_no_recursion() -> None:
    dim: Dim = n
    for _ in range(90):
        dim = (dim + 1) // 2
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(250)
        other: Dim = h
        for _ in range(90):
            other = (other + 1) // 2
        assert substitute(other, {"h": n}) == dim
        assert evaluate(dim, {"n": 2**90}) == 1
    finally:
        sys.setrecursionlimit(limit)


_leaves: st.SearchStrategy[Dim] = st.one_of(st.integers(-4, 6), st.sampled_from([n, h, k]))
_operators: dict[str, Callable[[Dim, Dim], Dim]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "//": floordiv,
    "%": mod,
}


def _pairs(inner: st.SearchStrategy[tuple]) -> st.SearchStrategy[tuple]:
    return st.tuples(st.sampled_from(sorted(_operators)), inner, inner)


_trees = st.recursive(st.tuples(_leaves), _pairs, max_leaves=8)
_values = st.fixed_dictionaries({name: st.integers(1, 9) for name in "nhk"})


def _fold(tree: tuple, env: dict[str, int] | None) -> Dim:
    if len(tree) == 1:
        return tree[0] if env is None or isinstance(tree[0], int) else env[str(tree[0])]
    return _operators[tree[0]](_fold(tree[1], env), _fold(tree[2], env))


@settings(max_examples=200, deadline=None)
@given(_trees, _values)
def test_agrees_with_integer_arithmetic(tree: tuple, env: dict[str, int]) -> None:
    try:
        expected = _fold(tree, env)
        dim = _fold(tree, None)
        printed = _read(str(dim), {"n": n, "h": h, "k": k})
        value = evaluate(dim, env)
    except ZeroDivisionError:
        return
    assert printed == dim
    assert value == expected


@settings(max_examples=100, deadline=None)
@given(_trees, _trees)
def test_quotient_of_a_product_is_exact(left: tuple, right: tuple) -> None:
    try:
        a, c = _fold(left, None), _fold(right, None)
    except ZeroDivisionError:
        return
    if c != 0:
        assert exact_quotient(a * c, c) == a
        assert floordiv(a * c, c) == a
        assert mod(a * c, c) == 0
