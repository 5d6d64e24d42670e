"""Rules L4.1 to L4.5: expressions in a document. Their grammar alone is tested in `test_expression`."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from rules import diagnostics, failing, only, paths, place, problems, program, related, value

import graphspec as gs

# -- the grammar computes what it says --------------------------------------------------------------------------------

NAMES = {"a": 2.0, "b": 3.0, "c": 5.0, "x": -1.5}


def number(expression: str) -> float:
    text = f"inputs: {json.dumps(NAMES)}\nnodes:\n  f: {expression}\noutputs: f"
    found: float = value(text)
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b - c", 0),
        ("a - b - c", -6),
        ("a - (b - c)", 4),
        ("a + b * c", 17),
        ("(a + b) * c", 25),
        ("c // a", 2),
        ("-c // a", -3),
        ("c % b", 2),
        ("-c % b", 1),
        ("c / a / b", 5 / 6),
        ("-x**2", -2.25),
        ("(-x)**2", 2.25),
        ("2**-a", 0.25),
        ("a**b**a", 2.0**9),
        ("-a**-a", -0.25),
        ("--a", 2),
        ("1e3 + .5 + 1.", 1001.5),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("exp(a)", math.exp(2)),
        ("add(a, b, c)", 10),
        ("subtract(a, b)", -1),
        ("subtract(a=a, b=b)", -1),
        ("subtract(b=a, a=b)", 1),
        ("maximum(a, b=c)", 5),
    ],
)
def test_l4_grammar_computes(expression: str, expected: float) -> None:
    assert number(f'"{expression}"') == pytest.approx(expected)


def test_l4_grammar_nan() -> None:
    assert math.isnan(number("nan + a"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("a == 2", True), ("a != 2", False), ("a < b", True), ("a <= 2", True), ("a > b", False), ("a >= 3", False),
     ("a + 1 == b", True), ("true", True), ("logical_not(a < b)", False), ("(a < b) == (b < c)", True)],
)  # fmt: skip
def test_l4_grammar_compares(expression: str, expected: bool) -> None:
    assert number(f'"{expression}"') is expected


def test_l4_grammar_matmul_and_white_space() -> None:
    text = (
        "inputs: {x: [1, 2], w: [[1, 2], [3, 4]]}\nnodes:\n  f: |\n    x @ w\n      @ x\n  g: >-\n"
        "    x[0]\n    + x[1]\noutputs: [f, g]"
    )
    assert value(text) == 27
    assert value(text, "g") == 3


# -- L4.1 text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "column", "code"),
    [
        ("x × 2", 8, "GS209"),
        ("x + ﬁ", 10, "GS209"),
        ("f(x, k=1, k=2)", 16, "GS209"),
        ("add(*x)", 10, "GS209"),
        ("add(**x)", 10, "GS209"),
        ("1_000 + x", 6, "GS106"),
        ("x * 1j", 10, "GS209"),
        ("x * 1e999", 10, "GS209"),
        ("x if True else 2", 11, "GS209"),
        ("x + None", 10, "GS209"),
        ("x + (y := 2)", 13, "GS209"),
        ("x + 0x1F", 10, "GS106"),
        ("x + 012", 10, "GS106"),
        ("x < 1 < 2", 12, "GS209"),
        ("f'x'", 6, "GS209"),
        ("x[1,]", 9, "GS209"),
        ("x if x", 8, "GS209"),
        ("x.0", 7, "GS209"),
        ("x +", 8, "GS209"),
        ("(x", 6, "GS209"),
        ("x)", 7, "GS209"),
        ("x y", 8, "GS209"),
        ("x(1)(2)", 9, "GS209"),
        ("(x, 2)", 8, "GS209"),
    ],
)
def test_l4_1_refused(expression: str, column: int, code: str) -> None:
    found = only(f"inputs: {{x: 1}}\nnodes:\n  f: {expression}\noutputs: f")
    assert place(found) == (code, 4, column)


@pytest.mark.parametrize("word", ["lambda: x", "[i for i in x]", "await x", "x is x", "x in x"])
def test_l4_1_every_other_kind_of_node(word: str) -> None:
    (found,) = diagnostics(f'inputs: {{x: 1}}\nnodes:\n  f: "{word}"\noutputs: f')
    assert found.code == "GS209"


def test_l4_1_at_most_10_000_characters() -> None:
    name, short = "x" * 90, "y" * 700
    long = " + ".join([name] * 100 + [short])
    assert len(long) == 10_000
    text = f"inputs: {{{name}: 1, {short}: 2}}\nnodes:\n  f: {{}}\noutputs: f"
    assert value(text.replace("{}", long)) == 102
    found = only(text.replace("{}", f"{long} + {name}"))
    assert place(found) == ("GS209", 4, 6)
    assert "10000 are allowed" in found.message


@pytest.mark.parametrize("nested", ["({})", "-{}", "exp({})", "2**{}"])
def test_l4_1_at_most_100_levels(nested: str) -> None:
    text = "x"
    for _ in range(99):
        text = nested.format(text)
    program(f"inputs: {{x: 0}}\nnodes:\n  f: {text}\noutputs: f")
    for _ in range(3):
        text = nested.format(text)
    found = only(f"inputs: {{x: 0}}\nnodes:\n  f: {text}\noutputs: f")
    assert found.code == "GS209"
    assert "too deep" in found.message


def test_l4_1_columns_are_characters() -> None:
    text = 'inputs: {x: 1}\nnodes: {"f": "x + (tnah(x))", g: "x"}  # ééé\noutputs: f'
    assert problems(text) == [("GS201", 3, 20)]
    text = 'doc: é\ninputs: {x: {value: 1, doc: "ééé 𝒳"}, y: {value: 2, doc: "é"}}\nnodes: {f: "x * 2"}\noutputs: f'
    assert value(text) == 2
    text = '{"doc": "ééé 𝒳é", "nodes": {"f": "2 * q"}, "outputs": "f"}'
    with pytest.raises(gs.SpecError) as info:
        gs.loads(text.replace("{", '{"graphspec": 1, ', 1))
    where = info.value.diagnostics[0].where
    assert where is not None
    assert (where.line, where.column) == (1, text.index("q") + 1 + len('"graphspec": 1, '))


def test_l4_1_columns_inside_quotes_and_blocks() -> None:
    text = """
        inputs: {x: 1}
        nodes:
          a: "x + \\u0071"
          b: 'x + q'
          c: >
            x +
              q
          d: |
            x
            + q
          e: {op: add, inputs: ["x", " q"]}
        outputs: a
    """
    assert problems(text) == [
        ("GS301", 4, 11),
        ("GS301", 5, 11),
        ("GS301", 8, 7),
        ("GS301", 11, 7),
        ("GS301", 12, 32),
    ]


def test_l4_1_all_bad_expressions_are_reported() -> None:
    text = "inputs: {x: 1}\nnodes:\n  a: x +\n  b: x $ 2\n  c: {op: add, inputs: [x, (x]}\n  d: tnah(x)\noutputs: a"
    assert [place(found)[:2] for found in diagnostics(text.replace("(x]", '"(x"]'))] == [
        ("GS209", 4),
        ("GS209", 5),
        ("GS209", 6),
        ("GS201", 7),
    ]


# -- L4.2 indices -----------------------------------------------------------------------------------------------------

X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "index",
    [
        "0",
        "-1",
        "0, 0, 0",
        "1, -1",
        "..., 0",
        "0, ...",
        "0, ..., -1",
        "...",
        ":",
        "1:",
        ":1",
        ":-1",
        "-1:",
        "::2",
        "::-1",
        "1::-1",
        ":, 1:",
        ":, :, 1:3",
        "..., ::2",
        ":, -100:100",
        ":, 5:",
        ":, 2:1",
        ":, ::-2",
        ":, 1, ::3",
        ":, -2:, 0",
        ":, 0:3:2",
        ":, 2:0:-1",
        "0:2, ..., 1:",
        ":100, -100:, :",
    ],
)
def test_l4_2_as_numpy(index: str) -> None:
    text = f'inputs: {{x: {X.tolist()}}}\nnodes:\n  f: "x[{index}]"\n  s: sum(f * f)\noutputs: [f, s]'
    result = program(text).backprop(of="s")
    expected = eval(f"X[{index}]")
    np.testing.assert_array_equal(result["f"], expected)
    mask = np.zeros_like(X)
    exec(f"mask[{index}] = 2 * X[{index}]")
    np.testing.assert_array_equal(result.gradients["x"], mask)


def test_l4_2_an_integer_drops_its_axis() -> None:
    text = (
        "inputs: {x: {shape: [2, n, 4]}}\nnodes:\n  a: x[0]\n  b: x[:, -1]\n  c: x[..., 0:1]\n"
        "  d: x[1, :, 2]\noutputs: [a, b, c, d]"
    )
    found = program(text).outputs
    assert [str(item) for item in found.values()] == [
        "float64[n, 4]",
        "float64[2, 4]",
        "float64[2, n, 1]",
        "float64[n]",
    ]


@pytest.mark.parametrize(
    ("index", "message"),
    [("2", "index 2"), ("-3", "index -3"), ("0, 3", "index 3"), ("0, 0, 0, 0", "4 indices"), ("..., 0, ...", "once"),
     ("::0", "step")],
)  # fmt: skip
def test_l4_2_out_of_range(index: str, message: str) -> None:
    found = only(f"inputs: {{x: {{shape: [2, 3, 4]}}}}\nnodes:\n  f: x + x[{index}]\noutputs: f")
    assert place(found) == ("GS404", 4, 10)
    assert message in found.message


@pytest.mark.parametrize(
    ("index", "shape"),
    [("1:", "[n - 1]"), (":-1", "[n - 1]"), ("1:-1", "[n - 2]"), (":", "[n]"), (":2", "[2]"), ("-2:", "[2]"),
     ("0", "[]"), ("-1", "[]"), ("::-1", "[n]"), ("::2", "[(n + 1) // 2]"), (":x.shape[0] // 2", "[n // 2]"),
     ("m:", "[n - 1]")],
)  # fmt: skip
def test_l4_2_on_a_symbolic_dim(index: str, shape: str) -> None:
    text = f"attributes: {{m: 1}}\ninputs: {{x: {{shape: [n]}}}}\nnodes:\n  f: x[{index}]\noutputs: f"
    loaded = program(text)
    assert str(loaded.outputs["f"]) == f"float64{shape}"
    data = np.arange(6.0)
    expected = eval(f"data[{index.replace('x.shape[0]', '6').replace('m', '1')}]")
    np.testing.assert_array_equal(loaded.run(x=data)["f"], expected)


@pytest.mark.parametrize(
    ("index", "size"), [("1:", 0), ("3:", 2), (":2", 1), ("-2:", 1), ("0", 0), ("-1", 0), ("2", 2), ("1:-1", 1)]
)
def test_l4_2_symbolic_bounds_are_checked_when_run(index: str, size: int) -> None:
    loaded = program(f"inputs: {{x: {{shape: [n]}}}}\nnodes:\n  f: x[{index}]\noutputs: f")
    found = failing(gs.ExecutionError, loaded, x=np.zeros(size))
    assert place(found)[1:] == (4, 6)
    assert "does not lie inside" in found.message


def test_l4_2_bounds_are_static() -> None:
    text = (
        "inputs: {x: [1, 2], i: {value: 1, dtype: int64}}\nnodes:\n  f: x[i]\n  g: x[0:i]\n  h: x[sum(x)]\noutputs: f"
    )
    found = diagnostics(text)
    assert [place(item) for item in found] == [("GS212", 4, 8), ("GS212", 5, 10), ("GS212", 6, 8)]
    assert {item.hint for item in found} == {"take(x, indices, axis=0) gathers at computed indices"}


def test_l4_2_bounds_are_integers() -> None:
    text = (
        "attributes: {half: 0.5, on: true}\ninputs: {x: [1, 2]}\nnodes:\n  f: x[half]\n  g: x[on]\n"
        "  h: x[1.0:]\noutputs: f"
    )
    assert problems(text) == [("GS212", 5, 8), ("GS212", 6, 8), ("GS212", 7, 8)]


def test_l4_2_bounds_may_be_computed_from_attributes_and_shapes() -> None:
    text = (
        "attributes: {k: 1, l: [0, 2]}\ninputs: {x: [1, 2, 3, 4]}\nnodes:\n"
        "  f: x[k:x.shape[0] - 1] + x[l[1]]\noutputs: f"
    )
    assert value(text) == [5, 6]


def test_l4_2_indexing_what_was_computed() -> None:
    assert value("inputs: {x: [1, 2, 3]}\nnodes:\n  f: (x * 2)[1] + exp(x - 1)[0] + x[1:][0]\noutputs: f") == 7


# -- L4.3 static conditions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("on", 1),
        ("not on", 2),
        ("n == 3", 1),
        ("n != 3", 2),
        ("n < 3 or n > 5", 2),
        ("n >= 3 and on", 1),
        ("not (n < 3) and not off", 1),
        ('mode == "fast"', 1),
        ("mode == 'slow'", 2),
        ("x.shape[0] == 2", 1),
        ("x.shape[0] * 2 == n + 1", 1),
        ("x.dtype == 'float64'", 1),
        ("'x'.dtype == dtype", 1),
        ("x.dtype != 'int64' and n > 3", 2),
        ("x.dtype == y.dtype", 2),
        ("two.dtype == x.dtype", 1),
        ("yes.dtype == 'bool'", 1),
        ("sizes[1] > sizes[0]", 1),
        ("sizes == [1, 2]", 1),
        ("empty == null", 1),
        ("true", 1),
        ("training", 2),
        ("dtype == 'float64'", 1),
        ("(on if n > 2 else off)", 1),
        ("(1 if on else 2) == 1", 1),
        ("given(x)", 2),
    ],
)
def test_l4_3_a_static_condition(condition: str, expected: float) -> None:
    text = f"""
        attributes:
          on: true
          off: false
          n: 3
          mode: fast
          sizes: [1, 2]
          empty: {{type: integer, default: null}}
        inputs: {{x: [5, 6], y: {{value: 1, dtype: int8}}}}
        constants: {{two: 2, yes: true}}
        nodes:
          f: |
            1.0 if {condition} else 2.0
        outputs: f
    """
    assert value(text) == expected


def test_l4_3_conditions_chain() -> None:
    text = (
        "attributes: {mode: b}\ninputs: {x: 3}\nnodes:\n"
        "  f: x if mode == 'a' else 2 * x if mode == 'b' else 3 * x\noutputs: f"
    )
    assert [value(text, attributes={"mode": mode}) for mode in "abc"] == [3, 6, 9]


@pytest.mark.parametrize(
    ("condition", "code", "column"),
    [("n", "GS212", 11), ("mode", "GS212", 11), ("x > 0", "GS212", 11), ("x.shape[0]", "GS212", 11),
     ("sum(x) > 0", "GS212", 11), ("on and n", "GS212", 18), ("mode < 3", "GS212", 11), ("nothing", "GS301", 11),
     ("given(nothing)", "GS301", 17), ("given(n)", "GS212", 11), ("sizes[2] == 1", "GS212", 11)],
)  # fmt: skip
def test_l4_3_what_is_no_condition(condition: str, code: str, column: int) -> None:
    text = (
        f"attributes: {{on: true, n: 3, mode: fast, sizes: [1, 2]}}\ninputs: {{x: [1]}}\nnodes:\n"
        f"  f: 1 if {condition} else 2\noutputs: f"
    )
    assert problems(text) == [(code, 5, column)]


@pytest.mark.parametrize(
    ("condition", "code", "hint"),
    [
        ("x.dtype", "GS212", ""),
        ("x.dtyp == 'bool'", "GS212", "did you mean 'dtype'?"),
        ("x.dtype == 'flaot32'", "GS212", "did you mean 'float32'?"),
        ("3 == x.dtype", "GS212", 'a dtype is a string: "float32"'),
        ("x.dtype < 'int8'", "GS212", ""),
        ("n.dtype == 'int64'", "GS301", ""),
        ("q.dtype == 'int64'", "GS301", ""),
        ("exp(x).dtype == 'int64'", "GS212", "give the value a node of its own"),
        ("two.dtype == 'int64'", "GS310", ""),
        ("o.dtype == 'int64'", "GS312", "guard it: ... if given(o) else ..."),
        ("x.exp.dtype == 'int64'", "GS311", ""),
    ],
)
def test_l4_3_a_dtype_in_a_condition_is_that_of_a_value(condition: str, code: str, hint: str) -> None:
    text = f"""
        functions:
          g:
            attributes: {{n: 3}}
            inputs: {{x: {{}}, o: {{optional: true}}}}
            functions: {{both: {{inputs: [u], outputs: {{a: u, b: u}}}}}}
            nodes:
              two: both(x)
              f: |
                x if {condition} else 2
            outputs: f
        inputs: {{x: [1]}}
        nodes: {{f: "g(x + 1)"}}
        outputs: f
    """
    found = only(text)
    assert (found.code, found.hint) == (code, hint)
    assert place(found)[1:] == (10, 14)


def test_l4_3_a_function_follows_the_dtype_of_its_operand() -> None:
    text = """
        functions:
          half:
            inputs: [x]
            nodes: {y: 'x / 2 if x.dtype == "float64" or x.dtype == "float32" else x // 2'}
            outputs: y
        inputs: {x: 3, i: {value: 3, dtype: int8}, u: {value: 3, dtype: float32}}
        nodes: {a: half(x), b: half(i), c: half(u), d: half(3)}
        outputs: [a, b, c, d]
    """
    loaded = program(text)
    assert loaded.run().outputs == {"a": 1.5, "b": 1, "c": 1.5, "d": 1.5}
    assert [str(found) for found in loaded.outputs.values()] == ["float64[]", "int8[]", "float32[]", "float64[]"]


def test_l4_3_a_symbolic_dim_has_no_order_yet() -> None:
    found = only("inputs: {x: {shape: [n]}}\nnodes:\n  f: 1 if x.shape[0] > 3 else 2\noutputs: f")
    assert place(found) == ("GS212", 4, 11)
    assert "symbolic dim" in found.message


def test_l4_3_names_in_both_branches_are_checked() -> None:
    text = "attributes: {on: true}\ninputs: {x: 1}\nnodes:\n  f: x if on else q\n  g: q if on else x\noutputs: f"
    assert problems(text) == [("GS301", 5, 19), ("GS301", 6, 6)]


def test_l4_3_also_calls_in_both_branches() -> None:
    text = (
        "attributes: {on: true}\ninputs: {x: 1}\nnodes:\n  f: x if on else tnah(x)\n"
        "  g: x if on else exp(x, k=2)\noutputs: f"
    )
    assert problems(text) == [("GS201", 5, 19), ("GS210", 6, 26)]


def test_l4_3_only_the_chosen_branch_is_typed() -> None:
    text = "attributes: {on: true}\ninputs: {x: [1, 2], y: [1, 2, 3]}\nnodes:\n  f: x if on else x + y\noutputs: f"
    assert value(text) == [1, 2]
    with pytest.raises(gs.SpecError) as info:
        program(text, attributes={"on": False})
    assert [place(found) for found in info.value.diagnostics] == [("GS402", 5, 19)]


def test_l4_3_what_nothing_uses_is_not_created() -> None:
    text = """
        functions:
          layer:
            attributes: {bias: true}
            inputs: [x]
            parameters: {w: 2, b: 1}
            state: {n: 0}
            nodes: {y: x * w + b if bias else x * w}
            outputs: y
        inputs: {x: 3}
        nodes: {f: layer(x), g: "layer(x, bias=false)"}
        outputs: [f, g]
    """
    assert list(program(text).parameters) == ["f.w", "f.b", "g.w"]
    assert list(program(text).state) == []
    assert program(text).run().outputs == {"f": 7, "g": 6}


@pytest.mark.parametrize("moving", [True, False])
def test_l4_3_the_branch_of_an_update_that_leaves_a_state_as_it_is_does_not_create_it(moving: bool) -> None:
    text = f"""
        attributes: {{moving: {str(moving).lower()}}}
        inputs: {{g: 2}}
        state: {{velocity: 1}}
        nodes: {{v: velocity + g if moving else g}}
        outputs: v
        updates: {{velocity: v if moving else velocity}}
    """
    loaded = program(text)
    assert list(loaded.state) == (["velocity"] if moving else [])
    assert {path: array.item() for path, array in loaded.run().updates.items()} == ({"velocity": 3} if moving else {})


# -- L4.4 keywords and attributes -------------------------------------------------------------------------------------

CALLEE = """
    functions:
      g:
        attributes: {gain: 2, name: none, how: {type: op, default: tanh}, sizes: [1]}
        inputs: {x: null, y: 10}
        parameters: {w: 3}
        nodes: {z: x * gain + y * w}
        outputs: z
    attributes: {k: 7, label: text, act: {type: op, default: exp}, many: [1, 2]}
    inputs: {a: 1, b: 2}
    nodes:
      f: CALL
    outputs: f
