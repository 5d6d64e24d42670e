"""Rules L8.1 to L8.5: outputs, what is differentiated, updates, random numbers, optimizers; and what runs give back."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from rules import diagnostics, only, place, program, value
from safetensors.numpy import save_file

import graphspec as gs
from graphspec.check import check_program
from graphspec.errors import GraphSpecError

# -- L8.1 outputs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        ("f", ["f"]),
        ("[f]", ["f"]),
        ("[g, f]", ["g", "f"]),
        ("{f: f}", ["f"]),
        ("{g: g, f: f}", ["g", "f"]),
        ("[x, w, c, f]", ["x", "w", "c", "f"]),
        ("[h.w, h]", ["h.w", "h"]),
        ("[h.y.multiply]", ["h.y.multiply"]),
        ("[x -> e]", ["x -> e"]),
        ("'x -> e'", ["x -> e"]),
        ("[f.add]", ["f.add"]),
    ],
)
def test_l8_1_names_and_paths_are_reported_as_written(outputs: str, names: list[str]) -> None:
    text = f"""
        functions:
          scale: {{inputs: [x], parameters: {{w: 2}}, nodes: {{y: x * w + 1}}, outputs: y}}
        inputs: {{x: 3}}
        parameters: {{w: 4}}
        constants: {{c: [1, 2]}}
        nodes: {{f: (x + w) * 2, g: f - 1, h: scale(x), e: {{op: add}}}}
        edges: [x -> e: 5]
        outputs: {outputs}
    """
    result = program(text).run()
    assert list(result.outputs) == names
    expected = {"f": 14, "g": 13, "x": 3, "w": 4, "h.w": 2, "h": 7, "h.y.multiply": 6, "x -> e": 5, "f.add": 7}
    for name in names:
        assert result[name].tolist() == expected.get(name, [1, 2])


def test_l8_1_a_mapping_declares_nodes() -> None:
    text = "inputs: {x: 3}\nnodes: {f: x + 1}\noutputs: {g: f * 2, f: f, h: g - x}"
    result = program(text).run()
    assert {name: array.tolist() for name, array in result.outputs.items()} == {"g": 8, "f": 4, "h": 5}
    assert list(result.values) == ["x", "f", "g", "h"]


def test_l8_1_another_name_for_a_node_is_a_node() -> None:
    result = program("inputs: {x: 3}\nnodes: {f: x + 1}\noutputs: {g: f}").run()
    assert list(result.values) == ["x", "f", "g"]


def test_l8_1_a_number_is_an_expression() -> None:
    assert value("inputs: {x: 3}\noutputs: {f: 5}") == 5


def test_l8_1_an_output_declares_a_name_once() -> None:
    found = only("inputs: {x: 3}\nnodes: {f: x + 1}\noutputs: {f: x + 2}")
    assert place(found) == ("GS302", 4, 11)
    assert [(item.where.line, item.where.column) for item in found.related if item.where] == [(3, 9)]


def test_l8_1_an_output_is_listed_once() -> None:
    found = only("inputs: {x: 3}\nnodes: {f: x + 1}\noutputs: [f, x, f]")
    assert place(found) == ("GS302", 4, 17)


@pytest.mark.parametrize(
    ("outputs", "code", "column"),
    [
        ("g", "GS301", 10),
        ("[f, gg]", "GS301", 14),
        ("{f: g + 1}", "GS301", 14),
        ("[h.nothing]", "GS311", 11),
        ("[f.add]", None, 0),
    ],
)
def test_l8_1_unknown_outputs(outputs: str, code: str | None, column: int) -> None:
    text = f"""
        functions:
          scale: {{inputs: [x], parameters: {{w: 2}}, nodes: {{y: x * w}}, outputs: y}}
        inputs: {{x: 3}}
        nodes: {{{"" if outputs.startswith("{") else "f: 2 * (x + 1), "}h: scale(x)}}
        outputs: {outputs}
    """
    if code is None:
        assert value(text, "f.add") == 4
    else:
        assert place(only(text)) == (code, 6, column)


@pytest.mark.parametrize("outputs", ["[]", "{}"])
def test_l8_1_outputs_lists_something(outputs: str) -> None:
    assert place(only(f"nodes: {{f: 1 + 1}}\noutputs: {outputs}")) == ("GS203", 3, 1)
    found = only(f"functions:\n  g: {{nodes: {{y: 1 + 1}}, outputs: {outputs}}}\nnodes: {{f: g()}}\noutputs: f")
    assert place(found) == ("GS203", 3, 26)


@pytest.mark.parametrize(
    "section", ["nodes: {f: 1 + 1}", "inputs: {x: 1}", "parameters: {w: 1}", "functions: {}\nnodes: {f: 1 + 1}"]
)
def test_l8_1_outputs_is_required(section: str) -> None:
    found = only(section)
    assert place(found) == ("GS203", 1, 1)
    assert "'outputs'" in found.message


def test_l8_1_outputs_of_a_function_is_required() -> None:
    found = only("functions:\n  g: {inputs: [x], nodes: {y: x}}\nnodes: {f: g(2)}\noutputs: f")
    assert place(found) == ("GS203", 3, 3)


def test_l8_1_a_missing_outputs_does_not_hide_other_problems_of_structure() -> None:
    assert [found.code for found in diagnostics("nodes: {f: nothing(2)}")] == ["GS203", "GS201"]


def test_l8_1_a_file_of_functions_needs_none() -> None:
    loaded = program("functions:\n  g: {inputs: [x], nodes: {y: x}, outputs: y}")
    assert loaded.run().outputs == {}


# -- L8.2 what is differentiated ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "of"),
    [
        ("f", "f"),
        ("[v, f]", "f"),
        ("[f, i, b]", "f"),
        ("[f, s]", None),
        ("v", None),
        ("[i, b]", None),
        ("one", None),
    ],
)
def test_l8_2_the_only_float_scalar(outputs: str, of: str | None) -> None:
    text = f"""
        inputs: {{x: [1, 2]}}
        nodes:
          v: x * 2
          f: sum(v)
          s: f * f
          i: argmax(x)
          b: f > 1
          one: sum(x, keepdims=true)
        outputs: {outputs}
    """
    loaded = program(text)
    assert loaded.model.of == of
    if of is None:
        with pytest.raises(gs.NotDifferentiableError) as info:
            loaded.backprop()
        (found,) = info.value.diagnostics
        assert found.code == "GS504"
        assert "of=" in found.hint
        assert loaded.run().of is None
    else:
        result = loaded.backprop()
        assert result.of == of
        assert result.gradients["x"].tolist() == [2, 2]


def test_l8_2_several_float_scalars_are_named() -> None:
    loaded = program("inputs: {x: 1}\nnodes: {f: x + 1, g: x * 2}\noutputs: [f, g]")
    with pytest.raises(gs.NotDifferentiableError) as info:
        loaded.backprop()
    assert "f, g" in info.value.diagnostics[0].message
    assert loaded.backprop(of="g").gradients["x"] == 2


def test_l8_2_default_wrt_is_every_float_input_and_trainable_parameter() -> None:
    text = """
        inputs: {x: 2, i: {dtype: int64, value: 3}, b: true, v: [1, 2]}
        parameters: {w: 5, fixed: {value: 7, trainable: false}, n: {value: 1, dtype: int64}}
        state: {s: 11}
        constants: {c: [1, 1]}
        nodes:
          f: sum(x * w * fixed * s * v * c) + sum(where(b, v, -v)) + sum(cast(i + n, dtype="float64"))
        outputs: f
    """
    result = program(text).backprop()
    assert list(result.gradients) == ["x", "v", "w"]
    assert result.gradients["x"] == 5 * 7 * 11 * 3
    assert result.gradients["v"].tolist() == [2 * 5 * 7 * 11 + 1] * 2
    assert result.gradients["w"] == 2 * 7 * 11 * 3


@pytest.mark.parametrize("expression", ["x * 2", "x * 2 + stop_gradient(y)", "x * 2 + 0 * floor(sum(y))"])
def test_l8_2_those_without_influence_get_zeros_and_a_note(expression: str) -> None:
    text = f"inputs: {{x: 3, y: [[1, 2, 3]]}}\nnodes:\n  f: sum({expression})\noutputs: f"
    result = program(text).backprop()
    assert result.gradients["x"] in (2, 6)
    assert result.gradients["y"].tolist() == [[0, 0, 0]]
    assert len(result.notes) == 1
    note = result.notes[0]
    assert (note.code, note.severity) == ("GS505", "note")
    assert "'y'" in note.message


def test_l8_2_zero_blocked_and_disconnected_are_told_apart() -> None:
    text = """
        inputs: {x: 3.5, steps: 1.5, hidden: 2.5, lonely: 1}
        nodes:
          f: x * x + floor(steps) + cast(hidden > 1, dtype="float64")
        outputs: f
    """
    result = program(text).backprop()
    assert {name: float(array) for name, array in result.gradients.items()} == {
        "x": 7,
        "steps": 0,
        "hidden": 0,
        "lonely": 0,
    }
    notes = {note.code + note.message.split("'")[1]: note.message for note in result.notes}
    assert set(notes) == {"GS505steps", "GS503hidden", "GS505lonely"}
    assert "zero everywhere" in notes["GS505steps"]
    assert "does not depend" in notes["GS505lonely"]
    assert "only through" in notes["GS503hidden"]
    assert {note.severity for note in result.notes} == {"note"}


def test_l8_2_a_gradient_that_is_zero_at_a_point_has_no_note() -> None:
    result = program("inputs: {x: 0, y: -1}\nnodes: {f: x * x + relu(y)}\noutputs: f").backprop()
    assert (result.gradients["x"], result.gradients["y"]) == (0, 0)
    assert result.notes == ()


def test_l8_2_a_named_wrt_may_be_any_float_value() -> None:
    text = """
        functions:
          scale: {inputs: [x], parameters: {w: 2}, nodes: {inner: x * w, y: inner * inner}, outputs: y}
        inputs: {x: 3}
        state: {s: 5}
        parameters: {fixed: {value: 7, trainable: false}}
        constants: {c: [1, 2]}
        nodes: {h: scale(x), f: sum(h * s * fixed * c)}
        outputs: f
    """
    loaded = program(text)
    names = ["x", "h", "h.inner", "h.w", "s", "fixed", "c", "f", "f.multiply", "h.y"]
    result = loaded.backprop(wrt=names)
    assert list(result.gradients) == names
    flat = {name: result.gradients[name].tolist() for name in names}
    assert flat == {
        "x": 2520,
        "h": 105,
        "h.inner": 1260,
        "h.w": 3780,
        "s": 756,
        "fixed": 540,
        "c": [1260, 1260],
        "f": 1,
        "f.multiply": 21,
        "h.y": 105,
    }
    assert loaded.backprop(wrt="h").gradients["h"] == 105
    assert loaded.backprop(of="h", wrt=["h.inner"]).gradients["h.inner"] == 12


def test_l8_2_a_name_that_is_listed_twice_counts_once() -> None:
    assert list(program("inputs: {x: 3}\nnodes: {f: x}\noutputs: f").backprop(wrt=["x", "x"]).gradients) == ["x"]


WRONG = """
    inputs: {{x: [1, 2], i: {{dtype: int64, value: 1}}}}
    nodes:
      v: x * 2
      f: sum(v)
      b: f > 1
      top: argmax(x)
      blocked: sum(cast(x > 1, dtype="float64"))
      split: unstack(x)
    outputs: {outputs}
    {differentiate}
