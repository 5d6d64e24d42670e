"""Rules L3.1 to L3.4: paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rules import only, paths, place, problems, program, value

import graphspec as gs

# -- L3.1 the parts of an expression ----------------------------------------------------------------------------------

FOUR = "inputs: {{a: 1, b: 2, c: 3, d: 4}}\nnodes:\n  f: {}\noutputs: f"


def parts(expression: str) -> list[str]:
    return paths(FOUR.format(expression))[4:]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("exp(a + b) * (c + d)", ["f.add", "f.exp", "f.add_2", "f"]),
        ("a + b", ["f"]),
        ("a + b + c", ["f.add", "f"]),
        ("a + b + c + d", ["f.add", "f.add_2", "f"]),
        ("a + (b + c)", ["f.add", "f"]),
        ("add(a, b, c)", ["f"]),
        ("a * b - c * d", ["f.multiply", "f.multiply_2", "f"]),
        ("a * b + a * b", ["f.multiply", "f.multiply_2", "f"]),
        ("a * b + c * (a * d)", ["f.multiply", "f.multiply_2", "f.multiply_3", "f"]),
        ("-a * b", ["f.negative", "f"]),
        ("-a**2", ["f.pow", "f"]),
        ("a / b // c % d", ["f.divide", "f.floor_divide", "f"]),
        ("cast(a < b, dtype='float64') + cast(c == d, dtype='float64')",
         ["f.less", "f.cast", "f.equal", "f.cast_2", "f"]),
        ("a", ["f"]),
        ("(a)", ["f"]),
        ("5", ["f"]),
        ("-5", ["f"]),
        ("2 * a + 1", ["f.multiply", "f"]),
        ("maximum(a + b, -c) - 1", ["f.add", "f.negative", "f.maximum", "f"]),
    ],
)  # fmt: skip
def test_l3_1_the_outermost_operation_has_the_name_and_those_below_are_numbered(
    expression: str, expected: list[str]
) -> None:
    assert parts(expression) == expected


@pytest.mark.parametrize(
    ("expression", "op"),
    [("a", "identity"), ("5", "identity"), ("true", "identity"), ("-5", "identity"), ("a + b", "add")],
)
def test_l3_1_a_name_or_a_literal_is_an_identity(expression: str, op: str) -> None:
    loaded = program(FOUR.format(expression))
    assert loaded.graph.ops[loaded.graph.names["f"]].name == op


def test_l3_1_indexing_is_slice() -> None:
    text = "inputs: {x: [1, 2, 3]}\nnodes:\n  f: x[0] * x[1] + (x * x)[2]\n  g: x[1:]\noutputs: [f, g]"
    assert paths(text) == ["x", "f.slice", "f.slice_2", "f.multiply", "f.multiply_2", "f.slice_3", "f", "g"]
    loaded = program(text)
    assert loaded.graph.ops[loaded.graph.names["g"]].name == "slice"


def test_l3_1_a_conditional_is_the_branch_that_is_built() -> None:
    text = (
        "attributes: {up: true}\ninputs: {x: 1}\nnodes:\n  f: x + 1 if up else exp(x) * 2\n"
        "  g: x * 2 - (-x if up else x)\noutputs: [f, g]"
    )
    assert paths(text) == ["x", "f", "g.multiply", "g.negative", "g"]
    assert paths(text, attributes={"up": False}) == ["x", "f.exp", "f", "g.multiply", "g"]


def test_l3_1_nodes_in_mapping_form() -> None:
    text = """
        inputs: {a: 1, b: 2}
        nodes:
          f: {op: multiply, inputs: [a + b, exp(a + a)]}
          g: {op: subtract, inputs: {b: a * 2, a: b * 3}}
          h: {op: exp, inputs: a + b}
        outputs: [f, g, h]
    """
    names = paths(text)[2:]
    assert names == ["f.add", "f.add_2", "f.exp", "f", "g.multiply", "g.multiply_2", "g", "h.add", "h"]
    assert value(text, "g.multiply") == 2
    assert value(text, "g") == 4


def test_l3_1_keywords_are_evaluated_in_the_order_of_the_text() -> None:
    text = "inputs: {a: 1, b: 2}\nnodes:\n  f: subtract(b=a * 2, a=b * 3)\noutputs: f"
    run = program(text).run()
    assert list(run.values)[2:] == ["f.multiply", "f.multiply_2", "f"]
    assert (run["f.multiply"], run["f.multiply_2"], run["f"]) == (2, 6, 4)


def test_l3_1_a_literal_has_no_path_of_its_own() -> None:
    assert paths(FOUR.format("(a + 1) * 2")) == ["a", "b", "c", "d", "f.add", "f"]


def test_l3_1_long_sums() -> None:
    names = parts(" + ".join(["a"] * 300))
    assert names[:2] == ["f.add", "f.add_2"]
    assert names[-2:] == ["f.add_298", "f"]


def test_l3_1_everything_has_a_value_and_a_gradient() -> None:
    result = program(FOUR.format("exp(a + b) * (c + d)")).backprop()
    cotangents = {name: float(result.cotangents[name]) for name in ("f", "f.exp", "f.add_2", "f.add", "a", "c")}
    e = float(np.exp(3))
    assert cotangents == {
        "f": 1.0,
        "f.exp": 7.0,
        "f.add_2": pytest.approx(e),
        "f.add": pytest.approx(7 * e),
        "a": pytest.approx(7 * e),
        "c": pytest.approx(e),
    }


# -- L3.2 calls -------------------------------------------------------------------------------------------------------

LAYER = """
    functions:
      layer:
        inputs: {{x: {{shape: [n]}}}}
        parameters:
          weight: {{shape: [n, 2], init: ones}}
          bias: {{shape: [2], value: 1}}
        nodes: {{y: x @ weight + bias}}
        outputs: y
      pair:
        inputs: [x]
        nodes: {{low: x - 1, high: x + 1}}
        outputs: [low, high]
    inputs: {{x: [1, 2]}}
    nodes:
      h: {}
    outputs: {}
