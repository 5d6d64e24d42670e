"""Rules L6.1 to L6.4: symbolic dims, leading dims, dtypes and feeds."""

from __future__ import annotations

import numpy as np
import pytest
from rules import diagnostics, dtype, failing, only, place, program, related, value

import graphspec as gs


def shape(text: str, name: str = "f") -> str:
    """Return the type of an output as text."""
    return str(program(text).outputs[name])


# -- L6.1 symbolic dims -------------------------------------------------------------------------------------------------


def test_l6_1_a_symbolic_dim_stands_for_any_size() -> None:
    loaded = program("inputs: {x: {shape: [n]}}\nnodes: {f: sum(x * x)}\noutputs: f")
    for size in (0, 1, 2, 5):
        result = loaded.backprop(x=np.arange(float(size)))
        assert result["f"] == np.sum(np.arange(size) ** 2)
        assert result.gradients["x"].tolist() == (2.0 * np.arange(size)).tolist()


def test_l6_1_a_symbolic_dim_equals_only_itself() -> None:
    text = "inputs: {x: {shape: [n]}, y: {shape: [%s]}}\nnodes: {f: x + y}\noutputs: f"
    assert shape(text % "n") == "float64[n]"
    found = only(text % "m")
    assert place(found) == ("GS402", 3, 12)
    assert "float64[n]" in found.message
    assert "float64[m]" in found.message
    assert related(found) == [(2, 10), (2, 27)]
    assert only(text % "3").code == "GS402"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("2*(n + 1)", "2*n + 2"),
        ("n + m", "m + n"),
        ("n*n - 1", "(n - 1)*(n + 1)"),
        ("n//2 + n//2", "2*(n//2)"),
        ("n % 3 + 1", "1 + n % 3"),
        ("(n + 1)//2", "(1 + n)//2"),
        ("n - n + 4", "4"),
    ],
)
def test_l6_1_dims_are_equal_if_their_normal_forms_are(left: str, right: str) -> None:
    text = f"""
        inputs: {{a: {{shape: [n]}}, b: {{shape: [m]}}, x: {{shape: ["{left}"]}}, y: {{shape: ["{right}"]}}}}
        nodes: {{f: x + y}}
        outputs: f
    """
    assert program(text).outputs["f"].rank == 1


@pytest.mark.parametrize(
    ("left", "right"), [("2*n", "n*n"), ("n//2", "n % 2"), ("2*(n//2)", "n"), ("n", "n + 0*m + 1"), ("n//2", "n//3")]
)
def test_l6_1_other_dims_differ(left: str, right: str) -> None:
    text = f"""
        inputs: {{a: {{shape: [n]}}, b: {{shape: [m]}}, x: {{shape: ["{left}"]}}, y: {{shape: ["{right}"]}}}}
        nodes: {{f: x + y}}
        outputs: f
    """
    assert only(text).code == "GS402"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("[n]", "[1]", "[n]"),
        ("[n, 1]", "[1, m]", "[n, m]"),
        ("[n]", "[]", "[n]"),
        ("[m, n]", "[n]", "[m, n]"),
        ("[1]", "[n + 1]", "[n + 1]"),
        ("[2, 3]", "[2, 1]", "[2, 3]"),
    ],
)
def test_l6_1_broadcasting_needs_equal_dims_or_one(left: str, right: str, expected: str) -> None:
    text = f"""
        inputs: {{a: {{shape: [n]}}, b: {{shape: [m]}}, x: {{shape: {left}}}, y: {{shape: {right}}}}}
        nodes: {{f: x + y}}
        outputs: f
    """
    assert shape(text) == f"float64{expected}"


@pytest.mark.parametrize(("left", "right"), [("[n]", "[2]"), ("[2]", "[3]"), ("[n, 2]", "[n]"), ("[n]", "[n + 1]")])
def test_l6_1_nothing_else_broadcasts(left: str, right: str) -> None:
    text = (
        f"inputs: {{x: {{shape: {left}}}, y: {{shape: {right}}}, z: {{shape: [n]}}}}\nnodes: {{f: x + y}}\noutputs: f"
    )
    found = only(text)
    assert found.code == "GS402"
    assert "do not broadcast" in found.message


