"""Rules L2.1 to L2.5: names and scopes."""

from __future__ import annotations

import keyword
from pathlib import Path

import pytest
from rules import diagnostics, only, paths, place, problems, program, related, value

# -- L2.1 written names and their one namespace -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x", "X", "_", "_1", "a1_B", "e", "l2", "match", "add", "x" * 200])
def test_l2_1_a_name_is_letters_digits_and_underscores(name: str) -> None:
    text = f"inputs: {{{name}: 3}}\nnodes: {{f__: {name} * 2}}\noutputs: f__"
    assert value(text, "f__") == 6


@pytest.mark.parametrize("name", ["1x", "my-node", "a b", "é", "a$", "", "a..b", ".a", "a.", "a.-b", "a -> b -> c"])
@pytest.mark.parametrize("section", ["inputs", "parameters", "state", "constants"])
def test_l2_1_anything_else_is_no_name(section: str, name: str) -> None:
    found = only(f'{section}:\n  "{name}": 3\nnodes: {{f: 2 * 3}}\noutputs: f')
    assert place(found) == ("GS207", 3, 3)
    assert f"'{name}'" in found.message


@pytest.mark.parametrize("name", ["1x", "a-b", "a.b", "a -> b"])
@pytest.mark.parametrize(
    "section",
    ["attributes: {%s: 3}", "functions: {%s: {inputs: [x], nodes: {y: x}, outputs: y}}", "imports: {%s: a.yaml}"],
)
def test_l2_1_attributes_functions_and_imports_have_no_paths(section: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("graphspec: 1\nnodes: {y: 1}\noutputs: y\n")
    text = section % f'"{name}"' + "\nnodes: {f: 2 * 3}\noutputs: f"
    assert problems(text, folder=tmp_path) == [("GS207", 2, section.index("{") + 2)]


def test_l2_1_names_are_case_sensitive() -> None:
    assert value("inputs: {x: 1, X: 10}\nnodes: {f: x + X}\noutputs: f") == 11


SECTIONS = ["attributes: {a: 1}", "inputs: {a: 1}", "parameters: {a: 1}", "state: {a: 1}", "constants: {a: 1}"]


@pytest.mark.parametrize("first", SECTIONS)
@pytest.mark.parametrize("second", SECTIONS)
def test_l2_1_one_namespace(first: str, second: str) -> None:
    if first == second:
        return
    found = only(f"{first}\n{second}\nnodes: {{f: 2 * 3}}\noutputs: f")
    assert place(found) == ("GS302", 3, second.index("a: 1") + 1)
    assert related(found) == [(2, first.index("a: 1") + 1)]
    assert found.message == "'a' is declared twice"
    assert found.related[0].message == "first declared here"


@pytest.mark.parametrize("first", SECTIONS)
def test_l2_1_nodes_are_in_it(first: str) -> None:
    found = only(f"{first}\nnodes:\n  f: 2 * 3\n  a: f * 2\noutputs: f")
    assert place(found) == ("GS302", 5, 3)
    assert related(found) == [(2, first.index("a: 1") + 1)]
    found = only(f"nodes:\n  f: 2 * 3\n  a: f * 2\n{first}\noutputs: f")
    assert place(found) == ("GS302", 5, first.index("a: 1") + 1)
    assert related(found) == [(4, 3)]


def test_l2_1_so_are_nodes_declared_by_outputs_and_weights_of_edges() -> None:
    text = """
        inputs: {x: 1, f: 2}
        parameters: {"x -> z": 3}
        nodes: {z: {op: add}}
        edges:
          - x -> z: 1
        outputs: {f: z * 2}
    """
    assert problems(text) == [("GS302", 6, 5), ("GS302", 7, 11)]


def test_l2_1_every_function_has_its_own() -> None:
    text = """
        functions:
          g: {inputs: [x], nodes: {f: 2 * x}, outputs: f}
        inputs: {x: 3}
        nodes: {f: g(x) + 1}
        outputs: f
    """
    assert value(text) == 7
    inner = text.replace("{f: 2 * x}", "{f: 2 * x, x: 3}")
    assert problems(inner) == [("GS302", 3, 38)]


def test_l2_1_a_key_twice_in_one_section_is_a_fault_of_the_text() -> None:
    assert problems("inputs:\n  x: 1\n  x: 2\nnodes: {f: x}\noutputs: f") == [("GS102", 4, 3)]


def test_l2_1_all_duplicates_are_reported_in_the_order_of_the_file() -> None:
    text = "nodes: {a: 1, b: 2}\ninputs: {b: 1}\nparameters: {a: 1}\noutputs: a"
    assert problems(text) == [("GS302", 3, 10), ("GS302", 4, 14)]


def test_l2_1_a_duplicate_does_not_hide_faults_of_an_earlier_stage() -> None:
    text = "inputs: {x: 1}\nnodes: {x: 2, f: tnah(x)}\noutputs: f"
    assert problems(text) == [("GS201", 3, 18)]


def test_l2_1_a_duplicate_and_other_faults_of_names() -> None:
    text = "inputs: {x: 1}\nnodes: {x: 2, f: x * q}\noutputs: f"
    assert problems(text) == [("GS302", 3, 9), ("GS301", 3, 22)]


# -- L2.2 ops, functions and imports ----------------------------------------------------------------------------------


def test_l2_2_a_second_namespace() -> None:
    text = """
        functions:
          f: {inputs: [x], nodes: {y: 2 * x}, outputs: y}
          exp: {inputs: [x], nodes: {y: 3 * x}, outputs: y}
        inputs: {x: 5, tanh: 7}
        nodes: {f: f(x) + exp(tanh)}
        outputs: f
    """
    assert value(text) == 2 * 5 + 3 * 7


def test_l2_2_used_before_a_parenthesis_in_op_and_in_attributes_of_type_op() -> None:
    text = """
        functions:
          double: {inputs: [x], nodes: {y: 2 * x}, outputs: y}
          apply: {attributes: {to: {type: op}}, inputs: [x], nodes: {y: to(x)}, outputs: y}
        inputs: {x: 5}
        nodes:
          a: double(x)
          b: {op: double, inputs: x}
          c: apply(x, to=double)
          d: {op: apply, inputs: x, to: double}
        outputs: [a, b, c, d]
    """
    assert [float(found) for found in program(text).run().outputs.values()] == [10, 10, 10, 10]


def test_l2_2_a_callee_is_no_value() -> None:
    found = only("inputs: {x: 1}\nnodes:\n  f: x * tanh\noutputs: f")
    assert place(found) == ("GS301", 4, 10)
    assert found.hint == "'tanh' is an op: call it as tanh(...)"


def test_l2_2_a_value_is_no_callee() -> None:
    text = "inputs: {x: 1}\nnodes:\n  f: x(2)\n  g: {op: x, inputs: 1}\noutputs: f"
    assert problems(text) == [("GS201", 4, 6), ("GS201", 5, 11)]


OTHER = "graphspec: 1\ninputs: {x: }\nnodes: {y: 100 * x}\noutputs: y\n"


def test_l2_2_the_order_of_look_up(tmp_path: Path) -> None:
    """The document's functions, the enclosing documents' functions, imports, then the catalogue."""
    for name in ("tanh", "sin", "cos"):
        (tmp_path / f"{name}.yaml").write_text(OTHER)
    text = """
        imports: {tanh: tanh.yaml, sin: sin.yaml, cos: cos.yaml}
        functions:
          tanh: {inputs: [x], nodes: {y: 2 * x}, outputs: y}
          sin: {inputs: [x], nodes: {y: 3 * x}, outputs: y}
          inner:
            functions:
              tanh: {inputs: [x], nodes: {y: 5 * x}, outputs: y}
            inputs: [x]
            nodes: {own: tanh(x), enclosing: sin(x), imported: cos(x), catalogue: exp(x)}
            outputs: [own, enclosing, imported, catalogue]
        inputs: {x: 0}
        nodes:
          a: inner(x + 1)
          b: tanh(x + 1)
        outputs: [a.own, a.enclosing, a.imported, a.catalogue, b]
    """
    found = program(text, folder=tmp_path).run().outputs
    assert [round(float(item), 3) for item in found.values()] == [5, 3, 100, 2.718, 2]


def test_l2_2_an_inner_import_comes_after_enclosing_functions(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(OTHER)
    text = """
        functions:
          other: {inputs: [x], nodes: {y: 2 * x}, outputs: y}
          inner:
            imports: {other: other.yaml, own: other.yaml}
            inputs: [x]
            nodes: {a: other(x), b: own(x)}
            outputs: [a, b]
        inputs: {x: 1}
        nodes: {f: inner(x)}
        outputs: [f.a, f.b]
    """
    assert [float(found) for found in program(text, folder=tmp_path).run().outputs.values()] == [2, 100]


def test_l2_2_functions_of_an_import_are_reached_by_its_alias(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(
        "graphspec: 1\nfunctions:\n  half: {inputs: [x], nodes: {y: x / 2}, outputs: y}\n" + OTHER.partition("\n")[2]
    )
    text = (
        "imports: {o: other.yaml}\ninputs: {x: 1}\n"
        "nodes: {f: o(x) + o.half(x), g: {op: o.half, inputs: x}}\noutputs: [f, g]"
    )
    assert value(text, folder=tmp_path) == 100.5
    wrong = text.replace("o.half(x)", "o.hafl(x)")
    found = only(wrong, folder=tmp_path)
    assert place(found) == ("GS201", 4, 19)
    assert found.hint == "did you mean 'o.half'?"


def test_l2_2_a_function_is_not_seen_outside_of_where_it_is_declared() -> None:
    text = """
        functions:
          outer:
            functions:
              inner: {inputs: [x], nodes: {y: 2 * x}, outputs: y}
            inputs: [x]
            nodes: {y: inner(x)}
            outputs: y
        inputs: {x: 1}
        nodes: {f: outer(x) + inner(x)}
        outputs: f
    """
    assert problems(text) == [("GS201", 10, 23)]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("tnah", "did you mean 'tanh'?"),
        ("mul", "did you mean 'multiply'?"),
        ("doubel", "did you mean 'double'?"),
        ("Exp", "did you mean 'exp'?"),
    ],
)
def test_l2_2_an_unknown_callee(written: str, hint: str) -> None:
    text = f"""
        functions:
          double: {{inputs: [x], nodes: {{y: 2 * x}}, outputs: y}}
        inputs: {{x: 1}}
        nodes:
          f: 2 + {written}(x)
          g: {{op: {written}, inputs: x}}
        outputs: f
    """
    found = diagnostics(text)
    assert [place(item) for item in found] == [("GS201", 6, 10), ("GS201", 7, 11)]
    assert [item.message for item in found] == [f"unknown op or function '{written}'"] * 2
    assert hint.removesuffix("?") in found[0].hint


# -- L2.3 dims --------------------------------------------------------------------------------------------------------


def test_l2_3_dims_are_a_namespace_of_their_own() -> None:
    text = "inputs: {n: {shape: [n]}, x: {shape: [n, x]}}\nnodes: {f: sum(n) + sum(x)}\noutputs: f"
    loaded = program(text)
    assert [str(found) for found in loaded.inputs.values()] == ["float64[n]", "float64[n, x]"]
    assert loaded.run(n=[1, 2], x=[[1, 1, 1], [2, 2, 2]])["f"] == 12


def test_l2_3_a_dim_is_no_value() -> None:
    text = "inputs: {x: {shape: [n]}}\nnodes:\n  f: sum(x) / n\noutputs: f"
    found = only(text)
    assert place(found) == ("GS301", 4, 15)
    assert found.hint == "'n' is a dim, named in shapes only: x.shape[0] is its size"


def test_l2_3_an_attribute_in_a_shape_is_its_value() -> None:
    text = """
        attributes: {n: 2}
        inputs: {x: {shape: [n, m], value: [[1, 2], [3, 4]]}}
        parameters: {w: {shape: [2 * n], init: ones}}
        nodes: {f: sum(x) + sum(w)}
        outputs: f
    """
    loaded = program(text)
    assert str(loaded.inputs["x"]) == "float64[2, m]"
    assert loaded.parameters["w"].shape == (4,)


def test_l2_3_dims_may_stand_in_attributes_that_are_shapes() -> None:
    text = 'inputs: {x: {shape: [n, 2]}}\nnodes: {f: "reshape(x, shape=[2 * n])"}\noutputs: f'
    assert str(program(text).outputs["f"]) == "float64[2*n]"
    text = "inputs: {x: {shape: [n, 2]}}\nnodes: {f: {op: reshape, inputs: x, shape: [n * 2]}}\noutputs: f"
    assert str(program(text).outputs["f"]) == "float64[2*n]"


@pytest.mark.parametrize("section", ["parameters", "state"])
def test_l2_3_an_unbound_dim_of_a_parameter_is_an_error(section: str) -> None:
    text = f"{section}:\n  w: {{shape: [3, units], init: zeros}}\nnodes: {{f: sum(w)}}\noutputs: f"
    found = only(text)
    assert place(found) == ("GS406", 3, 18)
    assert found.message == "dim 'units' is bound by nothing"


def test_l2_3_with_a_hint_at_the_attribute_that_was_meant() -> None:
    text = "attributes: {units: 3}\nparameters:\n  w: {shape: [untis], init: zeros}\nnodes: {f: sum(w)}\noutputs: f"
    found = only(text)
    assert place(found) == ("GS406", 4, 15)
    assert found.hint == "did you mean 'units'?"


# -- L2.4 what a function sees ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["inputs: {b: 1}", "parameters: {b: 1}", "attributes: {b: 1}", "constants: {b: 1}"])
def test_l2_4_no_values_or_attributes_of_its_caller(section: str) -> None:
    text = (
        f"functions:\n  g: {{inputs: [x], nodes: {{y: x + b}}, outputs: y}}\n{section}\nnodes: {{f: g(2)}}\noutputs: f"
    )
    assert problems(text) == [("GS301", 3, 35)]


def test_l2_4_no_nodes_of_an_enclosing_document() -> None:
    text = """
        functions:
          outer:
            functions:
              inner: {inputs: [x], nodes: {y: x + z}, outputs: y}
            inputs: [x]
            nodes: {z: 2 * x, y: inner(x)}
            outputs: y
        nodes: {f: outer(2)}
        outputs: f
    """
    assert problems(text) == [("GS301", 5, 43)]


def test_l2_4_no_attributes_of_its_caller_where_they_are_static() -> None:
    text = """
        functions:
          g:
            inputs: [x]
            nodes:
              y: x if fast else 2 * x
              z: "sum(x, axis=at)"
              w: {op: sum, inputs: x, axis: $at}
            outputs: y
        attributes: {fast: true, at: 0}
        nodes: {f: g(2)}
        outputs: f
    """
    assert problems(text) == [("GS301", 6, 15), ("GS301", 7, 23), ("GS301", 8, 38)]


def test_l2_4_no_dims_of_its_caller() -> None:
    text = """
        functions:
          g:
            inputs: [x]
            parameters: {w: {shape: [n], init: ones}}
            nodes: {y: x * w}
            outputs: y
        inputs: {x: {shape: [n], value: [1, 2]}}
        nodes: {f: sum(g(x))}
        outputs: f
    """
    found = only(text)
    assert place(found) == ("GS406", 5, 30)
    assert related(found) == [(9, 16)]


def test_l2_4_training_and_dtype_exist_in_every_document() -> None:
    text = (
        "inputs: {x: {value: 3, dtype: int64}}\n"
        'nodes: {f: "cast(x, dtype=dtype)", g: f if training else -f}\noutputs: [f, g]'
    )
    found = program("dtype: float32\n" + text).run()
    assert str(found["f"].dtype) == "float32"
    assert found["g"] == -3
    found = program(text, attributes={"training": True, "dtype": "float32"}).run()
    assert str(found["f"].dtype) == "float32"
    assert found["g"] == 3


INHERITED = """
    dtype: float32
    functions:
      leaf:
        inputs: [x]
        parameters: {w: 2}
        nodes: {y: "x * w if training else cast(x, dtype=dtype)"}
        outputs: y
      middle: {inputs: [x], nodes: {y: leaf(x)}, outputs: y}
    inputs: {x: 3}
    nodes: {f: CALL}
    outputs: f
"""


@pytest.mark.parametrize(
    ("call", "training", "expected", "dtype"),
    [
        ("middle(x)", False, 3, "float32"),
        ("middle(x)", True, 6, "float32"),
        ("'middle(x, training=true)'", False, 6, "float32"),
        ("'middle(x, training=false)'", True, 3, "float32"),
        ("{op: middle, inputs: x, training: true}", False, 6, "float32"),
        ("""'middle(x, dtype="float64")'""", False, 3, "float64"),
        ("{op: middle, inputs: x, dtype: float64}", False, 3, "float64"),
    ],
)
def test_l2_4_they_pass_down_through_calls_unless_a_call_sets_them(
    call: str, training: bool, expected: float, dtype: str
) -> None:
    found = program(INHERITED.replace("CALL", call), attributes={"training": training}).run()["f"]
    assert found == expected
    assert str(found.dtype) == dtype


def test_l2_4_a_file_that_is_called_has_the_dtype_of_its_caller(tmp_path: Path) -> None:
    (tmp_path / "layer.yaml").write_text(
        "graphspec: 1\ninputs: {x: }\nparameters: {w: 2}\nconstants: {c: [1, 2]}\nnodes: {y: x * w * c}\noutputs: y\n"
    )
    text = "dtype: float32\nimports: {layer: layer.yaml}\ninputs: {x: 3}\nnodes: {f: layer(x)}\noutputs: f"
    loaded = program(text, folder=tmp_path)
    assert str(loaded.outputs["f"]) == "float32[2]"
    assert str(loaded.parameters["f.w"].dtype) == "float32"


# -- L2.5 words that are no names -------------------------------------------------------------------------------------

WORDS = [*keyword.kwlist, *["true", "false", "null", "inf", "nan", "ct", "given", "training", "dtype"]]
NODE_KEYS = [
    "op",
    "inputs",
    "repeat",
    "share",
    "doc",
    "if",
    "then",
    "else",
    "cond",
    "scan",
    "while",
    "map",
    "over",
    "carry",
    "times",
    "body",
    "delay",
    "weights",
    "trainable",
    "remat",
    "device",
    "precision",
    "seed",
    "key",
    "gradient",
    "axes",
    "unit",
    "tags",
    "meta",
]


@pytest.mark.parametrize("word", sorted(set(WORDS)))
@pytest.mark.parametrize("section", ["inputs", "parameters", "state", "constants", "nodes", "attributes"])
def test_l2_5_words_of_the_language_are_no_names(section: str, word: str) -> None:
    text = f'{section}:\n  "{word}": 1\n' + ("" if section == "nodes" else "nodes: {f: 2 * 3}\n") + "outputs: f"
    found = diagnostics(text)
    assert place(found[0]) == ("GS207", 3, 3)
    assert found[0].message == f"'{word}' is a word of the language and cannot be a name"
    assert len(found) == 1


@pytest.mark.parametrize("word", ["lambda", "true", "ct", "given", "gradient", "vjp", "scan", "map"])
def test_l2_5_nor_of_functions_and_imports(word: str, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(OTHER)
    text = f'functions:\n  "{word}": {{inputs: [x], nodes: {{y: x}}, outputs: y}}\nnodes: {{f: 2 * 3}}\noutputs: f'
    assert problems(text) == [("GS207", 3, 3)]
    text = f'imports:\n  "{word}": other.yaml\nnodes: {{f: 2 * 3}}\noutputs: f'
    assert problems(text, folder=tmp_path) == [("GS207", 3, 3)]


@pytest.mark.parametrize("word", ["gradient", "vjp", "jvp", "jacobian", "hessian", "cond", "scan", "while", "map"])
def test_l2_5_not_definable_as_functions(word: str) -> None:
    text = f"functions:\n  {word}: {{inputs: [x], nodes: {{y: x}}, outputs: y}}\nnodes: {{f: 2 * 3}}\noutputs: f"
    assert problems(text) == [("GS207", 3, 3)]


@pytest.mark.parametrize("word", NODE_KEYS)
@pytest.mark.parametrize("section", ["attributes", "inputs", "parameters"])
def test_l2_5_keys_of_a_node_are_no_names_of_attributes_ports_and_parameters(section: str, word: str) -> None:
    text = f"{section}:\n  {word}: 1\nnodes: {{f: 2 * 3}}\noutputs: f"
    if (section, word) == ("inputs", "gradient"):  # the input of an optimizer (L8.5)
        program(text)
    else:
        assert problems(text) == [("GS207", 3, 3)]


@pytest.mark.parametrize("word", sorted(set(NODE_KEYS) - set(keyword.kwlist) - {"gradient"}))
def test_l2_5_also_in_a_list_of_inputs(word: str) -> None:
    text = f"functions:\n  g: {{inputs: [a, {word}], nodes: {{y: a}}, outputs: y}}\nnodes: {{f: 2 * 3}}\noutputs: f"
    assert problems(text) == [("GS207", 3, 19)]


@pytest.mark.parametrize("word", ["op", "seed", "weights", "meta", "key", "scan"])
def test_l2_5_nodes_state_and_constants_may_be_called_so(word: str) -> None:
    assert value(f"constants: {{{word}: 3}}\nnodes: {{f: {word} * 2}}\noutputs: f") == 6
    assert value(f"state: {{{word}: 3}}\nnodes: {{f: {word} * 2}}\noutputs: f") == 6
    assert value(f"nodes: {{{word}: 3 * 1, f: {word} * 2}}\noutputs: f") == 6


def test_l2_5_axis_stays_usable() -> None:
    text = """
        functions:
          total: {attributes: {axis: 0}, inputs: [x], nodes: {y: "sum(x, axis=axis)"}, outputs: y}
        inputs: {x: [[1, 2], [3, 4]], axis: 2}
        nodes: {f: "total(x, axis=1) * axis", both: "sum(x, axis=[0, 1])"}
        outputs: [f, both]
    """
    assert value(text) == [6, 14]
    assert value(text, "both") == 10


def test_l2_5_a_refused_name_is_reported_once_and_not_its_users() -> None:
    text = "inputs:\n  lambda: 1\n  seed: 2\nnodes: {f: seed * 2}\noutputs: f"
    assert problems(text) == [("GS207", 3, 3), ("GS207", 4, 3)]


def test_l2_5_paths_of_words() -> None:
    """Only whole names are refused; `paths` of nodes that begin with a word are not written bare anyway."""
    assert paths("nodes: {trainings: 2 * 3, f: trainings + 1}\noutputs: f") == ["trainings", "f"]
