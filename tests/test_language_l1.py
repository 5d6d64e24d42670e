"""Rules L1.1 to L1.6: values at the leaves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rules import diagnostics, dtype, failing, only, paths, place, problems, program, value

import graphspec as gs

# -- L1.1 sections ----------------------------------------------------------------------------------------------------


def test_l1_1_leaves_are_mappings_by_name() -> None:
    text = """
        attributes: {a: 2}
        inputs: {x: 3}
        parameters: {p: 5}
        state: {s: 7}
        constants: {c: 11}
        nodes: {f: a * x * p * s * c}
        outputs: f
    """
    assert value(text) == 2 * 3 * 5 * 7 * 11


@pytest.mark.parametrize("section", ["attributes", "parameters", "state", "constants", "inputs"])
def test_l1_1_a_list_is_refused_at_the_top(section: str) -> None:
    column = len(section) + 3
    found = only(f"{section}: [x]\nnodes: {{f: 2 * 3}}\noutputs: f")
    assert place(found) == ("GS204", 2, column)
    assert "expected a mapping, found a list" in found.message


def test_l1_1_inputs_of_a_function_may_be_a_list_of_names() -> None:
    text = """
        functions:
          listed: {{inputs: {inputs}, nodes: {{y: a - b}}, outputs: y}}
        inputs: {{x: 5}}
        nodes: {{f: "listed(x, 2)"}}
        outputs: f
    """
    assert value(text.format(inputs="[a, b]")) == value(text.format(inputs="{a: null, b: null}")) == 3


def test_l1_1_only_the_inputs_of_a_function_may_be_a_list() -> None:
    text = """
        functions:
          g:
            inputs: [a]
            parameters: [w]
            nodes: {y: a}
            outputs: y
        nodes: {f: g(2)}
        outputs: f
    """
    assert problems(text) == [("GS204", 5, 17)]


def test_l1_1_what_a_list_of_inputs_holds_are_names() -> None:
    text = """
        functions:
          g: {inputs: [a, 1, {b: 2}, b-c], nodes: {y: a}, outputs: y}
        nodes: {f: g(2)}
        outputs: f
    """
    assert problems(text) == [("GS204", 3, 19), ("GS204", 3, 22), ("GS207", 3, 30)]


def test_l1_1_a_name_that_is_listed_twice() -> None:
    text = """
        functions:
          g: {inputs: [a, a], nodes: {y: a}, outputs: y}
        nodes: {f: g(2)}
        outputs: f
    """
    found = only(text)
    assert place(found) == ("GS302", 3, 19)


# -- L1.2 inputs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected", "found_dtype"),
    [
        ("5", 5.0, "float64"),
        ("-2.5", -2.5, "float64"),
        ("true", True, "bool"),
        ("[1, 2]", [1.0, 2.0], "float64"),
        ("[[1, 2], [3, 4.5]]", [[1.0, 2.0], [3.0, 4.5]], "float64"),
        ("[true, false]", [True, False], "bool"),
        ("[]", [], "float64"),
        ("{value: 5}", 5.0, "float64"),
        ("{value: 5, dtype: int64}", 5, "int64"),
        ("{value: [1, 2], dtype: float32}", [1.0, 2.0], "float32"),
        ("{value: true}", True, "bool"),
        ("{value: 3, shape: [2]}", [3.0, 3.0], "float64"),
        ("{value: [3, 4], shape: [n]}", [3.0, 4.0], "float64"),
        ("{value: [[3]], shape: [..., 1], doc: open}", [[3.0]], "float64"),
    ],
)
def test_l1_2_the_forms_of_an_input(written: str, expected: object, found_dtype: str) -> None:
    text = f"inputs: {{x: {written}}}\nnodes: {{f: x}}\noutputs: f"
    assert value(text) == expected
    assert type(value(text)) is type(expected)
    assert dtype(text) == found_dtype


@pytest.mark.parametrize("written", ["5", "[1, 2]", "2.5"])
def test_l1_2_numbers_take_the_float_dtype_of_the_document(written: str) -> None:
    assert dtype(f"dtype: float32\ninputs: {{x: {written}}}\nnodes: {{f: x}}\noutputs: f") == "float32"


def test_l1_2_booleans_are_bool_in_any_document() -> None:
    assert dtype("dtype: float32\ninputs: {x: [true]}\nnodes: {f: x}\noutputs: f") == "bool"


def test_l1_2_null_has_no_default() -> None:
    loaded = program("inputs: {x: null, y: }\nnodes: {f: x * y}\noutputs: f")
    assert loaded.run(x=3, y=4)["f"] == 12
    found = failing(gs.FeedError, loaded, x=3)
    assert place(found) == ("GS602", 2, 19)
    assert "'y' has no default" in found.message


def test_l1_2_a_string_is_no_input() -> None:
    found = only("inputs:\n  x: hello\nnodes: {f: x}\noutputs: f")
    assert place(found) == ("GS204", 3, 6)
    assert "found string 'hello'" in found.message


@pytest.mark.parametrize(("written", "column"), [("[1, true]", 10), ("[a]", 10), ("[[1], [2, 3]]", 10), ("[null]", 10)])
def test_l1_2_lists_are_rectangular_and_of_one_kind(written: str, column: int) -> None:
    found = only(f"inputs: {{x: {written}}}\nnodes: {{f: x}}\noutputs: f")
    assert place(found) == ("GS204", 2, column)


@pytest.mark.parametrize(
    ("written", "code", "message"),
    [
        ("{value: 2.5, dtype: int64}", "GS205", "the fraction 2.5 is no int64"),
        ("{value: 300, dtype: int8}", "GS205", "300 does not fit int8"),
        ("{value: [1, -1], dtype: uint8}", "GS205", "-1 does not fit uint8"),
        ("{value: 1e300, dtype: float32}", "GS205", "does not fit float32"),
        ("{value: 1, dtype: bfloat16}", "GS205", "NumPy has no bfloat16"),
        ("{value: 1, dtype: bool}", "GS204", "the dtype bool wants booleans, found number 1"),
        ("{value: true, dtype: float64}", "GS204", "the dtype float64 wants numbers, found boolean true"),
    ],
)
@pytest.mark.parametrize("section", ["inputs", "parameters", "state"])
def test_l1_2_a_value_that_its_dtype_does_not_hold(section: str, written: str, code: str, message: str) -> None:
    found = only(f"{section}:\n  x: {written}\nnodes: {{f: x}}\noutputs: f")
    assert place(found) == (code, 3, 3)
    assert message in found.message


def test_l1_2_a_whole_float_is_an_integer() -> None:
    assert dtype("inputs: {x: {value: 2.0, dtype: int64}}\nnodes: {f: x}\noutputs: f") == "int64"


def test_l1_2_all_bad_inputs_are_reported() -> None:
    text = "inputs:\n  x: [1, true]\n  y: [[1], [2, 3]]\n  z: 1\nnodes: {f: z}\noutputs: f"
    assert problems(text) == [("GS204", 3, 3), ("GS204", 4, 3)]


@pytest.mark.parametrize(("written", "fed"), [("5", [1, 2]), ("[1, 2]", 5), ("[1, 2]", [1, 2, 3]), ("[[1]]", [1])])
def test_l1_2_without_shape_the_shape_of_the_value_is_fixed(written: str, fed: object) -> None:
    loaded = program(f"inputs: {{x: {written}}}\nnodes: {{f: x}}\noutputs: f")
    assert failing(gs.FeedError, loaded, x=fed).code == "GS604"


def test_l1_2_with_a_shape_the_value_is_one_of_many() -> None:
    loaded = program("inputs: {x: {shape: [n], value: [1, 2]}}\nnodes: {f: sum(x)}\noutputs: f")
    assert loaded.run()["f"] == 3
    assert loaded.run(x=[1, 2, 3])["f"] == 6


def test_l1_2_a_value_that_does_not_fit_its_shape() -> None:
    found = only("inputs:\n  x: {shape: [2, n], value: [1, 2]}\nnodes: {f: x}\noutputs: f")
    assert place(found) == ("GS407", 3, 3)
    assert "[2]" in found.message
    assert "[2, n]" in found.message


@pytest.mark.parametrize(("operand", "expected"), [("i", "int64"), ("b", "bool"), ("x", "float64"), ("s", "float32")])
def test_l1_2_an_input_of_a_function_takes_the_type_of_its_operand(operand: str, expected: str) -> None:
    text = f"""
        functions:
          same: {{inputs: [a], nodes: {{y: "stack(a, a)"}}, outputs: y}}
        inputs:
          i: {{value: [1, 2], dtype: int64}}
          b: true
          x: [[1], [2], [3]]
          s: {{value: 1, dtype: float32}}
        nodes: {{f: same({operand})}}
        outputs: f
    """
    loaded = program(text)
    assert loaded.outputs["f"].dtype == expected
    assert loaded.outputs["f"].shape == (2, *loaded.inputs[operand].shape)


def test_l1_2_at_each_call_anew() -> None:
    text = """
        functions:
          twice: {inputs: [a], nodes: {y: a + a}, outputs: y}
        inputs: {x: [1, 2], i: {value: 3, dtype: int64}}
        nodes: {f: twice(x), g: twice(i), h: twice(4)}
        outputs: [f, g, h]
    """
    outputs = program(text).outputs
    assert [str(outputs[name]) for name in "fgh"] == ["float64[2]", "int64[]", "float64[]"]


def test_l1_2_a_dtype_alone_leaves_the_shape_open() -> None:
    text = """
        functions:
          next: {inputs: {i: {dtype: int64}}, nodes: {y: i + 1}, outputs: y}
        inputs: {i: {value: [1, 2], dtype: int64}, x: 1}
        nodes: {f: next(i), g: next(7)}
        outputs: [f, g]
    """
    assert [str(found) for found in program(text).outputs.values()] == ["int64[2]", "int64[]"]
    assert program(text).run()["g"] == 8
    found = only(text.replace("next(7)", "next(x)"))
    assert place(found) == ("GS401", 5, 29)


def test_l1_2_a_file_alone_has_float_scalars() -> None:
    loaded = program("dtype: float32\ninputs: {x: }\nnodes: {f: x * 2}\noutputs: f")
    assert str(loaded.inputs["x"]) == "float32[]"
    assert failing(gs.FeedError, loaded, x=[1, 2]).code == "GS604"


def test_l1_2_a_file_alone_with_a_part_of_a_type() -> None:
    loaded = program("inputs: {i: {dtype: int64}, x: {shape: [n]}}\nnodes: {f: sum(x)}\noutputs: f")
    assert [str(found) for found in loaded.inputs.values()] == ["int64[]", "float64[n]"]


# -- L1.3 inputs that may be left out ---------------------------------------------------------------------------------

SCALED = """
    functions:
      scaled:
        inputs: {{x: null, by: {by}}}
        nodes: {{y: "x * by if given(by) else x {otherwise}"}}
        outputs: y
    inputs: {{x: 3}}
    nodes: {{f: "{call}"}}
    outputs: f