"""


@pytest.mark.parametrize(
    ("of", "wrt", "code"),
    [
        ("v", None, "GS501"),
        ("top", None, "GS502"),
        ("b", None, "GS502"),
        ("i", None, "GS502"),
        ("f", ["i"], "GS502"),
        ("f", ["top"], "GS502"),
        ("f", ["b"], "GS502"),
        ("blocked", ["x"], "GS503"),
        ("blocked", None, "GS503"),
        ("ff", None, "GS504"),
        ("f", ["xx"], "GS504"),
        ("f", "xx", "GS504"),
        ("split", None, "GS504"),
        ("f", ["split"], "GS504"),
    ],
)
def test_l8_2_what_has_no_gradient(of: str, wrt: list[str] | None, code: str) -> None:
    loaded = program(WRONG.format(outputs="f", differentiate=""))
    for method in (loaded.backprop, loaded.gradient):
        with pytest.raises(gs.NotDifferentiableError) as info:
            method(of=of, wrt=wrt)
        assert [found.code for found in info.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("written", "code", "column"),
    [
        ("v", "GS501", 16),
        ("top", "GS502", 16),
        ("ff", "GS301", 16),
        ("{of: v}", "GS501", 21),
        ("{of: f, wrt: [x, i]}", "GS502", 33),
        ("{of: f, wrt: i}", "GS502", 29),
        ("{of: f, wrt: [x, xx]}", "GS301", 33),
    ],
)
def test_l8_2_a_document_says_what_has_no_gradient(written: str, code: str, column: int) -> None:
    found = only(WRONG.format(outputs="f", differentiate=f"differentiate: {written}"))
    assert place(found) == (code, 11, column)


def test_l8_2_what_is_blocked_is_found_when_it_is_differentiated() -> None:
    loaded = program(WRONG.format(outputs="f", differentiate="differentiate: {of: blocked, wrt: [x]}"))
    with pytest.raises(gs.NotDifferentiableError) as info:
        loaded.backprop()
    (found,) = info.value.diagnostics
    assert found.code == "GS503"
    assert "'x' reaches 'blocked' only through" in found.message
    assert found.where is not None
    assert found.where.line == 8


@pytest.mark.parametrize("written", ["f", "{of: f}", "{of: f, wrt: [x]}", "{of: f, wrt: x}", "{of: f, wrt: [v, x]}"])
def test_l8_2_a_document_says_what_is_differentiated(written: str) -> None:
    loaded = program(WRONG.format(outputs="[v, top]", differentiate=f"differentiate: {written}"))
    result = loaded.backprop()
    assert result.of == "f"
    assert list(result.gradients) == (["v", "x"] if "v" in written else ["x"])
    assert result.gradients["x"].tolist() == [2, 2]
    assert list(result.outputs) == ["v", "top"]
    assert list(loaded.backprop(wrt=["v"]).gradients) == ["v"]


def test_l8_2_all_problems_are_reported() -> None:
    loaded = program(WRONG.format(outputs="f", differentiate=""))
    with pytest.raises(gs.NotDifferentiableError) as info:
        loaded.backprop(of="v", wrt=["xx", "i", "x"])
    assert [found.code for found in info.value.diagnostics] == ["GS501", "GS504", "GS502"]


def test_l8_2_hints_for_names() -> None:
    loaded = program("inputs: {height: 2, width: 3}\nnodes: {area: height * width}\noutputs: area")
    with pytest.raises(gs.NotDifferentiableError) as info:
        loaded.backprop(wrt=["widht"])
    assert info.value.diagnostics[0].hint == "did you mean 'width'?"
    with pytest.raises(gs.NotDifferentiableError) as info:
        loaded.backprop(of="aera")
    assert info.value.diagnostics[0].hint == "did you mean 'area'?"


def test_l8_2_the_gradient_is_a_program() -> None:
    loaded = program("inputs: {x: 3, y: 4}\nnodes: {f: x ** 3 * y}\noutputs: f")
    first = loaded.gradient()
    assert {name: float(array) for name, array in first.run().outputs.items()} == {"d_x": 108, "d_y": 27}
    second = loaded.gradient(wrt="x").gradient()
    assert {name: float(array) for name, array in second.run(x=2).outputs.items()} == {"d_x_2": 48, "d_y": 12}
    assert loaded.backprop().gradients["x"] == 108


def test_l8_2_the_gradient_of_a_gradient_keeps_its_parameters() -> None:
    loaded = program("parameters: {w: 3}\nnodes: {f: w * w}\noutputs: f")
    loaded.parameters["w"] = 5
    assert loaded.gradient().run()["d_w"] == 10


# -- L8.3 updates -------------------------------------------------------------------------------------------------------


def test_l8_3_updates_read_the_values_from_before_and_take_effect_together() -> None:
    text = """
        state: {a: 1, b: 2}
        nodes: {f: a + b}
        updates: {a: b, b: a + b}
        outputs: f
    """
    loaded = program(text)
    for before, after in [((1, 2), (2, 3)), ((2, 3), (3, 5)), ((3, 5), (5, 8))]:
        assert (loaded.state["a"], loaded.state["b"]) == before
        result = loaded.run()
        assert result["f"] == sum(before)
        assert (result.updates["a"], result.updates["b"]) == after
        assert (loaded.state["a"], loaded.state["b"]) == before
        loaded.apply(result)


@pytest.mark.parametrize("method", ["run", "backprop"])
def test_l8_3_a_run_changes_nothing(method: str) -> None:
    loaded = program(
        "inputs: {x: 2}\nparameters: {w: 3}\nstate: {n: 0}\nnodes: {f: x * w}\nupdates: {n: n + 1, w: w - x}\noutputs: f"
    )
    results = [getattr(loaded, method)() for _ in range(3)]
    assert [float(result.updates["n"]) for result in results] == [1, 1, 1]
    assert [float(result.updates["w"]) for result in results] == [1, 1, 1]
    assert (loaded.parameters["w"], loaded.state["n"]) == (3, 0)


def test_l8_3_updates_of_calls_have_their_paths() -> None:
    text = """
        functions:
          counter:
            inputs: [x]
            state: {n: {value: 0, dtype: int64}}
            nodes: {y: x}
            updates: {n: n + 1}
            outputs: y
        inputs: {x: 1}
        nodes: {a: counter(x), b: counter(a)}
        outputs: b
    """
    loaded = program(text)
    result = loaded.run()
    assert {name: array.tolist() for name, array in result.updates.items()} == {"a.n": 1, "b.n": 1}
    assert {"a.n.next", "b.n.next"} <= set(result.values)
    loaded.apply(result)
    assert loaded.run().updates["a.n"] == 2


@pytest.mark.parametrize(
    ("declared", "expression", "expected"),
    [
        ("0", "5", 5),
        ("{value: 0, shape: [2]}", "5", [5, 5]),
        ("[1, 2]", "x * s", [3, 6]),
        ("[1, 2]", "s", [1, 2]),
        ("{value: true}", "x > 2", True),
        ("{value: 1, dtype: int64}", "s + 1", 2),
        ("0", "x", 3),
    ],
)
def test_l8_3_the_forms_of_an_update(declared: str, expression: str, expected: object) -> None:
    text = f"inputs: {{x: 3}}\nstate: {{s: {declared}}}\nnodes: {{f: x}}\nupdates: {{s: {expression}}}\noutputs: f"
    assert program(text).run().updates["s"].tolist() == expected


@pytest.mark.parametrize(
    ("updates", "code", "column"),
    [
        ("{t: 1}", "GS301", 11),
        ("{x: 1}", "GS301", 11),
        ("{f: 1}", "GS301", 11),
        ("{s: nothing}", "GS301", 14),
        ("{s: v}", "GS402", 14),
        ("{s: x > 1}", "GS402", 14),
        ("{s: relu}", "GS301", 14),
        ("{s: unknown(x)}", "GS201", 14),
    ],
)
def test_l8_3_wrong_updates(updates: str, code: str, column: int) -> None:
    text = f"inputs: {{x: 3, v: [1, 2]}}\nstate: {{s: 0}}\nnodes: {{f: x}}\nupdates: {updates}\noutputs: f"
    assert place(only(text)) == (code, 5, column)


def test_l8_3_what_an_apply_cannot_write_changes_nothing() -> None:
    loaded = program("state: {a: 1, b: 2}\nnodes: {f: a}\nupdates: {a: a + 1, b: b + 1}\noutputs: f")
    result = loaded.run()
    result.updates["b"] = np.zeros(3)
    with pytest.raises(gs.FeedError):
        loaded.apply(result)
    assert (loaded.state["a"], loaded.state["b"]) == (1, 2)


NETWORK = """
    inputs: {x: {shape: [batch, 3]}}
    functions:
      dense:
        attributes: {units: 4}
        inputs: {x: {shape: [n, m]}}
        parameters: {weight: {shape: [m, units], init: glorot_uniform}, bias: {shape: [units], init: zeros}}
        nodes: {y: x @ weight + bias}
        outputs: y
    nodes:
      h: dense(x)
      a: h * random_bernoulli_like
      f: mean(a * a)
      random_bernoulli_like: random_uniform(shape=[4])
    outputs: [a, f]
