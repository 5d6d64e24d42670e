"""Rules L5.1 to L5.3: ports and edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rules import diagnostics, only, paths, place, problems, program, related, value

# -- L5.1 ports -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("{op: exp, inputs: a}", math.exp(2)),
        ("{op: exp, inputs: a - b}", math.exp(-1)),
        ("{op: exp, inputs: 1}", math.e),
        ("{op: exp, inputs: [a]}", math.exp(2)),
        ("{op: exp, inputs: {x: a}}", math.exp(2)),
        ("{op: subtract, inputs: [a, b]}", -1),
        ("{op: subtract, inputs: [a, 5]}", -3),
        ("{op: subtract, inputs: {b: b, a: a}}", -1),
        ("{op: subtract, inputs: {b: 1, a: a * 2}}", 3),
        ("{op: subtract, inputs: [a, exp(b - 3)]}", 1),
        ("{op: add, inputs: a}", 2),
        ("{op: add, inputs: [a, b, 4]}", 9),
        ("{op: add, inputs: {terms: [a, b]}}", 5),
        ("{op: add, inputs: {terms: a}}", 2),
        ("add(a)", 2),
        ("add(a, b, 4, a)", 11),
    ],
)
def test_l5_1_an_expression_a_list_or_a_mapping(node: str, expected: float) -> None:
    text = f"inputs: {{a: 2, b: 3}}\nnodes:\n  f: {node}\noutputs: f".replace("exp(b - 3)]", '"exp(b - 3)"]')
    assert value(text) == pytest.approx(expected)


@pytest.mark.parametrize("op", ["concat", "stack"])
def test_l5_1_variadic_ops_with_attributes(op: str) -> None:
    text = (
        f"inputs: {{a: [1, 2], b: [3, 4]}}\nnodes:\n  f: {op}(a, b, a, axis=0)\n"
        f"  g: {{op: {op}, inputs: {{arrays: [a, b, a]}}, axis: 0}}\noutputs: [f, g]"
    )
    arrays = [np.array([1.0, 2]), np.array([3.0, 4]), np.array([1.0, 2])]
    expected = (np.concatenate if op == "concat" else np.stack)(arrays).tolist()
    assert value(text) == value(text, "g") == expected


@pytest.mark.parametrize(
    ("node", "code", "column", "message"),
    [
        ("subtract(a)", "GS303", 6, "subtract has no operand for its port 'b'"),
        ("subtract(b=a)", "GS303", 6, "subtract has no operand for its port 'a'"),
        ("subtract(a, b, a)", "GS305", 21, "subtract takes 2 operands, found 3"),
        ("exp(a, b)", "GS305", 13, "exp takes 1 operand, found 2"),
        ("subtract(a, b, a=b)", "GS304", 23, "port 'a' of subtract gets its operand twice"),
        ("add()", "GS303", 6, "add has no operand for its port 'terms'"),
        ("subtract(a, c=b)", "GS210", 18, "neither a port nor an attribute 'c'"),
        ("{op: exp}", "GS303", 11, "port 'x'"),
        ("{op: exp, inputs: []}", "GS303", 11, "port 'x'"),
        ("{op: add, inputs: []}", "GS303", 11, "port 'terms'"),
        ("{op: add, inputs: {terms: []}}", "GS303", 11, "port 'terms'"),
        ("{op: exp, inputs: {y: a}}", "GS309", 28, "exp has no port 'y'"),
        ("{op: exp, inputs: {x: [a, b]}}", "GS305", 32, "port 'x' of exp takes one operand, found 2"),
        ("{op: exp, inputs: {x: []}}", "GS303", 11, "port 'x'"),
        ("{op: exp, inputs: [a, b]}", "GS305", 28, "exp takes 1 operand"),
        ("{op: exp, inputs: [[a]]}", "GS204", 25, "expected"),
        ("{op: exp, inputs: [{x: a}]}", "GS204", 25, "expected"),
        ("{op: exp, inputs: null}", "GS204", 24, "expected"),
    ],
)  # fmt: skip
def test_l5_1_operands_that_do_not_fit(node: str, code: str, column: int, message: str) -> None:
    found = only(f"inputs: {{a: 2, b: 3}}\nnodes:\n  f: {node}\noutputs: f")
    assert place(found) == (code, 4, column)
    assert message in found.message


def test_l5_1_all_misfits_are_reported() -> None:
    text = (
        "inputs: {a: 2}\nnodes:\n  f: subtract(a) + exp(a, a)\n  g: {op: exp}\n"
        "  h: {op: exp, inputs: [a, a]}\noutputs: f"
    )
    assert problems(text) == [("GS303", 4, 6), ("GS305", 4, 27), ("GS303", 5, 11), ("GS305", 6, 28)]


TOTAL = """
    functions:
      total:
        inputs: {weight: null, terms: {variadic: true}}
        nodes: {y: "weight * add(1, terms)"}
        outputs: y
    inputs: {a: 2, b: 3}
    nodes:
      f: CALL
    outputs: f
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("total(10, a)", 30),
        ("total(10, a, b)", 60),
        ("total(10, a, b, a + b)", 110),
        ("{op: total, inputs: [10, a, b]}", 60),
        ("{op: total, inputs: {weight: 10, terms: [a, b]}}", 60),
        ("total(10, terms=a)", 30),
    ],
)
def test_l5_1_a_variadic_input_of_a_function_stands_for_all_its_operands(call: str, expected: float) -> None:
    assert value(TOTAL.replace("CALL", call)) == expected