"""


def test_l1_3_an_input_with_a_value_may_be_left_out() -> None:
    assert value(SCALED.format(by="10", otherwise="- by", call="scaled(x)")) == -7
    assert value(SCALED.format(by="{value: 10}", otherwise="- by", call="scaled(x, by=5)")) == 15


def test_l1_3_an_optional_input_may_be_left_out() -> None:
    assert value(SCALED.format(by="{optional: true}", otherwise="+ 1", call="scaled(x)")) == 4
    assert value(SCALED.format(by="{optional: true}", otherwise="+ 1", call="scaled(x, 5)")) == 15


def test_l1_3_any_other_may_not() -> None:
    found = only(SCALED.format(by="null", otherwise="+ 1", call="scaled(x)"))
    assert place(found) == ("GS303", 8, 13)
    assert "port 'by'" in found.message


def test_l1_3_given_at_the_top() -> None:
    text = 'inputs: {x: 3, by: 10}\nnodes: {f: "x * by if given(by) else x - by"}\noutputs: f'
    loaded = program(text)
    assert loaded.run()["f"] == -7
    assert loaded.run(by=10)["f"] == 30
    assert loaded.backprop(by=10).gradients["by"] == 3
    assert loaded.backprop().gradients["by"] == -1


def test_l1_3_an_optional_input_at_the_top() -> None:
    loaded = program('inputs: {x: 3, by: {optional: true}}\nnodes: {f: "x * by if given(by) else x"}\noutputs: f')
    assert loaded.run()["f"] == 3
    assert loaded.run(by=4)["f"] == 12
    assert set(loaded.backprop().gradients) == {"x"}
    assert set(loaded.backprop(by=4).gradients) == {"x", "by"}


def test_l1_3_a_value_that_was_not_given() -> None:
    text = """
        functions:
          scaled: {inputs: {x: null, by: {optional: true}}, nodes: {y: x * by}, outputs: y}
        inputs: {x: 3}
        nodes: {f: scaled(x)}
        outputs: f
    """
    found = only(text)
    assert place(found) == ("GS312", 3, 68)
    assert found.hint == "guard it: ... if given(by) else ..."


def test_l1_3_passed_on() -> None:
    """An optional input that was not given is not given further down either."""
    text = """
        functions:
          inner: {inputs: {x: null, by: {optional: true}}, nodes: {y: x * by if given(by) else x}, outputs: y}
          outer:
            inputs: {x: null, by: {optional: true}}
            nodes: {y: "inner(x, by) if given(by) else inner(x)"}
            outputs: y
        inputs: {x: 3}
        nodes: {f: outer(x), g: "outer(x, 5)"}
        outputs: [f, g]
    """
    run = program(text).run()
    assert (run["f"], run["g"]) == (3, 15)


# -- L1.4 parameters, state and constants -----------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["parameters", "state"])
@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("{shape: [2]}", "none of them"),
        ("{value: 1, init: zeros, shape: [2]}", "value and init"),
        ("{value: 1, file: w.safetensors}", "value and file"),
        ("{init: zeros, file: w.safetensors, shape: [2]}", "init and file"),
        ("{value: 1, init: zeros, file: w.safetensors, shape: [2]}", "value and init and file"),
    ],
)
def test_l1_4_exactly_one_source(section: str, written: str, found: str) -> None:
    diagnostic = only(f"{section}:\n  w: {written}\nnodes: {{f: sum(w)}}\noutputs: f")
    assert place(diagnostic) == ("GS203", 3, 3)
    assert diagnostic.message.endswith(f"found {found}")


@pytest.mark.parametrize("section", ["parameters", "state"])
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("3", 3.0),
        ("[1, 2]", [1.0, 2.0]),
        ("{value: 3}", 3.0),
        ("{value: 3, shape: [2]}", [3.0, 3.0]),
        ("{value: [[1, 2]]}", [[1.0, 2.0]]),
        ("{value: [1, 2], shape: [2]}", [1.0, 2.0]),
        ("{init: ones, shape: [2]}", [1.0, 1.0]),
        ("{init: ones, shape: []}", 1.0),
    ],
)
def test_l1_4_the_forms_of_a_parameter(section: str, written: str, expected: object) -> None:
    assert value(f"{section}:\n  w: {written}\nnodes: {{f: w}}\noutputs: f") == expected


def test_l1_4_dtypes() -> None:
    text = (
        "dtype: float32\nparameters: {w: 3}\nstate: {n: {value: 0, dtype: int64}, on: true}\nnodes: {f: w}\noutputs: f"
    )
    loaded = program(text + "\nupdates: {n: n + 1, on: logical_not(on)}")
    assert loaded.parameters["w"].dtype == np.float32
    assert loaded.state["n"].dtype == np.int64
    assert loaded.state["on"].dtype == np.bool_


def test_l1_4_a_value_of_another_shape() -> None:
    found = only("parameters:\n  w: {shape: [2, 2], value: [1, 2]}\nnodes: {f: sum(w)}\noutputs: f")
    assert place(found) == ("GS407", 3, 3)


def test_l1_4_dims_are_attributes_or_bound_by_operands() -> None:
    text = """
        functions:
          scale:
            attributes: {extra: 1}
            inputs: {x: {shape: [n]}}
            parameters: {w: {shape: [n + extra, 2 * extra], init: ones}}
            nodes: {y: sum(w) * sum(x)}
            outputs: y
        inputs: {x: [1, 2, 3]}
        nodes: {f: "scale(x, extra=2)"}
        outputs: f
    """
    assert program(text).parameters["f.w"].shape == (5, 4)


def test_l1_4_dims_that_are_no_integers_once_the_graph_is_built() -> None:
    text = """
        functions:
          scale:
            inputs: {x: {shape: [n]}}
            parameters: {w: {shape: [n], init: ones}}
            nodes: {y: x * w}
            outputs: y
        inputs: {x: {shape: [m]}}
        nodes: {f: sum(scale(x))}
        outputs: f
    """
    found = only(text)
    assert place(found) == ("GS406", 5, 30)
    assert "dim m" in found.message
    assert found.related[0].where is not None
    assert found.related[0].where.line == 9


def test_l1_4_a_constant_number_is_a_literal() -> None:
    text = (
        "inputs: {n: {value: 3, dtype: int64}}\nconstants: {two: 2}\nnodes: {f: n * two, g: two * 0.5}\noutputs: [f, g]"
    )
    assert dtype(text) == "int64"
    assert dtype(text, "g") == "float64"
    assert paths(text) == ["n", "f", "g"]


def test_l1_4_a_literal_adopts_what_it_meets_or_is_refused() -> None:
    text = "inputs: {n: {value: 3, dtype: int64}}\nconstants: {half: 0.5}\nnodes:\n  f: n * half\noutputs: f"
    assert problems(text) == [("GS405", 5, 6)]


def test_l1_4_a_constant_list_is_an_array() -> None:
    text = "dtype: float32\nconstants: {c: [1, 2], on: [true, false]}\nnodes: {f: c * 2, g: on}\noutputs: [f, g]"
    assert paths(text) == ["c", "on", "f", "g"]
    assert dtype(text) == "float32"
    assert value(text, "g") == [True, False]


def test_l1_4_constants_have_no_gradient() -> None:
    text = "inputs: {x: 3}\nconstants: {c: [1, 2]}\nnodes: {f: sum(c * x)}\noutputs: f"
    assert list(program(text).backprop().gradients) == ["x"]


def test_l1_4_bad_constants() -> None:
    text = "constants:\n  a: [1, [2]]\n  b: text\n  c: [1, true]\nnodes: {f: 2 * 3}\noutputs: f"
    assert problems(text) == [("GS204", 3, 3), ("GS204", 4, 6), ("GS204", 5, 3)]


# -- L1.5 initialisers ------------------------------------------------------------------------------------------------


def initial(init: str, shape: str, seed: int = 0) -> np.ndarray:
    text = f'parameters:\n  w: {{shape: {shape}, init: "{init}"}}\nnodes: {{f: w}}\noutputs: f'
    return program(text).run(seed=seed)["f"]


@pytest.mark.parametrize(
    ("init", "shape", "expected"),
    [
        ("zeros", "[2]", [0, 0]),
        ("ones", "[2]", [1, 1]),
        ("zeros()", "[2]", [0, 0]),
        ("constant(2.5)", "[2]", [2.5, 2.5]),
        ("constant(value=-1)", "[1]", [-1]),
        ("normal(mean=4, std=0)", "[2]", [4, 4]),
        ("normal(4, 0)", "[2]", [4, 4]),
        ("truncated_normal(mean=4, std=0)", "[2]", [4, 4]),
        ("uniform(2, high=2)", "[2]", [2, 2]),
        ("uniform(low=2, high=2)", "[2]", [2, 2]),
        ("eye", "[2, 3]", [[1, 0, 0], [0, 1, 0]]),
    ],
)
def test_l1_5_initialisers_take_arguments(init: str, shape: str, expected: list[float]) -> None:
    np.testing.assert_array_equal(initial(init, shape), expected)


@pytest.mark.parametrize(
    ("init", "mean", "std", "bound"),
    [
        ("normal", 0, 1, math.inf),
        ("normal(mean=1, std=2)", 1, 2, math.inf),
        ("truncated_normal", 0, 0.8796, 2),
        ("truncated_normal(std=0.5)", 0, 0.4398, 1),
        ("uniform(-1, 3)", 1, 4 / math.sqrt(12), 2),
        ("glorot_uniform", 0, math.sqrt(2 / 300), math.sqrt(6 / 300)),
        ("glorot_normal", 0, math.sqrt(2 / 300), math.inf),
        ("he_uniform", 0, math.sqrt(2 / 200), math.sqrt(6 / 200)),
        ("he_normal", 0, math.sqrt(2 / 200), math.inf),
        ("lecun_uniform", 0, math.sqrt(1 / 200), math.sqrt(3 / 200)),
        ("lecun_normal", 0, math.sqrt(1 / 200), math.inf),
    ],
)
def test_l1_5_distributions_with_fans_in_and_out(init: str, mean: float, std: float, bound: float) -> None:
    found = initial(init, "[200, 100]")
    assert float(found.mean()) == pytest.approx(mean, abs=0.03 * max(std, 0.1))
    assert float(found.std()) == pytest.approx(std, rel=0.03)
    assert float(np.abs(found - mean).max()) <= bound


def test_l1_5_fans_of_more_dims_are_out_in_window() -> None:
    found = initial("he_uniform", "[50, 4, 3, 3]")
    assert float(np.abs(found).max()) <= math.sqrt(6 / 36)
    assert float(np.abs(found).max()) > 0.98 * math.sqrt(6 / 36)
    found = initial("glorot_uniform", "[50, 4, 3, 3]")
    assert 0.98 < float(np.abs(found).max()) / math.sqrt(6 / (36 + 450)) <= 1


def test_l1_5_orthogonal() -> None:
    tall, wide = initial("orthogonal", "[5, 3]"), initial("orthogonal(gain=2)", "[3, 5]")
    np.testing.assert_allclose(tall.T @ tall, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(wide @ wide.T, 4 * np.eye(3), atol=1e-12)


def test_l1_5_arguments_may_be_attributes() -> None:
    text = """
        attributes: {gain: 3}
        parameters: {w: {shape: [2], init: constant(2 * gain)}}
        nodes: {f: w}
        outputs: f
    """
    assert value(text) == [6, 6]


@pytest.mark.parametrize(
    ("init", "code", "column", "hint"),
    [
        ("zeroes", "GS205", 25, "'zeros'"),
        ("3", "GS204", 25, ""),
        ("normal + 1", "GS205", 25, ""),
        ("constant", "GS211", 25, ""),
        ("constant()", "GS211", 25, ""),
        ("uniform(1)", "GS211", 25, ""),
        ("zeros(1)", "GS210", 25, ""),
        ('"normal(0, 1, 2)"', "GS210", 26, ""),
        ('"constant(1, value=2)"', "GS210", 26, ""),
        ("normal(sdt=2)", "GS210", 32, "'std'"),
        ("constant('a')", "GS205", 34, ""),
        ("constant(missing)", "GS301", 34, ""),
    ],
)
def test_l1_5_wrong_initialisers(init: str, code: str, column: int, hint: str) -> None:
    found = only(f"parameters:\n  w: {{shape: [2], init: {init}}}\nnodes: {{f: w}}\noutputs: f")
    assert place(found) == (code, 3, column)
    assert hint in found.hint


@pytest.mark.parametrize(
    ("init", "shape"), [("eye", "[3]"), ("eye", "[]"), ("orthogonal", "[]"), ("orthogonal", "[3]")]
)
def test_l1_5_shapes_that_an_initialiser_has_not(init: str, shape: str) -> None:
    found = only(f"parameters:\n  w: {{shape: {shape}, init: {init}}}\nnodes: {{f: w}}\noutputs: f")
    assert place(found) == ("GS403", 3, 22 + len(shape))
    assert "two dims" in found.message


@pytest.mark.parametrize(
    ("init", "code", "column"),
    [("normal", "GS401", 40), ("uniform(0, 1)", "GS401", 40), ("constant(2.5)", "GS405", 49)],
)
def test_l1_5_dtypes_that_an_initialiser_has_not(init: str, code: str, column: int) -> None:
    text = 'parameters:\n  w: {shape: [2], dtype: int64, init: "%s"}\nnodes: {f: w}\noutputs: f'
    assert problems(text % init) == [(code, 3, column)]
    assert value(text % "constant(2)") == [2, 2]


def test_l1_5_an_init_needs_a_shape() -> None:
    assert problems("parameters:\n  w: {init: zeros}\nnodes: {f: w}\noutputs: f") == [("GS203", 3, 3)]


# -- L1.6 attributes --------------------------------------------------------------------------------------------------

CALLED = """
    functions:
      g:
        attributes: {{a: {declared}}}
        inputs: [x]
        nodes: {{y: x}}
        outputs: y
    inputs: {{x: 1}}
    nodes:
      f: {{op: g, inputs: x, a: {given}}}
    outputs: f