"""


def test_l8_3_several_threads_may_use_one_program() -> None:
    loaded = program(NETWORK)
    feeds = [np.random.default_rng(i).standard_normal((1 + i % 3, 3)) for i in range(8)]
    expected = [program(NETWORK).backprop(x=x, seed=i) for i, x in enumerate(feeds)]
    found: dict[tuple[int, int], gs.Result] = {}
    barrier = threading.Barrier(8)

    def work(i: int) -> None:
        barrier.wait()
        for repetition in range(10):
            found[i, repetition] = loaded.backprop(x=feeds[i], seed=i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    for (i, _), result in found.items():
        assert result["f"].tobytes() == expected[i]["f"].tobytes()
        assert list(result.gradients) == list(expected[i].gradients)
        for name, array in result.gradients.items():
            assert array.tobytes() == expected[i].gradients[name].tobytes()


def test_l8_3_a_result_is_that_of_its_run() -> None:
    loaded = program("inputs: {x: [1, 2]}\nparameters: {w: 3}\nnodes: {g: x * w, f: sum(g)}\noutputs: f")
    x = np.array([1.0, 2.0])
    result = loaded.run(x=x)
    x[:] = 0
    loaded.parameters["w"] = 100
    assert result.values["g"].tolist() == [3, 6]


def test_l8_3_arrays_belong_to_the_caller() -> None:
    loaded = program("inputs: {x: [1, 2]}\nparameters: {w: [3, 4]}\nnodes: {f: x * w, g: x}\noutputs: [f, g, x, w]")
    x = np.array([5.0, 6.0])
    first = loaded.run(x=x)
    for array in first.outputs.values():
        assert array.flags.owndata
        assert array.flags.writeable
        array[:] = -1
    loaded.parameters["w"][:] = -1
    assert x.tolist() == [5, 6]
    second = loaded.run()
    assert {name: array.tolist() for name, array in second.outputs.items()} == {
        "f": [3, 8],
        "g": [1, 2],
        "x": [1, 2],
        "w": [3, 4],
    }
    assert first["f"].tolist() == [-1, -1]
    kept = loaded.backprop(of=None, wrt="x") if loaded.model.of else None
    assert kept is None


def test_l8_3_values_that_cannot_be_computed_are_left_out() -> None:
    loaded = program("inputs: {x: 1, y: null}\nnodes: {f: x + 1, g: y + 1}\noutputs: f")
    result = loaded.run()
    assert result["f"] == 2
    assert list(result.values) == ["x", "f"]
    assert list(loaded.run(y=1).values) == ["x", "y", "f", "g"]


def test_l8_3_what_a_feed_makes_of_a_document_is_the_fault_of_the_feed() -> None:
    loaded = program(
        "inputs: {x: {shape: [...]}, w: {shape: [3, 2]}}\nnodes: {f: x + sum(w, axis=0)}\noutputs: f".replace(
            "f: x + sum(w, axis=0)", "f: 'x + sum(w, axis=0)'"
        )
    )
    assert loaded.run(x=1, w=np.ones((3, 2)))["f"].tolist() == [4, 4]
    text = "inputs: {x: {optional: true}, y: [1, 2, 3]}\nnodes: {f: y + x @ y if given(x) else y}\noutputs: f"
    with pytest.raises(gs.FeedError) as info:
        program(text).run(x=1)
    assert info.value.diagnostics[0].code in ("GS402", "GS403", "GS401")


def test_l8_3_a_size_that_nothing_binds() -> None:
    loaded = program("inputs: {x: 1, y: {shape: [n]}}\nnodes: {f: 'x * y.shape[0]', g: x + 1}\noutputs: [g, f]")
    with pytest.raises(gs.FeedError) as info:
        loaded.run()
    assert [found.code for found in info.value.diagnostics] == ["GS602"]
    assert loaded.run(y=[1, 2])["f"] == 2
    other = program("inputs: {x: 1, y: {shape: [n]}}\nnodes: {f: 'x * y.shape[0]', g: x + 1}\noutputs: g")
    assert list(other.run().values) == ["x", "g"]
    with pytest.raises(gs.FeedError) as info:
        other.backprop()
    assert [found.code for found in info.value.diagnostics] == ["GS602"]
    assert other.backprop(wrt="x").gradients["x"] == 1
    assert other.backprop(y=[1, 2]).gradients["y"].tolist() == [0, 0]


# -- L8.4 random numbers ------------------------------------------------------------------------------------------------

DROPOUT = """
    attributes: {training: true}
    inputs: {x: {shape: [1000], value: 1}}
    nodes:
      a: dropout(x, rate=0.5)
      b: dropout(x, rate=0.5)
      c: dropout(x, rate=0.5) + dropout(x, rate=0.5)
      u: random_uniform(shape=[3])
      v: random_uniform(shape=[3])
    outputs: [a, b, c, u, v]
