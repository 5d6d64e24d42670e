"""Expressions: the grammar of L4, offsets, every refusal with its place, limits, references."""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graphspec.expression import ExpressionError, Term, callees, dotted, parse, references, walk


def show(term: Term | None) -> str:
    """Print a term fully bracketed, so that a tree fits on one line of a test."""
    if term is None:
        return "_"
    parts = [show(part) for part in term.parts]
    parts += [f"{name}={show(value)}" for name, value in term.keywords]
    if term.kind in ("number", "boolean", "null", "string"):
        return repr(term.value)
    if term.kind == "name":
        return str(term.value)
    if term.kind == "member":
        return f"{parts[0]}.{term.value}"
    head = term.value if term.kind in ("operation", "call") else term.kind
    return f"{head}({', '.join(parts)})"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("x", "x"),
        ("_x1", "_x1"),
        (" x ", "x"),
        ("match", "match"),
        ("5", "5"),
        ("0", "0"),
        ("1.5e-3", "0.0015"),
        ("1.", "1.0"),
        (".5", "0.5"),
        ("1E3", "1000.0"),
        ("1e05", "100000.0"),
        ("true", "True"),
        ("false", "False"),
        ("null", "None"),
        ("inf", "inf"),
        ("nan", "nan"),
        ("-inf", "negative(inf)"),
        ("'x1 -> z'", "'x1 -> z'"),
        ('"block.0.weight"', "'block.0.weight'"),
        ("'# ; $ & true'", "'# ; $ & true'"),
        ("a + b - c", "subtract(add(a, b), c)"),
        ("a * b / c // d % e @ f", "matmul(remainder(floor_divide(divide(multiply(a, b), c), d), e), f)"),
        ("a + b * c", "add(a, multiply(b, c))"),
        ("(a + b) * c", "multiply(add(a, b), c)"),
        ("a - (b - c)", "subtract(a, subtract(b, c))"),
        ("-x**2", "negative(pow(x, 2))"),
        ("2**-x", "pow(2, negative(x))"),
        ("a**b**c", "pow(a, pow(b, c))"),
        ("-a * b", "multiply(negative(a), b)"),
        ("--x", "negative(negative(x))"),
        ("-x.y[0]", "negative(index(x.y, 0))"),
        ("a == b", "equal(a, b)"),
        ("a != b", "not_equal(a, b)"),
        ("a < b + 1", "less(a, add(b, 1))"),
        ("a <= b", "less_equal(a, b)"),
        ("a > b", "greater(a, b)"),
        ("a >= -b", "greater_equal(a, negative(b))"),
        ("(a < b) == (c < d)", "equal(less(a, b), less(c, d))"),
        ("f()", "f()"),
        ("f(a, b)", "f(a, b)"),
        ("nn.dense(x, units=3)", "nn.dense(x, units=3)"),
        ("f(a, axis=-1, axes=[0, 1], mode='same')", "f(a, axis=negative(1), axes=list(0, 1), mode='same')"),
        ("f(shape=[])", "f(shape=list())"),
        ("f(a==b)", "f(equal(a, b))"),
        ("h.linear.weight", "h.linear.weight"),
        ("f(x).y", "f(x).y"),
        ("'block.0'.shape[1]", "index('block.0'.shape, 1)"),
        ("x.shape[0]", "index(x.shape, 0)"),
        ("f(x).y.shape[0]", "index(f(x).y.shape, 0)"),
        ("x[0]", "index(x, 0)"),
        ("x[-1, 2]", "index(x, negative(1), 2)"),
        ("x[0][1]", "index(index(x, 0), 1)"),
        ("(a + b)[0]", "index(add(a, b), 0)"),
        ("x[:]", "index(x, slice(_, _, _))"),
        ("x[1:]", "index(x, slice(1, _, _))"),
        ("x[:1]", "index(x, slice(_, 1, _))"),
        ("x[::2]", "index(x, slice(_, _, 2))"),
        ("x[a:b:c]", "index(x, slice(a, b, c))"),
        ("x[::]", "index(x, slice(_, _, _))"),
        ("x[..., 0]", "index(x, ellipsis(), 0)"),
        ("x[:, ..., 1:]", "index(x, slice(_, _, _), ellipsis(), slice(1, _, _))"),
        ("x[...]", "index(x, ellipsis())"),
        ("x[a if t else b:]", "index(x, slice(conditional(a, t, b), _, _))"),
        ("a if t else b", "conditional(a, t, b)"),
        ("a if t else b if u else c", "conditional(a, t, conditional(b, u, c))"),
        ("a + b if t else c", "conditional(add(a, b), t, c)"),
        ("a if not t and u or v else b", "conditional(a, or(and(not(t), u), v), b)"),
        ("a if given(x) else b", "conditional(a, given(x), b)"),
        ("a if not n == 1 else b", "conditional(a, not(equal(n, 1)), b)"),
        ("a and b and c", "and(a, b, c)"),
        ("f(a if t else b, k=c if u else d)", "f(conditional(a, t, b), k=conditional(c, u, d))"),
        ("a if n < 1 and n > 0 else b", "conditional(a, and(less(n, 1), greater(n, 0)), b)"),
        ("a or'b'", "or(a, 'b')"),
        ("  a\n  + b\n", "add(a, b)"),
        ("\ta\r\n*\tb", "multiply(a, b)"),
        ("f(x)\n.y", "f(x).y"),
    ],
)
def test_grammar(text: str, tree: str) -> None:
    assert show(parse(text)) == tree