def test_l6_1_a_dim_that_is_one_when_run_does_not_broadcast() -> None:
    loaded = program("inputs: {x: {shape: [n]}, y: {shape: [n]}}\nnodes: {f: x + y}\noutputs: f")
    assert failing(gs.FeedError, loaded, x=[1], y=[1, 2]).code == "GS605"


CALLS = """
    functions:
      g:
        inputs: {{a: {{shape: {a}}}, b: {{shape: {b}}}}}
        nodes: {{y: sum(a) + sum(b)}}
        outputs: y
    inputs: {{x: {{shape: {x}}}, y: {{shape: {y}}}}}
    nodes:
      f: g(x, y)
    outputs: f
"""


@pytest.mark.parametrize(
    ("a", "b", "x", "y"),
    [
        ("[k]", "[k]", "[3]", "[3]"),
        ("[k]", "[k]", "[n + 1]", "[1 + n]"),
        ("[2*k]", "[k]", "[6]", "[3]"),
        ("[k]", "[2*k]", "[3]", "[6]"),
        ("['2*k']", "[k]", "['2*n + 2']", "[n + 1]"),
        ("[i, j]", "[j, i]", "[2, 3]", "[3, 2]"),
        ("[2*k + 1, 'k//2']", "[k]", "[9, 2]", "[4]"),
        ("[i]", "[j]", "[n]", "[n]"),
    ],
)
def test_l6_1_a_call_binds_bare_dims_first(a: str, b: str, x: str, y: str) -> None:
    assert shape(CALLS.format(a=a, b=b, x=x, y=y)) == "float64[]"


@pytest.mark.parametrize(
    ("a", "b", "x", "y", "code"),
    [
        ("[k]", "[k]", "[3]", "[4]", "GS402"),
        ("[k]", "[k]", "[n]", "[m]", "GS402"),
        ("[2*k]", "[k]", "[7]", "[3]", "GS402"),
        ("[2]", "[k]", "[3]", "[3]", "GS402"),
        ("[2*k]", "[2*k]", "[6]", "[6]", "GS402"),
        ("[k]", "[k]", "[3, 3]", "[3]", "GS403"),
        ("[k, 2]", "[k]", "[2]", "[2]", "GS403"),
    ],
)
def test_l6_1_a_call_whose_dims_do_not_fit(a: str, b: str, x: str, y: str, code: str) -> None:
    found = only(CALLS.format(a=a, b=b, x=x, y=y))
    assert found.code == code
    assert found.where is not None
    assert found.where.line == 9
    assert "of g is declared" in found.message


def test_l6_1_nothing_is_solved() -> None:
    text = CALLS.format(a="[2*k]", b="[2*k]", x="[6]", y="[6]")
    assert "nothing is solved" in only(text).message


def test_l6_1_the_dims_of_a_call_are_its_own() -> None:
    text = """
        functions:
          g: {inputs: {a: {shape: [n]}}, nodes: {y: a * n_of}, attributes: {n_of: 1}, outputs: y}
        inputs: {x: {shape: [n]}, y: {shape: [m]}}
        nodes: {p: g(x), q: g(y), f: sum(p) + sum(q)}
        outputs: f
    """
    loaded = program(text)
    assert str(loaded.graph.types[loaded.graph.names["p"]]) == "float64[n]"
    assert str(loaded.graph.types[loaded.graph.names["q"]]) == "float64[m]"


DIMS = """
    inputs:
      x: {{shape: [n]{x}}}
      y: {{shape: ["{dim}"]{y}}}
    nodes: {{f: sum(x) + sum(y)}}
    outputs: f
"""


def test_l6_1_feeds_and_defaults_bind_the_dims_of_a_file() -> None:
    assert program(DIMS.format(x="", y="", dim="n")).run(x=[1, 2], y=[3, 4])["f"] == 10
    assert program(DIMS.format(x=", value: [1, 2]", y="", dim="n")).run(y=[3, 4])["f"] == 10
    assert program(DIMS.format(x=", value: [1, 2]", y="", dim="2*n")).run(y=[1, 1, 1, 1])["f"] == 7
    assert program(DIMS.format(x="", y=", value: [3, 4]", dim="n")).run(x=[1, 1])["f"] == 9


