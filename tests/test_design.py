"""The examples of the design's section 2, its table of keys row by row, and the message of its section 5."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rules import only, paths, place, problems, program, value

import graphspec as gs

# -- 2.1 a first look -------------------------------------------------------------------------------------------------


def test_the_circuit() -> None:
    text = "inputs: {x: -2, y: 5, z: -4}\nnodes:\n  q: x + y\n  f: q * z\noutputs: f"
    result = program(text).backprop()
    assert {name: float(found) for name, found in result.outputs.items()} == {"f": -12}
    assert {name: float(found) for name, found in result.gradients.items()} == {"x": -4, "y": -4, "z": 3}
    assert result.of == "f"
    assert list(result.values) == ["x", "y", "z", "q", "f"]


def test_the_neuron() -> None:
    text = """
        inputs: {x1: 1, x2: -1}
        parameters: {b: 1}
        nodes:
          z: {op: add}              # add takes any number of operands: here the edges that arrive
          a: sigmoid(z)
        edges:
          - x1 -> z: 1              # an edge with a weight: a trainable parameter named "x1 -> z", first value 1
          - x2 -> z: -2
          - b -> z
        outputs: a
    """
    result = program(text).backprop()
    a = 1 / (1 + np.exp(-4.0))
    assert float(result["z"]) == 4
    assert float(result["a"]) == pytest.approx(a)
    expected = {"x1": 1, "x2": -2, "b": 1, "x1 -> z": 1, "x2 -> z": -1}
    found = {name: float(item) for name, item in result.gradients.items()}
    assert found == pytest.approx({name: factor * a * (1 - a) for name, factor in expected.items()})


NETWORK = """
    dtype: float32
    attributes: {hidden: 128}
    inputs:
      image: {shape: [batch, 784]}
      label: {shape: [batch], dtype: int64}
    nodes:
      h: relu(linear(image, units=hidden))
      logits: linear(h, units=10)
      loss: cross_entropy(logits, label)
      accuracy: mean(equal(argmax(logits, axis=-1), label))
    outputs: [logits, loss, accuracy]
    differentiate: loss
