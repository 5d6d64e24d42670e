"""Rules L7.1 to L7.3: calls, repeats and imports. Gradients of one's own (L7.4) have a file of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rules import only, paths, place, problems, program, related, value

import graphspec as gs
from graphspec.check import check_program
from graphspec.errors import Diagnostic

# -- L7.1 calls and their parameters ------------------------------------------------------------------------------------

SCALE = """
functions:
  scale:
    inputs: [x]
    parameters: {w: {shape: [], init: normal}, b: 1}
    state: {count: 0}
    nodes: {y: x * w + b}
    updates: {count: count + 1}
    outputs: y
  twice:
    inputs: [x]
    nodes: {inner: scale(x), y: scale(inner)}
    outputs: y
inputs: {x: 2}
"""


def scaled(nodes: str, outputs: str = "f") -> str:
    """Return a document that calls ``scale``."""
    return SCALE + f"nodes:\n{nodes}\noutputs: {outputs}"


def test_l7_1_every_call_has_parameters_and_state_of_its_own() -> None:
    loaded = program(scaled("  h: scale(x)\n  g: scale(h)\n  f: scale(g) + scale(g)"))
    assert list(loaded.parameters) == [
        "h.w",
        "h.b",
        "g.w",
        "g.b",
        "f.scale.w",
        "f.scale.b",
        "f.scale_2.w",
        "f.scale_2.b",
    ]
    assert list(loaded.state) == ["h.count", "g.count", "f.scale.count", "f.scale_2.count"]
    assert len({float(loaded.parameters[f"{call}.w"]) for call in ("h", "g", "f.scale", "f.scale_2")}) == 4
    assert list(loaded.run().updates) == ["h.count", "g.count", "f.scale.count", "f.scale_2.count"]


def test_l7_1_calls_inside_calls() -> None:
    loaded = program(scaled("  f: twice(x)"))
    assert list(loaded.parameters) == ["f.inner.w", "f.inner.b", "f.y.w", "f.y.b"]


def test_l7_1_a_parameter_may_be_bound_by_name() -> None:
    text = scaled('  h: scale(x)\n  f: "scale(h, w=h.w)"')
    loaded = program(text)
    assert list(loaded.parameters) == ["h.w", "h.b", "f.b"]
    w = float(loaded.parameters["h.w"])
    result = loaded.backprop()
    assert result["f"] == pytest.approx((2 * w + 1) * w + 1)
    assert result.gradients["h.w"] == pytest.approx(4 * w + 1)
    assert result.gradients["h.b"] == pytest.approx(w)


@pytest.mark.parametrize(
    ("call", "expected"),
    [("scale(x, w=3)", 7), ("scale(x, w=x, b=x)", 6), ("scale(x, w=x + 1, b=0)", 6), ("scale(x, w=k)", 21)],
)
def test_l7_1_any_value_may_be_bound(call: str, expected: float) -> None:
    text = SCALE + f"constants: {{k: 10}}\nnodes:\n  f: {call}\noutputs: f"
    loaded = program(text)
    assert loaded.run()["f"] == expected
    assert "f.w" not in loaded.parameters


def test_l7_1_in_mapping_form_a_parameter_is_bound_under_inputs() -> None:
    text = SCALE + "parameters: {v: 5}\nnodes:\n  f: {op: scale, inputs: {x: x, w: v}}\noutputs: f"
    loaded = program(text)
    assert list(loaded.parameters) == ["v", "f.b"]
    assert loaded.run()["f"] == 11


def test_l7_1_state_may_be_bound_by_name() -> None:
    text = SCALE + "state: {steps: 7}\nnodes:\n  f: scale(x, w=1, count=steps)\noutputs: f"
    loaded = program(text)
    assert list(loaded.state) == ["steps"]


@pytest.mark.parametrize(
    ("call", "hint"), [("scale(x, bb=3)", "did you mean 'b'?"), ("scale(x, weight=3)", "signature")]
)
def test_l7_1_what_is_not_a_parameter_cannot_be_bound(call: str, hint: str) -> None:
    found = only(scaled(f"  f: {call}"))
    assert place(found) == ("GS210", 16, 15)
    assert hint in found.hint


def test_l7_1_a_parameter_is_bound_to_its_declared_shape_and_dtype() -> None:
    text = """
        functions:
          g: {inputs: [x], parameters: {w: {shape: [2], init: ones}}, nodes: {y: x * w}, outputs: y}
        parameters: {v: [1, 2, 3]}
        inputs: {x: 2}
        nodes:
          f: g(x, w=v)
        outputs: f
    """
    found = only(text)
    assert place(found) == ("GS402", 7, 13)
    assert "parameter 'w' of g is declared [2], found float64[3]" in found.message
    typed = text.replace("v: [1, 2, 3]", "v: {value: [1, 2], dtype: float32}")
    assert only(typed).code == "GS401"


def test_l7_1_the_shape_of_what_is_bound_may_use_dims() -> None:
    text = """
        functions:
          g:
            inputs: {x: {shape: [n]}}
            parameters: {w: {shape: [n, 2], init: ones}}
            nodes: {y: x @ w}
            outputs: y
        parameters: {v: {shape: [3, 2], init: ones}}
        inputs: {x: [1, 2, 3]}
        nodes:
          h: g(x)
          f: g(x, w=v)
        outputs: [f, h]
    """
    loaded = program(text)
    assert {path: found.shape for path, found in loaded.parameters.items()} == {"h.w": (3, 2), "v": (3, 2)}
    assert loaded.run()["f"].tolist() == [6, 6]


@pytest.mark.parametrize(
    "written", ["{op: scale, inputs: h, share: h}", '"scale(h, share=h)"', "\"scale(h, share='h')\""]
)
def test_l7_1_share_uses_all_parameters_and_state(written: str) -> None:
    loaded = program(scaled(f"  h: scale(x)\n  f: {written}"))
    assert list(loaded.parameters) == ["h.w", "h.b"]
    assert list(loaded.state) == ["h.count"]
    w = float(loaded.parameters["h.w"])
    assert loaded.backprop().gradients["h.w"] == pytest.approx(4 * w + 1)


def test_l7_1_share_does_not_depend_on_the_order_of_the_document() -> None:
    loaded = program(scaled('  f: "scale(h, share=g)"\n  h: "scale(x, share=g)"\n  g: scale(x)', "[f, g]"))
    assert list(loaded.parameters) == ["g.w", "g.b"]


def test_l7_1_sharing_what_shares_already() -> None:
    loaded = program(scaled('  a: scale(x)\n  b: "scale(a, share=a)"\n  f: "scale(b, share=b)"'))
    assert list(loaded.parameters) == ["a.w", "a.b"]


def test_l7_1_sharing_reaches_the_calls_inside() -> None:
    loaded = program(scaled('  a: twice(x)\n  f: "twice(a, share=a)"'))
    assert list(loaded.parameters) == ["a.inner.w", "a.inner.b", "a.y.w", "a.y.b"]


def test_l7_1_share_inside_an_expression_and_a_function() -> None:
    text = """
        functions:
          scale: {inputs: [x], parameters: {w: 3}, nodes: {y: x * w}, outputs: y}
          tied: {inputs: [x], nodes: {a: scale(x), y: "1 + scale(a, share=a)"}, outputs: y}
        inputs: {x: 2}
        nodes: {p: tied(x), f: "p + tied(x, share=p)"}
        outputs: f
    """
    loaded = program(text)
    assert list(loaded.parameters) == ["p.a.w"]
    assert loaded.run()["f"] == 38


def test_l7_1_share_and_a_bound_parameter() -> None:
    loaded = program(scaled('  h: scale(x)\n  f: "scale(h, share=h, w=1)"'))
    assert list(loaded.parameters) == ["h.w", "h.b"]
    assert loaded.backprop().gradients["h.w"] == 2


@pytest.mark.parametrize("written", ["{op: scale, inputs: x, share: SHARED}", '"scale(x, share=SHARED)"'])
@pytest.mark.parametrize(
    ("shared", "code"), [("hh", "GS301"), ("t", "GS313"), ("x", "GS313"), ("s", "GS313"), ("k", "GS313")]
)
def test_l7_1_share_names_a_call_of_the_same_function(written: str, shared: str, code: str) -> None:
    text = scaled(f"  h: scale(x)\n  t: twice(x)\n  s: x + 1\n  k: relu(x)\n  f: {written.replace('SHARED', shared)}")
    found = only(text)
    assert found.code == code
    assert found.where is not None
    assert found.where.line == 20
    assert found.where.text is not None
    assert found.where.text[found.where.column - 1 :].startswith(shared)


def test_l7_1_share_of_parameters_of_another_shape() -> None:
    text = """
        functions:
          g:
            attributes: {units: 2}
            inputs: {x: {shape: [n]}}
            parameters: {w: {shape: [n, units], init: ones}}
            nodes: {y: x @ w}
            outputs: y
        inputs: {x: [1, 2]}
        nodes:
          h: g(x)
          f: g(x, units=3, share=h)
        outputs: f
    """
    found = only(text)
    assert found.code == "GS402"
    assert "h.w" in found.message


# -- L7.2 repeat --------------------------------------------------------------------------------------------------------

REPEAT = """
attributes: {{depth: 3}}
functions:
  layer:
    attributes: {{rate: 1.0}}
    inputs: {{x: {{shape: [n]}}, k: 0}}
    parameters: {{w: {{shape: [n], init: normal}}}}
    nodes: {{y: x * w * rate + k}}
    outputs: y