"""


def dropout(**facts: object) -> gs.Program:
    return program(DROPOUT.replace("    attributes: {training: true}\n", ""), attributes={"training": True})


def test_l8_4_two_random_nodes_never_merge() -> None:
    result = dropout().run()
    assert not np.array_equal(result["a"], result["b"])
    assert set(np.unique(result["a"])) == {0.0, 2.0}
    assert set(np.unique(result["c"])) == {0.0, 2.0, 4.0}
    assert not np.array_equal(result["u"], result["v"])


def test_l8_4_the_seed_decides() -> None:
    loaded, twin = dropout(), dropout()
    for seed in (0, 1, 2**40):
        for name in ("a", "c", "u"):
            assert loaded.run(seed=seed)[name].tobytes() == twin.run(seed=seed)[name].tobytes()
    assert not np.array_equal(loaded.run(seed=0)["a"], loaded.run(seed=1)["a"])


def test_l8_4_forward_and_backward_see_the_same_numbers() -> None:
    loaded = program(
        "inputs: {x: {shape: [50], value: 3}}\nnodes: {y: 'x * random_uniform(shape=[50])', f: sum(y)}\noutputs: [f, y]"
    )
    result = loaded.backprop(seed=7)
    assert result.gradients["x"] == pytest.approx(result["y"] / 3)


def test_l8_4_a_random_node_carries_its_path() -> None:
    graph = dropout().graph
    keys = {graph.ops[node].key for node in range(len(graph)) if hasattr(graph.ops[node], "key")}  # type: ignore[attr-defined]
    assert {"u", "v"} <= keys
    assert len(keys) == 6


def test_l8_4_a_new_node_changes_no_other() -> None:
    more = DROPOUT.replace("    attributes: {training: true}\n", "").replace(
        "nodes:\n", "nodes:\n      first: random_uniform(shape=[3])\n"
    )
    before, after = dropout().run(seed=3), program(more, attributes={"training": True}).run(seed=3)
    for name in before.outputs:
        assert before[name].tobytes() == after[name].tobytes()


LAYERS = """
    functions:
      dense:
        attributes: {units: 4}
        inputs: {x: {shape: [n, m]}}
        parameters: {weight: {shape: [m, units], init: glorot_normal}, bias: {shape: [units], init: normal}}
        nodes: {y: x @ weight + bias}
        outputs: y
    inputs: {x: {shape: [2, 4], value: 1}}
    nodes:
      first: dense(x)
      last: dense(first)
    outputs: last