@pytest.mark.parametrize(
    ("x", "y", "dim", "feeds"),
    [
        ("", "", "n", {"x": [1, 2], "y": [3]}),
        (", value: [1, 2]", "", "n", {"y": [3]}),
        ("", ", value: [1, 2]", "n", {"x": [3]}),
        (", value: [1, 2]", ", value: [1]", "n", {}),
        ("", "", "2*n", {"x": [1, 2], "y": [1, 2, 3]}),
        ("", "", "n//2", {"x": [1, 2], "y": [1, 2]}),
    ],
)
def test_l6_1_a_conflict_of_feeds_and_defaults(x: str, y: str, dim: str, feeds: dict[str, object]) -> None:
    loaded = program(DIMS.format(x=x, y=y, dim=dim))
    found = failing(gs.FeedError, loaded, feeds)
    assert found.code == "GS605"
    assert found.where is not None
    assert (found.where.line, found.where.column) in ((3, 3), (4, 3))


def test_l6_1_an_arithmetic_dim_that_nothing_binds() -> None:
    loaded = program('inputs: {x: {shape: ["2*n"]}}\nnodes: {f: sum(x)}\noutputs: f')
    found = failing(gs.FeedError, loaded, x=[1, 2])
    assert found.code == "GS605"
    assert "nothing is solved" in found.message


def test_l6_1_dims_flow_through_ops() -> None:
    text = """
        inputs: {a: {shape: [n]}, b: {shape: [5]}, w: {shape: [n + 5, k]}}
        nodes: {c: "concat(a, b)", f: c @ w}
        outputs: [f, c]
    """
    assert shape(text) == "float64[k]"
    assert shape(text, "c") == "float64[n + 5]"
    result = program(text).run(a=[1, 2], b=[0] * 5, w=np.ones((7, 3)))
    assert result["f"].tolist() == [3, 3, 3]


# -- L6.2 leading dims --------------------------------------------------------------------------------------------------

LEADING = """
    functions:
      g:
        inputs: {{a: {{shape: [..., k]}}, b: {{shape: {b}}}}}
        nodes: {{y: a * 2}}
        outputs: y
    inputs: {{x: {{shape: {x}}}, y: {{shape: {y}}}}}
    nodes:
      f: g(x, y)
    outputs: f
"""


@pytest.mark.parametrize(
    ("b", "x", "y"),
    [
        ("[..., k]", "[3]", "[3]"),
        ("[...]", "[3]", "[]"),
        ("[...]", "[2, 4, 3]", "[2, 4]"),
        ("[..., j]", "[n, 3]", "[n, 7]"),
        ("[..., k, k]", "[n, m, 3]", "[n, m, 3, 3]"),
    ],
)
def test_l6_2_dots_stand_for_any_number_of_leading_dims(b: str, x: str, y: str) -> None:
    assert shape(LEADING.format(b=b, x=x, y=y)) == f"float64{x}"


@pytest.mark.parametrize(
    ("b", "x", "y"),
    [
        ("[..., k]", "[2, 3]", "[3]"),
        ("[...]", "[2, 3]", "[3]"),
        ("[...]", "[n, 3]", "[m]"),
        ("[..., k]", "[2, 3]", "[4, 3]"),
        ("[..., k, k]", "[3]", "[3]"),
    ],
)
def test_l6_2_they_are_the_same_throughout_a_function(b: str, x: str, y: str) -> None:
    found = only(LEADING.format(b=b, x=x, y=y))
    assert found.code in ("GS402", "GS403")
    assert found.where is not None
    assert (found.where.line, found.where.column) == (9, 11)


def test_l6_2_dots_stand_once_in_a_shape() -> None:
    assert place(only("inputs: {x: {shape: [..., 2, ...]}}\nnodes: {f: x}\noutputs: f")) == ("GS213", 2, 30)


def test_l6_2_feeds_decide_what_they_stand_for_in_a_file() -> None:
    loaded = program("inputs: {x: {shape: [..., 3]}}\nnodes: {y: 'sum(x, axis=-1)', f: sum(y * y)}\noutputs: [y, f]")
    for lead in ((), (2,), (4, 2), (1, 1, 2)):
        x = np.arange(float(np.prod((*lead, 3)))).reshape(*lead, 3)
        result = loaded.backprop(x=x, of="f")
        assert result["y"].tolist() == x.sum(-1).tolist()
        assert result.gradients["x"].tolist() == np.broadcast_to(2 * x.sum(-1, keepdims=True), x.shape).tolist()