def test_numbers_keep_their_kind() -> None:
    assert type(parse("5").value) is int
    assert type(parse("5.0").value) is float
    assert parse("inf").value == math.inf
    assert math.isnan(parse("nan").value)
    assert parse("9" * 400).value == int("9" * 400)
    assert parse("true").kind == "boolean"
    assert parse("null").kind == "null"


@pytest.mark.parametrize(
    "text",
    [
        "relu(linear(image, units=hidden)) + x[0, 1:] ** 2",
        "  \n a\n + f( b , k = -c )\n ",
        "x.shape[0] if given(x) and not t else nn.dense( 'a b' ).y",
    ],
)
def test_offsets_cut_out_each_term(text: str) -> None:
    whole = parse(text)
    assert text[whole.start : whole.end] == text.strip()
    for term in walk(whole):
        piece = text[term.start : term.end]
        assert piece == piece.strip()
        if term.kind == "name":
            assert piece == term.value
        elif term.kind == "call":
            assert piece.startswith(str(term.value))
            assert piece.endswith(")")
        elif term.kind == "string":
            assert piece[1:-1] == term.value
        if term.kind not in ("ellipsis", "slice"):
            assert show(parse(piece)) == show(term)


def test_parentheses_lie_outside_their_term() -> None:
    text = " ( (a + b) ) * (c)"
    whole = parse(text)
    left, right = whole.children
    assert (whole.start, whole.end) == (1, len(text))
    assert text[left.start : left.end] == "a + b"
    assert text[right.start : right.end] == "c"