"""


def test_l8_4_a_new_layer_changes_no_other_parameter() -> None:
    more = LAYERS.replace("last: dense(first)", "between: dense(first)\n      last: dense(between)")
    before, after = program(LAYERS).parameters, program(more).parameters
    assert list(after) == ["first.weight", "first.bias", "between.weight", "between.bias", "last.weight", "last.bias"]
    for name in before:
        assert before[name].tobytes() == after[name].tobytes()
    assert len({after[name].tobytes() for name in after}) == 6


def test_l8_4_the_seed_of_a_run_is_that_of_its_parameters() -> None:
    loaded = program(LAYERS)
    assert not np.array_equal(loaded.run(seed=0)["last"], loaded.run(seed=1)["last"])
    assert loaded.run(seed=1)["last"].tobytes() == program(LAYERS).run(seed=1)["last"].tobytes()
    assert np.array_equal(loaded.parameters["last.weight"], loaded.run(seed=0).values["last.weight"])
    loaded.parameters["last.weight"] = np.zeros((4, 4))
    assert not loaded.run(seed=1).values["last.weight"].any()


# -- L8.5 optimizers ----------------------------------------------------------------------------------------------------


def test_l8_5_an_optimizer_is_a_function_of_parameter_and_gradient() -> None:
    text = """
        functions:
          momentum:
            inputs: {parameter: null, gradient: null, learning_rate: 0.1, beta: 0.9}
            state: {velocity: 0}
            nodes:
              next_velocity: beta * velocity + gradient
              next: parameter - learning_rate * next_velocity
            updates: {velocity: next_velocity}
            outputs: next
        inputs: {p: 1, g: 2, q: 3}
        nodes:
          a: momentum(p, g)
          b: momentum(q, g, learning_rate=p)
        outputs: [a, b]
    """
    loaded = program(text)
    assert list(loaded.state) == ["a.velocity", "b.velocity"]
    result = loaded.run()
    assert (result["a"], result["b"]) == (pytest.approx(0.8), 1)
    loaded.apply(result)
    assert loaded.run()["a"] == pytest.approx(1 - 0.1 * (0.9 * 2 + 2))


# -- parameters, attributes and files -----------------------------------------------------------------------------------


def weights(folder: Path, **arrays: np.ndarray) -> Path:
    """Write a safetensors file; ``__`` in a name stands for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name.replace("__", "."): array for name, array in arrays.items()}, folder / "w.safetensors")
    return folder / "w.safetensors"