def test_l6_2_a_default_decides_where_nothing_is_fed() -> None:
    loaded = program("inputs: {x: {shape: [...], value: [[1, 2], [3, 4]]}}\nnodes: {f: sum(x)}\noutputs: f")
    assert loaded.run()["f"] == 10
    assert loaded.run(x=5)["f"] == 5


@pytest.mark.parametrize(("x", "y"), [([1, 2], [[1, 2]]), ([[1, 2]], [1, 2]), ([[1, 2]], [[1, 2], [3, 4]])])
def test_l6_2_they_are_the_same_throughout_a_file(x: object, y: object) -> None:
    loaded = program("inputs: {x: {shape: [..., 2]}, y: {shape: [..., 2]}}\nnodes: {f: sum(x) + sum(y)}\noutputs: f")
    assert failing(gs.FeedError, loaded, x=x, y=y).code in ("GS604", "GS605")
    assert loaded.run(x=[[1, 2]], y=[[3, 4]])["f"] == 10


def test_l6_2_too_few_dims_are_fed() -> None:
    loaded = program("inputs: {x: {shape: [..., 2, 2]}}\nnodes: {f: sum(x)}\noutputs: f")
    assert failing(gs.FeedError, loaded, x=[1, 2]).code == "GS604"


def test_l6_2_parameters_have_no_open_dims() -> None:
    found = only("parameters: {w: {shape: [..., 2], init: zeros}}\nnodes: {f: sum(w)}\noutputs: f")
    assert place(found) == ("GS406", 2, 26)


REMEMBERED = """
    functions:
      count:
        inputs: {{x: {{shape: [..., k]}}}}
        parameters: {{w: {{shape: [...], init: ones}}}}
        state: {{seen: {{shape: [..., k], init: zeros}}}}
        nodes: {{y: "sum(x, axis=-1) * w + sum(seen, axis=-1)"}}
        outputs: y
        updates: {{seen: seen + x}}
    inputs: {{x: {{shape: {x}}}, v: {{shape: [2]}}}}
    nodes:
      f: count(x{more})
    outputs: f
"""


@pytest.mark.parametrize("lead", [(), (2,), (4, 2)])
def test_l6_2_parameters_of_a_called_function_have_the_dims_of_its_operands(lead: tuple[int, ...]) -> None:
    loaded = program(REMEMBERED.format(x=[*lead, 3], more=""))
    assert loaded.parameters["f.w"].shape == lead
    assert loaded.state["f.seen"].shape == (*lead, 3)
    x = np.arange(float(np.prod((*lead, 3)))).reshape(*lead, 3)
    for run in range(1, 3):
        result = loaded.run(x=x, v=[0, 0])
        assert result["f"].tolist() == (run * x.sum(-1)).tolist()
        loaded.apply(result)
    assert program(loaded.to_yaml()[len("graphspec: 1\n") :]).state["f.seen"].shape == (*lead, 3)


@pytest.mark.parametrize(("x", "what"), [("[n, 3]", "dim n"), ("[2, 'n + 1', 3]", "dim n + 1")])
def test_l6_2_they_are_integers_then(x: str, what: str) -> None:
    found = diagnostics(REMEMBERED.format(x=x, more=""))
    assert [place(item) for item in found] == [("GS406", 5, 30), ("GS406", 6, 28)]
    assert all(what in item.message for item in found)
    assert related(found[0]) == [(12, 6)]


def test_l6_2_feeds_that_bring_leading_dims_are_refused_then() -> None:
    loaded = program(REMEMBERED.format(x="[..., 3]", more=""))
    assert loaded.state["f.seen"].shape == (3,)
    with pytest.raises(gs.FeedError) as info:
        loaded.run(x=[[1, 2, 3]], v=[0, 0])
    assert {item.code for item in info.value.diagnostics} == {"GS406"}


def test_l6_2_a_parameter_that_is_passed_in_has_them_too() -> None:
    text = REMEMBERED.replace("{more}", ", w=v")
    assert list(program(text.format(x="[2, 3]")).parameters) == []
    assert {only(text.format(x=x)).code for x in ("[4, 3]", "[2, 2, 3]", "[3]")} == {"GS402"}