# Each refusal: the text, what the error points at (start, end), a part of the message or hint, and the code.
REFUSALS = [
    # characters
    ("a × b", 2, 3, "MULTIPLICATION SIGN", "GS209"),
    ("a × b", 2, 3, "multiplication is *", "GS209"),
    ("a − b", 2, 3, "minus is -", "GS209"),
    ("x²", 1, 2, "**2", "GS209"),
    ("a ≤ b", 2, 3, "<=", "GS209"),
    ("“a”", 0, 1, 'a quote is "', "GS209"),
    ("'é'", 1, 2, "U+00E9", "GS209"),
    ("ﬁ", 0, 1, "LATIN SMALL LIGATURE FI", "GS209"),
    ("a\x00b", 1, 2, "U+0000", "GS209"),
    ("a\x0cb", 1, 2, "U+000C", "GS209"),
    ("a\u00a0+ b", 1, 2, "plain space", "GS209"),
    ("\ud800", 0, 1, "U+D800", "GS209"),
    # empty text and limits
    ("", 0, 0, "empty", "GS209"),
    (" \n ", 0, 3, "empty", "GS209"),
    ("a + " * 2500 + "a", 0, 10_000, "too long", "GS209"),
    ("9" * 401, 0, 401, "401 digits", "GS209"),
    ("1e400", 0, 5, "too large", "GS209"),
    ("a * 1" + "0" * 399 + ".0", 4, 406, "too large", "GS209"),
    # numbers
    ("1_000", 0, 5, "write 1000", "GS106"),
    ("a + 1_0.5", 4, 9, "write 10.5", "GS106"),
    ("0x1F", 0, 4, "write 31", "GS106"),
    ("0o17", 0, 4, "write 15", "GS106"),
    ("-0b1", 1, 4, "write 1", "GS106"),
    ("012", 0, 3, "octal 10", "GS106"),
    ("012", 0, 3, "write 12", "GS106"),
    ("00", 0, 2, "write 0", "GS106"),
    ("00.5", 0, 4, "write 0.5", "GS106"),
    ("089", 0, 3, "write 89", "GS106"),
    ("1j", 0, 2, "complex", "GS209"),
    ("1if x else y", 0, 3, "1if", "GS209"),
    ("2x", 0, 2, "neither", "GS209"),
    ("block.0.weight", 5, 7, "quoted", "GS209"),
    # symbols
    ("# x", 0, 1, "'#'", "GS209"),
    ("a # b", 2, 3, "comment", "GS209"),
    ("a && b", 2, 4, "logical_and", "GS209"),
    ("a || b", 2, 4, "logical_or", "GS209"),
    ("!a", 0, 1, "logical_not", "GS209"),
    ("a ^ b", 2, 3, "power is written **", "GS209"),
    ("a & b", 2, 3, "bitwise_and", "GS209"),
    ("a | b", 2, 3, "bitwise_or", "GS209"),
    ("~a", 0, 1, "bitwise_invert", "GS209"),
    ("a << b", 2, 4, "bitwise_left_shift", "GS209"),
    ("a >> b", 2, 4, "bitwise_right_shift", "GS209"),
    ("a <> b", 2, 4, "!=", "GS209"),
    ("a => b", 2, 4, ">=", "GS209"),
    ("a === b", 2, 5, "== compares", "GS209"),
    ("x -> z", 2, 4, "quoted", "GS209"),
    ("a = b", 2, 3, "== compares", "GS209"),
    ("a += b", 2, 4, "assignment", "GS209"),
    ("f(x[a=b])", 5, 6, "== compares", "GS209"),
    ("f((a)=1)", 5, 6, "== compares", "GS209"),
    ("f(a.b=1)", 5, 6, "== compares", "GS209"),
    ("a := b", 2, 4, "':='", "GS209"),
    ("a \\ b", 2, 3, "'\\'", "GS209"),
    ("f('a\\n')", 4, 5, "backslash", "GS209"),
    ("`a`", 0, 1, "quoted", "GS209"),
    ("$a", 0, 1, "without $", "GS209"),
    ("a; b", 1, 2, "';'", "GS209"),
    ("a ? b : c", 2, 3, "if condition else", "GS209"),
    ("{a: 1}", 0, 1, "a list is [a, b]", "GS209"),
    ("f({a})", 2, 3, "sets", "GS209"),
    # words
    ("True", 0, 4, "write true", "GS209"),
    ("f(k=False)", 4, 9, "write false", "GS209"),
    ("None", 0, 4, "write null", "GS209"),
    ("a is b", 2, 4, "==", "GS209"),
    ("a in b", 2, 4, "'in'", "GS209"),
    ("a not in b", 6, 8, "'in'", "GS209"),
    ("lambda: x", 0, 6, "functions:", "GS209"),
    ("await x", 0, 5, "await", "GS209"),
    ("yield x", 0, 5, "yield", "GS209"),
    ("f(x for x in y)", 4, 7, "comprehensions", "GS209"),
    ("[x for x in y]", 3, 6, "comprehensions", "GS209"),
    ("class", 0, 5, "keyword of Python", "GS209"),
    ("f(lambda=1)", 2, 8, "lambda", "GS209"),
    ("nan(x)", 0, 3, "constant", "GS209"),
    ("f(inf=1)", 2, 5, "constant", "GS209"),
    ("x.true", 2, 6, "constant", "GS209"),
    # strings
    ("f'{x}'", 0, 6, "prefix f", "GS209"),
    ("b'x'", 0, 4, "write 'x'", "GS209"),
    ('a + rb"x"', 4, 9, "prefix rb", "GS209"),
    ("'a' 'b'", 4, 7, "side by side", "GS209"),
    ("'''a'''", 0, 3, "triple", "GS209"),
    ('"""a"""', 0, 3, "triple", "GS209"),
    ("f('a)", 2, 3, "not closed", "GS209"),
    # brackets
    ("f(a", 1, 2, "'(' is not closed", "GS209"),
    ("(a + f(b)", 0, 1, "'(' is not closed", "GS209"),
    ("x[0", 1, 2, "'[' is not closed", "GS209"),
    ("a)", 1, 2, "closes nothing", "GS209"),
    ("f(a]", 3, 4, "character 2", "GS209"),
    ("()", 0, 2, "'()' is empty", "GS209"),
    ("x[]", 1, 3, "'[]' is empty", "GS209"),
    # operands and operators
    ("a +", 2, 3, "after '+'", "GS209"),
    ("a + * b", 2, 3, "after '+'", "GS209"),
    ("(a -) * b", 3, 4, "after '-'", "GS209"),
    ("/ a", 0, 1, "before '/'", "GS209"),
    ("+a", 0, 1, "sign +", "GS209"),
    ("a - +b", 4, 5, "sign +", "GS209"),
    ("a b", 2, 3, "operator is missing between a and b", "GS209"),
    ("f(a b)", 4, 5, "or a comma", "GS209"),
    ("a 'b'", 2, 5, "operator is missing", "GS209"),
    ("2 x", 2, 3, "operator is missing", "GS209"),
    ("f(a,)", 3, 4, "comma", "GS209"),
    ("f(a,, b)", 3, 4, "comma", "GS209"),
    ("[a, ]", 2, 3, "comma", "GS209"),
    ("x[0,]", 3, 4, "comma", "GS209"),
    ("f(, a)", 2, 3, "before ','", "GS209"),
    ("f(a=)", 3, 4, "after '='", "GS209"),
    ("a + not b", 4, 7, "parentheses", "GS209"),
    ("a == not b", 5, 8, "parentheses", "GS209"),
    ("-not b", 1, 4, "parentheses", "GS209"),
    ("a not b", 2, 5, "operator is missing", "GS209"),
    ("a < b < c", 6, 7, "logical_and", "GS209"),
    ("a if 0 < n <= 1 else b", 11, 13, "chain", "GS209"),
    # tuples, stars, keywords
    ("a, b", 1, 2, "tuples", "GS209"),
    ("(a, b)", 2, 3, "tuples", "GS209"),
    ("(a,)", 2, 3, "tuples", "GS209"),
    ("f(*a)", 2, 3, "'*' before", "GS209"),
    ("f(a, **b)", 5, 7, "'**' before", "GS209"),
    ("[*a]", 1, 2, "'*' before", "GS209"),
    ("x[*a]", 2, 3, "'*' before", "GS209"),
    ("f(a=1, b=2, a=3)", 12, 13, "the first is at character 3", "GS209"),
    ("f(a=1, b)", 7, 8, "by position", "GS209"),
    ("f(a=1, b + c, d=2)", 7, 8, "by position", "GS209"),
    # calls, members, indices
    ("f(a)(b)", 3, 4, "only an op can be called", "GS209"),
    ("(f)(x)", 2, 3, "only an op can be called", "GS209"),
    ("a.b.c(x)", 4, 5, "only an op can be called", "GS209"),
    ("f(x).g(y)", 5, 6, "only an op can be called", "GS209"),
    ("x[0](y)", 3, 4, "only an op can be called", "GS209"),
    ("'f'(x)", 0, 3, "only an op can be called", "GS209"),
    ("2(x)", 0, 1, "only an op can be called", "GS209"),
    ("(a + b).c", 7, 8, "after a dot", "GS209"),
    ("x[0].y", 4, 5, "after a dot", "GS209"),
    ("[a].b", 3, 4, "after a dot", "GS209"),
    ("nan.b", 3, 4, "after a dot", "GS209"),
    ("a.", 1, 2, "name must stand", "GS209"),
    ("a.'b'", 1, 2, "name must stand", "GS209"),
    ("a..b", 1, 2, "name must stand", "GS209"),
    ("a .b", 2, 3, "white space", "GS209"),
    ("a. b", 1, 2, "white space", "GS209"),
    ("...", 0, 3, "only in an index", "GS209"),
    ("f(...)", 2, 5, "only in an index", "GS209"),
    ("x[...:]", 2, 5, "only in an index", "GS209"),
    ("x[1:...]", 4, 7, "only in an index", "GS209"),
    ("a : b", 2, 3, "only in an index", "GS209"),
    ("x[(1:2)]", 4, 5, "only in an index", "GS209"),
    ("x[1:2:3:4]", 7, 8, "at most twice", "GS209"),
    ("x[:::]", 4, 5, "':'", "GS209"),
    # conditionals
    ("a if b", 2, 4, "'if' without 'else'", "GS209"),
    ("f(a if b, c)", 4, 6, "'if' without 'else'", "GS209"),
    ("x[a if b:c]", 4, 6, "'if' without 'else'", "GS209"),
    ("a else b", 2, 6, "'else' without 'if'", "GS209"),
    ("a if b if c else d else e", 7, 9, "parentheses", "GS209"),
    ("a if b else", 7, 11, "after 'else'", "GS209"),
    ("if a else b", 0, 2, "before 'if'", "GS209"),
    ("if", 0, 2, "before 'if'", "GS209"),
    ("not", 0, 3, "after 'not'", "GS209"),
]