FILE = "parameters: {{w: {{shape: [2], file: {file}{more}}}}}\nnodes: {{f: w * 2}}\noutputs: f"


def test_l8_parameters_from_a_file(tmp_path: Path) -> None:
    weights(tmp_path / "sub", w=np.array([1.0, 2.0]), h__w=np.array([3.0, 4.0]))
    assert value(FILE.format(file="sub/w.safetensors", more=""), folder=tmp_path) == [2, 4]
    assert value(FILE.format(file="sub/w.safetensors", more=", key: h.w"), folder=tmp_path) == [6, 8]
    (tmp_path / "spec.yaml").write_text("graphspec: 1\n" + FILE.format(file="sub/w.safetensors", more=""))
    loaded = gs.load(tmp_path / "spec.yaml")
    assert loaded.parameters["w"].tolist() == [1, 2]
    assert loaded.backprop(of="f", wrt="w") if loaded.model.of else True


def test_l8_files_stand_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    weights(tmp_path / "sub", w=np.array([1.0, 2.0]), f__w=np.array([3.0, 4.0]))
    (tmp_path / "sub" / "lib.yaml").write_text("graphspec: 1\n" + FILE.format(file="w.safetensors", more=", key: w"))
    text = "imports: {lib: sub/lib.yaml}\nnodes: {f: lib()}\noutputs: f"
    assert value(text, folder=tmp_path) == [2, 4]
    (tmp_path / "sub" / "lib.yaml").write_text("graphspec: 1\n" + FILE.format(file="w.safetensors", more=""))
    assert value(text, folder=tmp_path) == [6, 8]