def test_l5_1_it_takes_at_least_one() -> None:
    found = only(TOTAL.replace("CALL", "total(10)"))
    assert place(found) == ("GS303", 9, 6)
    assert "port 'terms'" in found.message


def test_l5_1_it_is_passed_on_to_other_variadic_inputs() -> None:
    text = """
        functions:
          inner: {inputs: {xs: {variadic: true}}, nodes: {y: add(xs)}, outputs: y}
          outer:
            inputs: {xs: {variadic: true}}
            nodes: {y: "inner(1, xs)", z: {op: inner, inputs: xs}}
            outputs: [y, z]
        inputs: {a: 2, b: 3}
        nodes: {f: "outer(a, b)", g: f.y * 10 + f.z}
        outputs: g
    """
    assert value(text, "g") == 65


@pytest.mark.parametrize(
    "use",
    ["terms * 2", "exp(terms)", "terms", "terms[0]", "-terms", "subtract(terms, 1)", "where(weight > 0, terms, 0)"],
)
def test_l5_1_it_may_stand_nowhere_else(use: str) -> None:
    text = TOTAL.replace("weight * add(1, terms)", use).replace("CALL", "total(10, a, b)")
    found = only(text)
    assert place(found)[:2] == ("GS305", 5)
    assert found.message == "a variadic input can only be an operand of a variadic port"
    assert related(found) == [(9, 6)]


def test_l5_1_at_most_one_and_the_last() -> None:
    text = """
        functions:
          first: {inputs: {a: {variadic: true}, b: null}, nodes: {y: add(a) * b}, outputs: y}
          both:
            inputs:
              a: {variadic: true}
              b: {variadic: true}
            nodes: {y: add(a) * add(b)}
            outputs: y
        nodes: {f: 1}
        outputs: f
    """
    found = diagnostics(text)
    assert [place(item) for item in found] == [("GS205", 3, 20), ("GS205", 6, 7)]
    assert found[0].message == "the variadic input 'a' is not the last"


def test_l5_1_types_of_a_variadic_input() -> None:
    text = """
        functions:
          total: {inputs: {xs: {variadic: true, shape: [n], dtype: float64}}, nodes: {y: add(xs)}, outputs: y}
        inputs: {a: [1, 2], b: [3, 4], c: [1, 2, 3], i: {value: [1, 2], dtype: int64}}
        nodes:
          f: total(a, b)
          CALL
        outputs: f
    """
    assert value(text.replace("CALL", "g: a")) == [4, 6]
    assert problems(text.replace("CALL", "g: total(a, c)")) == [("GS402", 7, 15)]
    assert problems(text.replace("CALL", "g: total(a, i)")) == [("GS401", 7, 15)]


def test_l5_1_a_variadic_input_of_a_file_alone_is_one() -> None:
    text = "inputs: {xs: {variadic: true, shape: [2], value: [1, 2]}}\nnodes: {f: add(xs)}\noutputs: f"
    assert value(text) == [1, 2]