"""


@pytest.mark.parametrize(
    ("declared", "given", "expected"),
    [
        ("{type: integer}", "3", 3),
        ("{type: float}", "3", 3.0),
        ("{type: float}", "2.5", 2.5),
        ("{type: boolean}", "true", True),
        ("{type: string}", "same", "same"),
        ("{type: list}", "[1, [2, a]]", (1, (2, "a"))),
        ("2", "3", 3),
        ("2.5", "3", 3.0),
        ("true", "false", False),
        ("valid", "same", "same"),
        ("[1]", "[]", ()),
        ("{type: integer, default: 2, minimum: 1, maximum: 3, doc: how many}", "3", 3),
        ("{default: 2.5, minimum: 1}", "3", 3.0),
        ("{default: valid, choices: [valid, same]}", "same", "same"),
        ("{type: integer, choices: [1, 2]}", "2", 2),
        ("{type: integer, default: null}", "2", 2),
        ("{type: integer, default: null}", "null", None),
        ("{type: [integer]}", "3", 3),
        ("{type: [integer, list]}", "3", 3),
        ("{type: [integer, list]}", "[3, 4]", (3, 4)),
        ("{type: [integer, list], default: -1}", "[]", ()),
        ("{type: [integer, float]}", "3", 3),
        ("{type: [integer, float]}", "2.5", 2.5),
        ("{type: [float, integer]}", "3", 3.0),
        ("{type: [boolean, string]}", "true", True),
        ("{type: [boolean, string]}", "same", "same"),
        ("{type: [integer, list], default: null}", "null", None),
        ("{type: [integer, list, null], default: -1}", "null", None),
        ("{type: [integer, list], minimum: 1}", "[1, 2]", (1, 2)),
        ("{type: [integer, string], choices: [same, valid]}", "7", 7),
        ("{type: [integer, string], choices: [same, valid]}", "same", "same"),
        ("{type: [integer, string], choices: [1, 2, same]}", "2", 2),
    ],
)
def test_l1_6_what_an_attribute_accepts(declared: str, given: str, expected: object) -> None:
    text = f"attributes: {{a: {declared}}}\nnodes: {{f: 1}}\noutputs: f"
    import yaml

    loaded = program(text, attributes={"a": yaml.safe_load(given)})
    found = loaded.model.attributes["a"]
    assert found == expected
    assert type(found) is type(expected)
    program(CALLED.format(declared=declared, given=given))


@pytest.mark.parametrize(
    ("declared", "given", "message"),
    [
        ("{type: integer}", "2.5", "expected an integer, found number 2.5"),
        ("{type: integer}", "true", "expected an integer, found boolean true"),
        ("{type: float}", "true", "expected a number, found boolean true"),
        ("{type: float}", "text", "expected a number, found string 'text'"),
        ("{type: boolean}", "1", "expected true or false, found number 1"),
        ("{type: string}", "1", "expected a string, found number 1"),
        ("{type: list}", "1", "expected a list, found number 1"),
        ("2", "2.5", "expected an integer, found number 2.5"),
        ("2", "null", "expected an integer, found null"),
        ("true", "1", "expected true or false"),
        ("{type: integer, minimum: 1}", "0", "at least 1"),
        ("{type: float, maximum: 1}", "1.5", "at most 1"),
        ("{default: valid, choices: [valid, same]}", "smae", "expected one of valid, same, found string 'smae'"),
        ("{type: [integer, list]}", "2.5", "expected an integer or a list, found number 2.5"),
        ("{type: [integer, list]}", "text", "expected an integer or a list, found string 'text'"),
        ("{type: [integer, list], default: -1}", "null", "expected an integer or a list, found null"),
        ("{type: [integer, list, null]}", "true", "expected an integer, a list or null, found boolean true"),
        ("{type: [boolean, string]}", "1", "expected true or false or a string, found number 1"),
        ("{type: [integer, list], minimum: 1}", "0", "at least 1, found 0"),
        ("{type: [integer, list], minimum: 1}", "[1, 0]", "at least 1, found 0"),
        ("{type: [integer, string], choices: [a, b]}", "c", "expected an integer or one of a, b, found string 'c'"),
        ("{type: [integer, string], choices: [1, b]}", "2", "expected one of 1 or one of b, found number 2"),
    ],
)
def test_l1_6_what_an_attribute_refuses(declared: str, given: str, message: str) -> None:
    found = only(CALLED.format(declared=declared, given=given))
    assert place(found) == ("GS205", 10, 28)
    assert "attribute 'a'" in found.message
    assert message in found.message


def test_l1_6_choices_have_a_hint() -> None:
    found = only(CALLED.format(declared="{default: valid, choices: [valid, same]}", given="smae"))
    assert found.hint == "did you mean 'same'?"


def test_l1_6_no_default_means_required() -> None:
    text = CALLED.format(declared="{type: integer}", given="1").replace(", a: 1", "")
    found = only(text)
    assert place(found) == ("GS211", 10, 11)
    assert "needs the attribute 'a'" in found.message


def test_l1_6_a_file_alone_needs_its_required_attributes() -> None:
    text = "attributes:\n  units: {type: integer}\nnodes: {f: units * 1.0}\noutputs: f"
    found = only(text)
    assert place(found) == ("GS211", 3, 3)
    assert value(text, attributes={"units": 3}) == 3


@pytest.mark.parametrize(
    ("declared", "column"),
    [
        ("{type: integer, default: 2.5}", 31),
        ("{type: string, default: 2}", 30),
        ("{default: 2, minimum: 3}", 16),
        ("{default: same, choices: [valid]}", 16),
        ("{type: op, default: 3}", 26),
        ("{type: [integer, list], default: 2.5}", 39),
        ("{type: [integer, string], choices: [same], default: valid}", 58),
    ],
)
def test_l1_6_a_default_must_fit(declared: str, column: int) -> None:
    assert problems(f"attributes:\n  a: {declared}\nnodes: {{f: 1}}\noutputs: f") == [("GS205", 3, column)]


def test_l1_6_a_type_is_one_of_six() -> None:
    found = only("attributes:\n  a: {type: int, default: 2}\nnodes: {f: 1}\noutputs: f")
    assert place(found) == ("GS205", 3, 13)
    assert "integer, float, boolean, string, list, op" in found.message


@pytest.mark.parametrize(
    ("declared", "code", "column", "message"),
    [
        ("{type: [integer, lst]}", "GS205", 23, "'type': expected one of integer, float, boolean, string, list, null"),
        ("{type: [integer, op]}", "GS205", 23, "found string 'op'"),
        ("{type: [op]}", "GS205", 14, "found string 'op'"),
        ('{type: [integer, "null"]}', "GS205", 24, "found string 'null'"),
        ("{type: []}", "GS204", 13, "'type': [] should be non-empty"),
        ("{type: null, default: 1}", "GS205", 13, "'type': expected one of integer, float, boolean, string, list, op"),
    ],
)
def test_l1_6_types_in_a_list(declared: str, code: str, column: int, message: str) -> None:
    found = only(f"attributes:\n  a: {declared}\nnodes: {{f: 1}}\noutputs: f")
    assert place(found) == (code, 3, column)
    assert message in found.message


def test_l1_6_a_list_of_types_in_a_call() -> None:
    text = """
        functions:
          g: {attributes: {axis: {type: [integer, list, null], default: -1}}, inputs: [x], nodes: {y: "sum(x, axis=axis)"}, outputs: y}
        inputs: {x: [[1, 2], [3, 4]]}
        nodes: {f: g(x), h: "g(x, axis=[0, 1])", i: {op: g, inputs: x, axis: null}, j: {op: g, inputs: x, axis: 0}}
        outputs: [f, h, i, j]
    """
    run = program(text).run()
    assert [run[name].tolist() for name in "fhij"] == [[3, 7], 10, 10, [4, 6]]


def test_l1_6_choices_of_a_list_of_types_have_a_hint() -> None:
    declared = "{type: [integer, string], choices: [valid, same]}"
    assert only(CALLED.format(declared=declared, given="smae")).hint == "did you mean 'same'?"


def test_l1_6_neither_type_nor_default() -> None:
    found = only("attributes:\n  a: {doc: what}\nnodes: {f: 1}\noutputs: f")
    assert place(found) == ("GS203", 3, 3)
    assert "type" in found.message


def test_l1_6_null_fixes_no_type() -> None:
    found = only("attributes:\n  a: null\nnodes: {f: 1}\noutputs: f")
    assert place(found) == ("GS204", 3, 6)
    assert found.hint == "{type: ..., default: null} says which values it takes"


def test_l1_6_an_attribute_of_type_op() -> None:
    text = """
        functions:
          g: {attributes: {act: {type: op, default: tanh}}, inputs: [x], nodes: {y: act(x)}, outputs: y}
        inputs: {x: 0.5}
        nodes: {f: g(x), h: "g(x, act=exp)", i: {op: g, inputs: x, act: sin}}
        outputs: [f, h, i]
    """
    run = program(text).run()
    assert [float(run[name]) for name in "fhi"] == [math.tanh(0.5), math.exp(0.5), math.sin(0.5)]


def test_l1_6_all_wrong_attributes_are_reported() -> None:
    text = "attributes:\n  a: {type: integer, default: 2.5}\n  b: {default: 2, minimum: 3}\nnodes: {f: 1}\noutputs: f"
    assert [place(found)[1:] for found in diagnostics(text)] == [(3, 31), (4, 16)]