"""


def test_the_network() -> None:
    loaded = program(NETWORK, attributes={"hidden": 16})
    shapes = {name: found.shape for name, found in loaded.parameters.items()}
    assert shapes == {
        "h.linear.weight": (784, 16),
        "h.linear.bias": (16,),
        "logits.weight": (16, 10),
        "logits.bias": (10,),
    }
    assert {str(found) for found in loaded.outputs.values()} == {"float32[batch, 10]", "float32[]"}
    image = np.random.default_rng(0).random((3, 784), dtype=np.float32)
    result = loaded.backprop(image=image, label=[1, 2, 3])
    assert set(result.gradients) == {"image", *shapes}
    scores = result["logits"].astype(np.float64)
    share = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert float(result["loss"]) == pytest.approx(-np.log(share[[0, 1, 2], [1, 2, 3]]).mean(), rel=1e-5)
    share[[0, 1, 2], [1, 2, 3]] -= 1
    np.testing.assert_allclose(result.gradients["logits.bias"], share.sum(axis=0) / 3, rtol=1e-4, atol=1e-6)


# -- 2.2 the document -------------------------------------------------------------------------------------------------

BODY = "inputs: {x: 3}\nnodes: {f: 2 * x}\noutputs: f\n"


@pytest.mark.parametrize(
    ("line", "column", "hint"),
    [
        ("graphspec: 2\n", 12, ""),
        ('graphspec: "1"\n', 13, "write `graphspec: 1`"),
        ("graphspec: true\n", 12, ""),
        ("graphspec: 1.5\n", 12, ""),
        ("", 1, "begin with `graphspec: 1`"),
    ],
)
def test_the_version_is_required_and_is_1(line: str, column: int, hint: str) -> None:
    with pytest.raises(gs.SpecError) as info:
        gs.loads(line + BODY)
    (found,) = info.value.diagnostics
    assert place(found) == ("GS206", 1, column)
    assert hint in found.hint


def test_the_name_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "my-model.yaml").write_text("graphspec: 1\n" + BODY)
    assert gs.load(tmp_path / "my-model.yaml").name == "my-model"
    assert program("name: mine\ndoc: Doubles.\n" + BODY).name == "mine"


@pytest.mark.parametrize("written", ["float16", "int64", "double", "1"])
def test_the_dtype_is_float64_or_float32(written: str) -> None:
    found = only(f"dtype: {written}\n" + BODY)
    assert place(found)[1:] == (2, 8)
    assert "float64, float32" in found.message


def test_imports_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "double.yaml").write_text(
        "graphspec: 1\nimports: {t: triple.yaml}\ninputs: {x: }\nnodes: {f: t(x) - x}\noutputs: f\n"
    )
    (tmp_path / "parts" / "triple.yaml").write_text("graphspec: 1\ninputs: {x: }\nnodes: {f: 3 * x}\noutputs: f\n")
    (tmp_path / "main.yaml").write_text(
        "graphspec: 1\nimports: {d: parts/double.yaml}\ninputs: {x: 3}\nnodes: {f: d(x)}\noutputs: f\n"
    )
    assert gs.load(tmp_path / "main.yaml").run()["f"] == 6


def test_functions_have_no_version() -> None:
    text = "functions:\n  g: {graphspec: 1, inputs: [x], nodes: {y: x}, outputs: y}\n" + BODY
    assert problems(text) == [("GS202", 3, 7)]


def test_attributes_are_overridable_from_python() -> None:
    text = (
        "attributes: {n: 2, mode: a, on: true, sizes: [1], how: {type: op, default: exp}}\n"
        "inputs: {x: 0}\nnodes:\n  f: how(x) + n + sizes[0] if on and mode == 'a' else -x - 1\n"
        "outputs: f"
    )
    assert value(text) == 4
    assert value(text, attributes={"n": 5, "sizes": [2]}) == 8
    assert value(text, attributes={"how": "sin"}) == 3
    assert value(text, attributes={"mode": "b"}) == -1
    with pytest.raises(gs.GraphSpecError) as info:
        program(text, attributes={"nn": 3, "n": 2.5})
    assert {found.code[:3] for found in info.value.diagnostics} == {"GS6"}


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ("f", {"f": 6}),
        ("[f, g]", {"f": 6, "g": 9}),
        ("[x, f]", {"x": 3, "f": 6}),
        ("{h: f + g, f: f}", {"h": 15, "f": 6}),
        ("{k: g, n: 4}", {"k": 9, "n": 4}),
        ("[g.multiply]", {"g.multiply": 6}),
    ],
)
def test_outputs(outputs: str, expected: dict[str, float]) -> None:
    text = f"inputs: {{x: 3}}\nnodes: {{f: 2 * x, g: 2 * x + x}}\noutputs: {outputs}"
    assert program(text).run().outputs == expected


def test_order_of_definition_is_free() -> None:
    text = (
        "outputs: f\nnodes: {f: g * h, h: {op: add}, g: w - x}\nedges: [h0 -> h]\n"
        "constants: {h0: 2}\nparameters: {w: 5}\ninputs: {x: 3}"
    )
    assert value(text) == 4
    assert paths(text) == ["x", "h", "w", "g", "f"]


def test_unknown_keys_are_errors_with_a_suggestion() -> None:
    text = "input: {y: 1}\n" + BODY + "paramters: {w: 1}\n"
    with pytest.raises(gs.SpecError) as info:
        program(text)
    assert [(place(found), found.hint) for found in info.value.diagnostics] == [
        (("GS202", 2, 1), "did you mean 'inputs'?"),
        (("GS202", 6, 1), "did you mean 'parameters'?"),
    ]


def test_a_cycle_names_the_shortest_one_with_a_line_each() -> None:
    text = "inputs: {x: 1}\nnodes:\n  a: b + x\n  b: c * 2\n  c: a + d\n  d: a - b\n  e: d * 2\noutputs: e"
    found = only(text)
    assert found.code == "GS306"
    assert found.message.count("->") == 3
    assert len(found.related) == 3
    assert len({item.where.line for item in found.related if item.where}) == 3


# -- 2.3 expressions --------------------------------------------------------------------------------------------------


def test_every_part_of_an_expression_has_a_place_a_value_and_a_gradient() -> None:
    text = "inputs: {x: 2, y: 3}\nnodes:\n  f: exp(x * y) + x * y\noutputs: f"
    loaded = program(text)
    result = loaded.backprop()
    found = {}
    for name in ("f.multiply", "f.exp", "f.multiply_2", "f"):
        origin = loaded.graph.origins[loaded.graph.names[name]]
        assert origin is not None
        where = origin.location
        found[name] = (where.line, where.column, origin.expression)
        assert name in result.values
        assert name in result.cotangents
    assert found == {
        "f.multiply": (4, 10, "x * y"),
        "f.exp": (4, 6, "exp(x * y)"),
        "f.multiply_2": (4, 19, "x * y"),
        "f": (4, 6, "exp(x * y) + x * y"),
    }


# -- 5 errors ---------------------------------------------------------------------------------------------------------

MESSAGE = """model.yaml:14:6: GS402 dims do not match in matmul
   14 |   h: image @ weight
      |      ^^^^^^^^^^^^^^
  image:  float32[batch, 784]   from inputs.image      model.yaml:4:3
  weight: float32[748, 128]     from parameters.weight model.yaml:8:3
  hint: did you mean shape [784, 128]?"""


def test_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text(
        "graphspec: 1\ndtype: float32\ninputs:\n  image: {shape: [batch, 784]}\n\n\nparameters:\n"
        "  weight: {shape: [748, 128], init: glorot_uniform}\n\n\n\n\nnodes:\n  h: image @ weight\noutputs: h\n"
    )
    with pytest.raises(gs.SpecError) as info:
        gs.load("model.yaml")
    assert str(info.value) == MESSAGE
    (found,) = info.value.diagnostics
    data = found.to_dict()
    assert list(data) == ["code", "severity", "message", "file", "line", "column", "path", "hint", "related"]
    assert [(item["file"], item["line"], item["column"]) for item in data["related"]] == [
        ("model.yaml", 4, 3),
        ("model.yaml", 8, 3),
    ]
    assert data["path"] == "nodes.h"


def test_all_problems_of_the_first_stage_that_fails() -> None:
    text = """
        inputs: {x: 1, v: [1, 2], w: [1, 2, 3]}
        nodes:
          a: v + w
          b: q * 2
          c: b + p
          d: {op: exp}
          e: v @ w
        outputs: [a, e]
    """
    assert problems(text) == [("GS301", 5, 6), ("GS301", 6, 10), ("GS303", 7, 11)]
    typed = text.replace("q * 2", "x * 2").replace("b + p", "b + a").replace("{op: exp}", "{op: exp, inputs: a}")
    assert problems(typed) == [("GS402", 4, 6), ("GS402", 8, 6)]
    structure = text.replace("v @ w", "tnah(v)")
    assert problems(structure) == [("GS201", 8, 6)]


def test_a_name_is_reported_at_each_mention() -> None:
    text = "inputs: {image: 1}\nnodes:\n  f: imgae * imgae\n  g: {op: add, inputs: [imgae, image]}\noutputs: [f, imgae]"
    assert problems(text) == [("GS301", 4, 6), ("GS301", 4, 14), ("GS301", 5, 25), ("GS301", 6, 14)]


def test_a_diagnostic_has_the_path_of_its_key(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("graphspec: 1\ninputs: {x: [1]}\nnodes:\n  f: x + x[3]\noutputs: f\n")
    text = """
        imports: {part: part.yaml}
        functions:
          g: {inputs: [v], nodes: {y: "v[3]"}, outputs: y}
        inputs: {x: [1, 2]}
        nodes:
          a: {op: reshape, inputs: x, shape: [3]}
          b: g(x)
          c: part(x)
          d: {op: add}
        edges:
          - x -> d
          - x -> d: [1, 2, 3]
        outputs: [a, d]
    """
    with pytest.raises(gs.SpecError) as info:
        program(text, folder=tmp_path)
    found = {(item.path, item.code) for item in info.value.diagnostics}
    assert found == {
        ("nodes.f", "GS404"),
        ("functions.g.nodes.y", "GS404"),
        ("nodes.a.op", "GS402"),
        ("edges.1.x -> d", "GS402"),
    }
    misspelt = text.replace("shape: [3]", "shpae: [3]")
    with pytest.raises(gs.SpecError) as info:
        program(misspelt, folder=tmp_path)
    assert [item.path for item in info.value.diagnostics] == ["nodes.a.op", "nodes.a.shpae"]
