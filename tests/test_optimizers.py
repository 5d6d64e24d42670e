"""Optimizers, clipping and averages of the library: against PyTorch, and against the papers where it has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

import graphspec as gs
from graphspec import library
from graphspec.program import Program

STEPS = 200
W = [[0.4, -1.3, 2.2], [-0.05, 0.9, 3.1]]
B = 0.7
NOISE = np.random.default_rng(0).normal(size=(STEPS, 2, 3))
TOLERANCE = {"rtol": 1e-10, "atol": 1e-12}


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    """Let PyTorch keep its scalars in float64 too: else NAdam's product of momenta is in float32."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def arguments(options: dict[str, Any]) -> str:
    return "".join(f", {key}={str(value).lower()}" for key, value in options.items())


def trained(name: str, options: dict[str, Any], dtype: str = "float64") -> Program:
    """Return a document that moves a matrix and a scalar by an optimizer, along gradients with noise.

    Without noise the steps that a normalised gradient makes near a minimum are chaotic: they magnify rounding errors.
    """
    call = f"{name}(%s, %s{arguments(options)})"
    return gs.loads(f"""
graphspec: 1
dtype: {dtype}
inputs: {{noise: {{shape: [2, 3], value: 1}}}}
parameters: {{w: {W}, b: {B}}}
nodes:
  d_w: w / 4 + sin(w) / 4 + noise
  d_b: b / 2 + sum(noise)
outputs: [d_w, d_b]
updates: {{w: "{call % ("w", "d_w")}", b: "{call % ("b", "d_b")}"}}
""")


def advance(program: Program, steps: int = STEPS) -> None:
    """Run a document of `trained` and apply its updates."""
    for noise in NOISE[:steps].astype(program.inputs["noise"].dtype):
        program.apply(program.run(noise=noise))


def slope(w: Any, b: Any, noise: Any, sin: Callable[[Any], Any]) -> tuple[Any, Any]:
    return w / 4 + sin(w) / 4 + noise, b / 2 + noise.sum()


THEIRS = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "adamax": torch.optim.Adamax,
    "radam": torch.optim.RAdam,
}
WORDS = {
    "learning_rate": "lr",
    "learning_rate_decay": "lr_decay",
    "epsilon": "eps",
    "initial_accumulator": "initial_accumulator_value",
}
BETAS = {"beta1": 0.8, "beta2": 0.97, "epsilon": 1e-3}


def their_options(name: str, options: dict[str, Any]) -> dict[str, Any]:
    found = {WORDS.get(key, key): value for key, value in options.items() if not key.startswith("beta")}
    if name == "rmsprop" and "rho" in found:
        found["alpha"] = found.pop("rho")
    if "beta1" in options:
        found["betas"] = (options["beta1"], options["beta2"])
    return found