@pytest.mark.parametrize(
    ("file", "more", "code"),
    [
        ("../w.safetensors", "", "GS112"),
        ("/etc/passwd", "", "GS112"),
        ("link.safetensors", "", "GS112"),
        ("missing.safetensors", "", "GS111"),
        ("spec.yaml", "", "GS606"),
        ("inner.safetensors", ", key: v", "GS606"),
        ("inner.safetensors", ", dtype: float32", "GS603"),
        ("inner.safetensors", ", key: three", "GS604"),
    ],
)
def test_l8_files_that_do_not_fit(tmp_path: Path, file: str, more: str, code: str) -> None:
    weights(tmp_path, w=np.array([1.0, 2.0]))
    inner = tmp_path / "inner"
    weights(inner, w=np.array([1.0, 2.0]), three=np.zeros(3)).rename(inner / "inner.safetensors")
    (inner / "link.safetensors").symlink_to(tmp_path / "w.safetensors")
    (inner / "spec.yaml").write_text("graphspec: 1\n" + FILE.format(file=file, more=more))
    with pytest.raises(GraphSpecError) as info:
        gs.load(inner / "spec.yaml").run()
    (found,) = info.value.diagnostics
    assert found.code == code
    assert found.where is not None
    assert found.where.line == 2


def test_l8_a_text_without_a_folder_has_no_weights() -> None:
    with pytest.raises(GraphSpecError) as info:
        program(FILE.format(file="w.safetensors", more="")).run()
    assert [found.code for found in info.value.diagnostics] == ["GS112"]