inputs: {{x: [1, 2]}}
parameters: {{v: [2, 2]}}
nodes:
  block: {node}
outputs: block
"""


@pytest.mark.parametrize("count", ["3", "$depth", "$(2*depth - 3)", "3.0"])
def test_l7_2_a_count_of_copies(count: str) -> None:
    loaded = program(REPEAT.format(node=f"{{op: layer, inputs: x, repeat: {count}}}"))
    assert list(loaded.parameters) == ["block.0.w", "block.1.w", "block.2.w"]
    result = loaded.run()
    product = np.prod([loaded.parameters[path] for path in loaded.parameters], axis=0)
    assert result["block"] == pytest.approx(np.array([1, 2]) * product)
    assert result["block.0"] == pytest.approx(np.array([1, 2]) * loaded.parameters["block.0.w"])
    assert {"block.0", "block.1", "block.2", "block", "block.1.w", "block.2.y.multiply"} <= set(result.values)


def test_l7_2_the_gradient_goes_through_all_copies() -> None:
    text = REPEAT.format(node="{op: layer, inputs: x, repeat: 4}").replace(
        "outputs: block", "  f: sum(block)\noutputs: f"
    )
    loaded = program(text)
    gradients = loaded.backprop().gradients
    weights = [loaded.parameters[f"block.{i}.w"] for i in range(4)]
    assert gradients["x"] == pytest.approx(np.prod(weights, axis=0))
    assert gradients["block.1.w"] == pytest.approx(np.array([1, 2]) * weights[0] * weights[2] * weights[3])


def test_l7_2_one_copy_per_entry() -> None:
    loaded = program(REPEAT.format(node="{op: layer, inputs: {x: x, w: v}, repeat: {over: {rate: [1, 10, $depth]}}}"))
    assert loaded.run()["block"].tolist() == [8 * 30, 2 * 8 * 30]


def test_l7_2_lists_of_equal_length() -> None:
    text = """
        functions:
          layer: {attributes: {a: 1.0, b: 0.0}, inputs: [x], nodes: {y: x * a + b}, outputs: y}
        inputs: {x: 5}
        nodes:
          f: {op: layer, inputs: x, repeat: {over: {a: [2, 3], b: [1, 2]}}}
        outputs: f
    """
    assert value(text) == (5 * 2 + 1) * 3 + 2
    found = only(text.replace("b: [1, 2]", "b: [1]"))
    assert found.code == "GS205"
    assert found.where is not None
    assert found.where.line == 6
    assert "different lengths" in found.message


@pytest.mark.parametrize("over", ["{rate: $rates}", "{rate: '$[2, depth]'}", "{rate: [2, $depth]}"])
def test_l7_2_a_list_may_be_computed(over: str) -> None:
    text = REPEAT.replace("{{depth: 3}}", "{{depth: 3, rates: [2, 3]}}")
    loaded = program(text.format(node=f"{{op: layer, inputs: {{x: x, w: v}}, repeat: {{over: {over}}}}}"))
    assert loaded.run()["block"].tolist() == [4 * 6, 8 * 6]


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ("{rate: rates}", "GS205"),
        ("{rate: $depth}", "GS205"),
        ("{rate: $other}", "GS301"),
        ("{rate: $words}", "GS205"),
        ("{rate: $rates, shift: [1]}", "GS205"),
    ],
)
def test_l7_2_a_computed_list_that_does_not_fit(over: str, code: str) -> None:
    text = REPEAT.replace("{{depth: 3}}", "{{depth: 3, rates: [2, 3], words: [a]}}")
    text = text.replace("{{rate: 1.0}}", "{{rate: 1.0, shift: 0.0}}")
    found = only(text.format(node=f"{{op: layer, inputs: x, repeat: {{over: {over}}}}}"))
    assert found.code == code
    assert found.where is not None
    assert found.where.line == 13


def test_l7_2_names_of_ops_may_be_listed() -> None:
    text = """
        attributes: {forms: [sin, relu]}
        functions:
          layer: {attributes: {form: {type: op}}, inputs: [x], nodes: {y: form(x)}, outputs: y}
        inputs: {x: -1}
        nodes:
          f: {op: layer, inputs: x, repeat: {over: {form: $forms}}}
        outputs: f
    """
    assert value(text) == 0


@pytest.mark.parametrize(
    ("over", "code"), [("{ratee: [1, 2]}", "GS202"), ("{rate: [1, true]}", "GS205"), ("{}", "GS205")]
)
def test_l7_2_over_names_attributes(over: str, code: str) -> None:
    found = only(REPEAT.format(node=f"{{op: layer, inputs: x, repeat: {{over: {over}}}}}"))
    assert found.code == code
    assert found.where is not None
    assert found.where.line == 13


def test_l7_2_an_attribute_is_given_once() -> None:
    found = only(REPEAT.format(node="{op: layer, inputs: x, rate: 2, repeat: {over: {rate: [1, 2]}}}"))
    assert found.code == "GS205"
    assert "'rate'" in found.message


def test_l7_2_other_operands_go_to_every_copy() -> None:
    loaded = program(REPEAT.format(node="{op: layer, inputs: {x: x, k: 5, w: v}, repeat: 2}"))
    assert loaded.run()["block"].tolist() == [(2 + 5) * 2 + 5, (4 + 5) * 2 + 5]


def test_l7_2_a_parameter_that_is_passed_in_is_common_to_all() -> None:
    loaded = program(REPEAT.format(node="{op: layer, inputs: {x: x, w: v}, repeat: 3}"))
    assert list(loaded.parameters) == ["v"]


@pytest.mark.parametrize("repeat", ["0", "{over: {rate: []}}"])
def test_l7_2_zero_copies_pass_the_first_input_on(repeat: str) -> None:
    text = REPEAT.format(node=f"{{op: layer, inputs: x, repeat: {repeat}}}").replace(
        "outputs: block", "  f: sum(block)\noutputs: f"
    )
    loaded = program(text)
    assert list(loaded.parameters) == []
    result = loaded.backprop()
    assert result["block"].tolist() == [1, 2]
    assert result.gradients["x"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("repeat", "code"),
    [
        ("-1", "GS205"),
        ("2.5", "GS204"),
        ("true", "GS204"),
        ("$x", "GS212"),
        ("$(depth > 2)", "GS205"),
        ("three", "GS205"),
        ("[1]", "GS204"),
    ],
)
def test_l7_2_a_count_is_static(repeat: str, code: str) -> None:
    found = only(REPEAT.format(node=f"{{op: layer, inputs: x, repeat: {repeat}}}"))
    assert found.code == code
    assert found.where is not None
    assert (found.where.line, found.where.column) == (13, 41)


def test_l7_2_an_op_may_be_repeated() -> None:
    assert value("inputs: {x: 2}\nnodes:\n  f: {op: multiply, inputs: [x, 3], repeat: 2}\noutputs: f") == 18


def test_l7_2_the_first_input_may_arrive_by_an_edge() -> None:
    text = REPEAT.format(node="{op: layer, inputs: {w: v}, repeat: 2}") + "edges: [x -> block.x]"
    assert program(text).run()["block"].tolist() == [4, 8]


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ("nodes: {y: sum(x)}, outputs: y", "float64[2] in, float64[] out"),
        ("nodes: {y: x > 1}, outputs: y", "float64[2] in, bool[2] out"),
        ("nodes: {y: x, z: x}, outputs: [y, z]", "several outputs"),
    ],
)
def test_l7_2_the_one_output_has_the_type_of_the_first_input(inner: str, message: str) -> None:
    text = f"""
        functions:
          layer: {{inputs: [x], {inner}}}
        inputs: {{x: [1, 2]}}
        nodes:
          f: {{op: layer, inputs: x, repeat: 2}}
        outputs: f
    """
    found = only(text)
    assert place(found) == ("GS407", 6, 11)
    assert message in found.message


def test_l7_2_what_is_repeated_has_a_first_input() -> None:
    text = "functions:\n  g: {nodes: {y: 2 + 1}, outputs: y}\nnodes:\n  f: {op: g, repeat: 2}\noutputs: f"
    assert only(text).code in ("GS303", "GS407")


def test_l7_2_share_with_a_repeated_node() -> None:
    text = REPEAT.format(node="{op: layer, inputs: x, repeat: 2}").replace(
        "outputs: block", "  f: {op: layer, inputs: block, repeat: 2, share: block}\noutputs: f"
    )
    loaded = program(text)
    assert list(loaded.parameters) == ["block.0.w", "block.1.w"]
    weights = loaded.parameters["block.0.w"] * loaded.parameters["block.1.w"]
    assert loaded.run()["f"] == pytest.approx(np.array([1, 2]) * weights**2)


# -- L7.3 imports -------------------------------------------------------------------------------------------------------

MAIN = "graphspec: 1\nimports: {lib: lib.yaml}\ninputs: {x: 3}\nnodes:\n  f: CALL\noutputs: f\n"
LIBRARY = """\
graphspec: 1
imports: {deep: sub/deep.yaml}
functions:
  double: {inputs: [a], nodes: {y: 2 * a}, outputs: y}