def test_l6_2_dots_that_no_operand_binds() -> None:
    text = """
        functions:
          g: {inputs: {x: {shape: []}}, parameters: {w: {shape: [...], init: ones}}, nodes: {y: x * w}, outputs: y}
        inputs: {x: 1}
        nodes: {f: g(x)}
        outputs: f
    """
    assert only(text).code == "GS406"


# -- L6.3 dtypes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "expression", "expected"),
    [
        ("int64", "x + 1", "int64"),
        ("int64", "x + 2.0", "int64"),
        ("int8", "3 * x", "int8"),
        ("uint8", "x + 255", "uint8"),
        ("float32", "x * 1.5", "float32"),
        ("float32", "2 ** x", "float32"),
        ("float16", "x / 3", "float16"),
        ("int64", "x * half", "int64"),
        ("float32", "x * third", "float32"),
        ("float32", "x / x.shape[0]", "float32"),
        ("int64", "x + x.shape[0]", "int64"),
        ("int64", "x // 2", "int64"),
        ("int64", "x % 2", "int64"),
        ("int64", "x ** 2", "int64"),
        ("int64", "x - (1 + 1)", "int64"),
        ("int64", "where(x > 1, x, 0)", "int64"),
        ("float32", "x * (1 / 2)", "float32"),
        ("float32", "x + (1 + third) * 2", "float32"),
        ("int64", "x * (7 // 2 - 1)", "int64"),
        ("int64", "x * (x.shape[0] - 1)", "int64"),
        ("int64", "take(x, 2 - 1)", "int64"),
        ("int64", "x > 1.5", None),
    ],
)
def test_l6_3_literals_and_static_results_adopt_a_dtype(declared: str, expression: str, expected: str | None) -> None:
    text = f"""
        attributes: {{half: 2, third: 0.5}}
        inputs: {{x: {{shape: [2], dtype: {declared}, value: [1, 2]}}}}
        nodes: {{f: "{expression}"}}
        outputs: f
    """
    if expected is None:
        assert only(text).code == "GS405"
    else:
        assert dtype(text) == expected


@pytest.mark.parametrize("expression", ["x + 0.5", "x * half", "1.5 - x", "x + inf", "maximum(x, 0.1)", "x + 1 / 2"])
def test_l6_3_a_fraction_meets_an_integer_array(expression: str) -> None:
    text = f"""
        attributes: {{half: 0.5}}
        inputs: {{x: {{shape: [2], dtype: int64}}}}
        nodes:
          f: {expression}
        outputs: f
    """
    found = only(text)
    assert found.code in ("GS401", "GS405")
    assert found.where is not None
    assert found.where.line == 5


@pytest.mark.parametrize(("written", "code"), [("300", "GS405"), ("-1", "GS405"), ("255", None)])
def test_l6_3_a_literal_fits_the_dtype_it_adopts(written: str, code: str | None) -> None:
    text = f"inputs: {{x: {{dtype: uint8, value: 0}}}}\nnodes: {{f: x + {written}}}\noutputs: f"
    if code is None:
        assert value(text) == 255
    else:
        assert only(text).code == code


@pytest.mark.parametrize("document", ["float32", "float64"])
@pytest.mark.parametrize("expression", ["2", "2 + 3", "third", "x.shape[0]", "3 // 2", "1 / 3", "-2", "relu(2)"])
def test_l6_3_alone_they_take_the_float_dtype(document: str, expression: str) -> None:
    text = f"""
        dtype: {document}
        attributes: {{third: 3}}
        inputs: {{x: [1, 2]}}
        nodes: {{f: "{expression}"}}
        outputs: f
    """
    assert dtype(text) == document


def test_l6_3_booleans_alone_are_bool() -> None:
    assert dtype("nodes: {f: true}\noutputs: f") == "bool"
    assert dtype("nodes: {f: '3 > 2'}\noutputs: f") == "bool"


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**", "@", "<", "=="])
@pytest.mark.parametrize(("left", "right"), [("float32", "float64"), ("int64", "float64"), ("int32", "int64")])
def test_l6_3_arrays_of_different_dtypes_are_not_mixed(symbol: str, left: str, right: str) -> None:
    text = f"""
        inputs:
          x: {{shape: [2], dtype: {left}}}
          y: {{shape: [2], dtype: {right}}}
        nodes:
          f: x {symbol} y
        outputs: f
    """
    found = only(text)
    assert place(found) == ("GS401", 6, 6)
    assert "cast" in found.hint
    assert related(found) == [(3, 3), (4, 3)]
    assert [item.message.split()[1] for item in found.related] == [f"{left}[2]", f"{right}[2]"]