def test_l5_1_edges_to_it_in_their_order() -> None:
    text = """
        functions:
          join: {inputs: {xs: {variadic: true}}, nodes: {y: stack(xs)}, outputs: y}
        inputs: {a: 1, b: 2}
        nodes: {f: {op: join}, g: {op: stack}}
        edges:
          - b -> f
          - a -> f: 10
          - a -> f.xs
          - b -> g.arrays
          - a -> g
        outputs: [f, g]
    """
    assert value(text) == [2, 10, 1]
    assert value(text, "g") == [2, 1]


# -- L5.2 edges -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edge",
    ["x -> z", "x->z", "x  ->   z", "'x -> z'", '"x->z"', "{from: x, to: z}", "x -> z.terms", "{from: x, to: z.terms}"],
)
def test_l5_2_the_forms_of_an_edge(edge: str) -> None:
    text = f"inputs: {{x: 3}}\nnodes: {{z: {{op: add}}}}\nedges:\n  - {edge}\noutputs: z"
    assert value(text, "z") == 3
    assert program(text).backprop().gradients["x"] == 1


def test_l5_2_a_chain() -> None:
    text = """
        inputs: {x: 1, y: 2}
        nodes: {a: {op: exp}, b: {op: log}, c: {op: subtract}}
        edges:
          - x -> a -> b -> c.a
          - y->c.b
        outputs: c
    """
    assert value(text, "c") == pytest.approx(-1)
    assert list(program(text).parameters) == []


@pytest.mark.parametrize(
    ("edge", "expected"),
    [
        ("x -> z: 5", 15),
        ("x->z: 5", 15),
        ("{x -> z: 5}", 15),
        ("x -> z: -0.5", -1.5),
        ("x -> z: [1, 2]", [3, 6]),
        ("x -> z: w", 21),
        ("x -> z: {value: 5}", 15),
        ("x -> z: {value: 5, trainable: false}", 15),
        ("x -> z: {shape: [2], init: ones}", [3, 3]),
        ("{from: x, to: z, weight: 5}", 15),
        ("{from: x, to: z, weight: w}", 21),
        ("{from: x, to: z, weight: {value: 5}}", 15),
    ],
)
def test_l5_2_weights(edge: str, expected: object) -> None:
    text = f"inputs: {{x: 3}}\nparameters: {{w: 7}}\nnodes: {{z: {{op: add}}}}\nedges:\n  - {edge}\noutputs: z"
    assert value(text, "z") == expected
    names = list(program(text).parameters)
    assert names == (["w"] if "w" in edge.replace("weight", "") else ["x -> z"])


def test_l5_2_the_gradient_of_an_edge() -> None:
    text = """
        inputs: {x1: 1, x2: -1}
        parameters: {b: 1}
        nodes:
          z: {op: add}
          a: 1 / (1 + exp(-z))
        edges:
          - x1 -> z: 1
          - x2 -> z: -2
          - b -> z
        outputs: a
    """
    result = program(text).backprop()
    a = 1 / (1 + math.exp(-4))
    slope = a * (1 - a)
    assert float(result["a"]) == pytest.approx(a)
    found = {name: float(item) for name, item in result.gradients.items()}
    assert found == pytest.approx({"x1": slope, "x2": -2 * slope, "b": slope, "x1 -> z": slope, "x2 -> z": -slope})


def test_l5_2_a_shared_weight_collects_both_gradients() -> None:
    text = """
        inputs: {x: 3, y: 4}
        parameters: {w: 2}
        nodes: {z: {op: add}, v: {op: add}, f: z * v}
        edges:
          - x -> z: w
          - y -> z: w
          - x -> v: w
          - y -> v: x -> z
          - x -> z: {value: 1}
        outputs: f
    """.replace("x -> z: {value: 1}", "{x -> z: 1}")
    loaded = program(text)
    assert list(loaded.parameters) == ["w", "x -> z"]
    result = loaded.backprop()
    z, v = 2 * 3 + 2 * 4 + 3, 2 * 3 + 1 * 4
    assert float(result["f"]) == z * v
    assert float(result.gradients["w"]) == 7 * v + 3 * z
    assert float(result.gradients["x -> z"]) == 3 * v + 4 * z


@pytest.mark.parametrize(
    ("written", "name"), [("x->z", "x -> z"), ("  x  ->z.terms", "x -> z.terms"), ("g.h->z", "g.h -> z")]
)
def test_l5_2_names_are_normalised(written: str, name: str) -> None:
    text = f'inputs: {{x: 3, g.h: 3}}\nnodes: {{z: {{op: add}}, f: 2 * z}}\nedges:\n  - "{written}": 5\noutputs: f'
    assert list(program(text).parameters) == [name]
    assert value(text) == 30
    assert program(text).backprop(wrt=[name]).gradients[name] == 6


