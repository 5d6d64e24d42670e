"""Gradient rules of one's own, wherever they are called: compared with the derivative of the same file without them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import graphspec as gs
from graphspec.errors import SpecError

HEAD = "graphspec: 1\n"

# Every file reads `gradient:` on lines of its own, so that it can be taken out.
FILES = {
    "in an expression": """
inputs: {x: [1, 2], y: 3}
functions:
  f:
    inputs: [a, b]
    nodes: {u: a * b, v: sin(u) * u}
    outputs: v
    gradient: {a: ct * (cos(u) * u + sin(u)) * b, b: ct * (cos(u) * u + sin(u)) * a}
nodes: {g: "sum(f(x, y) * 2 + exp(f(y, x) - 1))"}
outputs: g
""",
    "with a literal operand": """
inputs: {x: 2}
functions:
  f:
    inputs: [a, b]
    nodes: {v: a * b * b}
    outputs: v
    gradient: {a: ct * b * b, b: ct * 2 * a * b}
nodes: {g: "f(x, 3) * f(3, x)"}
outputs: g
""",
    "the same operand twice": """
inputs: {x: 2}
functions:
  f:
    inputs: [a, b]
    nodes: {v: a * a * b}
    outputs: v
    gradient: {a: ct * 2 * a * b, b: ct * a * a}
nodes: {g: "f(x, x)"}
outputs: g
""",
    "parameters, bound, shared and repeated": """
inputs: {x: 2}
parameters: {p: 5}
functions:
  f:
    inputs: [a]
    parameters: {w: 2}
    nodes: {y: tanh(a * w)}
    outputs: y
    gradient: {a: ct * (1 - y * y) * w, w: ct * (1 - y * y) * a}
nodes:
  r: {op: f, inputs: x, repeat: 3}
  s: f(r, w=p)
  t: f(x)
  g: f(s, share=t)
outputs: g
""",
    "several outputs": """
inputs: {x: 2, y: 3}
functions:
  f:
    inputs: [a, b]
    nodes: {s: a * a, p: a * b}
    outputs: [s, p]
    gradient: {a: ct.s * 2 * a + ct.p * b, b: ct.p * a}
nodes: {t: "f(x, y)", g: t.s * t.p, h: "f(x, y).p", k: g + h + t.s}
outputs: k
""",
    "outputs inside nodes": """
inputs: {x: 2, y: 3}
functions:
  two: {inputs: [a, b], nodes: {s: a * a, p: a * b}, outputs: [s, p]}
  f:
    inputs: [a, b]
    nodes: {t: "two(a, b)"}
    outputs: [t.s, t.p]
    gradient: {a: ct.t.s * 2 * a + ct.t.p * t.p / a, b: ct.t.p * a}
nodes: {t: "f(x, y)", g: t.t.s * t.t.p}
outputs: g
""",
    "nested, with outputs and inner nodes": """
inputs: {x: [2, 3], y: 2}
functions:
  g:
    inputs: [a, b]
    nodes: {u: sin(a * b), s: a * u, p: a * b * b}
    outputs: [s, p]
    gradient: {a: "ct.s * (u + a * b * cos(a * b)) + ct.p * b * b", b: "ct.s * a * a * cos(a * b) + ct.p * 2 * p / b"}
  f:
    inputs: [a, c]
    parameters: {w: 3}
    nodes: {t: "g(a * w, c)", y: t.s * t.p + w * c, v: a * w * c, q: t.p * (t.u + v * cos(v)) + t.s * c * c}
    outputs: y
    gradient: {a: ct * w * q, c: ct * (w + t.p * (a * w)**2 * cos(v) + t.s * 2 * t.p / c), w: ct * (c + a * q)}
nodes: {g: "sum(f(x, y) + y)"}
outputs: g
""",
    "paths of anonymous nodes": """
inputs: {x: 2}
functions:
  f:
    inputs: [a]
    nodes: {u: exp(a) * a + 1, y: u * 2}
    outputs: y
    gradient: {a: ct * 2 * ('u.exp' + u.multiply)}
nodes: {g: f(f(x / 4))}
outputs: g
""",
    "attributes, sizes and calls in rules": """
inputs: {x: {shape: [n, 3], value: [[2, 3, 4], [1, 2, 3]]}}
functions:
  half: {inputs: [a], constants: {c: [0.5, 0.5, 0.5]}, nodes: {y: a * c}, outputs: y}
  third: {inputs: {a: null, c: [1, 1, 1]}, nodes: {y: a * c / 3}, outputs: y}
  f:
    attributes: {power: 3}
    inputs: {a: {shape: [m, k]}}
    nodes: {y: mean(a ** power)}
    outputs: y
    gradient: {a: "third(half(6 * ct * power * a ** (power - 1))) / (a.shape[0] * a.shape[1])"}
nodes: {g: "f(x) * f(x, power=2)"}
outputs: g
""",
    "attributes of type op": """