def test_l8_parameters_are_saved_and_loaded(tmp_path: Path) -> None:
    loaded = program(LAYERS)
    loaded.parameters["first.bias"] = [1, 2, 3, 4]
    loaded.parameters.save(tmp_path / "all.safetensors")
    other = program(LAYERS)
    other.parameters.load(tmp_path / "all.safetensors")
    assert other.run(seed=9)["last"].tobytes() == loaded.run(seed=0)["last"].tobytes()


def test_l8_parameters_that_are_scalars_and_complex_are_saved_and_loaded(tmp_path: Path) -> None:
    text = (
        "parameters: {s: 0, c: {shape: [2], dtype: complex128, init: zeros}}\nnodes: {f: s + s, g: c}\noutputs: [f, g]"
    )
    loaded, other = program(text), program(text)
    loaded.parameters["s"], loaded.parameters["c"] = 2.5, np.array([3 + 4j, 1j])
    loaded.parameters.save(tmp_path / "all.safetensors")
    other.parameters.load(tmp_path / "all.safetensors")
    assert other.parameters["s"].shape == ()
    assert other.run()["f"] == 5
    assert other.run()["g"].tolist() == [3 + 4j, 1j]


@pytest.mark.parametrize(
    ("path", "given", "code"),
    [("first.bais", 0, "GS601"), ("first.bias", [1, 2], "GS604"), ("first.bias", "x", "GS603"), ("x", 0, "GS601")],
)
def test_l8_parameters_are_checked_when_they_are_assigned(path: str, given: object, code: str) -> None:
    loaded = program(LAYERS)
    with pytest.raises(gs.FeedError) as info:
        loaded.parameters[path] = given  # type: ignore[assignment]
    assert [found.code for found in info.value.diagnostics] == [code]


ATTRIBUTES = """
    attributes: {units: 2, rate: {type: float, default: 0.5, maximum: 1}, activation: {type: op, default: tanh}}
    inputs: {x: {shape: [2], value: 1}}
    parameters: {w: {shape: [2, units], init: ones}}
    nodes: {f: activation(x @ w) * rate}
    outputs: f
"""


def test_l8_attributes_are_overridden_by_the_caller() -> None:
    assert value(ATTRIBUTES) == pytest.approx([0.5 * np.tanh(2)] * 2)
    given = {"units": 3, "rate": 1, "activation": "relu"}
    assert value(ATTRIBUTES, attributes=given) == [2, 2, 2]
    assert value(ATTRIBUTES, attributes={"activation": "leaky_relu(slope=0.1)"}) == [1, 1]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"unit": 3}, "did you mean 'units'?"),
        ({"units": "three"}, ""),
        ({"units": 2.5}, ""),
        ({"rate": 2}, ""),
        ({"activation": "tnah"}, "did you mean 'tanh'?"),
        ({"activation": 3}, ""),
        ({"x": 3}, ""),
    ],
)
def test_l8_attributes_that_do_not_fit(given: dict[str, object], hint: str) -> None:
    found = only(ATTRIBUTES, attributes=given)
    assert found.code == "GS608"
    assert hint in found.hint


def test_l8_a_required_attribute() -> None:
    text = "attributes:\n  n: {type: integer}\ninputs: {x: 3}\nnodes: {f: x * n}\noutputs: f"
    assert value(text, attributes={"n": 2}) == 6
    found = only(text)
    assert place(found) == ("GS211", 3, 3)
    assert "--attribute n=" in found.hint


# -- L8.6 -----------------------------------------------------------------------------------------------------------------

TESTED = """
graphspec: 1
inputs: {x: 2}
parameters: {w: 3}
nodes: {f: x * w}
outputs: f
tests:
  - name: by path and by name
    feeds: {x: 5, w: 4}
    expect: {f: 20}
    gradients: {x: 4, w: 5}
  - name: with a tolerance
    expect: {f: 6.5}
    rtol: 0.1
  - name: wrong
    expect: {f: 7}
"""


def test_l8_6_tests_feed_and_expect_paths_within_tolerances() -> None:
    report = check_program(gs.loads(TESTED), gradients=False)
    assert [(outcome.name, outcome.ok) for outcome in report.tests] == [
        ("by path and by name", True),
        ("with a tolerance", True),
        ("wrong", False),
    ]
    (found,) = [diagnostic for diagnostic in report.diagnostics if diagnostic.severity == "error"]
    assert (found.code, found.where.line) == ("GS609", 16)