def test_l6_3_cast_is_the_way_out() -> None:
    text = """
        inputs: {x: {dtype: float32, value: 2}, y: 3}
        nodes: {f: "cast(x, dtype='float64') * y"}
        outputs: f
    """
    result = program(text).backprop()
    assert result["f"] == 6
    assert result.gradients["x"] == 3
    assert result.gradients["x"].dtype == "float32"


@pytest.mark.parametrize("symbol", ["==", "!=", "<", "<=", ">", ">="])
def test_l6_3_comparisons_give_bool(symbol: str) -> None:
    text = f"inputs: {{x: [1, 2], y: [2, 2]}}\nnodes: {{f: x {symbol} y}}\noutputs: f"
    assert dtype(text) == "bool"
    python = {"==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal}
    python |= {">": np.greater, ">=": np.greater_equal}
    assert value(text) == python[symbol](np.array([1, 2]), np.array([2, 2])).tolist()


@pytest.mark.parametrize(
    "expression",
    ["b + b", "b - b", "b * x", "x * b", "b * 2", "b + 1", "-b", "b / b", "b // b", "b ** 2", "b @ b", "exp(b)"],
)
def test_l6_3_bool_takes_part_in_no_arithmetic(expression: str) -> None:
    text = f"""
        inputs: {{b: {{shape: [2], dtype: bool}}, x: [1, 2]}}
        nodes:
          f: {expression}
        outputs: f
    """
    found = only(text)
    assert found.code == "GS401"
    assert found.where is not None
    assert found.where.line == 4


def test_l6_3_but_sum_mean_where_and_the_logical_ops() -> None:
    text = """
        dtype: float32
        inputs: {b: [true, false, true], c: [true, true, false], x: [1, 2, 3]}
        nodes:
          count: sum(b)
          share: mean(b)
          chosen: where(b, x, -x)
          both: logical_and(b, c)
          either: logical_or(b, c)
          neither: logical_not(either)
        outputs: [count, share, chosen, both, either, neither]
    """
    result = program(text).run()
    assert (result["count"].tolist(), str(result["count"].dtype)) == (2, "int64")
    assert str(result["share"].dtype) == "float32"
    assert result["share"] == pytest.approx(2 / 3)
    assert result["chosen"].tolist() == [1, -2, 3]
    assert result["both"].tolist() == [True, False, False]
    assert result["either"].tolist() == [True, True, True]
    assert result["neither"].tolist() == [False, False, False]


@pytest.mark.parametrize("kind", ["int64", "int32", "uint8"])
def test_l6_3_division_needs_floats(kind: str) -> None:
    text = f"inputs: {{x: {{dtype: {kind}, value: 7}}}}\nnodes: {{f: x / 2}}\noutputs: f"
    found = only(text)
    assert place(found) == ("GS401", 3, 12)
    assert "floats" in found.message
    assert "cast" in found.hint
    assert value(text.replace("/ 2", "// 2")) == 3


# -- L6.4 feeds ---------------------------------------------------------------------------------------------------------


def fed(declared: str, given: object) -> np.ndarray:
    """Return what an input of a dtype is after it was fed."""
    rank = np.ndim(given)  # type: ignore[arg-type]
    dims = [f"n{i}" for i in range(rank)]
    text = f"inputs: {{x: {{shape: [{', '.join(dims)}], dtype: {declared}}}}}\nnodes: {{f: x}}\noutputs: f"
    return program(text).run(x=given)["f"]


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        ("float64", 3),
        ("float64", 3.5),
        ("float32", [1, 2]),
        ("float32", [[1, 2.5]]),
        ("float16", (1, 2)),
        ("int64", 3),
        ("int8", [1, -2]),
        ("uint8", [0, 255]),
        ("bool", True),
        ("bool", [True, False]),
        ("float64", []),
        ("int64", []),
        ("float32", np.float32(1.5)),
        ("float64", np.array([1, 2], dtype="float32")),
        ("float64", np.array([1, 2], dtype="int64")),
        ("float32", np.array([1, 2], dtype="int16")),
        ("int64", np.array([1, 2], dtype="uint32")),
        ("float64", np.array([True, False])),
        ("complex128", np.array([1.5])),
    ],
)
def test_l6_4_feeds_take_the_declared_dtype(declared: str, given: object) -> None:
    found = fed(declared, given)
    assert str(found.dtype) == declared
    assert np.array_equal(found, np.asarray(given))


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        ("int64", 3.0),
        ("int64", 3.5),
        ("int64", [1, 2.5]),
        ("int64", True),
        ("float64", True),
        ("float64", [True, False]),
        ("bool", 1),
        ("bool", [0, 1]),
        ("bool", 1.0),
        ("uint8", 256),
        ("int8", [-129]),
        ("uint8", -1),
        ("float64", "three"),
        ("float64", None),
        ("float64", [1, None]),
        ("float64", 1j),
        ("float32", np.array([1.0])),
        ("float32", np.array([1], dtype="int64")),
        ("int32", np.array([1], dtype="int64")),
        ("int64", np.array([1], dtype="uint64")),
        ("int64", np.array([1.0])),
        ("bool", np.array([1])),
        ("float64", np.array(["a"])),
        ("float64", np.array([1j])),
        ("float64", np.array([object()])),
        ("float64", {"a": 1}),
        ("float64", object()),
    ],
)
def test_l6_4_feeds_that_do_not_fit(declared: str, given: object) -> None:
    with pytest.raises(gs.FeedError) as info:
        fed(declared, given)
    (found,) = info.value.diagnostics
    assert found.code == "GS603"
    assert found.where is not None
    assert (found.where.line, found.where.column) == (2, 10)
    assert f"'x' is {declared}" in found.message