inputs: {x: 2}
functions:
  f:
    attributes: {act: {type: op, default: tanh}}
    inputs: [a]
    nodes: {y: act(a)}
    outputs: y
    gradient: {a: ct * (1 - act(a) ** 2)}
nodes: {g: f(x)}
outputs: g
""",
    "broadcasting": """
inputs: {x: [[1, 2, 3]], y: [[1], [2]], z: 2}
functions:
  f:
    inputs: [a, b, c]
    nodes: {v: a * b * c}
    outputs: v
    gradient: {a: ct * b * c, b: ct * a * c, c: ct * a * b}
nodes: {g: "sum(f(x, y, z) ** 2)"}
outputs: g
""",
    "optional inputs": """
inputs: {x: 2}
functions:
  f:
    inputs: {a: null, b: {optional: true}, c: 4}
    nodes: {y: "a * b * c if given(b) else a * c"}
    outputs: y
    gradient: {a: "ct * b * c if given(b) else ct * c", b: ct * a * c, c: null}
nodes: {g: "f(x) + f(x, x)"}
outputs: g
""",
    "a variadic input": """
inputs: {x: 2, y: 3}
functions:
  f:
    inputs: {t: {variadic: true}}
    nodes: {y: "add(t)"}
    outputs: y
    gradient: {t: "ct * (1 + 0 * add(t))"}
nodes: {g: "f(x * y, y, x)"}
outputs: g
""",
    "without inputs": """
functions:
  f:
    parameters: {w: 2}
    nodes: {y: w * w}
    outputs: y
    gradient: {w: ct * 2 * w}
nodes: {g: f() * f()}
outputs: g
""",
    "float32 with numbers as rules": """
dtype: float32
inputs: {x: [2, 3], y: {value: 3, dtype: float32}}
functions:
  f:
    inputs: [a, b]
    nodes: {y: sum(a) + b}
    outputs: y
    gradient: {a: 1, b: 1.0}
nodes: {g: "f(x, y)"}
outputs: g
""",
    "rules that call functions with rules": """
inputs: {x: 2}
functions:
  square:
    inputs: [a]
    nodes: {y: a * a}
    outputs: y
    gradient: {a: ct * 2 * a}
  cube:
    inputs: [a]
    nodes: {y: a * a * a}
    outputs: y
    gradient: {a: ct * 3 * square(a)}
nodes: {g: cube(x) * square(x)}
outputs: g
""",
    "the document's own": """
attributes: {k: 3}
inputs: {x: 2, y: [1, 2]}
parameters: {w: 4}
constants: {c: [1, 2]}
nodes: {u: x * y * w, f: sum(u * c) * k}
outputs: f
gradient: {x: ct * k * y * w * c, y: ct * k * x * w * c, w: ct * k * u * c / w}
""",
    "the document's own, two outputs": """