def choices(name: str, base: dict[str, Any], **columns: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an optimizer under every combination of options; None leaves one out."""
    for row in product(*columns.values()):
        yield name, base | {key: value for key, value in zip(columns, row, strict=True) if value is not None}


DECAYED = {"weight_decay": (None, 0.1), "maximize": (False, True)}
DECOUPLED = {"decoupled_weight_decay": (False, True), **DECAYED}
CASES = [
    *((name, {}) for name in THEIRS),
    *choices("sgd", {"learning_rate": 0.02}, momentum=(None, 0.9), dampening=(None, 0.3), **DECAYED),
    *choices("sgd", {"learning_rate": 0.02, "momentum": 0.8, "nesterov": True}, **DECAYED),
    *choices(
        "adagrad",
        {"learning_rate": 0.1},
        learning_rate_decay=(None, 0.01),
        initial_accumulator=(0, 0.2),
        epsilon=(None, 1e-3),
        **DECAYED,
    ),
    *choices("adadelta", {"learning_rate": 0.5}, rho=(None, 0.95), epsilon=(None, 1e-4), **DECAYED),
    *choices("rmsprop", {"rho": 0.9, "epsilon": 1e-4}, centered=(False, True), momentum=(None, 0.8), **DECAYED),
    *choices("adam", BETAS | {"learning_rate": 0.03}, amsgrad=(False, True), **DECOUPLED),
    *choices("adamw", BETAS | {"learning_rate": 0.03}, amsgrad=(False, True), **DECAYED),
    *choices("nadam", BETAS, momentum_decay=(None, 0.01), **DECOUPLED),
    *choices("adamax", BETAS | {"learning_rate": 0.03}, **DECAYED),
    *choices("radam", BETAS | {"learning_rate": 0.03}, **DECOUPLED),
    *choices("radam", {"beta1": 0.9, "beta2": 0.6}),  # is never rectified
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{name}{arguments(options)}" for name, options in CASES])
def test_agrees_with_torch(name: str, options: dict[str, Any]) -> None:
    w, b = (torch.tensor(first, dtype=torch.float64, requires_grad=True) for first in (W, B))
    theirs = THEIRS[name]([w, b], **their_options(name, options))
    for noise in torch.tensor(NOISE):
        w.grad, b.grad = slope(w.detach(), b.detach(), noise, torch.sin)
        theirs.step()
    program = trained(name, options)
    advance(program)
    np.testing.assert_allclose(program.parameters["w"], w.detach().numpy(), **TOLERANCE)
    np.testing.assert_allclose(program.parameters["b"], b.detach().numpy(), **TOLERANCE)


# -- what PyTorch has not: the papers, transcribed --------------------------------------------------------------------

Moves = Callable[[np.ndarray, np.ndarray, dict[str, np.ndarray], int], np.ndarray]


def lion(
    learning_rate: float = 1e-4,
    beta1: float = 0.9,
    beta2: float = 0.99,
    weight_decay: float = 0,
    maximize: bool = False,
) -> Moves:
    """Chen et al. (2023), program 1."""

    def move(w: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], t: int) -> np.ndarray:
        g = -g if maximize else g
        m = state.get("m", np.zeros_like(w))
        update = np.sign(m * beta1 + g * (1 - beta1)) + weight_decay * w
        state["m"] = m * beta2 + g * (1 - beta2)
        return w - learning_rate * update

    return move


def lamb(
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    weight_decay: float = 0,
    epsilon: float = 1e-6,
    norm_minimum: float = 0,
    norm_maximum: float = np.inf,
    bias_correction: bool = True,
    maximize: bool = False,
) -> Moves:
    """You et al. (2020), algorithm 2, with phi(z) = min(max(z, low), high)."""

    def move(w: np.ndarray, g: np.ndarray, state: dict[str, np.ndarray], t: int) -> np.ndarray:
        g = -g if maximize else g
        m = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
        v = state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
        if bias_correction:
            m, v = m / (1 - beta1**t), v / (1 - beta2**t)
        r = m / (np.sqrt(v) + epsilon) + weight_decay * w
        phi = min(max(np.linalg.norm(w), norm_minimum), norm_maximum)
        ratio = phi / np.linalg.norm(r) if phi > 0 and np.linalg.norm(r) > 0 else 1
        return w - learning_rate * ratio * r

    return move


TRANSCRIBED = [
    ("lion", {}),
    ("lamb", {}),
    *choices("lion", {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.95}, **DECAYED),
    *choices(
        "lamb",
        {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.97, "epsilon": 1e-3},
        norm_minimum=(None, 1.0),
        norm_maximum=(None, 2.0),
        bias_correction=(True, False),
        **DECAYED,
    ),
]


@pytest.mark.parametrize(
    ("name", "options"), TRANSCRIBED, ids=[f"{name}{arguments(options)}" for name, options in TRANSCRIBED]
)
def test_agrees_with_the_paper(name: str, options: dict[str, Any]) -> None:
    move = {"lion": lion, "lamb": lamb}[name](**options)
    w, b, states = np.array(W), np.array(B), ({}, {})
    for t, noise in enumerate(NOISE, 1):
        d_w, d_b = slope(w, b, noise, np.sin)
        w, b = move(w, d_w, states[0], t), move(b, d_b, states[1], t)
    program = trained(name, options)
    advance(program)
    np.testing.assert_allclose(program.parameters["w"], w, **TOLERANCE)
    np.testing.assert_allclose(program.parameters["b"], b, **TOLERANCE)


def test_lamb_trusts_a_parameter_or_step_of_length_zero() -> None:
    program = gs.loads("""
graphspec: 1
parameters: {w: [0, 0], v: [1, 2]}
nodes: {g: "where(w == 0, 3, 1)", f: sum(g)}
outputs: f
updates: {w: "lamb(w, g, learning_rate=0.1)", v: "lamb(v, 0 * g)"}
""")
    program.apply(program.run())
    assert program.parameters["w"] == pytest.approx(-0.1, rel=1e-6)
    assert program.parameters["v"].tolist() == [1, 2]


# -- all of them ------------------------------------------------------------------------------------------------------

EVERY = library.families()["optimizers"]


def test_every_optimizer_is_compared() -> None:
    assert {name for name, _ in [*CASES, *TRANSCRIBED]} == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_an_option_of_zero_that_is_written_is_as_one_that_is_not(name: str) -> None:
    function = library.find(name)
    assert function is not None
    zeros = {key: 0 for key, declared in function.inputs.items() if declared.value == 0}
    zeros.setdefault("weight_decay", 0)
    written, left = trained(name, zeros), trained(name, {"weight_decay": 0} if name == "adamw" else {})
    advance(written, 5)
    advance(left, 5)
    assert np.array_equal(written.parameters["w"], left.parameters["w"])


@pytest.mark.parametrize("name", EVERY)
def test_float32_documents_have_float32_optimizers(name: str) -> None:
    single, double = trained(name, {}, "float32"), trained(name, {})
    assert {str(array.dtype) for array in single.state.values()} <= {"float32", "int64"}
    advance(single, 20)
    advance(double, 20)
    assert single.parameters["w"].dtype == "float32"
    np.testing.assert_allclose(single.parameters["w"], double.parameters["w"], rtol=2e-5)


@pytest.mark.parametrize("name", EVERY)
def test_the_state_is_of_the_shape_of_the_parameter(name: str) -> None:
    state = trained(name, {}).state
    shapes = {path: array.shape for path, array in state.items() if array.dtype == "float64"}
    assert {shape for path, shape in shapes.items() if path.startswith("w.next.")} <= {(2, 3), ()}
    assert {shape for path, shape in shapes.items() if path.startswith("b.next.")} <= {()}


@pytest.mark.parametrize(
    ("call", "names"),
    [
        ("sgd", set()),
        ("sgd:momentum=0.9", {"velocity"}),
        ("sgd:momentum=0.9, dampening=0.1", {"velocity", "t"}),
        ("adagrad", {"total"}),
        ("rmsprop", {"v"}),
        ("rmsprop:centered=true, momentum=0.9", {"v", "mean", "velocity"}),
        ("adam", {"m", "v", "t"}),
        ("adam:amsgrad=true", {"m", "v", "greatest", "t"}),
        ("adamw", {"adam.m", "adam.v", "adam.t"}),
    ],
)
def test_only_the_state_that_is_used_exists(call: str, names: set[str]) -> None:
    name, _, options = call.partition(":")
    program = gs.loads(
        f"{{graphspec: 1, parameters: {{w: [1, 2]}}, nodes: {{f: sum(w)}}, outputs: f,"
        f" updates: {{w: '{name}(w, w{', ' + options if options else ''})'}}}}"
    )
    assert set(program.state) == {f"w.next.{item}" for item in names}
    assert set(program.run().updates) == {"w", *program.state}


@pytest.mark.parametrize("name", EVERY)
def test_what_render_writes_moves_the_same_way(name: str) -> None:
    first = trained(name, {})
    second = gs.loads(first.to_yaml())
    advance(first, 3)
    advance(second, 3)
    assert np.array_equal(first.parameters["w"], second.parameters["w"])
    assert {path: array.tolist() for path, array in first.state.items()} == {
        path: array.tolist() for path, array in second.state.items()
    }


@pytest.mark.parametrize("name", EVERY)
def test_the_gradient_of_backprop_trains(name: str) -> None:
    """The gradient comes from backprop, and is fed to the document that updates."""
    program = gs.loads(f"""
graphspec: 1
inputs: {{g: {{shape: [3], value: [0, 0, 0]}}}}
parameters: {{w: [1, -2, 3]}}
nodes: {{f: sum((w - 0.5) ** 2)}}
outputs: f
updates: {{w: "{name}(w, g, learning_rate=0.02)"}}
""")
    before = program.run()["f"]
    for _ in range(30):
        gradients = program.backprop(wrt="w").gradients
        program.apply(program.run(g=gradients["w"]))
    assert program.run()["f"] < before


def test_a_schedule_sets_an_option() -> None:
    program = gs.loads("""
graphspec: 1
inputs: {step: {dtype: int64, value: 0}}
parameters: {w: [1, 2]}
nodes: {f: sum(w)}
outputs: f
updates: {w: "sgd(w, 0 * w + 1, learning_rate=step_decay(step, initial=1, every=2, factor=0.5))"}
""")
    for step in range(4):
        program.apply(program.run(step=step))
    assert program.parameters["w"].tolist() == [1 - 3, 2 - 3]


def test_jax_agrees() -> None:
    """All optimizers in one document, which is compiled once."""
    pytest.importorskip("jax")
    program = gs.loads(f"""
graphspec: 1
inputs: {{noise: {{shape: [2, 3]}}}}
parameters: {{{", ".join(f"{name}_w: {W}" for name in EVERY)}}}
nodes: {{f: sum(noise)}}
outputs: f
updates: {{{", ".join(f'{name}_w: "{name}({name}_w, {name}_w + noise, weight_decay=0.1)"' for name in EVERY)}}}
""")
    for noise in NOISE[:3]:
        ours, theirs = program.run(noise=noise), program.run(noise=noise, engine="jax")
        for path, value in ours.updates.items():
            np.testing.assert_allclose(theirs.updates[path], value, rtol=1e-12, atol=1e-14, err_msg=path)
        program.apply(ours)


# -- clipping ---------------------------------------------------------------------------------------------------------

GRADIENT = np.array([[0.5, -3.0, 0.1], [2.0, 0.0, -0.7]])


def clipped(call: str, **inputs: Any) -> np.ndarray:
    text = f"{{graphspec: 1, inputs: {{g: {{shape: [2, 3]}}, n: 0}}, nodes: {{y: '{call}'}}, outputs: y}}"
    found: np.ndarray = gs.loads(text).run(g=GRADIENT, **inputs)["y"]
    return found


def their_gradients(clip: Callable[[list[torch.Tensor]], Any], *arrays: np.ndarray) -> list[np.ndarray]:
    tensors = [torch.zeros(array.shape, dtype=torch.float64) for array in arrays]
    for tensor, array in zip(tensors, arrays, strict=True):
        tensor.grad = torch.tensor(array)
    clip(tensors)
    return [tensor.grad.numpy() for tensor in tensors if tensor.grad is not None]


@pytest.mark.parametrize("limit", [0.3, 1, 5])
def test_clip_by_value(limit: float) -> None:
    (expected,) = their_gradients(lambda all: torch.nn.utils.clip_grad_value_(all, limit), GRADIENT)
    assert np.array_equal(clipped(f"clip_by_value(g, limit={limit})"), expected)
    assert np.abs(clipped("clip_by_value(g)")).max() == 1


@pytest.mark.parametrize("order", [2, 1, 3.5, "inf"])
@pytest.mark.parametrize("limit", [0.3, 1, 50])
def test_clip_by_norm(limit: float, order: Any) -> None:
    (expected,) = their_gradients(lambda all: torch.nn.utils.clip_grad_norm_(all, limit, float(order)), GRADIENT)
    found = clipped(f"clip_by_norm(g, max_norm={limit}, ord={order})")
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("limit", [0.3, 1, 50])
def test_clip_by_global_norm(limit: float) -> None:
    other = np.array([4.0, -1.0])
    expected, _ = their_gradients(lambda all: torch.nn.utils.clip_grad_norm_(all, limit), GRADIENT, other)
    norm = np.sqrt(np.sum(GRADIENT**2) + np.sum(other**2))
    found = clipped(f"clip_by_global_norm(g, global_norm=n, max_norm={limit})", n=norm)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_gradient_of_zeros_is_not_clipped() -> None:
    text = "{graphspec: 1, inputs: {g: [0, 0]}, nodes: {y: clip_by_norm(g)}, outputs: y}"
    assert gs.loads(text).run()["y"].tolist() == [0, 0]


@pytest.mark.parametrize("name", ["clip_by_value", "clip_by_norm"])
def test_clipping_goes_in_front_of_an_optimizer(name: str) -> None:
    program = gs.loads(f"""
graphspec: 1
dtype: float32
parameters: {{w: [3]}}
nodes: {{f: sum(w)}}
outputs: f
updates: {{w: "sgd(w, {name}(100 * w, 0.5), learning_rate=1)"}}
""")
    program.apply(program.run())
    assert program.parameters["w"] == pytest.approx(2.5)


# -- averages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decay", [None, 0.9, 0.5])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_exponential_moving_average_agrees_with_torch(decay: float | None, dtype: str) -> None:
    option = "" if decay is None else f", decay={decay}"
    program = gs.loads(f"""
graphspec: 1
dtype: {dtype}
parameters: {{w: {{shape: [2, 2], value: [[1, -2], [3, 0.5]]}}}}
nodes:
  after: w - 0.1 * (w - sin(5 * w))
  y: exponential_moving_average(after{option})
outputs: y
updates: {{w: after}}
""")
    model = torch.nn.Linear(2, 2, bias=False, dtype=getattr(torch, dtype))
    multi_average = torch.optim.swa_utils.get_ema_multi_avg_fn(0.999 if decay is None else decay)
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=multi_average)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(program.parameters["w"]))
        for step in range(STEPS):
            model.weight.copy_(model.weight - 0.1 * (model.weight - torch.sin(5 * model.weight)))
            average.update_parameters(model)
            result = program.run()
            if step == 0:
                assert np.array_equal(result["y"], result.updates["w"])
            program.apply(result)
    theirs = average.module.weight.detach().numpy()
    tolerance = TOLERANCE if dtype == "float64" else {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(program.state["y.average"], theirs, **tolerance)
    assert program.state["y.average"].dtype == dtype