@pytest.mark.parametrize(("text", "start", "end", "part", "code"), REFUSALS)
def test_refusals(text: str, start: int, end: int, part: str, code: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    error = caught.value
    assert part in f"{error.message} | {error.hint}"
    assert (error.start, error.end, error.code) == (start, end, code)
    assert str(error) == error.message


@pytest.mark.parametrize("shift", ["  ", "\n", "\r\n\t "])
def test_offsets_of_refusals_count_leading_blanks(shift: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(f"{shift}f(a,\n b=1, b=2)")
    start = len(shift) + 11
    assert (caught.value.start, caught.value.end) == (start, start + 1)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("(", ")"), ("f(", ")"), ("f(k=", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("x**", ""), ("a if b else ", "")],
)
def test_a_hundred_levels_and_no_more(opening: str, closing: str) -> None:
    assert parse(opening * 100 + "x" + closing * 100)
    with pytest.raises(ExpressionError, match="100 levels") as caught:
        parse(opening * 101 + "x" + closing * 101)
    assert len(opening) * 100 <= caught.value.start < len(opening) * 101


def test_levels_are_not_counted_side_by_side() -> None:
    assert parse(" + ".join(["-a**-b"] * 300))
    assert parse("f(" + ", ".join(["a if not b else -c"] * 300) + ")")
    assert parse(" and ".join(["not a"] * 300))


@pytest.fixture
def recursion_limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set the limit that the test is about, whatever the suite runs under."""
    limit = sys.getrecursionlimit()
    parse.cache_clear()
    sys.setrecursionlimit(request.param)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.parametrize("recursion_limit", [1000], indirect=True)
@pytest.mark.usefixtures("recursion_limit")
def test_long_chains() -> None:
    term = parse(" + ".join(["x"] * 1000))
    assert sum(1 for item in walk(term) if item.kind == "name") == 1000
    for text in ("x+" * 4000 + "x", "x" + ".y" * 4000, "x" + "[0]" * 3000):
        result = _parsed(text)
        if isinstance(result, ExpressionError):
            assert "too long or too deep" in result.message
            assert (result.start, result.end) == (0, len(text))
        else:
            assert sum(1 for _ in walk(result)) > 3000


@pytest.mark.parametrize("recursion_limit", [250], indirect=True)
@pytest.mark.usefixtures("recursion_limit")
def test_a_low_recursion_limit_gives_a_located_error() -> None:
    assert parse("(" * 20 + "x" + ")" * 20)
    assert len(references(parse(" + ".join(["x", "y"] * 50)))) == 2
    for text in (" + ".join(["x"] * 1000), " " + "x+" * 4000 + "x"):
        with pytest.raises(ExpressionError, match="too long or too deep") as caught:
            parse(text)
        assert caught.value.start == len(text) - len(text.lstrip())
    for text, *_ in REFUSALS:
        with pytest.raises(ExpressionError):
            parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", {"x": (0, 1)}),
        ("true + inf", {}),
        ("x + y * x", {"x": (0, 1), "y": (4, 5)}),
        ("h.linear.weight + h", {"h.linear.weight": (0, 15), "h": (18, 19)}),
        ("x.shape[0] * y", {"x": (0, 1), "y": (13, 14)}),
        ("f(s=x.shape)", {"x": (4, 5)}),
        ("f(s=x.dtype)", {"x": (4, 5)}),
        ("1 if h.y.dtype == 'bool' else 2", {"h.y": (5, 8)}),
        ("h.y.shape[0]", {"h.y": (0, 3)}),
        ("d * 'x1 -> z'", {"d": (0, 1), "x1 -> z": (4, 13)}),
        ("f('a', mode='b')", {"a": (2, 5)}),
        ("f(a, units=n, k=g(b, m='c'))", {"a": (2, 3), "n": (11, 12), "b": (18, 19)}),
        ("f(k=g('p'))", {"p": (6, 9)}),
        ("f(k=['p', q])", {"q": (10, 11)}),
        ("f(k=2 * 'p')", {"p": (8, 11)}),
        ("f(k='a' if mode == 'b' else 'c')", {"mode": (11, 15)}),
        ("'a' if mode == 'b' else 'c'", {"a": (0, 3), "mode": (7, 11), "c": (24, 27)}),
        ("a if given(x) and t else b", {"a": (0, 1), "x": (11, 12), "t": (18, 19), "b": (25, 26)}),
        ("f(x).y + nn.g(z).y.w", {"x": (2, 3), "z": (14, 15)}),
        ("x[i:j.k, 'b'.shape[0]]", {"x": (0, 1), "i": (2, 3), "j.k": (4, 7), "b": (9, 12)}),
        ("'a'[0] + 'b'.shape[0]", {"a": (0, 3), "b": (9, 12)}),
        ("ct.f * 2", {"ct.f": (0, 4)}),
    ],
)
def test_references(text: str, expected: dict[str, tuple[int, int]]) -> None:
    found = references(parse(text))
    assert found == expected
    assert list(found) == list(expected)


def test_callees() -> None:
    text = "f(nn.dense(x, k=g(y))) if given(x) else f(z)"
    assert callees(parse(text)) == [("f", 0, 1), ("nn.dense", 2, 10), ("g", 16, 17), ("f", 40, 41)]
    assert callees(parse("x")) == []


def test_walk_goes_parents_first_in_the_order_of_the_text() -> None:
    terms = list(walk(parse("f(a + b, k=c)[0, 1:] if t else d")))
    assert [term.value for term in terms if term.kind in ("name", "number")] == ["a", "b", "c", 0, 1, "t", "d"]
    assert [term.kind for term in terms[:3]] == ["conditional", "index", "call"]


def test_dotted() -> None:
    assert dotted(parse("x")) == "x"
    assert dotted(parse("h.linear.weight")) == "h.linear.weight"
    for text in ("f(x).y", "'a'.b", "x[0]", "a + b", "nan"):
        assert dotted(parse(text)) is None


def test_terms_are_values() -> None:
    assert parse("a + b") == parse("a + b")
    assert hash(parse("a + b")) == hash(parse("a + b"))
    with pytest.raises(AttributeError):
        parse("a").kind = "b"  # type: ignore[misc]


_OPERANDS = ["a", "b", "nn", "1", "2.5", "012", "1_0", "'p'", '"q"', "true", "nan", "True", "shape", "given", "f("]
_WORDS = ["is", "in", "if", "else", "and", "or", "not", "lambda", "x[", "k=", "'", '"', "'''", "\n", "\t", "é", "×"]
_SYMBOLS = [*"()[]{},:.+-*/%@<=&|!#;$\\`", ":=", "...", "//", "**", "==", "!=", "<=", "->"]
_PIECES = st.sampled_from(_OPERANDS * 2 + _WORDS + _SYMBOLS)


def _parsed(text: str) -> Term | ExpressionError:
    try:
        return parse(text)
    except ExpressionError as error:
        return error


def _only_expression_errors(text: str) -> None:
    result = _parsed(text)
    if isinstance(result, ExpressionError):
        assert 0 <= result.start <= result.end <= len(text)
        assert result.message
        assert result.code in ("GS106", "GS209")
        assert "cannot be read" not in result.message, "the grammar accepts what ast refuses"
        return
    ast.parse(text.strip().replace("\n", " "), mode="eval")
    for item in walk(result):
        assert 0 <= item.start < item.end <= len(text)
    assert all(0 <= start < end <= len(text) for start, end in references(result).values())
    assert all(text[start:end] == name for name, start, end in callees(result))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
@example("\ufeffa")
@example("a\x1c+ b")
def test_any_text_gives_a_term_or_an_expression_error(text: str) -> None:
    _only_expression_errors(text)


@settings(max_examples=1500, deadline=None)
@given(st.lists(_PIECES, max_size=14), st.sampled_from(["", " "]))
def test_any_words_give_a_term_or_an_expression_error(pieces: list[str], glue: str) -> None:
    _only_expression_errors(glue.join(pieces))


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def form(template: str, count: int) -> st.SearchStrategy[str]:
        return st.tuples(*[inner] * count).map(lambda parts: template.format(*parts))

    return st.one_of(
        form("{} + {}", 2),
        form("{}*{}", 2),
        form("{}**-{}", 2),
        form("-{}", 1),
        form("({})", 1),
        form("{} < ({})", 2).map(lambda text: f"({text})"),
        form("({} if {} else {})", 3),
        form("f({}, {}, k={})", 3),
        form("nn.g({}).y", 1),
        form("({})[{}:, ..., {}]", 3),
        form("f(k=[{}, {}])", 2),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.sampled_from(["x", "h.y", "1", "2.5", "'p q'", "true", "g()"]), _grow, max_leaves=8))
def test_sentences_of_the_grammar_are_read_as_python_reads_them(text: str) -> None:
    term = parse(text)
    tree = ast.parse(text, mode="eval").body
    spans = {(node.col_offset, node.end_col_offset) for node in ast.walk(tree) if isinstance(node, ast.expr)}
    assert (term.start, term.end) == (tree.col_offset, tree.end_col_offset)
    assert {(item.start, item.end) for item in walk(term)} <= spans