def test_l6_4_ragged_lists() -> None:
    loaded = program("inputs: {x: {shape: [n, m]}}\nnodes: {f: x}\noutputs: f")
    assert failing(gs.FeedError, loaded, x=[[1], [2, 3]]).code == "GS603"


def test_l6_4_missing_and_unknown_feeds() -> None:
    loaded = program("inputs: {height: null, width: 2}\nnodes: {f: height * width}\noutputs: f")
    found = failing(gs.FeedError, loaded)
    assert place(found) == ("GS602", 2, 10)
    unknown = failing(gs.FeedError, loaded, height=1, widht=3)
    assert unknown.code == "GS601"
    assert unknown.hint == "did you mean 'width'?"


def test_l6_4_all_problems_of_a_run_are_reported() -> None:
    text = """
        inputs: {a: null, b: [1, 2], c: {dtype: int64}}
        nodes: {f: a * sum(b), g: c + 1}
        outputs: [f, g]
    """
    loaded = program(text)
    with pytest.raises(gs.FeedError) as info:
        loaded.run(b=[1, 2, 3], c=1.5, d=0)
    assert sorted(found.code for found in info.value.diagnostics) == ["GS601", "GS602", "GS603", "GS604"]


def test_l6_4_what_nothing_reads_need_not_be_fed() -> None:
    loaded = program("inputs: {x: null, y: null}\nnodes: {f: x + 1}\noutputs: f")
    assert loaded.run(x=1)["f"] == 2


def test_l6_4_feeds_may_set_parameters_and_state() -> None:
    loaded = program(
        "parameters: {w: 2}\nstate: {s: {value: 3, dtype: int64}}\nnodes: {f: w * 2, g: s + 1}\noutputs: [f, g]"
    )
    result = loaded.run({"w": 5, "s": 7})
    assert (result["f"], result["g"]) == (10, 8)
    assert loaded.parameters["w"] == 2
    assert failing(gs.FeedError, loaded, s=1.5).code == "GS603"
    assert failing(gs.FeedError, loaded, w=[1, 2]).code == "GS604"


def test_l6_4_a_mapping_and_keywords_may_be_mixed() -> None:
    loaded = program("inputs: {x: null, engine: null}\nnodes: {f: x - engine}\noutputs: f")
    assert loaded.run({"engine": 1}, x=3)["f"] == 2


def test_l6_4_no_problem_of_types_hides_another() -> None:
    text = "inputs: {x: {shape: [2]}, y: {shape: [3]}}\nnodes: {f: x + y, g: x @ y, h: f + 1}\noutputs: [f, g, h]"
    assert [found.code for found in diagnostics(text)] == ["GS402", "GS402"]