inputs: {x: 1}
parameters: {w: 5}
nodes: {y: deep(x) * w, z: sum(y)}
outputs: y
differentiate: z
tests: [{feeds: {x: 1}, expect: {y: 123}}]
data: {nothing: here}
train: {nor: here}
"""
DEEP = "graphspec: 1\ninputs: {x: 1}\nnodes: {y: x + 1}\noutputs: y\n"


def written(folder: Path, **files: str) -> Path:
    """Write files, ``__`` in a name stands for ``/``; return the first."""
    for name, text in files.items():
        target = folder / f"{name.replace('__', '/')}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder / f"{next(iter(files)).replace('__', '/')}.yaml"


def wrong(path: Path) -> Diagnostic:
    """Return the one thing that is wrong with a file."""
    with pytest.raises(gs.SpecError) as info:
        gs.load(path)
    (found,) = info.value.diagnostics
    return found


def located(found: Diagnostic) -> tuple[str, str, int, int]:
    """Return code, file name, line and column."""
    assert found.where is not None
    return found.code, Path(found.where.file).name, found.where.line, found.where.column


def imported(folder: Path, call: str) -> Path:
    return written(folder, main=MAIN.replace("CALL", call), lib=LIBRARY, sub__deep=DEEP)


def test_l7_3_an_imported_file_is_a_function(tmp_path: Path) -> None:
    loaded = gs.load(imported(tmp_path, "lib(x)"))
    result = loaded.backprop()
    assert result["f"] == 20
    assert result.gradients["x"] == 5
    assert list(loaded.parameters) == ["f.w"]


def test_l7_3_its_functions_are_visible(tmp_path: Path) -> None:
    assert gs.load(imported(tmp_path, "lib.double(x)")).run()["f"] == 6
    loaded = gs.load(imported(tmp_path, "1 + lib(x) + lib(x)"))
    assert list(loaded.parameters) == ["f.lib.w", "f.lib_2.w"]


@pytest.mark.parametrize("call", ["lib.deep(x)", "deep(x)", "double(x)", "lib.doubel(x)", "lib.relu(x)"])
def test_l7_3_what_it_imports_is_not(tmp_path: Path, call: str) -> None:
    found = wrong(imported(tmp_path, call))
    assert found.code in ("GS201", "GS209")
    assert found.where is not None
    assert (found.where.line, found.where.column) == (5, 6)


def test_l7_3_a_hint_names_the_functions_of_an_import(tmp_path: Path) -> None:
    assert wrong(imported(tmp_path, "lib.doubel(x)")).hint == "did you mean 'lib.double'?"


def test_l7_3_in_mapping_form_and_as_a_value(tmp_path: Path) -> None:
    assert gs.load(imported(tmp_path, "{op: lib.double, inputs: x}")).run()["f"] == 6
    text = MAIN.replace(
        "inputs:",
        "functions:\n  apply: {attributes: {op_of: {type: op}}, inputs: [a], nodes: {y: op_of(a)}, outputs: y}\ninputs:",
    )
    main = written(tmp_path, main=text.replace("CALL", "apply(x, op_of=lib.double)"), lib=LIBRARY, sub__deep=DEEP)
    assert gs.load(main).run()["f"] == 6


def test_l7_3_imports_stand_relative_to_their_own_file(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        main=MAIN.replace("lib.yaml", "a/lib.yaml").replace("CALL", "lib(x)"),
        a__lib="graphspec: 1\nimports: {other: ../b/other.yaml}\ninputs: {x: 0}\nnodes: {y: other(x)}\noutputs: y",
        b__other=DEEP,
    )
    assert gs.load(main).run()["f"] == 4


def test_l7_3_the_folder_is_that_of_the_file_that_the_caller_named(tmp_path: Path) -> None:
    text = "graphspec: 1\nimports:\n  other: ../b/other.yaml\ninputs: {x: 0}\nnodes: {y: other(x)}\noutputs: y"
    lib = written(tmp_path, a__lib=text, b__other=DEEP)
    found = wrong(lib)
    assert located(found) == ("GS112", "lib.yaml", 3, 10)
    assert "outside the spec's folder" in found.message


@pytest.mark.parametrize(
    "path",
    [
        "../out.yaml",
        "/etc/passwd",
        "sub/../../out.yaml",
        "file:///etc/passwd",
        "http://example.org/x.yaml",
        "..\\\\out.yaml",
    ],
)
def test_l7_3_outside_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "out.yaml").write_text(DEEP)
    main = written(
        tmp_path / "inner", main=f'graphspec: 1\nimports: {{lib: "{path}"}}\nnodes: {{f: lib(1)}}\noutputs: f'
    )
    assert located(wrong(main)) == ("GS112", "main.yaml", 2, 17)


def test_l7_3_a_link_that_leads_outside(tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text(DEEP)
    main = written(tmp_path / "inner", main=MAIN.replace("CALL", "lib(x)"))
    os.symlink(tmp_path / "out.yaml", tmp_path / "inner" / "lib.yaml")
    assert located(wrong(main)) == ("GS112", "main.yaml", 2, 16)


def test_l7_3_a_folder_that_is_a_link_outside(tmp_path: Path) -> None:
    written(tmp_path, out__lib=DEEP)
    main = written(tmp_path / "inner", main=MAIN.replace("lib.yaml", "sub/lib.yaml").replace("CALL", "lib(x)"))
    os.symlink(tmp_path / "out", tmp_path / "inner" / "sub")
    assert located(wrong(main)) == ("GS112", "main.yaml", 2, 16)


def test_l7_3_a_link_inside_is_followed(tmp_path: Path) -> None:
    main = written(tmp_path, main=MAIN.replace("CALL", "lib(x)"), real=DEEP)
    os.symlink(tmp_path / "real.yaml", tmp_path / "lib.yaml")
    assert gs.load(main).run()["f"] == 4


def test_l7_3_a_missing_file(tmp_path: Path) -> None:
    main = written(tmp_path, main=MAIN.replace("lib.yaml", "lbi.yaml").replace("CALL", "lib(x)"), lib=DEEP)
    found = wrong(main)
    assert located(found) == ("GS111", "main.yaml", 2, 16)
    assert found.hint == "did you mean 'lib.yaml'?"


def test_l7_3_a_folder_is_no_file(tmp_path: Path) -> None:
    main = written(tmp_path, main=MAIN.replace("lib.yaml", "lib").replace("CALL", "lib(x)"), lib__x=DEEP)
    assert located(wrong(main)) == ("GS114", "main.yaml", 2, 16)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_l7_3_an_import_cycle(tmp_path: Path, length: int) -> None:
    names = [f"f{i}" for i in range(length)]
    files = {
        name: f"graphspec: 1\nimports:\n  next: {names[(i + 1) % length]}.yaml\nnodes: {{y: next()}}\noutputs: y\n"
        for i, name in enumerate(names)
    }
    found = wrong(written(tmp_path, **files))
    assert located(found) == ("GS113", f"f{length - 1}.yaml", 3, 9)
    assert " -> ".join(f"{name}.yaml" for name in [*names, "f0"]) in found.message
    if length > 1:
        assert len(found.related) >= length - 1


def test_l7_3_one_file_may_be_imported_on_two_ways(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        main="graphspec: 1\nimports: {a: a.yaml, b: b.yaml, deep: deep.yaml}\nnodes: {f: a(1) + b(2) + deep(3)}\noutputs: f",
        a="graphspec: 1\nimports: {deep: deep.yaml}\ninputs: {x: 0}\nnodes: {y: deep(x)}\noutputs: y",
        b="graphspec: 1\nimports: {deep: ./deep.yaml}\ninputs: {x: 0}\nnodes: {y: deep(x)}\noutputs: y",
        deep=DEEP,
    )
    assert gs.load(main).run()["f"] == 9


def test_l7_3_a_text_has_no_folder_unless_it_is_given(tmp_path: Path) -> None:
    written(tmp_path, lib=DEEP)
    text = MAIN.replace("CALL", "lib(x)")
    with pytest.raises(gs.SpecError) as info:
        gs.loads(text)
    (found,) = info.value.diagnostics
    assert place(found) == ("GS112", 2, 16)
    assert "folder=" in found.hint
    assert gs.loads(text, folder=tmp_path).run()["f"] == 4
    assert gs.loads(text, folder=str(tmp_path)).run()["f"] == 4


def test_l7_3_what_is_wrong_with_an_imported_file_is_placed_there(tmp_path: Path) -> None:
    for text, code, line, column in [
        ("graphspec: 1\nnodes: {y: [}", "GS101", 2, None),
        ("graphspec: 1\nnods: {}\noutputs: y", "GS202", 2, 1),
        ("graphspec: 2\nnodes: {y: 1}\noutputs: y", "GS206", 1, 12),
        ("graphspec: 1\nnodes: {y: nothing + 1}\noutputs: y", "GS301", 2, 12),
    ]:
        found = wrong(written(tmp_path, main=MAIN.replace("CALL", "lib()"), lib=text))
        assert found.where is not None
        assert (found.code, Path(found.where.file).name, found.where.line) == (code, "lib.yaml", line)
        assert column in (None, found.where.column)


def test_l7_3_files_that_are_wrong_are_all_reported(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        main="graphspec: 1\nimports: {a: a.yaml, b: b.yaml}\nnodes: {f: a() + b()}\noutputs: f",
        a="graphspec: 1\nnods: {}\noutputs: y",
        b="graphspec: 1\nedgse: []\noutputs: y",
    )
    with pytest.raises(gs.SpecError) as info:
        gs.load(main)
    assert [located(found)[:2] for found in info.value.diagnostics] == [("GS202", "a.yaml"), ("GS202", "b.yaml")]


def test_l7_3_a_conflict_in_a_called_file_shows_the_chain_of_calls(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        main="graphspec: 1\nimports: {a: a.yaml}\ninputs: {x: [1, 2]}\nnodes:\n  f: 1 + a(x)\noutputs: f",
        a="graphspec: 1\nimports: {b: b.yaml}\ninputs: {x: {shape: [n]}}\nnodes:\n  y: b(x)\noutputs: y",
        b="graphspec: 1\ninputs: {x: {shape: [n]}}\nconstants: {c: [1, 2, 3]}\nnodes:\n  y: x * c\noutputs: y",
    )
    found = wrong(main)
    assert located(found) == ("GS402", "b.yaml", 5, 6)
    places = [(Path(item.where.file).name, item.where.line, item.where.column) for item in found.related if item.where]
    assert places[-2:] == [("a.yaml", 5, 6), ("main.yaml", 5, 10)]
    assert [item.message for item in found.related][-2:] == ["called by b(x)", "called by a(x)"]


def test_l7_3_functions_have_no_keys_of_files() -> None:
    for key, written_value in [("graphspec", "1"), ("data", "{}"), ("train", "{}"), ("differentiate", "y")]:
        text = f"functions:\n  g:\n    {key}: {written_value}\n    nodes: {{y: 1 + 1}}\n    outputs: y\nnodes: {{f: g()}}\noutputs: f"
        found = only(text)
        assert place(found) == ("GS202", 4, 5)
        assert f"'{key}'" in found.message


def test_l7_3_functions_may_import(tmp_path: Path) -> None:
    written(tmp_path, lib=DEEP)
    text = """
        functions:
          g: {imports: {lib: lib.yaml}, inputs: [x], nodes: {y: lib(x)}, outputs: y}
        nodes: {f: g(2)}
        outputs: f
    """
    assert value(text, folder=tmp_path) == 3
    assert only(text.replace("f: g(2)", "f: lib(2)"), folder=tmp_path).code == "GS201"


def test_l7_3_a_file_that_has_only_functions(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        main="graphspec: 1\nimports: {lib: lib.yaml}\nnodes:\n  f: lib.double(2)\noutputs: f",
        lib="graphspec: 1\nfunctions:\n  double: {inputs: [a], nodes: {y: 2 * a}, outputs: y}",
    )
    assert gs.load(main).run()["f"] == 4
    (tmp_path / "main.yaml").write_text("graphspec: 1\nimports: {lib: lib.yaml}\nnodes:\n  f: lib() + 2\noutputs: f")
    found = wrong(main)
    assert located(found)[1:] == ("main.yaml", 4, 6)


def test_l7_3_the_dtype_of_the_caller_passes_down(tmp_path: Path) -> None:
    main = written(tmp_path, main="dtype: float32\n" + MAIN.replace("CALL", "lib(x)"), lib=LIBRARY, sub__deep=DEEP)
    result = gs.load(main).run()
    assert {str(array.dtype) for array in result.values.values()} == {"float32"}


def arrays(found: Any) -> dict[str, list[float]]:
    return {name: array.tolist() for name, array in found.items()}


def test_l7_a_call_is_the_same_as_what_it_stands_for() -> None:
    by_call = program(scaled("  f: twice(x)", "f"))
    by_hand = program(
        "inputs: {x: 2}\nparameters: {w: {shape: [], init: normal}, b: 1, v: {shape: [], init: normal}, c: 1}\n"
        "nodes: {inner: x * w + b, f: inner * v + c}\noutputs: f"
    )
    values = {"w": by_call.parameters["f.inner.w"], "v": by_call.parameters["f.y.w"]}
    assert arrays(by_call.run().outputs) == arrays(by_hand.run(values).outputs)
    assert by_call.backprop().gradients["f.inner.w"] == by_hand.backprop(values).gradients["w"]


def test_l7_recursion_is_an_error_that_prints_the_path() -> None:
    text = """
        functions:
          a: {inputs: [x], nodes: {y: b(x)}, outputs: y}
          b: {inputs: [x], nodes: {y: c(x) + 1}, outputs: y}
          c: {inputs: [x], nodes: {y: a(x)}, outputs: y}
        nodes: {f: a(2)}
        outputs: f
    """
    found = only(text)
    assert found.code == "GS307"
    assert "a -> b -> c -> a" in found.message
    assert related(found) == [(3, 31), (4, 31), (5, 31)]
    assert problems("functions:\n  a: {inputs: [x], nodes: {y: a(x)}, outputs: y}\nnodes: {f: a(2)}\noutputs: f") == [
        ("GS307", 3, 31)
    ]


def test_l7_paths_of_calls() -> None:
    listed = paths(scaled("  f: 1 + scale(x)"))
    inside = ["w", "y.multiply", "b", "count", "count.next"]
    assert set(listed) == {"x", "f", "f.scale", *(f"f.scale.{name}" for name in inside)}


# -- L7.4 -----------------------------------------------------------------------------------------------------------------

ROUNDED = """
graphspec: 1
inputs: {x: 1.4}
functions:
  straight:
    inputs: [a]
    nodes: {y: round(a)}
    outputs: y
    gradient: {a: ct}
    surrogate: true