"""


def test_l3_2_below_a_call_lies_what_the_function_declares() -> None:
    text = LAYER.format("tanh(layer(x))", "h")
    assert paths(text) == ["x", "h.layer.weight", "h.layer.y.matmul", "h.layer.bias", "h.layer", "h"]
    assert list(program(text).parameters) == ["h.layer.weight", "h.layer.bias"]


def test_l3_2_a_node_that_is_one_call_gives_its_own_name() -> None:
    for written in ("layer(x)", "{op: layer, inputs: x}"):
        text = LAYER.format(written, "h")
        assert paths(text) == ["x", "h.weight", "h.y.matmul", "h.bias", "h"]
        assert list(program(text).parameters) == ["h.weight", "h.bias"]


def test_l3_2_a_single_output_is_the_path_of_the_call_and_is_listed_once() -> None:
    loaded = program(LAYER.format("tanh(layer(x))", "h"))
    assert "h.layer.y" not in loaded.graph.names
    assert loaded.graph.find("h.layer.y") == loaded.graph.names["h.layer"]
    text = LAYER.format("tanh(layer(x))\n      g: h.layer.y - h.layer", "g")
    assert value(text, "g") == [0, 0]


def test_l3_2_calls_are_numbered_from_the_second_on() -> None:
    text = LAYER.format("layer(layer(x)) * layer(x)", "h")
    names = [name for name in paths(text) if name.endswith("weight")]
    assert names == ["h.layer.weight", "h.layer_2.weight", "h.layer_3.weight"]
    assert paths(text)[-1] == "h"


def test_l3_2_calls_inside_calls() -> None:
    text = """
        functions:
          inner: {inputs: [x], parameters: {w: 2}, nodes: {y: x * w}, outputs: y}
          outer: {inputs: [x], nodes: {z: inner(x), y: exp(inner(z)) + inner(x)}, outputs: y}
        inputs: {x: 0}
        nodes: {f: outer(x), g: 1 + outer(f)}
        outputs: g
    """
    assert paths(text)[1:8] == ["f.z.w", "f.z", "f.y.inner.w", "f.y.inner", "f.y.exp", "f.y.inner_2.w", "f.y.inner_2"]
    assert paths(text)[8:] == [
        *("f", "g.outer.z.w", "g.outer.z", "g.outer.y.inner.w", "g.outer.y.inner", "g.outer.y.exp"),
        *("g.outer.y.inner_2.w", "g.outer.y.inner_2", "g.outer", "g"),
    ]


def test_l3_2_the_name_of_the_callee_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "nn.yaml").write_text(
        "graphspec: 1\nfunctions:\n  dense: {inputs: [x], parameters: {w: 3}, nodes: {y: x * w}, outputs: y}\n"
    )
    text = """
        imports: {nn: nn.yaml}
        functions:
          apply: {attributes: {act: nn.dense}, inputs: [x], nodes: {y: 1 + act(x)}, outputs: y}
        inputs: {x: 2}
        nodes:
          h: 1 + nn.dense(x)
          g: apply(x)
        outputs: [h, g]
    """.replace("{act: nn.dense}", "{act: {type: op, default: nn.dense}}")
    names = paths(text, folder=tmp_path)
    assert names == ["x", "h.dense.w", "h.dense", "h", "g.y.act.w", "g.y.act", "g"]


def test_l3_2_an_op_of_the_catalogue_through_an_attribute() -> None:
    text = """
        functions:
          apply: {attributes: {act: {type: op}}, inputs: [x], nodes: {y: 1 + act(x) * act(2 * x)}, outputs: y}
        inputs: {x: 2}
        nodes: {g: "apply(x, act=tanh)"}
        outputs: g
    """
    assert paths(text) == ["x", "g.y.act", "g.y.multiply", "g.y.act_2", "g.y.multiply_2", "g"]


def test_l3_2_several_outputs() -> None:
    text = LAYER.format("pair(x)\n      g: sum(h.low * h.high)", "g")
    assert paths(text) == ["x", "h.low", "h.high", "g.multiply", "g"]
    text = LAYER.format("pair(x).high * 2", "h")
    assert paths(text) == ["x", "h.pair.low", "h.pair.high", "h"]


def test_l3_2_several_outputs_of_an_op() -> None:
    text = (
        "inputs: {x: [1, 2]}\n"
        'nodes: {h: "split(x, parts=2)", f: h.y0 - h.y1, g: "split(x, parts=2).y1"}\n'
        "outputs: [f, g]"
    )
    assert paths(text) == ["x", "h.y0", "h.y1", "f", "g.split.y0", "g.split.y1", "g"]


def test_l3_2_an_output_that_is_an_input() -> None:
    text = """
        functions:
          same: {inputs: [x], nodes: {}, outputs: x}
          two: {inputs: [x], nodes: {y: 2 * x}, outputs: [x, y]}
        inputs: {x: 3}
        nodes: {f: same(x), g: two(x), h: g.x + g.y}
        outputs: [f, h]
    """
    run = program(text).run()
    assert (run["f"], run["h"]) == (3, 9)
    assert "f" in run.values


def test_l3_2_outputs_that_are_inner_paths() -> None:
    text = """
        functions:
          inner: {inputs: [x], parameters: {w: 2}, nodes: {y: x * w}, outputs: y}
          outer: {inputs: [x], nodes: {z: 1 + inner(x)}, outputs: [z, z.inner, z.inner.w]}
        inputs: {x: 3}
        nodes: {f: outer(x), g: f.z + f.z.inner + f.z.inner.w}
        outputs: g
    """
    assert value(text, "g") == 7 + 6 + 2


# -- L3.3 repeats, edges, updates -------------------------------------------------------------------------------------


def test_l3_3_copies_of_a_repeat() -> None:
    text = """
        functions:
          layer: {inputs: [x], parameters: {w: 2}, nodes: {y: x * w + 1}, outputs: y}
        inputs: {x: 3}
        nodes: {block: {op: layer, inputs: x, repeat: 3}, f: block * 'block.0' * 'block.2.w'}
        outputs: f
    """
    names = [name for i in range(3) for name in (f"block.{i}.w", f"block.{i}.y.multiply", f"block.{i}")]
    assert paths(text) == ["x", *names, "block", "f.multiply", "f"]
    assert value(text, "block") == 31
    assert value(text) == 31 * 7 * 2


def test_l3_3_the_product_on_a_weighted_edge() -> None:
    text = """
        inputs: {x1: 1, x2: -1}
        nodes: {z: {op: add, inputs: }, y: {op: exp}}
        edges:
          - x1 -> z: 2
          - x2 -> z: 3
          - z -> y: 0.5
        outputs: y
    """.replace(", inputs: }", "}")
    assert paths(text) == [
        *("x1", "x2", "x1 -> z", "z.multiply", "x2 -> z", "z.multiply_2", "z", "z -> y", "y.multiply", "y"),
    ]


def test_l3_3_an_update_is_state_next() -> None:
    text = """
        functions:
          count: {inputs: [x], state: {n: 0}, nodes: {y: x * n}, outputs: y, updates: {n: n + 1 * 1}}
        inputs: {x: 3}
        state: {total: 1}
        nodes: {f: count(x) + count(x), g: count(x)}
        updates: {total: 2 * total + f}
        outputs: [f, g]
    """
    result = program(text).run()
    assert set(result.updates) == {"total", "f.count.n", "f.count_2.n", "g.n"}
    names = list(result.values)
    for path in ("total.next.multiply", "total.next", "f.count.n.next", "f.count_2.n.next", "g.n.next"):
        assert path in names
    assert result["total.next"] == 2


def test_l3_3_a_path_that_is_taken() -> None:
    text = "inputs: {a: 1, b: 2, f.add: 7}\nnodes:\n  f: (a + b) * (a + 1)\noutputs: f"
    assert paths(text) == ["a", "b", "f.add", "f.add_2", "f.add_3", "f"]
    assert value(text) == 6


def test_l3_3_taken_by_a_declaration_below_or_above() -> None:
    text = (
        "inputs: {a: 1}\nnodes:\n  f: (a + 1) * (a + 2)\n  f.add: a * 5\n  f.add_3: a * 6\noutputs: [f, f.add, f.add_3]"
    )
    assert set(paths(text)) == {"a", "f", "f.add", "f.add_2", "f.add_3", "f.add_4"}
    assert program(text).run().outputs == {"f": 6, "f.add": 5, "f.add_3": 6}


def test_l3_3_taken_by_what_a_function_declares() -> None:
    text = """
        functions:
          g: {inputs: [x], nodes: {add: x * 2, y: add + 1}, outputs: y}
        inputs: {a: 1}
        nodes: {f: g(a + 3), h: {op: g, inputs: a + 3}}
        outputs: [f, h]
    """
    assert paths(text) == ["a", "f.add_2", "f.add", "f", "h.add_2", "h.add", "h"]
    assert value(text) == 9


def test_l3_3_taken_next_states() -> None:
    text = "state: {n: 0, n.next: 5}\nnodes: {f: n + n.next}\nupdates: {n: n + 1}\noutputs: f"
    result = program(text).run()
    assert result["f"] == 5
    assert result["n.next_2"] == 1
    assert result.updates == {"n": 1}


# -- L3.4 how a path is written ---------------------------------------------------------------------------------------


def test_l3_4_bare_or_quoted() -> None:
    text = """
        inputs: {x1: 3, d: 2}
        nodes:
          z: {op: add}
          y: d * 'x1 -> z'
          w: d * z.multiply
          v: d * 'z.multiply'
        edges:
          - x1 -> z: 5
        outputs: [y, w, v]
    """
    assert list(program(text).run().outputs.values()) == [10, 30, 30]


@pytest.mark.parametrize("written", ["'z.multiply'", '"z.multiply"', "z.multiply"])
@pytest.mark.parametrize(
    "form",
    ["{}", "{{op: identity, inputs: {}}}", "{{op: add, inputs: [{}, 0]}}", "{{op: add, inputs: {{terms: [{}]}}}}"],
)
def test_l3_4_a_string_in_an_operand_slot_is_a_path(written: str, form: str) -> None:
    text = f"""
        inputs: {{x: 3}}
        nodes:
          z: {{op: add}}
          f: {form.format('"' + written.replace('"', "'") + '"' if written[0] != "z" else written)}
        edges:
          - x -> z: 5
        outputs: f
    """
    assert value(text) == 15


def test_l3_4_by_keyword_too() -> None:
    text = (
        "inputs: {x: 3, 'a -> b': 5}\nnodes:\n"
        "  f: subtract('a -> b', b='a -> b') + clip(x, low=0, high='a -> b')\noutputs: f"
    )
    assert value(text) == 3


def test_l3_4_an_unknown_path_in_quotes() -> None:
    text = "inputs: {x: 3}\nnodes:\n  f: x * 'x -> y' + add(x, 'no.where') + clip(x, low=0, high='a -> b')\noutputs: f"
    assert problems(text) == [("GS301", 4, 10), ("GS301", 4, 28), ("GS301", 4, 62)]


def test_l3_4_a_quoted_path_counts_for_the_order() -> None:
    text = "inputs: {x: 3}\nnodes: {f: \"'g.h' + clip(x, low=0, high='late')\", late: 2 * x, g.h: x}\noutputs: f"
    assert value(text) == 6


def test_l3_4_a_path_may_be_declared_as_a_key() -> None:
    text = """
        inputs: {h.x: 3}
        parameters: {"x -> z": 2, block.0.w: 5, "a.b -> c.d": 1}
        state: {h.n: 1}
        constants: {h.c: 7}
        nodes:
          block.0.y: h.x * 'x -> z' + 'block.0.w' + h.n + h.c
          block.0: 2 * 'block.0.y'
        outputs: [block.0, block.0.y]
    """
    loaded = program(text)
    assert loaded.run().outputs == {"block.0": 38, "block.0.y": 19}
    assert list(loaded.parameters) == ["x -> z", "block.0.w"]
    assert set(loaded.backprop(of="block.0").gradients) == {"h.x", "x -> z", "block.0.w"}


def test_l3_4_paths_in_outputs_and_in_differentiate() -> None:
    text = LAYER.format("tanh(layer(x))\n      f: sum(h)", "[f, h.layer, h.layer.y.matmul]")
    text += "    differentiate: {of: f, wrt: [h.layer, h.layer.weight]}\n"
    result = program(text).backprop()
    assert list(result.outputs) == ["f", "h.layer", "h.layer.y.matmul"]
    assert list(result.gradients) == ["h.layer", "h.layer.weight"]
    np.testing.assert_allclose(result.gradients["h.layer"], 1 - np.tanh(result["h.layer"]) ** 2)


def test_l3_4_an_unknown_inner_path() -> None:
    text = LAYER.format("tanh(layer(x))\n      f: sum(h.layer.wieght) + h.layer.q", "f")
    found = only(text.replace(" + h.layer.q", ""))
    assert place(found) == ("GS311", 17, 10)
    assert found.message == "there is no 'layer.wieght' in 'h'"
    assert found.hint == "did you mean 'layer.weight'?"


def test_l3_4_nothing_lies_below_an_input() -> None:
    found = only("inputs: {x: 3}\nnodes:\n  f: x.y * 2\noutputs: f")
    assert place(found) == ("GS311", 4, 6)


def test_l3_4_outputs_and_edges_reach_inside() -> None:
    text = """
        functions:
          g: {inputs: [x], nodes: {h: x * 2, y: h + 1}, outputs: y}
        inputs: {x: 3}
        nodes: {a: g(x), z: {op: add}}
        edges:
          - a.h -> z
          - a.h -> z: 10
        outputs: {f: z, inner: a.h}
    """
    loaded = program(text)
    assert loaded.run().outputs == {"f": 66, "inner": 6}
    assert list(loaded.parameters) == ["a.h -> z"]
    assert isinstance(loaded, gs.Program)