def test_l5_2_a_second_new_weight_of_the_same_name() -> None:
    text = (
        "inputs: {x: 3}\nnodes: {z: {op: add}}\nedges:\n  - x -> z: 1\n"
        "  - {from: x, to: z, weight: 2}\n  - x->z: 3\n  - x -> z.terms: 4\n  - x -> z\noutputs: z"
    )
    found = diagnostics(text)
    assert [place(item) for item in found] == [("GS302", 6, 22), ("GS302", 7, 5)]
    assert related(found[0]) == [(5, 5)]
    assert found[0].message == "'x -> z' is declared twice"


def test_l5_2_several_edges_between_the_same_ends_are_several_operands() -> None:
    text = "inputs: {x: 3}\nnodes: {z: {op: add}}\nedges:\n  - x -> z\n  - x -> z\n  - x -> z: 5\noutputs: z"
    assert value(text, "z") == 21


@pytest.mark.parametrize(
    ("edge", "code", "column", "message"),
    [
        ("x", "GS214", 5, "'x' is not an edge"),
        ("x -> ", "GS214", 5, "is not an edge"),
        ("x --> z", "GS214", 5, "is not an edge"),
        ("x => z", "GS214", 5, "is not an edge"),
        ("x + 1 -> z", "GS214", 5, "is not an edge"),
        ("x -> exp(z)", "GS214", 5, "is not an edge"),
        ("x -> y -> z: 2", "GS214", 5, "only an edge of two ends takes a weight"),
        ("q -> z", "GS301", 5, "unknown name 'q'"),
        ("x -> q", "GS301", 10, "unknown name 'q'"),
        ("x -> e", "GS308", 10, "'e' is an expression"),
        ("x -> x", "GS308", 10, "'x' is declared in inputs"),
        ("x -> z.nothing", "GS309", 10, "add has no port 'nothing'"),
        ("x -> z.nothing.more", "GS301", 10, "unknown name 'z.nothing'"),
        ("x -> d", "GS309", 10, "divide has several ports: a, b"),
        ("x -> e.x", "GS308", 10, "'e' is an expression"),
        ("x -> z: q", "GS301", 13, "no parameter is called 'q'"),
        ("x -> z: x", "GS301", 13, "no parameter is called 'x'"),
        ("x -> z: true", "GS204", 13, "expected"),
        ("x -> z: null", "GS204", 13, "expected"),
        ("x -> z: {shape: [2]}", "GS203", 5, "exactly one of"),
        ("x -> z: {value: 1, sahpe: []}", "GS202", 24, "unknown key 'sahpe'"),
        ("x -> z: {value: 1, constraint: c}", "GS208", 24, "reserved"),
        ("x -> z: [1, [2]]", "GS204", 5, "rows"),
        ("{from: x}", "GS203", 5, "the key 'to' is missing"),
        ("{to: z}", "GS203", 5, "the key 'from' is missing"),
        ("{from: x, to: z, wieght: 1}", "GS202", 22, "unknown key 'wieght' in an edge"),
        ("{from: x, to: z, gain: 1}", "GS208", 22, "reserved"),
        ("{from: x + 1, to: z}", "GS214", 12, "is not"),
        ("{from: x, to: z w}", "GS214", 19, "is not"),
        ("{from: q, to: z}", "GS301", 12, "unknown name 'q'"),
        ("{from: x, to: q}", "GS301", 19, "unknown name 'q'"),
        ("{from: x, to: e}", "GS308", 19, "'e' is an expression"),
        ("5", "GS204", 5, "expected a string or a mapping"),
    ],
)  # fmt: skip
def test_l5_2_what_is_no_edge(edge: str, code: str, column: int, message: str) -> None:
    text = f"""
        inputs: {{x: 3}}
        nodes: {{z: {{op: add}}, e: x + 1, d: {{op: divide}}}}
        edges:
          - {edge}
          - x -> z
          - x -> d.a
          - x -> d.b
        outputs: z
    """
    found = only(text)
    assert place(found) == (code, 5, column)
    assert message in found.message


