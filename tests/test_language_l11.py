"""Rules L11.1 to L11.3: stages, diagnostics, exceptions and hints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rules import diagnostics, only, place, problems, program, related

import graphspec as gs
from graphspec.callee import FOREIGN
from graphspec.codes import CODES
from graphspec.errors import Diagnostic, GraphSpecError, edit_distance
from graphspec.op import OPS

# One problem of each stage; what a later one needs is well.
STAGES = {
    1: ("inputs: {x: 012}", "GS106"),
    2: ("extra: 1", "GS202"),
    3: ("nodes: {f: missing + x}", "GS301"),
    4: ("nodes: {f: v + u}", "GS402"),
}

# -- L11.1 stages -------------------------------------------------------------------------------------------------------


def staged(*stages: int) -> str:
    """Return a document with two problems of each of some stages."""
    text = ["inputs: {x: 1, v: [1, 2], u: [1, 2, 3]" + (", bad: 012, worse: yes" if 1 in stages else "") + "}"]
    text += ["extra: 1", "more: 2"] if 2 in stages else []
    text += ["nodes:", "  f: x + 1"]
    text += ["  a: missing + x", "  b: absent + x"] if 3 in stages else []
    text += ["  c: v + u", "  d: v @ u"] if 4 in stages else []
    text += ["outputs: [f]"]
    return "\n".join(text)


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_l11_1_all_problems_of_the_first_stage_that_fails_and_none_of_later_ones(first: int) -> None:
    code = STAGES[first][1]
    found = diagnostics(staged(*range(first, 5)))
    assert [item.code for item in found] == [code, code]
    assert [item.code for item in diagnostics(staged(first))] == [code, code]
    assert {item.stage for item in found} == {first}


def test_l11_1_problems_of_a_stage_stand_in_the_order_of_the_file() -> None:
    text = """
        nodes:
          a: b + missing
          b: {op: add, inputs: [c], axs: 3}
          c: nothing(2)
          d: 1 +
        edges:
          - a b
        outputs: [a]
        zzz: 1
    """
    assert problems(text) == [("GS202", 4, 29), ("GS201", 5, 6), ("GS209", 6, 8), ("GS214", 8, 5), ("GS202", 10, 1)]


def test_l11_1_problems_in_functions_and_in_the_document_are_reported_together() -> None:
    text = """
        functions:
          g: {inputs: [x], nodes: {y: x + missing}, outputs: y}
        nodes: {f: g(2) + absent}
        outputs: f
    """
    assert problems(text) == [("GS301", 3, 35), ("GS301", 4, 19)]


def test_l11_1_types_are_checked_wherever_operands_are_known() -> None:
    text = """
        inputs: {v: [1, 2], u: [1, 2, 3]}
        nodes:
          a: v + u
          b: a * 2
          c: v @ u
          d: c + a
        outputs: [b, d]
    """
    assert problems(text) == [("GS402", 4, 6), ("GS402", 6, 6)]


def test_l11_1_a_cycle_does_not_hide_unknown_names() -> None:
    text = "nodes:\n  a: b + 1\n  b: a + 1\n  c: missing\noutputs: c"
    assert problems(text) == [("GS306", 3, 3), ("GS301", 5, 6)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nodes: {f: [1}\noutputs: f", "GS101"),
        ("nodes: {f: 1}\nnodes: {g: 1}\noutputs: f", "GS102"),
        ("nodes: {f: !!python/none 1}\noutputs: f", "GS105"),
        ("nodes: {1: 2}\noutputs: f", "GS103"),
        ("imports: {a: b.yaml}\nnodes: {f: a()}\noutputs: f", "GS112"),
        ("nodes: []\noutputs: f", "GS204"),
        ("nodes: {f: 1 +}\noutputs: f", "GS209"),
        ("nodes: {f: nothing(1)}\noutputs: f", "GS201"),
        ("nodes: {f: 'relu(1, slope=2)'}\noutputs: f", "GS210"),
        ("inputs: {x: [1]}\nnodes: {f: 'sum(x, axis=true)'}\noutputs: f", "GS205"),
        ("nodes: {f: x}\noutputs: f", "GS301"),
        ("nodes: {f: relu()}\noutputs: f", "GS303"),
        ("nodes: {f: 'relu(1, 2)'}\noutputs: f", "GS305"),
        ("inputs: {x: 1}\nnodes: {f: relu(x)}\nedges: [x -> f]\noutputs: f", "GS308"),
        ("nodes: {f: f}\noutputs: f", "GS306"),
        ("functions:\n  g: {nodes: {y: g()}, outputs: y}\nnodes: {f: g()}\noutputs: f", "GS307"),
        ("inputs: {x: [1, 2], y: [1, 2, 3]}\nnodes: {f: x + y}\noutputs: f", "GS402"),
        ("inputs: {x: [1, 2]}\nnodes: {f: x}\noutputs: f\ndifferentiate: f", "GS501"),
    ],
)
def test_l11_1_what_belongs_to_which_stage(text: str, code: str) -> None:
    found = diagnostics(text)
    assert found[0].code == code
    assert found[0].stage == int(code[2])
    assert code in CODES


def test_l11_1_a_duplicate_is_reported_at_the_second_place() -> None:
    for text, second, first in [
        ("inputs: {x: 1}\nnodes: {x: 1 + 1}\noutputs: x", ("GS302", 3, 9), (2, 10)),
        ("nodes: {x: 1 + 1}\ninputs: {x: 1}\noutputs: x", ("GS302", 2, 9), (3, 10)),
        ("inputs: {a: 1}\nstate: {a: 1}\nnodes: {x: 1 + 1}\noutputs: x", ("GS302", 3, 9), (2, 10)),
        ("inputs: {x: 1, x: 2}\nnodes: {f: x}\noutputs: f", ("GS102", 2, 16), (2, 10)),
        (
            "inputs: {x: 1}\nnodes: {f: {op: add}}\nedges:\n  - x -> f: 1\n  - x -> f: 2\noutputs: f",
            ("GS302", 6, 5),
            (5, 5),
        ),
    ]:
        found = only(text)
        assert {place(found), *related(found)} == {second, first} or {place(found)[1:], *related(found)} == {
            second[1:],
            first,
        }
        assert place(found)[0] == second[0]


# -- L11.2 diagnostics and exceptions -----------------------------------------------------------------------------------


def test_l11_2_a_diagnostic_in_json() -> None:
    found = only("inputs:\n  v: [1, 2]\n  u: [1, 2, 3]\nnodes:\n  f: v + u\noutputs: f")
    data = json.loads(json.dumps(found.to_dict()))
    assert set(data) == {"code", "severity", "message", "file", "line", "column", "path", "hint", "related"}
    assert (data["code"], data["severity"], data["file"], data["line"], data["column"]) == (
        "GS402",
        "error",
        "<text>",
        6,
        6,
    )
    assert [set(item) for item in data["related"]] == [{"message", "file", "line", "column"}] * 2
    assert [(item["line"], item["column"]) for item in data["related"]] == [(3, 3), (4, 3)]


def test_l11_2_a_diagnostic_as_text() -> None:
    text = "inputs:\n  image: {shape: [batch, 784]}\nparameters:\n  weight: {shape: [748, 128], init: zeros}\nnodes:\n  h: image @ weight\noutputs: h"
    lines = str(only(text)).splitlines()
    assert lines[0].startswith("<text>:7:6: GS402 ")
    assert lines[1:3] == ["    7 |   h: image @ weight", "      |      ^^^^^^^^^^^^^^"]
    assert "image:  float64[batch, 784]   from inputs.image" in lines[3]
    assert "weight: float64[748, 128]     from parameters.weight" in lines[4]
    assert lines[3].endswith("<text>:3:3")
    assert lines[4].endswith("<text>:5:3")
    assert lines[5] == "  hint: did you mean shape [784, 128]?"


def test_l11_2_related_are_the_operands_of_a_conflict() -> None:
    found = only("inputs: {v: [1, 2]}\nconstants: {u: [1, 2, 3]}\nnodes:\n  g: v * 2\n  f: g + u\noutputs: f")
    assert place(found) == ("GS402", 6, 6)
    assert related(found) == [(5, 3), (3, 13)] or related(found) == [(5, 6), (3, 13)]


@pytest.mark.parametrize("length", [1, 2, 3, 1000])
def test_l11_2_related_are_the_lines_of_a_cycle(length: int) -> None:
    nodes = [f"  n{i}: n{(i - 1) % length} + 1" for i in range(length)]
    found = only("nodes:\n" + "\n".join(nodes) + "\noutputs: n0")
    assert place(found) == ("GS306", 3, 3)
    assert sorted(related(found)) == [(3 + i, 3) for i in range(length)]
    assert found.message.count("->") == length


def test_l11_2_a_cycle_is_the_shortest_one() -> None:
    text = "nodes:\n  a: b + 1\n  b: c + 1\n  c: d + 1\n  d: a + c\n  e: f + 1\n  f: e * a\noutputs: a"
    found = diagnostics(text)
    assert [place(item) for item in found] == [("GS306", 5, 3), ("GS306", 7, 3)]
    assert [len(item.related) for item in found] == [2, 2]


def test_l11_2_an_edge_may_close_a_cycle() -> None:
    found = diagnostics(
        "inputs: {x: 1}\nnodes:\n  a: {op: add, inputs: [x]}\n  b: a + 1\nedges:\n  - b -> a\noutputs: b"
    )
    assert [item.code for item in found] == ["GS306", "GS304"]
    found = only("nodes:\n  a: {op: add}\n  b: a + 1\nedges:\n  - b -> a\noutputs: b")
    assert place(found) == ("GS306", 3, 3)


def test_l11_2_related_are_the_chain_of_calls() -> None:
    text = """
        functions:
          inner: {inputs: [a, b], nodes: {y: a + b}, outputs: y}
          outer:
            inputs: [a, b]
            nodes:
              y: 1 + inner(a, b)
            outputs: y
        inputs: {v: [1, 2], u: [1, 2, 3]}
        nodes:
          f: outer(v, u) * 2
        outputs: f
    """
    found = only(text)
    assert place(found) == ("GS402", 3, 38)
    assert related(found) == [(9, 10), (9, 21), (7, 14), (11, 6)]
    assert [item.message for item in found.related[2:]] == ["called by inner(a, b)", "called by outer(v, u)"]


def test_l11_2_every_error_has_diagnostics() -> None:
    loaded = program("inputs: {x: [1, 2]}\nnodes: {f: x * 2}\noutputs: f")
    raised: list[tuple[type[Exception], object]] = [
        (gs.SpecError, lambda: gs.loads("graphspec: 1\nnodes: {f: x}\noutputs: f")),
        (gs.FeedError, lambda: loaded.run(y=1)),
        (gs.NotDifferentiableError, lambda: loaded.backprop()),
        (gs.NotDifferentiableError, lambda: loaded.gradient(of="f")),
        (gs.EngineError, lambda: loaded.run(engine="abacus")),
        (gs.CheckpointError, lambda: loaded.parameters.load("/nonexistent/w.safetensors")),
    ]
    for error, act in raised:
        with pytest.raises(error) as info:
            act()  # type: ignore[operator]
        assert isinstance(info.value, GraphSpecError)
        assert info.value.diagnostics
        assert all(isinstance(found, Diagnostic) and found.code in CODES for found in info.value.diagnostics)
        assert str(info.value.diagnostics[0]) in str(info.value)


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (gs.SpecError, ValueError),
        (gs.OpTypeError, TypeError),
        (gs.NotDifferentiableError, TypeError),
        (gs.FeedError, ValueError),
        (gs.ExecutionError, RuntimeError),
        (gs.EngineError, RuntimeError),
        (gs.CheckpointError, RuntimeError),
    ],
)
def test_l11_2_the_tree_of_exceptions(error: type[GraphSpecError], base: type[Exception]) -> None:
    assert issubclass(error, gs.GraphSpecError)
    assert issubclass(error, base)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"graphspec: 1\n\tnodes: {}",
        b"[1, 2]",
        b"graphspec: 1",
        b"graphspec: 3\n",
        b"null",
        b"graphspec: 1\nnodes: 3\noutputs: {f: {g: 1}}",
        b"graphspec: 1\ninputs: {x: {shape: 3}}\noutputs: x",
        b"graphspec: 1\nfunctions: {g: 3}\nnodes: {f: g()}\noutputs: f",
        b"graphspec: 1\nattributes: {a: {type: op}}\nnodes: {f: a(1)}\noutputs: f",
        b"graphspec: 1\nparameters: {w: {shape: [n], init: zeros}}\nnodes: {f: w}\noutputs: f",
        b"graphspec: 1\nnodes: {f: 'x'}\noutputs: 'f.g'",
        b"graphspec: 1\nnodes: {f: '1 if x else 2'}\noutputs: f",
        b"graphspec: 1\nnodes: {f: 'relu(relu)'}\noutputs: f",
        b"graphspec: 1\nimports: {a: 3, b: ''}\nnodes: {f: b()}\noutputs: f",
    ],
)
def test_l11_2_load_raises_only_spec_errors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spec.yaml").write_bytes(content)
    with pytest.raises(gs.SpecError) as info:
        gs.load(tmp_path / "spec.yaml")
    for found in info.value.diagnostics:
        assert found.where is not None
        assert found.where.file.endswith("spec.yaml")


def test_l11_2_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "circuit.yaml").write_text("graphspec: 1")
    with pytest.raises(gs.SpecError) as info:
        gs.load(tmp_path / "ciruit.yaml")
    (found,) = info.value.diagnostics
    assert found.code == "GS111"
    assert found.hint == "did you mean 'circuit.yaml'?"
    for path in (tmp_path, tmp_path / "no" / "such", "/dev/null"):
        with pytest.raises(gs.SpecError):
            gs.load(path)


def test_l11_2_a_node_that_fails_while_it_is_run() -> None:
    text = "inputs: {x: [1, 2], i: {shape: [n], dtype: int64}}\nnodes:\n  f: take(x, i)\noutputs: f"
    loaded = program(text)
    with pytest.raises((gs.ExecutionError, gs.FeedError)) as info:
        loaded.run(i=[5])
    (found,) = info.value.diagnostics
    assert place(found)[1:] == (4, 6)
    assert found.stage == 6


def test_l11_2_a_run_raises_feed_and_execution_errors_only() -> None:
    loaded = program("inputs: {x: {shape: [n]}}\nnodes:\n  f: 'x[3] + x[:4][0]'\noutputs: f")
    assert loaded.run(x=[1, 2, 3, 4])["f"] == 5
    for feed in ([1, 2], [[1]], "x", None, {}, np.array(["a"]), []):
        with pytest.raises((gs.FeedError, gs.ExecutionError)):
            loaded.run(x=feed)


# -- L11.3 hints --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("rleu(x)", "did you mean 'relu'?"),
        ("realu(x)", "did you mean 'relu'?"),
        ("Relu(x)", "did you mean 'relu'?"),
        ("SIGMOID(x)", "did you mean 'sigmoid'?"),
        ("xn + 1", "did you mean 'x'?"),
        ("widht + 1", "did you mean 'width'?"),
        ("sum(x, aixs=0)", "did you mean 'axis'?"),
        ("zzzzzz(x)", ""),
        ("relu + 1", "'relu' is an op: call it as relu(...)"),
        ("width.hieght", None),
    ],
)
def test_l11_3_hints(written: str, hint: str | None) -> None:
    found = only(f"inputs: {{x: [1, 2], width: 1}}\nnodes:\n  f: {written}\noutputs: f")
    assert found.where is not None
    assert (found.where.line, found.where.column) in ((4, 6), (4, 13))
    if hint is not None:
        assert found.hint.startswith(hint.removesuffix("?"))
        assert bool(found.hint) == bool(hint)


def test_l11_3_up_to_three_names() -> None:
    found = only("inputs: {xa: 1, xb: 1, xc: 1, xd: 1}\nnodes: {f: xe + 1}\noutputs: f")
    assert found.hint == "did you mean 'xa', 'xb' or 'xc'?"


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("ab", "ba", 1), ("widht", "width", 1), ("abcd", "badc", 2), ("a", "a", 0), ("", "ab", 2)]
)
def test_l11_3_a_transposition_is_one_edit(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b, 5) == distance


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        *(("mul", "multiply"), ("sub", "subtract"), ("div", "divide"), ("neg", "negative"), ("power", "pow")),
        *(("dot", "matmul"), ("transpose", "permute_dims"), ("permute", "permute_dims"), ("unsqueeze", "expand_dims")),
        *(
            ("cat", "concat"),
            ("concatenate", "concat"),
            ("view", "reshape"),
            ("ReduceSum", "sum"),
            ("reduce_mean", "mean"),
        ),
        *(("Mul", "multiply"), ("MatMul", "matmul"), ("np.multiply", "multiply"), ("gather", "take_along_axis")),
        *(("arctan", "atan"), ("clamp", "clip"), ("astype", "cast"), ("detach", "stop_gradient"), ("dense", "linear")),
        *(("amax", "max"), ("eq", "equal"), ("gt", "greater"), ("ln", "log"), ("Gemm", "linear"), ("absolute", "abs")),
    ],
)
def test_l11_3_names_of_others_come_from_a_table(written: str, ours: str) -> None:
    found = only(f"inputs: {{x: 1}}\nnodes:\n  f: {written}(x)\noutputs: f")
    assert place(found) == ("GS201", 4, 6)
    assert f"'{ours}'" in found.hint


def test_l11_3_the_table_names_what_there_is() -> None:
    from graphspec import library

    for foreign, ours in FOREIGN.items():
        assert ours in OPS or library.find(ours) is not None, ours
        assert foreign not in OPS
        assert library.find(foreign) is None


def test_l11_3_keys_have_hints_too() -> None:
    assert only("input: {x: 1}\nnodes: {f: 1 + 1}\noutputs: f").hint == "did you mean 'inputs'?"
    found = only("inputs: {x: {shpae: [2]}}\nnodes: {f: x}\noutputs: f")
    assert (place(found), found.hint) == (("GS202", 2, 14), "did you mean 'shape'?")
    found = only("inputs: {x: {dtype: flaot32}}\nnodes: {f: x}\noutputs: f")
    assert (place(found), found.hint) == (("GS205", 2, 21), "did you mean 'float32'?")
