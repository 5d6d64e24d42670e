"""Checks: the tests that a spec carries, and gradients against numerical derivatives."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

import graphspec as gs
from graphspec.check import GradientOutcome, Report, check_gradient, check_program
from graphspec.errors import FeedError, NotDifferentiableError
from graphspec.op import OPS


def checked(text: str, **facts: Any) -> Report:
    """Check a document; its first line is the version, so the text given begins at line 2."""
    report = check_program(gs.loads("graphspec: 1\n" + dedent(text).strip("\n") + "\n"), **facts)
    json.dumps(report.to_dict(), allow_nan=False)
    return report


def by_name(report: Report) -> dict[str, GradientOutcome]:
    return {found.name: found for found in report.gradients}


def errors(report: Report) -> list[tuple[str, int, int]]:
    """Return code, line and column of every error."""
    found = [d for d in report.diagnostics if d.severity == "error"]
    return [(d.code, d.where.line, d.where.column) if d.where else (d.code, 0, 0) for d in found]


CIRCUIT = """
inputs: {x: -2, y: 5, z: -4}
attributes: {scale: 1.0}
state: {count: 7}
parameters: {w: 2}
nodes: {q: x + y, f: q * z * w * scale, g: "stack(x, y)", wide: "reshape(g, shape=[2, 1])"}
outputs: f
updates: {count: count + 1}
"""


class TestTests:
    def test_passing(self) -> None:
        report = checked(
            CIRCUIT
            + """
tests:
  - name: defaults
    expect: {f: -24, q: 3, g: [-2, 5], count.next: 8, count: 7}
    gradients: {x: -8, z: 6, w: -12, q: -8}
  - {feeds: {x: 3, w: 1, count: 1}, expect: {f: -32, count.next: 2}}
  - {attributes: {scale: 0.5}, expect: {f: -12.0}, gradients: {y: -4}, of: f}
  - {feeds: {x: "inf"}, expect: {f: "-inf", q: "inf"}}
  - {feeds: {x: "nan"}, expect: {f: "nan", g: ["nan", 5]}}
  - {name: rough, expect: {f: -25}, rtol: 0.1}