def test_l5_2_a_mapping_of_two_edges() -> None:
    text = "inputs: {x: 3, y: 1}\nnodes: {z: {op: add}}\nedges:\n  - x -> z: 1\n    y -> z: 2\noutputs: z"
    found = only(text)
    assert place(found) == ("GS214", 5, 5)
    assert found.hint == "write each edge as an item of its own: - x -> z: 1"


def test_l5_2_all_bad_edges_are_reported() -> None:
    text = """
        inputs: {x: 3}
        nodes: {z: {op: add}, e: x + 1}
        edges:
          - q -> z
          - x -> e
          - x -> p
          - x -> z.port
          - x -> z: nothing
        outputs: z
    """
    assert problems(text) == [
        ("GS301", 5, 5),
        ("GS308", 6, 10),
        ("GS301", 7, 10),
        ("GS309", 8, 10),
        ("GS301", 9, 13),
    ]


def test_l5_2_hints() -> None:
    text = (
        "inputs: {image: 3}\nparameters: {weight: 1}\n"
        "nodes: {total: {op: subtract, inputs: {b: 1}}, e: image + 1}\nedges:\n  - {}\noutputs: e"
    )

    def hint(edge: str) -> str:
        return next(found.hint for found in diagnostics(text.replace("{}", edge)) if found.code != "GS303")

    assert hint("imgae -> total.a") == "did you mean 'image'?"
    assert hint("image -> totla.a") == "did you mean 'total'?"
    assert hint("image -> total") == "name one: source -> target.port"
    assert hint("image -> e") == "write e: {op: ...}"
    assert hint("image -> total.a: wieght") == "did you mean 'weight'?"


def test_l5_2_an_operand_comes_from_one_place() -> None:
    text = """
        inputs: {x: 3}
        nodes:
          z: {op: add, inputs: [x, 1]}
          d: {op: divide, inputs: {a: x}}
          e: {op: exp}
        edges:
          - x -> z
          - x -> d.a
          - x -> d.b
          - x -> e
          - z -> e
        outputs: z
    """
    found = diagnostics(text)
    assert [place(item) for item in found] == [("GS304", 8, 10), ("GS304", 9, 10), ("GS304", 12, 10)]
    assert found[0].message == "port 'terms' of add gets its operand twice"


def test_l5_2_edges_and_inputs_may_feed_different_ports() -> None:
    text = "inputs: {x: 3}\nnodes:\n  d: {op: divide, inputs: {b: 2}}\nedges:\n  - x -> d.a: 4\noutputs: d"
    assert value(text, "d") == 6
    assert list(program(text).parameters) == ["x -> d.a"]
    assert paths(text) == ["x", "x -> d.a", "d.multiply", "d"]


def test_l5_2_cycles_of_edges() -> None:
    text = (
        "inputs: {x: 1}\nnodes:\n  a: {op: add}\n  b: {op: add}\n  c: {op: add}\nedges:\n"
        "  - x -> a -> b -> c -> a\noutputs: c"
    )
    found = only(text)
    assert place(found) == ("GS306", 4, 3)
    assert found.message == "a cycle: a -> b -> c -> a"
    assert related(found) == [(5, 3), (6, 3), (4, 3)]


def test_l5_2_edges_in_a_function() -> None:
    text = """
        functions:
          neuron:
            inputs: [x, y]
            nodes: {z: {op: add}}
            edges:
              - x -> z: 2
              - {from: y, to: z, weight: 3}
            outputs: z
        inputs: {a: 1, b: 10}
        nodes: {f: "neuron(a, b)", g: "tanh(neuron(b, a))"}
        outputs: [f, g]
    """
    assert value(text) == 32
    assert list(program(text).parameters) == ["f.x -> z", "f.y -> z", "g.neuron.x -> z", "g.neuron.y -> z"]


def test_l5_2_a_literal_is_not_a_source_and_an_attribute_is() -> None:
    text = (
        "attributes: {n: 4}\nconstants: {c: 5, l: [1, 2]}\nnodes: {z: {op: add}}\nedges:\n"
        "  - n -> z: 2\n  - c -> z\n  - l -> z\noutputs: z"
    )
    assert value(text, "z") == [14, 15]


# -- L5.3 several outputs ---------------------------------------------------------------------------------------------