nodes: {f: 3 * straight(x)}
outputs: f
"""


def test_l7_4_a_custom_gradient_takes_the_place_of_the_derivative() -> None:
    assert gs.loads(ROUNDED).backprop().gradients["x"] == 3
    assert gs.loads(ROUNDED.replace("gradient: {a: ct}", "gradient: {a: null}")).backprop().gradients["x"] == 0
    with pytest.raises(gs.SpecError) as caught:
        gs.loads(ROUNDED.replace("gradient: {a: ct}", "gradient: {}"))
    assert [place(found) for found in caught.value.diagnostics] == [("GS303", 9, 5)]


def test_l7_4_a_surrogate_is_reported_and_does_not_fail() -> None:
    report = check_program(gs.loads(ROUNDED))
    assert report.ok
    assert any(outcome.surrogate for outcome in report.gradients)
    wrong = check_program(gs.loads(ROUNDED.replace("    surrogate: true\n", "")))
    assert not wrong.ok


def test_l7_4_it_holds_when_the_file_is_run_itself_and_sums_to_the_shape_of_the_input() -> None:
    text = """
graphspec: 1
inputs: {a: 2, b: [1, 2, 3]}
nodes: {y: sum(a * b)}
outputs: y
gradient: {a: ct * b * 10, b: ct * a + 0 * b}
"""
    gradients = gs.loads(text).backprop().gradients
    assert gradients["a"] == 60
    assert gradients["b"].tolist() == [2, 2, 2]