inputs: {x: 2, y: [1, 2]}
nodes: {f: sum(x * y * x), g: x * x}
outputs: [f, g]
differentiate: f
gradient: {x: ct.f * 2 * x * y + ct.g * 2 * x, y: ct.f * x * x}
""",
}


def plain(text: str) -> gs.Program:
    """Load a file without its gradient rules."""
    return gs.loads(HEAD + re.sub(r"\n *gradient:.*", "", text))


def gradients(program: gs.Program) -> dict[str, Any]:
    return {name: array.tolist() for name, array in program.backprop().gradients.items()}


def approximately(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-6 if "float32" in str(value) else 1e-10, err_msg=name)


@pytest.mark.parametrize("name", FILES)
def test_same_values_and_gradients_as_without_rules(name: str) -> None:
    custom, reference = gs.loads(HEAD + FILES[name]), plain(FILES[name])
    assert {k: v.tolist() for k, v in custom.run().outputs.items()} == {
        k: v.tolist() for k, v in reference.run().outputs.items()
    }
    approximately(gradients(custom), gradients(reference))


NOT_CHAINED = (
    "in an expression",
    "several outputs",
    "broadcasting",
    "the document's own",
    "without inputs",
    "a variadic input",
)


@pytest.mark.parametrize("name", NOT_CHAINED)
def test_nothing_goes_around_the_rule(name: str) -> None:
    """Three times the rule is three times the gradient where all of it goes through one rule."""
    rules = re.compile(r"gradient:.*")
    tripled = rules.sub(lambda rule: re.sub(r"\bct(\.[a-z])?\b", r"(3 * ct\1)", rule[0]), HEAD + FILES[name])
    before, after = gradients(gs.loads(HEAD + FILES[name])), gradients(gs.loads(tripled))
    if name == "several outputs":  # an output is used beside them
        assert after != before
    else:
        approximately(after, {key: (3 * np.array(value)).tolist() for key, value in before.items()})


SCALAR_FIRST = (
    "with a literal operand",
    "the same operand twice",
    "parameters, bound, shared and repeated",
    "several outputs",
    "outputs inside nodes",
    "paths of anonymous nodes",
    "attributes of type op",
    "optional inputs",
    "a variadic input",
    "without inputs",
    "rules that call functions with rules",
    "the document's own",
    "the document's own, two outputs",
)


@pytest.mark.parametrize("name", SCALAR_FIRST)
def test_second_derivatives(name: str) -> None:
    found = []
    for program in (gs.loads(HEAD + FILES[name]), plain(FILES[name])):
        wrt = program.model.default_wrt()[0]
        first = program.gradient(wrt=[wrt])
        (output,) = first.outputs
        found.append({key: float(first.backprop(of=output, wrt=key).gradients[key].sum()) for key in first.inputs})
    approximately(*found)


def test_second_derivatives_with_respect_to_everything() -> None:
    text = FILES["nested, with outputs and inner nodes"]
    found = []
    for program in (gs.loads(HEAD + text), plain(text)):
        result = program.gradient(wrt=["y"]).backprop(of="d_y", wrt=["x", "y", "g.f.w"])
        found.append({name: array.tolist() for name, array in result.gradients.items()})
    approximately(*found)


@pytest.mark.parametrize("name", FILES)
def test_gradient_as_a_file(name: str) -> None:
    program = gs.loads(HEAD + FILES[name])
    written = gs.loads(program.gradient().to_yaml())
    found, expected = written.run().outputs, program.gradient().run().outputs
    assert list(found) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-6)


ERRORS = {
    # name: the rule of `a` (a vector of 2, as is y), what is said of it, the column of the place in the rule
    "types": ("ct * concat(a, a, axis=0)", "GS402", "do not broadcast in multiply", 0),
    "a shape that cannot be summed": ("concat(ct, ct, axis=0)", "GS402", "cannot be summed", 0),
    "a dtype": ('cast(ct, dtype="float32")', "GS402", "float32", 0),
    "a bool": ("a > 0", "GS402", "bool", 0),
    "an unknown output": ("ct.q * 2", "GS311", "no 'q' in 'ct'", 0),
    "several outputs without a name": ("ct * 2", "GS310", "ct.y, ct.z", 0),
    "an unknown path": ("ct.y + u.sin", "GS311", "no 'sin' in 'u'", None),
    "an input that was not given": ("ct.y * o", "GS312", "'o' was not given", None),
    "a new parameter": ("weigh(ct.y)", "GS303", "creates no parameter", None),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_wrong_in_a_rule_is_known_when_the_file_is_loaded(name: str) -> None:
    rule, code, words, offset = ERRORS[name]
    several = "ct." in rule or name.startswith("several")
    outputs = "[y, z]" if several else "y"
    text = f"""graphspec: 1
inputs: {{x: [1, 2]}}
functions:
  weigh: {{inputs: [a], parameters: {{w: 3}}, nodes: {{y: a * w}}, outputs: y}}
  f:
    inputs: {{a: null, o: {{optional: true}}}}
    nodes: {{u: a * 2, y: u * u, z: u}}
    outputs: {outputs}
    gradient:
      a: {rule}
      o: null
nodes:
  t: f(x)
  g: sum({"t.y" if several else "t"})
outputs: g
"""
    with pytest.raises(SpecError) as info:
        gs.loads(text)
    (found,) = info.value.diagnostics
    assert found.code == code or (code == "GS402" and found.code in ("GS401", "GS402"))
    assert words in found.message
    assert found.where is not None
    if offset is not None:
        assert (found.where.line, found.where.column) == (10, 10 + offset)
        assert [item.where.line for item in found.related if item.where][-1] == 13


def test_integer_inputs_and_null_rules() -> None:
    program = gs.loads(
        HEAD
        + """
inputs: {x: [1, 2, 3], i: {dtype: int64, value: 1}, y: 2}
functions:
  pick:
    inputs: {a: {shape: [n]}, j: {shape: [], dtype: int64}, b: null}
    nodes: {y: "take(a, j, axis=0) * b"}
    outputs: y
    gradient: {a: "ct * b * one_hot(j, depth=a.shape[0])", j: null, b: null}
nodes: {g: "pick(x, i, y)"}
outputs: g
"""
    )
    assert gradients(program) == {"x": [0, 2, 0], "y": 0}


def test_gradient_reversal() -> None:
    program = gs.loads(
        HEAD
        + """
inputs: {x: [1, 2]}
functions:
  reversed: {inputs: [a], nodes: {y: a}, outputs: y, gradient: {a: -0.5 * ct}, surrogate: true}
nodes: {g: sum(reversed(x) * x)}
outputs: g
"""
    )
    assert gradients(program) == {"x": [0.5, 1.0]}


def test_training_and_dtype_in_rules() -> None:
    program = gs.loads(
        HEAD
        + """
dtype: float32
inputs: {x: [1, 2]}
functions:
  f: {inputs: [a], nodes: {y: a * 2}, outputs: y, gradient: {a: ct * 5 if training else ct * 2}}
nodes: {g: "sum(f(x)) + sum(f(x, training=true))"}
outputs: g
"""
    )
    found = program.backprop().gradients["x"]
    assert found.dtype == np.float32
    assert found.tolist() == [7, 7]