PAIR = """
    functions:
      pair: {{inputs: [x], nodes: {{low: x - 1, high: x + 1}}, outputs: [low, high]}}
    inputs: {{x: [1, 2, 3, 4]}}
    nodes:
      p: pair(x)
      s: split(x, parts=2)
      z: {{op: add}}
      f: {}
    edges:
      - {}
    outputs: {}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("p.low", [0, 1, 2, 3]),
        ("'p.high'", [2, 3, 4, 5]),
        ("p.high - p.low", [2, 2, 2, 2]),
        ("pair(x).high", [2, 3, 4, 5]),
        ("pair(pair(x).high).high[0]", 3),
        ("s.y0", [1, 2]),
        ("s.y1", [3, 4]),
        ("split(x, parts=4).y3", [4]),
        ("split(x, sizes=[1, 3]).y1 * 2", [4, 6, 8]),
        ("{op: exp, inputs: p.low[0:1]}", [1]),
    ],
)
def test_l5_3_several_outputs_are_reached_by_name(expression: str, expected: object) -> None:
    text = PAIR.format(expression, "x -> z", "f").replace("inputs: p.low[0:1]", 'inputs: "p.low[0:1]"')
    assert value(text) == expected


def test_l5_3_in_edges_and_outputs() -> None:
    text = PAIR.format("sum(z)", "p.low -> z: 10", "[f, p.low, s.y1, {}]").replace(", {}", "")
    result = program(text).backprop(of="f")
    assert list(result.outputs) == ["f", "p.low", "s.y1"]
    assert result["f"] == 60
    assert result.gradients["p.low -> z"] == 6
    assert program(text).backprop(of="f", wrt=["p.low"]).gradients["p.low"].tolist() == [10, 10, 10, 10]


@pytest.mark.parametrize(
    ("expression", "column", "listed"),
    [
        ("p", 6, "p.low, p.high"),
        ("p * 2", 6, "p.low, p.high"),
        ("exp(s)", 10, "s.y0, s.y1"),
        ("2 - pair(x)", 10, "f.pair.low, f.pair.high"),
        ("s[0]", 6, "s.y0, s.y1"),
        ("{op: exp, inputs: p}", 24, "p.low, p.high"),
        ("{op: exp, inputs: {x: p}}", 28, "p.low, p.high"),
    ],
)
def test_l5_3_a_bare_reference_is_an_error_that_lists_them(expression: str, column: int, listed: str) -> None:
    found = only(PAIR.format(expression, "x -> z", "f"))
    assert place(found) == ("GS310", 9, column)
    assert found.message.endswith(f"has several outputs: {listed}")


def test_l5_3_also_in_edges_and_outputs() -> None:
    assert problems(PAIR.format("x", "p -> z", "f")) == [("GS310", 11, 5)]
    assert problems(PAIR.format("x", "x -> z", "p")) == [("GS310", 12, 10)]
    assert problems(PAIR.format("x", "x -> z", "[f, s]")) == [("GS310", 12, 14)]
    assert problems(PAIR.format("x", "x -> z", "{g: p}")) == [("GS310", 12, 14)]


@pytest.mark.parametrize(
    ("expression", "column", "hint"),
    [
        ("p.lwo", 6, "did you mean 'low'?"),
        ("pair(x).hihg", 6, "did you mean 'high'?"),
        ("s.y2", 6, "'y0'"),
        ("2 * s.z", 10, ""),
    ],
)
def test_l5_3_an_unknown_output(expression: str, column: int, hint: str) -> None:
    found = only(PAIR.format(expression, "x -> z", "f"))
    assert place(found) == ("GS311", 9, column)
    assert hint in found.hint


def test_l5_3_all_wrong_references_are_reported_without_their_users() -> None:
    text = PAIR.format("p * 2\n      g: f + 1\n      h: s.y7", "p -> z", "[f, g]")
    assert problems(text) == [("GS310", 9, 6), ("GS311", 11, 6), ("GS310", 13, 5)]


def test_l5_3_outputs_by_other_names() -> None:
    text = """
        functions:
          stats: {inputs: [x], outputs: {total: sum(x), doubled: 2 * x, x: x}}
        inputs: {x: [1, 2]}
        nodes: {s: stats(x), f: s.total * s.doubled + s.x}
        outputs: f
    """
    assert value(text) == [7, 14]
    assert paths(text)[:3] == ["x", "s.total", "s.doubled"]