"""


def called(call: str) -> str:
    return CALLEE.replace("CALL", call)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("g(a)", 32),
        ("g(a, b)", 8),
        ("g(a, y=b)", 8),
        ("g(y=b, x=a)", 8),
        ("g(a, gain=5)", 35),
        ("g(a, gain=k + 1)", 38),
        ("g(a, w=b)", 22),
        ("g(a, gain=5, y=b, w=a + a)", 9),
        ("{op: g, inputs: a}", 32),
        ("{op: g, inputs: [a, b]}", 8),
        ("{op: g, inputs: {x: a, y: b}}", 8),
        ("{op: g, inputs: {x: a, w: b}, gain: 5}", 25),
        ("{op: g, inputs: a, gain: $k}", 37),
        ('{op: g, inputs: a, gain: "$(2 * k)"}', 44),
        ("{op: g, inputs: a, gain: $a.shape}", 32),
    ],
)
def test_l4_4_a_keyword_names_a_port_an_attribute_or_a_parameter(call: str, expected: float) -> None:
    if "a.shape" in call:
        call = '{op: g, inputs: a, gain: "$(many[1])"}'
    assert value(called(call)) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("g(a, name=label)", "text"),
        ("'g(a, name=\"label\")'", "label"),
        ("{op: g, inputs: a, name: label}", "label"),
        ("{op: g, inputs: a, name: $label}", "text"),
        ("{op: g, inputs: a, name: $$label}", "$label"),
        ("{op: g, inputs: a, name: a$b}", "a$b"),
        ("{op: g, inputs: a, name: ''}", ""),
    ],
)
def test_l4_4_a_string_in_a_slot(call: str, expected: str) -> None:
    text = called(call).replace(
        "{z: x * gain + y * w}", "{z: 1 if name == 'EXPECTED' else 0}".replace("EXPECTED", expected)
    )
    assert value(text) == 1


def test_l4_4_lists_in_slots() -> None:
    def sizes(call: str) -> float:
        text = called(call).replace("x * gain + y * w", "'sizes[0] * 10.0 + sizes[1]'")
        found: float = value(text)
        return found

    assert sizes("g(a, sizes=[1, 2])") == 12
    assert sizes("g(a, sizes=[k, many[0]])") == 71
    assert sizes("{op: g, inputs: a, sizes: [3, 4]}") == 34
    assert sizes("{op: g, inputs: a, sizes: [$k, $(k + 1)]}") == 78
    assert sizes("{op: g, inputs: a, sizes: $many}") == 12


def test_l4_4_a_name_is_an_attribute_and_a_string_is_quoted() -> None:
    found = only(called("g(a, name=fast)"))
    assert place(found) == ("GS301", 12, 16)
    text = called("g(a, name=b)")
    found = only(text)
    assert place(found) == ("GS212", 12, 16)
    assert "value" in found.message


def test_l4_4_attributes_are_never_positional() -> None:
    found = only(called("g(a, b, 5)"))
    assert place(found) == ("GS305", 12, 14)
    assert found.message == "g takes 2 operands, found 3"
    assert "gain=" in found.hint


def test_l4_4_an_unknown_keyword() -> None:
    found = only(called("g(a, gian=5)"))
    assert place(found) == ("GS210", 12, 11)
    assert found.hint == "did you mean 'gain'?"
    assert problems(called("g(a, gian = (5))")) == [("GS210", 12, 11)]


def test_l4_4_an_unknown_key() -> None:
    found = only(called("{op: g, inputs: a, gian: 5}"))
    assert place(found) == ("GS202", 12, 25)
    assert found.hint == "did you mean 'gain'?"
    found = only(called("{op: g, x: a}"))
    assert place(found) == ("GS202", 12, 14)
    assert found.hint == "operands stand under 'inputs': inputs: {x: ...}"


def test_l4_4_a_wrong_value_is_found_where_it_is_written() -> None:
    assert problems(called("g(a, gain=2.5)")) == [("GS205", 12, 16)]
    assert problems(called("{op: g, inputs: a, gain: 2.5}")) == [("GS205", 12, 31)]
    assert problems(called("g(a, gain=label)")) == [("GS205", 12, 16)]
    assert problems(called("{op: g, inputs: a, gain: $label}")) == [("GS205", 12, 31)]
    assert problems(called("{op: g, inputs: a, gain: $(k / 2)}")) == [("GS205", 12, 31)]
    assert problems(called("{op: g, inputs: a, gain: $nothing}")) == [("GS301", 12, 32)]
    assert problems(called("{op: g, inputs: a, gain: '$(k +)'}")) == [("GS209", 12, 36)]
    assert problems(called("{op: g, inputs: a, sizes: [1, $nothing]}")) == [("GS301", 12, 37)]


def test_l4_4_all_wrong_keywords_are_reported() -> None:
    text = called("g(a, gian=5, nmae=3) + g(a, gain=1.5)")
    assert problems(text) == [("GS210", 12, 11), ("GS210", 12, 19), ("GS205", 12, 39)]


HOW = called("g(a, how=HOW)").replace("x * gain + y * w", "how(x)")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("tanh", math.tanh(1)),
        ("act", math.e),
        ("leaky_relu(slope=0.2)", 1),
        ("double", 2),
        ("scaled(by=k)", 7),
        ("scaled(by=2)", 2),
    ],
)
def test_l4_4_an_attribute_of_type_op(how: str, expected: float) -> None:
    text = HOW.replace(
        "functions:",
        """functions:
      double: {inputs: [x], nodes: {y: 2 * x}, outputs: y}
      scaled: {attributes: {by: 1}, inputs: [x], nodes: {y: by * x}, outputs: y}
      leaky_relu: {attributes: {slope: 0.01}, inputs: [x], nodes: {y: "where(x > 0, x, slope * x)"}, outputs: y}""",
    )
    assert value(text.replace("HOW", how)) == pytest.approx(expected)
    key = text.replace("g(a, how=HOW)", "{op: g, inputs: a, how: HOW}")
    if how not in ("act",):
        assert value(key.replace("HOW", how)) == pytest.approx(expected)
    else:
        assert value(key.replace("HOW", "$act")) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("how", "code", "column"),
    [
        ("tnah", "GS201", 15),
        ("tanh(slope=1)", "GS210", 20),
        ("3", "GS205", 15),
        ("k", "GS201", 15),
        ("sum(axis=1.5)", "GS205", 24),
    ],
)
def test_l4_4_what_is_no_op(how: str, code: str, column: int) -> None:
    assert problems(HOW.replace("HOW", how)) == [(code, 12, column)]
    key = HOW.replace("g(a, how=HOW)", "{op: g, inputs: a, how: HOW}")
    if how != "k":
        assert problems(key.replace("HOW", how)) == [(code, 12, column + 15)]


def test_l4_4_it_is_resolved_where_it_is_written() -> None:
    text = """
        functions:
          apply:
            functions:
              mine: {inputs: [x], nodes: {y: 100 * x}, outputs: y}
            attributes: {how: {type: op, default: mine}}
            inputs: [x]
            nodes: {y: how(x)}
            outputs: y
          mine: {inputs: [x], nodes: {y: 2 * x}, outputs: y}
        inputs: {x: 1}
        nodes: {a: apply(x), b: "apply(x, how=mine)", c: {op: apply, inputs: x, how: mine}}
        outputs: [a, b, c]
    """
    assert program(text).run().outputs == {"a": 100, "b": 2, "c": 2}


def test_l4_4_it_passes_down() -> None:
    text = """
        functions:
          inner: {attributes: {how: {type: op}}, inputs: [x], nodes: {y: how(x)}, outputs: y}
          outer: {attributes: {act: {type: op}}, inputs: [x], nodes: {y: "inner(x, how=act)"}, outputs: y}
        inputs: {x: 1}
        nodes: {f: "outer(x, act=exp)"}
        outputs: f
    """
    assert value(text) == pytest.approx(math.e)


# -- L4.5 attributes and dims as operands -----------------------------------------------------------------------------


def test_l4_5_an_attribute_in_an_operand_slot_is_a_literal() -> None:
    text = """
        attributes: {n: 3, rate: 0.5, on: true}
        inputs: {x: 2, i: {value: 4, dtype: int64}}
        nodes: {a: x * n, b: i * n, c: rate, d: on, e: n * rate, f: {op: add, inputs: [x, n]}, g: "subtract(n, b=x)"}
        outputs: [a, b, c, d, e, f, g]
    """
    loaded = program(text)
    assert loaded.run().outputs == {"a": 6, "b": 12, "c": 0.5, "d": True, "e": 1.5, "f": 5, "g": 1}
    assert [str(found) for found in loaded.outputs.values()][:4] == ["float64[]", "int64[]", "float64[]", "bool[]"]
    assert "n" not in loaded.graph.names


def test_l4_5_a_fraction_stays_one() -> None:
    text = "attributes: {rate: 0.5}\ninputs: {i: {value: 4, dtype: int64}}\nnodes:\n  f: i * rate\noutputs: f"
    assert problems(text) == [("GS405", 5, 6)]


@pytest.mark.parametrize(
    ("attribute", "shown"),
    [("mode: fast", "fast"), ("mode: [1, 2]", "(1, 2)"), ("mode: {type: op, default: exp}", "exp")],
)
def test_l4_5_other_attributes_are_no_operands(attribute: str, shown: str) -> None:
    found = only(f"attributes: {{{attribute}}}\ninputs: {{x: 2}}\nnodes:\n  f: x * mode\noutputs: f")
    assert place(found) == ("GS204", 5, 10)
    assert "cannot be an operand" in found.message


def test_l4_5_a_dim_is_an_integer_literal() -> None:
    text = """
        inputs: {x: {shape: [n, 3]}, i: {value: 4, dtype: int64}}
        nodes:
          a: sum(x) / x.shape[0]
          b: i * x.shape[1]
          c: i + x.shape[0] * 2 - 1
          d: x.shape[1]
          e: x / (x.shape[0] - 1)
          g: sqrt(x.shape[0])
          h: x.shape[-1] * 1.5
        outputs: [a, b, c, d, e, g, h]
    """
    loaded = program(text)
    run = loaded.run(x=[[1, 2, 3], [4, 5, 6]])
    assert [float(run[name]) for name in "abcdg"] == [10.5, 12, 7, 3, math.sqrt(2)]
    assert float(run["h"]) == 4.5
    assert run["c"].dtype == np.int64
    np.testing.assert_array_equal(run["e"], [[1, 2, 3], [4, 5, 6]])


def test_l4_5_shapes_of_what_was_computed() -> None:
    text = "inputs: {x: {shape: [n]}}\nnodes:\n  y: concat(x, x, axis=0)\n  f: sum(y) / y.shape[0]\noutputs: f"
    assert float(program(text).run(x=[1, 3])["f"]) == 2


def test_l4_5_a_dim_out_of_range() -> None:
    found = only("inputs: {x: {shape: [n]}}\nnodes:\n  f: x * x.shape[1]\noutputs: f")
    assert place(found) == ("GS212", 4, 10)
    assert paths("inputs: {x: [1]}\nnodes:\n  f: x * x.shape[0]\noutputs: f") == ["x", "f"]


def test_l4_5_the_shape_itself_is_no_operand() -> None:
    found = only("inputs: {x: [1]}\nnodes:\n  f: x * x.shape\noutputs: f")
    assert place(found)[1:] == (4, 10)
    assert found.code in ("GS311", "GS212")


def test_l4_5_a_dtype_is_no_operand_but_an_attribute() -> None:
    text = "inputs: {x: {shape: [2], dtype: float32}}\nnodes:\n  f: %s\noutputs: f"
    for written in ("ones(shape=x.shape, dtype=x.dtype)", "{op: ones, shape: [2], dtype: $x.dtype}"):
        assert str(program(text % written).outputs["f"]) == "float32[2]"
    for written, column in (("x * x.dtype", 10), ("x.dtype", 6), ("x + x.dtype[0]", 10)):
        found = only(text % written)
        assert place(found) == ("GS311", 4, column)
        assert found.hint == "'x.dtype' stands in static conditions and in attributes"
    assert only(text % "x + x.dtyp").hint == "did you mean 'dtype'?"


def test_l4_5_an_error_in_a_function_shows_its_calls() -> None:
    text = (
        "functions:\n"
        "  g: {inputs: [x], nodes: {y: x + mode}, attributes: {mode: fast}, outputs: y}\n"
        "nodes: {f: g(1)}\noutputs: f"
    )
    found = only(text)
    assert place(found) == ("GS204", 3, 35)
    assert related(found) == [(4, 12)]
