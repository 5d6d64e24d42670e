"""`graphspec doctor`: planted faults are found, healthy networks are left in peace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import command, on_a_terminal
from test_networks import SMALL

from graphspec.activation import activations
from graphspec.doctor import Examination, examine
from graphspec.errors import FeedError, NotDifferentiableError
from graphspec.finding import CODES
from graphspec.program import Program, load, loads
from graphspec.symptoms import findings

FOLDER = Path(__file__).parent.parent / "specs" / "networks"
ROWS = 32


def batch(program: Program, rows: int = ROWS, uniform: bool = False, seed: int = 0) -> dict[str, np.ndarray]:
    """Return random rows: standard normal or between 0 and 1; labels are 0 and 1."""
    random = np.random.default_rng(seed)
    dims = {"height": 16, "width_of_image": 16, "positions": 5}
    found = {}
    for name, item in program.model.inputs.items():
        if item.default is None:
            shape = [dim if isinstance(dim, int) else dims.get(str(dim), rows) for dim in item.type.shape]
            floats = random.random(shape) if uniform else random.normal(size=shape)
            integers = item.type.dtype == "int64"
            found[name] = random.integers(0, 2, shape) if integers else floats.astype(item.type.dtype)
    return found


def report(text: str, **given: Any) -> Examination:
    program = loads(text)
    return examine(program, {**batch(program), **given})


def kinds(found: Examination, severity: str | None = None) -> list[str]:
    return [item.kind for item in found.findings if severity in (None, item.diagnostic.severity)]


def network(hidden: str, depth: int, init: str = "glorot_normal", more: str = "") -> str:
    """Return a network of ``depth`` layers of 16 units; ``more`` are further lines of `parameters`."""
    layers = [f"  h{i}: {hidden}(h{i - 1} @ w{i})" for i in range(1, depth + 1)]
    weights = [f"  w{i}: {{shape: [16, 16], init: {init}}}" for i in range(1, depth + 1)]
    return "\n".join(
        [
            "graphspec: 1",
            "inputs: {x: {shape: [batch, 16]}, label: {shape: [batch], dtype: int64}}",
            "parameters:",
            *weights,
            more,
            "nodes:",
            "  h0: identity(x)",
            *layers,
            f"  logits: linear(h{depth}, units=2)",
            "  loss: cross_entropy(logits, label)",
            "outputs: [logits, loss]",
            "differentiate: loss",
        ]
    )


# -- no false alarms --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
@pytest.mark.parametrize(("rows", "uniform"), [(4, True), (8, False), (64, True)])
def test_networks_are_healthy(name: str, rows: int, uniform: bool) -> None:
    program = load(FOLDER / f"{name}.yaml", attributes=SMALL.get(name, {}))
    if program.model.function.data_section is not None:
        pytest.skip("its own data is looked at in the test of its section")
    found = examine(program, batch(program, rows, uniform))
    assert [str(item.diagnostic) for item in found.findings] == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("hidden", ["relu", "tanh", "sigmoid", "gelu", "silu", "softplus", "elu"])
def test_small_networks_are_healthy(hidden: str, seed: int) -> None:
    program = loads(network(hidden, 3))
    found = examine(program, batch(program, seed=seed), seed=seed)
    assert [str(item.diagnostic) for item in found.findings] == []


def test_first_values_of_zero_are_common() -> None:
    """A last layer of zeros gives constant outputs and zero gradients before it, but only until the first step."""
    found = report(
        network("relu", 3, more="  last: {shape: [16, 2], init: zeros}").replace("linear(h3, units=2)", "h3 @ last")
    )
    assert found.findings == ()


# -- planted faults ---------------------------------------------------------------------------------------------------


def test_a_dead_layer() -> None:
    text = network("relu", 2, more="  b: {shape: [16], init: constant(value=-100)}").replace("h0 @ w1", "h0 @ w1 + b")
    found = report(text)
    dead = next(item for item in found.findings if item.kind == "dead")
    assert (dead.diagnostic.code, dead.diagnostic.severity, dead.diagnostic.path) == ("GS662", "warning", "nodes.h1")
    assert (dead.numbers["silent"], dead.numbers["units"], dead.numbers["observations"]) == (16, 16, ROWS)
    unused = {item.diagnostic.path for item in found.findings if item.kind == "unused"}
    assert unused == {"parameters.w1", "parameters.b", "parameters.w2", "parameters.logits.weight"}
    assert found.ok


@pytest.mark.parametrize("relu", ["relu(z)", "maximum(z, 0)", "maximum(0, z)", "clip(z, 0, 6)", "where(z > 0, z, 0)"])
def test_a_dead_unit_among_others(relu: str) -> None:
    text = (
        "graphspec: 1\ninputs: {x: {shape: [n, 5]}}\nparameters: {b: [0, 0, -100, 0, 0]}\n"
        f"nodes: {{z: x + b, h: '{relu}', f: mean(square(h))}}\noutputs: f\n"
    )
    found = report(text)
    assert kinds(found) == ["dead"]
    assert found.findings[0].diagnostic.severity == "note"
    assert found.findings[0].numbers["stuck"] == 1


def test_dead_channels() -> None:
    text = (
        "graphspec: 1\ninputs: {x: {shape: [n, 2, 6, 6]}}\n"
        "nodes: {z: 'conv2d(x, units=4, window=3)', h: relu(z - 50), f: mean(square(h - 1))}\noutputs: f\n"
    )
    found = report(text)
    dead = next(item for item in found.findings if item.kind == "dead")
    assert (dead.numbers["units"], dead.numbers["observations"]) == (4, ROWS * 16)


def test_a_hinge_may_be_satisfied() -> None:
    text = (
        "graphspec: 1\ninputs: {x: {shape: [n, 2]}}\nparameters: {w: [1, 2], c: 100}\n"
        "nodes: {f: 'mean(huber(x * w, x)) + c * c'}\noutputs: f\n"
    )
    assert "dead" not in kinds(report(text))


def test_a_chain_of_sigmoids_vanishes() -> None:
    found = report(network("sigmoid", 20))
    assert "vanishing" in kinds(found, "warning")
    vanishing = next(item for item in found.findings if item.kind == "vanishing")
    assert vanishing.diagnostic.path == "parameters.w1"
    assert vanishing.numbers["signal"] < 1e-8
    assert {f"w{i}" for i in range(1, 10)} <= set(vanishing.numbers["parameters"])
    assert "w20" not in vanishing.numbers["parameters"]


def test_a_chain_of_neurons_vanishes() -> None:
    nodes = [f"  h{i}: sigmoid(w{i} * h{i - 1})" for i in range(1, 21)]
    weights = [f"  w{i}: 1" for i in range(1, 21)]
    text = "\n".join(["graphspec: 1", "inputs: {h0: 1}", "parameters:", *weights, "nodes:", *nodes, "outputs: h20"])
    assert kinds(report(text)) == ["vanishing"]


@pytest.mark.parametrize("hidden", ["relu", "tanh", "gelu"])
def test_weights_a_hundred_times_too_large(hidden: str) -> None:
    program = loads(network(hidden, 4))
    for path, value in dict(program.parameters).items():
        program.parameters[path] = 100 * value
    found = examine(program, batch(program))
    assert "exploding" in kinds(found, "warning")
    named = {path for item in found.findings if item.kind == "exploding" for path in item.numbers["parameters"]}
    assert {"w1", "w2", "w3", "w4"} <= named


def test_one_layer_a_hundred_times_too_large() -> None:
    program = loads(network("relu", 4))
    program.parameters["w3"] = 100 * program.parameters["w3"]
    found = examine(program, batch(program))
    assert [item.numbers.get("parameters") for item in found.findings if item.kind == "exploding"] == [["w3"]]


def test_gradients_that_grow_along_the_way_back() -> None:
    """Values keep their size: a normalisation hides it from them."""
    text = "\n".join(
        [
            "graphspec: 1",
            "inputs: {x: {shape: [batch, 16]}}",
            "parameters: {a: {shape: [16, 16], init: normal(std=1e-6)}, b: {shape: [16, 16], init: glorot_normal}}",
            "nodes:",
            "  h: x @ a",
            "  n: h / sqrt(mean(square(h), axis=-1, keepdims=true))",
            "  f: mean(square(n @ b - 1))",
            "outputs: f",
        ]
    )
    found = report(text)
    assert kinds(found) == ["exploding", "scale"]
    assert found.findings[0].numbers["parameters"] == ["a"]
    assert found.findings[0].numbers["signal"] > 1e4


def test_saturated_sigmoids_and_tanhs() -> None:
    for hidden in ("sigmoid", "tanh"):
        found = report(network(hidden, 2).replace("h0 @ w1", "50 * (h0 @ w1)"))
        saturated = [item for item in found.findings if item.kind == "saturated"]
        assert [item.diagnostic.path for item in saturated] == ["nodes.h1"]
        assert saturated[0].numbers["share"] > 0.5


def test_a_parameter_without_influence() -> None:
    found = report(network("relu", 1, more="  unused: [1, 2]"))
    assert kinds(found) == ["unused"]
    about = found.findings[0].diagnostic
    assert (about.code, about.severity, about.path) == ("GS663", "warning", "parameters.unused")
    assert about.where is not None
    assert about.where.line == 5
    text = (
        "graphspec: 1\ninputs: {x: {shape: [n]}}\nparameters: {a: 1, b: 2, c: 3, d: {value: 1, trainable: false}}\n"
        "nodes: {other: 2 * b, f: mean(square(a * x + stop_gradient(c)))}\noutputs: [f, other]\ndifferentiate: f\n"
    )
    found = report(text)
    assert [item.diagnostic.path for item in found.findings] == ["parameters.b", "parameters.c"]
    assert "does not depend on it" in found.findings[0].diagnostic.message
    assert "stop_gradient" in found.findings[1].diagnostic.message


@pytest.mark.parametrize("cut", ["stop_gradient(w)", "round(w)", 'cast(cast(w, dtype="int64"), dtype="float64")'])
def test_a_loss_that_is_cut_off(cut: str) -> None:
    found = report(
        f"graphspec: 1\ninputs: {{x: {{shape: [n]}}}}\nparameters: {{w: 1.5}}\nnodes:\n  c: {cut}\n  f: mean(x * c)\noutputs: f\n"
    )
    assert kinds(found) == ["disconnected"]
    assert not found.ok
    about = found.findings[0].diagnostic
    assert (about.code, about.severity) == ("GS664", "error")
    assert about.where is not None
    assert about.where.line == 5


def test_losses_that_depend_on_nothing() -> None:
    found = report(
        "graphspec: 1\ninputs: {x: {shape: [n]}}\nparameters: {w: 1}\nnodes: {y: w * x, f: mean(x)}\noutputs: [y, f]\ndifferentiate: f"
    )
    assert "depends on no trainable parameter" in found.findings[0].diagnostic.message
    found = report(
        "graphspec: 1\ninputs: {x: {shape: [n]}}\nparameters: {w: 1}\nnodes: {y: w * x, f: w * w}\noutputs: [y, f]\ndifferentiate: f"
    )
    assert kinds(found, "warning") == ["disconnected"]
    assert found.ok


def test_a_constant_output() -> None:
    text = (
        "graphspec: 1\ninputs: {x: {shape: [n, 3]}, t: {shape: [n, 3]}}\nparameters: {w: [1, 2, 3], b: [1, 1, 1]}\n"
        "nodes: {y: relu(x * w - 1000) + b, f: mean(square(y - t))}\noutputs: [y, f]\ndifferentiate: f\n"
    )
    found = report(text)
    assert set(kinds(found)) == {"dead", "unused", "constant"}
    assert next(item.numbers["rows"] for item in found.findings if item.kind == "constant") == ROWS


def test_sizes_of_parameters_and_inputs() -> None:
    text = network("tanh", 2, "normal(std=0.3)").replace(
        "w1: {shape: [16, 16], init: normal(std=0.3)}", "w1: {shape: [16, 16], init: normal(std=1e-4)}"
    )
    found = report(text)
    assert "scale" in kinds(found, "note")
    program = loads(network("relu", 1))
    given = batch(program)
    for scale, shift in ((255, 0), (1, 50), (0.001, 0)):
        found = examine(program, {**given, "x": scale * given["x"] + shift})
        assert "input" in kinds(found, "note"), (scale, shift)
    columns = given["x"] * np.array([200.0] + [0.5] * 15)
    note = next(item for item in examine(program, {**given, "x": columns}).findings if item.kind == "input")
    assert note.numbers["columns"] > 200
    assert note.diagnostic.path == "inputs.x"


@pytest.mark.parametrize(
    ("expression", "x", "words"),
    [
        ("log(z)", [0.0, 1.0], "log at 'h'"),
        ("1 / z", [0.0, 1.0], "divide at 'h'"),
        ("sqrt(z)", [0.0, 1.0], "the gradient rule of sqrt at 'h'"),
        ("z", [float("nan"), 1.0], "input 'x' holds 1 nan"),
    ],
)
def test_values_that_are_not_finite(expression: str, x: list[float], words: str) -> None:
    text = (
        "graphspec: 1\ninputs: {x: {shape: [2]}}\nparameters: {w: [1, 1]}\n"
        f"nodes: {{z: x * w, h: {expression}, f: sum(h)}}\noutputs: f\n"
    )
    found = report(text, x=x)
    assert kinds(found, "error") == ["not finite"]
    assert words in found.findings[0].diagnostic.message
    assert not found.ok
    json.dumps(found.to_dict(everything=True), allow_nan=False)


def test_a_gradient_that_does_no_harm() -> None:
    """That of an input is a warning while parameters are trained; one that is masked on the way is none."""
    head = "graphspec: 1\ninputs: {x: {shape: [2]}}\nparameters: {w: [1, 2]}\n"
    found = report(f"{head}nodes: {{h: sqrt(x), f: sum(h * w)}}\noutputs: f\n", x=[0.0, 1.0])
    assert (found.ok, kinds(found, "warning")) == (True, ["not finite"])
    found = report(f"{head}nodes: {{h: sqrt(relu(w - x)), f: sum(h)}}\noutputs: f\n", x=[3.0, 1.0])
    assert kinds(found) == []


def test_a_parameter_that_is_not_finite() -> None:
    program = loads(network("relu", 2))
    value = program.parameters["w1"]
    value[3, 4] = np.nan
    program.parameters["w1"] = value
    found = examine(program, batch(program))
    assert kinds(found) == ["not finite"]
    assert (
        found.findings[0].diagnostic.message
        == "the loss 'loss' is nan: parameter 'w1' holds 1 nan of 256 elements (first at [3, 4])"
    )


# -- what is looked at ------------------------------------------------------------------------------------------------


def test_every_kind_has_a_code_that_is_explained() -> None:
    from graphspec.codes import CODES as ALL

    assert set(CODES.values()) <= set(ALL)


def test_it_is_built_for_training() -> None:
    program = loads(
        "graphspec: 1\ninputs: {x: {shape: [n]}}\nparameters: {w: 1}\nnodes: {f: 'mean(dropout(x, rate=0.5) * w)'}\noutputs: f"
    )
    found = examine(program, {"x": np.ones(51)})
    assert found.loss != 1.0
    assert any(op.name.startswith("random") for op in found.vitals.graph.ops)


def test_the_choice_of_the_loss() -> None:
    text = "graphspec: 1\nparameters: {w: 2}\nnodes: {f: w * w, g: w ** 3}\noutputs: [f, g]\n"
    assert examine(loads(text), of="g").loss == 8.0
    with pytest.raises(NotDifferentiableError):
        examine(loads(text))
    with pytest.raises(FeedError):
        examine(loads(network("relu", 1)))


def test_gates_are_no_saturated_sigmoids() -> None:
    text = "graphspec: 1\ninputs: {x: {shape: [n]}}\nnodes: {a: silu(x), b: 'gelu(x, approximate=\"tanh\")', c: sigmoid(x), d: tanh(x), e: softplus(x), f: sum(a * b * c * d * e)}\noutputs: f"
    graph = loads(text).graph
    found = {graph.label(item.node): item.kind for item in activations(graph, len(graph), None)}
    assert found == {"c": "sigmoid", "d": "tanh"}


def test_findings_can_be_repeated() -> None:
    found = report(network("sigmoid", 12))
    assert [item.to_dict() for item in findings(found.vitals)] == [item.to_dict() for item in found.findings]


def test_the_training_data_is_looked_at() -> None:
    text = """