"""
        )
        assert [(test.name, test.message) for test in report.tests if not test.ok] == []
        assert [test.name for test in report.tests] == ["defaults", "tests.1", "tests.2", "tests.3", "tests.4", "rough"]
        assert report.ok
        assert report.tests[0].where is not None
        assert (report.tests[0].where.line, report.tests[0].where.column) == (11, 11)

    @pytest.mark.parametrize(
        ("test", "code", "column", "words"),
        [
            ("{name: t, expect: {f: -23}}", "GS609", 27, ["'t'", "'f'", "-24", "-23", "difference is 1"]),
            ("{expect: {q: 3, g: [-2, 6]}}", "GS609", 24, ["'g'", "[-2.0, 5.0]", "[-2.0, 6.0]"]),
            ("{expect: {f: [-24]}}", "GS609", 18, ["shape []", "shape [1]"]),
            ("{expect: {f: true}}", "GS609", 18, ["boolean"]),
            ("{expect: {f: text}}", "GS609", 18, ["text"]),
            ("{expect: {wide: [[1], [2, 3]]}}", "GS609", 21, ["lengths"]),
            ("{expect: {qq: 3}}", "GS609", 15, ["there is no value 'qq'"]),
            ("{expect: {count.next: 9}}", "GS609", 27, ["'count.next' is 8"]),
            ("{gradients: {x: 8}}", "GS609", 21, ["gradient of 'x' is -8.0, expected 8.0"]),
            ("{gradients: {xx: 8}}", "GS504", 18, ["'xx'"]),
            ("{of: ff, gradients: {x: 8}}", "GS504", 10, ["'ff'"]),
            ("{of: g, gradients: {x: 8}}", "GS501", 10, ["scalar"]),
            ("{feeds: {u: 1}}", "GS601", 14, ["'u'"]),
            ("{feeds: {x: true}}", "GS603", 14, ["boolean"]),
            ("{feeds: {x: [1]}}", "GS604", 14, ["'x'"]),
            ("{attributes: {size: 1}}", "GS608", 19, ["'size'"]),
            ("{attributes: {scale: text}}", "GS608", 19, ["scale"]),
            ('{expect: {f: "nan"}}', "GS609", 19, ["nan"]),
        ],
    )
    def test_failing(self, test: str, code: str, column: int, words: list[str]) -> None:
        report = checked(CIRCUIT + f"\ntests:\n  - {test}\n", gradients=False)
        assert errors(report) == [(code, 11, column)]
        (outcome,) = report.tests
        assert not outcome.ok
        assert not report.ok
        assert outcome.where == report.diagnostics[0].where
        for word in words:
            assert word in outcome.message
        assert report.diagnostics[0].path.startswith("tests.0")

    def test_hints(self) -> None:
        report = checked(CIRCUIT + "\ntests:\n  - {expect: {wid: 2, counts: 1}}\n", gradients=False)
        assert [found.hint for found in report.diagnostics] == ["did you mean 'wide'?", "did you mean 'count'?"]

    def test_everything_wrong_is_reported(self) -> None:
        report = checked(CIRCUIT + "\ntests:\n  - {expect: {f: 1, q: 2, no: 3}, gradients: {x: 4, y: -8}}\n")
        assert [d.path for d in report.diagnostics] == [
            "tests.0.expect.f",
            "tests.0.expect.q",
            "tests.0.expect.no",
            "tests.0.gradients.x",
        ]

    def test_large_arrays_show_the_worst_element(self) -> None:
        report = checked(
            """
            inputs: {x: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]}
            nodes: {y: x * x}
            outputs: y
            tests:
              - {expect: {y: [1, 4, 9, 16, 25, 36, 50, 64, 80, 100, 121, 144, 169, 196, 225, 256, 289, 324, 361, 300]}}
            """
        )
        assert "'y'[19] is 400.0, expected 300.0: the difference is 100; 3 of 20" in report.tests[0].message

    @pytest.mark.parametrize(("dtype", "ok"), [("float64", False), ("float32", True)])
    def test_default_tolerances(self, dtype: str, ok: bool) -> None:
        report = checked(
            f"dtype: {dtype}\ninputs: {{x: 1}}\nnodes: {{f: x / 3}}\noutputs: f\ntests: [{{expect: {{f: 0.33333}}}}]\n"
        )
        assert report.ok is ok

    def test_values_of_other_dtypes(self) -> None:
        report = checked(
            """
            inputs: {label: {shape: [n], dtype: int64}, flag: {dtype: bool, value: true}}
            nodes: {a: sum(label), b: label == 1, c: flag}
            outputs: [a, b, c]
            tests:
              - {feeds: {label: [1, 2]}, expect: {a: 3, b: [true, false], c: true, label: [1, 2]}}
              - {feeds: {label: [1, 2]}, expect: {a: 2.5}}
            """
        )
        assert [test.ok for test in report.tests] == [True, False]
        assert report.gradients == []

    def test_several_outputs_are_named(self) -> None:
        report = checked(
            """
            inputs: {x: 2}
            functions: {two: {inputs: [a], nodes: {s: a * a, t: a + 1}, outputs: [s, t]}}
            nodes: {p: two(x), f: p.s * p.t}
            outputs: f
            tests:
              - {expect: {p.s: 4, p.t: 3, f: 12}}
              - {expect: {p: 4}}
            """
        )
        assert [test.ok for test in report.tests] == [True, False]
        assert "p.s, p.t" in report.diagnostics[0].hint

    def test_a_number_fills_a_parameter(self) -> None:
        report = checked(
            """
            inputs: {x: [1, 2]}
            attributes: {size: 3}
            parameters: {w: {shape: [2, size], init: normal}}
            nodes: {f: sum(x @ w)}
            outputs: f
            tests:
              - {feeds: {w: 2}, expect: {f: 18}}
              - {feeds: {w: 0.5}, attributes: {size: 4}, expect: {f: 6}}
              - {feeds: {x: 2}}
            """
        )
        assert [test.ok for test in report.tests] == [True, True, False]

    def test_a_program_is_not_changed(self) -> None:
        program = gs.loads("graphspec: 1" + CIRCUIT + "\ntests: [{feeds: {w: 5, count: 3}, expect: {f: -60}}]\n")
        before = program.to_yaml()
        assert check_program(program).ok
        assert program.parameters["w"] == 2
        assert program.state["count"] == 7
        assert program.to_yaml() == before

    def test_assigned_parameters_are_used(self) -> None:
        program = gs.loads("graphspec: 1" + CIRCUIT + "\ntests: [{expect: {f: -60}}]\n")
        program.parameters["w"] = 5
        assert check_program(program).ok


GOOD = {
    "circuit": "inputs: {x: -2, y: 5, z: -4}\nnodes: {f: (x + y) * z}\noutputs: f",
    "float32": "dtype: float32\ninputs: {x: {shape: [n, 3]}}\nparameters: {w: {shape: [3, 2], init: normal}}\n"
    "nodes: {f: sum(tanh(x @ w))}\noutputs: f",
    "float16 inside": "inputs: {x: [1, 2]}\n"
    'nodes: {f: \'sum(cast(exp(cast(x, dtype="float16")), dtype="float64"))\'}\noutputs: f',
    "domain of log": "inputs: {x: {shape: [n]}}\nnodes: {f: sum(log(x))}\noutputs: f",
    "domain of atanh": "inputs: {x: {shape: [n]}}\nnodes: {f: sum(atanh(x) * log(x))}\noutputs: f",
    "domain of acosh": "inputs: {x: {shape: [n]}}\nnodes: {f: sum(acosh(x))}\noutputs: f",
    "dims of defaults": "inputs: {x: {shape: [n], value: [1, 2, 3, 4]}, y: {shape: [n, m]}}\n"
    "nodes: {f: sum(x @ y)}\noutputs: f",
    "labels": "inputs: {x: {shape: [n, 3]}, y: {shape: [n], dtype: int64}}\n"
    "nodes: {f: '-mean(sum(x * one_hot(y, depth=3), axis=-1))'}\noutputs: f",
    "no influence": "inputs: {x: 2, y: 3}\nparameters: {w: 1}\nnodes: {f: x * x}\noutputs: f",
    "a node": "inputs: {x: 2}\n"
    "nodes: {q: x * x, r: q * x, f: q * r}\noutputs: f\ndifferentiate: {of: f, wrt: [x, q, r]}",
    "random ops": "inputs: {x: {shape: [n]}}\n"
    "nodes: {m: 'random_uniform(shape=[x.shape[0]])', f: 'sum(where(m < 0.5, x * m, x * x))'}\noutputs: f",
    "tiny and huge": "inputs: {x: 1e-9, y: 1e9}\nnodes: {f: log(x) + y * 1e-6 + x * y}\noutputs: f",
    "cancellation": "inputs: {x: 0.5}\nnodes: {f: (1e8 + sin(x)) - 1e8}\noutputs: f",
    "optional": "inputs: {x: 2, y: {optional: true}}\n"
    "nodes: {f: x * y if given(y) else x}\noutputs: f\ntests: [{feeds: {y: 3}}]",
    "leading dims": "inputs: {x: {shape: [..., k]}}\nnodes: {f: sum(exp(x))}\noutputs: f\n"
    "tests: [{feeds: {x: [[1, 2], [3, 4]]}}]",
    "steps": "inputs: {x: 1.7}\nnodes: {f: floor(x) * x + round(x)}\noutputs: f",
    "small dims refused": "inputs: {x: {shape: [n]}}\nnodes: {f: 'sum(x[6:] * x[6:])'}\noutputs: f",
}


class TestGradients:
    @pytest.mark.parametrize("name", GOOD)
    def test_good(self, name: str) -> None:
        report = checked(GOOD[name])
        assert report.ok, report
        assert report.gradients
        assert all(found.error <= 1e-6 and not found.kink and not found.surrogate for found in report.gradients)
        assert not any("not compared" in found.message for found in report.gradients)

    def test_at_the_feeds_of_tests(self) -> None:
        report = checked(
            "inputs: {x: 2}\nnodes: {f: x * x}\noutputs: f\ntests: [{name: far, feeds: {x: 100}}, {expect: {f: 4}}]\n"
        )
        assert [(found.name, "far" in found.message) for found in report.gradients] == [("x", False), ("x", True)]

    def test_a_wrong_rule_of_an_op_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(OPS["tanh"], "vjp", lambda self, g, ct, x, y: (ct * y,))
        report = checked("inputs: {x: 2, y: 3}\nnodes: {f: tanh(x) * y}\noutputs: f\n")
        assert {name: found.ok for name, found in by_name(report).items()} == {"x": False, "y": True}
        assert errors(report) == [("GS610", 4, 10)]
        found = by_name(report)["x"]
        assert found.error == pytest.approx(1 - (1 - np.tanh(2) ** 2) / np.tanh(2))
        assert "backprop gives 2.89208" in found.message
        assert "central differences 0.21195" in found.message

    @pytest.mark.parametrize("factor", [1.00001, 0.99999, -1, 0])
    def test_small_errors_are_found(self, monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
        monkeypatch.setattr(OPS["sin"], "vjp", lambda self, g, ct, x, y: (ct * g.cos(x) * factor,))
        report = checked("inputs: {x: {shape: [n, 3]}}\nnodes: {f: sum(sin(x))}\noutputs: f\n")
        assert not report.ok
        assert by_name(report)["x"].error == pytest.approx(
            1 - factor if 0 <= factor < 1 else (factor - 1) / factor, rel=1e-3
        )

    def test_one_wrong_among_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(OPS["tan"], "vjp", lambda self, g, ct, x, y: (ct,))
        names = [f"x{i}" for i in range(40)]
        inputs = ", ".join(f"{name}: {0.1 + 0.02 * i}" for i, name in enumerate(names))
        total = " + ".join("tan(x17)" if name == "x17" else f"sin({name})" for name in names)
        report = checked(f"inputs: {{{inputs}}}\nnodes: {{f: {total}}}\noutputs: f\n")
        assert [found.name for found in report.gradients] == names
        assert [found.name for found in report.gradients if not found.ok] == ["x17"]

    @pytest.mark.parametrize(
        ("inputs", "f"),
        [
            ("x: 0", "abs(x)"),
            ("x: 0", "relu(x)"),
            ("x: 0", "sqrt(x)"),
            ("x: 0", "x ** (1 / 3)"),
            ("x: 3", "floor(x)"),
            ("x: [1, 1, 0]", "max(x)"),
            ("x: [0, 1, 2]", "sum(maximum(x, 0))"),
            ("x: 2", "clip(x, 0, 2)"),
            ("x: 2", "minimum(x, 4 - x)"),
        ],
    )
    def test_kinks(self, inputs: str, f: str) -> None:
        report = checked(f"inputs: {{{inputs}}}\nnodes: {{f: '{f}'}}\noutputs: f\n")
        assert report.ok
        assert by_name(report)["x"].kink
        assert "not differentiable at this point" in by_name(report)["x"].message

    def test_nan_where_the_function_is_smooth_is_wrong(self) -> None:
        report = checked("inputs: {x: -1}\nnodes: {f: 'where(x > 0, sqrt(x), 0)'}\noutputs: f\n")
        assert not report.ok
        assert by_name(report)["x"].error == np.inf

    def test_stop_gradient_counts_as_a_constant(self) -> None:
        report = checked(
            "inputs: {x: 2, y: 3}\nnodes: {s: stop_gradient(x * y), f: s * x + stop_gradient(exp(s))}\noutputs: f\n"
        )
        assert report.ok
        assert all(found.error < 1e-9 and not found.surrogate for found in report.gradients)

    def test_a_stop_below_the_way_does_not_hide_errors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(OPS["sin"], "vjp", lambda self, g, ct, x, y: (ct,))
        report = checked("inputs: {x: 2}\nnodes: {f: stop_gradient(sin(x)) * sin(x)}\noutputs: f\n")
        assert not report.ok

    def test_surrogates_are_reported_and_do_not_fail(self) -> None:
        report = checked(
            """
            inputs: {x: 1.2, y: 3}
            functions:
              rounded: {inputs: [a], nodes: {b: round(a)}, outputs: b, gradient: {a: ct}, surrogate: true}
            nodes: {f: rounded(x) * 2 + y * y}
            outputs: f
            """
        )
        assert report.ok
        outcomes = by_name(report)
        assert outcomes["x"].surrogate
        assert outcomes["x"].error == pytest.approx(1)
        assert not outcomes["y"].surrogate
        assert outcomes["a"].surrogate
        assert outcomes["a"].of == "rounded"

    def test_ops_whose_gradient_is_no_derivative(self) -> None:
        report = checked("inputs: {x: 1.2, y: 3}\nnodes: {f: 'scale_gradient(x, -1) + y * y'}\noutputs: f\n")
        assert report.ok
        assert [found.surrogate for found in report.gradients] == [True, False]

    def test_nothing_to_differentiate(self) -> None:
        assert checked("inputs: {x: [1, 2]}\nnodes: {f: x * 2, g: x * 3}\noutputs: [f, g]\n") == Report()
        assert checked("functions: {f: {inputs: [a], nodes: {b: a}, outputs: b}}\n") == Report()

    def test_no_gradient_is_an_error_only_where_it_was_asked_for(self) -> None:
        text = "inputs: {x: {shape: [n]}}\nnodes: {f: 'mean(equal(argmax(x), 1))'}\noutputs: f\n"
        report = checked(text)
        assert report.ok
        assert [(found.code, found.severity) for found in report.diagnostics] == [("GS503", "note")]
        assert errors(checked(text + "differentiate: f\n"))[0][0] == "GS503"

    def test_a_point_that_is_not_finite_is_not_compared(self) -> None:
        report = checked("inputs: {x: 0}\nnodes: {f: log(x)}\noutputs: f\n")
        assert report.ok
        assert "not compared" in by_name(report)["x"].message

    def test_without_gradients(self) -> None:
        assert checked(GOOD["circuit"], gradients=False) == Report()

    def test_same_seed_same_report(self) -> None:
        assert checked(GOOD["float32"], seed=3).to_dict() == checked(GOOD["float32"], seed=3).to_dict()
        assert checked(GOOD["float32"], seed=3).to_dict() != checked(GOOD["float32"], seed=4).to_dict()

    def test_gradient_programs_can_be_checked(self) -> None:
        program = gs.loads("{graphspec: 1, inputs: {x: 2}, nodes: {f: x ** 3}, outputs: f, tests: [{expect: {f: 0}}]}")
        report = check_program(program.gradient())
        assert report.ok
        assert [(found.of, found.name) for found in report.gradients] == [("d_x", "x")]


class TestCheckGradient:
    TEXT = "{graphspec: 1, inputs: {x: 2, y: {shape: [n]}}, nodes: {f: sum(y * x), g: x * x}, outputs: [f, g]}"
    PROGRAM = gs.loads(TEXT)

    def test_one_gradient(self) -> None:
        found = check_gradient(self.PROGRAM, {"y": [1, 2]}, of="f", wrt="x")
        assert [(one.of, one.name, one.ok, one.kink, one.surrogate) for one in found] == [
            ("f", "x", True, False, False)
        ]

    def test_missing_feeds_are_random(self) -> None:
        assert [one.ok for one in check_gradient(self.PROGRAM, of="f")] == [True, True]

    def test_tolerance(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            OPS["sum"], "vjp", lambda self, g, ct, x, y: (g.broadcast_to(ct * 1.001, shape=x.type.shape),)
        )
        program = gs.loads(self.TEXT)
        assert not check_gradient(program, of="f", wrt=["x"])[0].ok
        assert check_gradient(program, of="f", wrt=["x"], tolerance=0.01)[0].ok

    def test_errors(self) -> None:
        with pytest.raises(NotDifferentiableError):
            check_gradient(self.PROGRAM)
        with pytest.raises(NotDifferentiableError):
            check_gradient(self.PROGRAM, of="f", wrt="z")
        with pytest.raises(FeedError):
            check_gradient(self.PROGRAM, {"y": 1, "u": 2}, of="f")


RULES = {
    # name: inputs, nodes, outputs, the right rules, and wrong ones for some of them
    "product": (
        "[a, b]",
        "y: a * b",
        "y",
        {"a": "ct * b", "b": "ct * a"},
        {"a": ["-ct * b", "ct", "ct * a", "0", "null"]},
    ),
    "wave": ("[a]", "u: 3 * a, y: sin(u)", "y", {"a": "ct * 3 * cos(u)"}, {"a": ["ct * cos(u)", "-ct * 3 * cos(u)"]}),
    "sums": (
        "[a]",
        "y: a * a + exp(a)",
        "y",
        {"a": "ct * (2 * a + exp(a))"},
        {"a": ["ct * 2 * a", "ct * exp(a)", "2 * a + exp(a)", "ct * (2 * a + exp(a)) * 1.0001"]},
    ),
    "matrices": (
        "{a: {shape: [n, k]}, b: {shape: [k, m]}}",
        "y: a @ b",
        "y",
        {"a": "ct @ matrix_transpose(b)", "b": "matrix_transpose(a) @ ct"},
        {"b": ["matrix_transpose(a) @ (2 * ct)", "matrix_transpose(matrix_transpose(ct) @ -a)"]},
    ),
    "square matrices": (
        "{a: {shape: [n, n]}, b: {shape: [n, n]}}",
        "y: a @ b",
        "y",
        {"a": "ct @ matrix_transpose(b)", "b": "matrix_transpose(a) @ ct"},
        {"a": ["ct @ b", "matrix_transpose(ct @ matrix_transpose(b))"], "b": ["a @ ct"]},
    ),
    "two outputs": (
        "[a, b]",
        "s: a * a, p: a * b",
        "[s, p]",
        {"a": "ct.s * 2 * a + ct.p * b", "b": "ct.p * a"},
        {"a": ["ct.s * 2 * a", "ct.p * 2 * a + ct.s * b"], "b": ["ct.s * a", "null"]},
    ),
    "weighted": (
        "[a]",
        "y: a * w + w * w",
        "y",
        {"a": "ct * w", "w": "ct * (a + 2 * w)"},
        {"w": ["ct * a", "ct", "null"], "a": ["ct * w * 2"]},
    ),
    "only positive": (
        "[a]",
        "y: log(a) + sqrt(a - 1)",
        "y",
        {"a": "ct / a + ct / (2 * sqrt(a - 1))"},
        {"a": ["ct / a"]},
    ),
    "broadcast": (
        "{a: {shape: [n]}, b: {shape: [m, n]}}",
        "y: a * b",
        "y",
        {"a": "ct * b", "b": "ct * a"},
        {"a": ["mean(ct * b, axis=0)", "ct"]},
    ),
}


def function(name: str, **changed: str) -> tuple[str, int]:
    """Return a file with one function, and the line of its first rule."""
    inputs, nodes, outputs, rules, _ = RULES[name]
    weights = ["    parameters: {w: 1.5}"] if "w" in rules else []
    lines = ["functions:", f"  {name.replace(' ', '_')}:", f"    inputs: {inputs}", *weights]
    lines += [f"    nodes: {{{nodes}}}", f"    outputs: {outputs}", "    gradient:"]
    text = "\n".join([*lines, *(f"      {key}: {rule}" for key, rule in {**rules, **changed}.items())])
    return text, len(lines) + 2


WRONG = [(name, key, rule) for name, facts in RULES.items() for key, rules in facts[4].items() for rule in rules]


class TestRules:
    @pytest.mark.parametrize("name", RULES)
    def test_right(self, name: str) -> None:
        report = checked(function(name)[0])
        assert report.ok, report
        assert {found.name for found in report.gradients} == set(RULES[name][3])
        assert all(found.error < 1e-6 for found in report.gradients)
        assert report.diagnostics == []

    @pytest.mark.parametrize(("name", "key", "rule"), WRONG)
    def test_wrong(self, name: str, key: str, rule: str) -> None:
        text, first = function(name, **{key: rule})
        report = checked(text)
        line = first + list(RULES[name][3]).index(key)
        assert errors(report) == [("GS610", line, 7)]
        assert {found.name for found in report.gradients if not found.ok} == {key}
        message = report.diagnostics[0].message
        assert f"is wrong for '{key}': backprop gives " in message
        assert ", central differences " in message
        assert ", relative error " in message

    def test_scalars_and_vectors(self) -> None:
        report = checked(
            "functions: {f: {inputs: [a], nodes: {y: sum(a * a)}, outputs: y, gradient: {a: ct * 2 * a}}}\n"
        )
        assert [found.message.rpartition("(")[2] for found in report.gradients] == [
            "at random scalars)",
            "at random vectors)",
        ]

    def test_wrong_for_vectors_only(self) -> None:
        report = checked("functions: {f: {inputs: [a], nodes: {y: mean(a)}, outputs: y, gradient: {a: ct}}}\n")
        assert [found.ok for found in report.gradients] == [True, False]

    def test_matrices_where_nothing_else_can_be_built(self) -> None:
        nodes, rules = "{y: matrix_transpose(a * a)}", "{a: ct * 2 * a}"
        report = checked(f"functions: {{f: {{inputs: [a], nodes: {nodes}, outputs: y, gradient: {rules}}}}}\n")
        assert [found.ok for found in report.gradients] == [False]

    def test_what_cannot_be_called_alone_is_a_note(self) -> None:
        text = "functions: {f: {inputs: [a], nodes: {y: 'reshape(a, shape=[7])'}, outputs: y, gradient: {a: null}}}\n"
        report = checked(text)
        assert report.ok
        assert [(found.code, found.severity) for found in report.diagnostics] == [("GS610", "note")]

    def test_in_called_functions_both_checks_fail(self) -> None:
        text, first = function("product", a="ct")
        report = checked(text + "\ninputs: {x: 2, z: 3}\nnodes: {f: 'product(x, z)'}\noutputs: f\n")
        assert errors(report) == [("GS610", first + 4, 10), ("GS610", first, 7)]

    def test_of_a_document(self) -> None:
        text = "inputs: {x: 2}\nnodes: {f: x * x}\noutputs: f\ngradient:\n  x: ct * 2 * x\n"
        assert checked(text).ok
        assert errors(checked(text.replace("ct * 2", "ct"))) == [("GS610", 4, 10), ("GS610", 6, 3)]

    def test_parameters_of_calls_inside_have_no_rule(self) -> None:
        report = checked(
            """
            functions:
              inner: {inputs: [a], parameters: {w: 2}, nodes: {y: a * w}, outputs: y}
              f:
                inputs: [a]
                nodes: {h: inner(a), y: h * h}
                outputs: y
                gradient: {a: ct * 2 * h * h / a}
            """
        )
        assert {found.name: found.ok for found in report.gradients} == {"a": True, "h.w": False}
        assert errors(report) == [("GS610", 8, 5)]

    def test_attributes_dims_switches_and_labels(self) -> None:
        report = checked(
            """
            functions:
              f:
                attributes: {power: {type: integer, minimum: 2}, act: {type: op}, mode: {type: string, choices: [a, b]}}
                inputs:
                  x: {shape: [..., n, 2*n]}
                  label: {shape: [n], dtype: int64}
                  s: 2.0
                  on: {value: true, dtype: bool}
                nodes: {u: x ** power * s, y: act(u)}
                outputs: y
                gradient:
                  x: ct * (1 - y * y) * power * x ** (power - 1) * s
                  s: ct * (1 - y * y) * x ** power
                  label: null
                  on: null
            """
        )
        assert report.ok, report
        assert {found.name for found in report.gradients} == {"x", "s"}

    def test_float32(self) -> None:
        text, _ = function("wave")
        report = checked("dtype: float32\n" + text)
        assert report.ok
        assert all(found.error < 1e-9 for found in report.gradients)

    def test_stop_gradient_and_nested_rules(self) -> None:
        report = checked(
            """
            functions:
              square: {inputs: [a], nodes: {y: a * a}, outputs: y, gradient: {a: ct * 2 * a}}
              f:
                inputs: [a, b]
                nodes: {u: square(a) * stop_gradient(b), y: square(u)}
                outputs: y
                gradient: {a: ct * 4 * u * a * b, b: null}
            """
        )
        assert report.ok, report
        assert len(report.gradients) == 6