graphspec: 1
inputs: {x: {shape: [batch, 2]}, label: {shape: [batch], dtype: int64}}
nodes:
  logits: linear(relu(linear(x, units=8)), units=2)
  loss: cross_entropy(logits, label)
  other: mean(logits)
outputs: [loss, other]
data:
  train: {generate: "two_moons(rows=200, noise=0.1, seed=0)", inputs: {x: [x0, x1], label: label}}
train: {minimize: loss, optimizer: sgd(learning_rate=0.1), epochs: 1}
"""
    program = loads(text)
    found = examine(program)
    assert (found.of, found.vitals.rows, kinds(found)) == ("loss", 64, [])
    assert examine(program, batch=10).vitals.rows == 10
    assert examine(program, seed=1).loss != found.loss
    given = {"x": np.ones((3, 2)), "label": [0, 1, 1]}
    assert examine(program, given, of="other").vitals.rows == 3


# -- the verb ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    text = network("relu", 2, more="  b: {shape: [16], init: constant(value=-100)}").replace("h0 @ w1", "h0 @ w1 + b")
    (tmp_path / "dead.yaml").write_text(text)
    (tmp_path / "log.yaml").write_text("graphspec: 1\nparameters: {w: 0}\nnodes: {f: log(w)}\noutputs: f\n")
    np.savez(tmp_path / "rows.npz", **batch(loads(text)))
    return tmp_path / "dead.yaml"


def test_the_verb(spec: Path) -> None:
    found = command("doctor", "dead.yaml", "--feed", "rows.npz")
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("dead.yaml: 6 warnings; the loss 'loss' is 0.6931")
    assert "\nwarning GS662 nodes.h1 dead.yaml:9:7\n  relu at 'h1' is dead: 16 of 16 units" in found.out
    assert "\nparameter " in found.out
    assert "\nactivation " in found.out
    assert "h1.y.less_equal" not in found.out
    assert "h1.y.less_equal" in command("doctor", "dead.yaml", "--feed", "rows.npz", "--all").out


def test_json(spec: Path) -> None:
    data = command("doctor", "dead.yaml", "--feed", "rows.npz", "--json").data
    assert list(data) == ["spec", "ok", "of", "loss", "rows", "diagnostics", "parameters", "activations"]
    first = data["diagnostics"][0]
    assert (first["code"], first["kind"], first["line"], first["numbers"]["units"]) == ("GS662", "dead", 9, 16)
    assert data["rows"] == ROWS
    nodes = command("doctor", "dead.yaml", "--feed", "rows.npz", "--json", "--all").data["nodes"]
    assert {"path", "op", "low", "high", "rms", "cotangent"} <= set(nodes[0])


def test_exit_codes(spec: Path) -> None:
    found = command("doctor", "log.yaml")
    assert (found.code, found.codes) == (1, ["GS649"])
    assert found.out.startswith("log.yaml: 1 error; the loss 'f' is inf")
    found = command("doctor", "log.yaml", "--json")
    assert (found.code, found.data["ok"], found.data["diagnostics"][0]["code"]) == (1, False, "GS649")
    assert command("doctor", "log.yaml", "--set", "w=2").code == 0
    assert command("doctor", "dead.yaml").codes == ["GS602", "GS602"]


@pytest.mark.parametrize("width", [40, 60, 160])
def test_widths(spec: Path, width: int) -> None:
    out = on_a_terminal("doctor", "dead.yaml", "--feed", "rows.npz", COLUMNS=str(width), NO_COLOR="1")
    lines = out.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= width
    assert ("what was found" in out) == (width == 160)
    assert "\x1b" not in out
