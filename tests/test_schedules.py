"""Schedules of the library: against PyTorch's over 200 steps, and where they go beyond."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

import graphspec as gs
from graphspec import library
from graphspec.errors import SpecError
from graphspec.program import Program

STEPS = 200
INITIAL = 0.3
TOLERANCE = {"rtol": 1e-10, "atol": 1e-13}


def text_of(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def call(name: str, operands: str, options: dict[str, Any]) -> str:
    return f"{name}({operands}{''.join(f', {key}={text_of(value)}' for key, value in options.items())})"


def schedule(name: str, options: dict[str, Any], dtype: str = "float64", step: str = "int64") -> Program:
    return gs.loads(f"""
graphspec: 1
dtype: {dtype}
inputs: {{step: {{shape: [], dtype: {step}}}}}
nodes: {{rate: '{call(name, "step", options)}'}}
outputs: rate
""")


def rates(name: str, options: dict[str, Any], steps: int = STEPS, dtype: str = "float64") -> np.ndarray:
    program = schedule(name, options, dtype)
    return np.array([program.run(step=step)["rate"] for step in range(steps)])


def optimizer(rate: float = INITIAL) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, dtype=torch.float64, requires_grad=True)], lr=rate, momentum=0.9)


def their_rates(make: Callable[[torch.optim.Optimizer], Any], key: str = "lr") -> np.ndarray:
    """Return the rate of every step under a schedule of PyTorch's."""
    theirs = optimizer()
    running = make(theirs)
    found = []
    for _ in range(STEPS):
        found.append(theirs.param_groups[0][key])
        theirs.step()
        if len(found) < STEPS:
            running.step()
    return np.array(found)


Case = tuple[str, dict[str, Any], Callable[[torch.optim.Optimizer], Any]]


def one_cycles() -> Iterator[Case]:
    ends = ((25.0, 1e4), (10.0, 50.0))
    for share, form, three, (first, last) in product((0.3, 0.123), ("cosine", "linear"), (False, True), ends):
        options = {"total": STEPS, "warm_up": share, "annealing": form, "three_phase": three}
        made = partial(
            lr_scheduler.OneCycleLR,
            max_lr=INITIAL,
            total_steps=STEPS,
            pct_start=share,
            anneal_strategy=form.replace("cosine", "cos"),
            div_factor=first,
            final_div_factor=last,
            three_phase=three,
            base_momentum=0.8,
            max_momentum=0.97,
        )
        yield "one_cycle", options | {"peak": INITIAL, "divide": first, "divide_final": last}, made
        if (first, last) == ends[0]:
            yield "one_cycle_momentum", options | {"low": 0.8, "high": 0.97}, made


def cases() -> Iterator[Case]:
    start = {"initial": INITIAL}
    for factor, steps in ((0.25, 30), (1, 0)):
        made = partial(lr_scheduler.ConstantLR, factor=factor, total_iters=steps)
        yield "constant_rate", start | {"factor": factor, "steps": steps}, made
    for every, factor in ((30, 0.1), (7, 0.9)):
        made = partial(lr_scheduler.StepLR, step_size=every, gamma=factor)
        yield "step_decay", start | {"every": every, "factor": factor}, made
    for milestones, factor in (([20, 90, 150], 0.1), ([], 0.5), ([5, 5, 60], 0.5)):
        made = partial(lr_scheduler.MultiStepLR, milestones=milestones, gamma=factor)
        yield "multi_step", start | {"milestones": milestones, "factor": factor}, made
    for factor in (0.99, 0.9, 1.001):
        yield "exponential_decay", start | {"factor": factor}, partial(lr_scheduler.ExponentialLR, gamma=factor)
    for total, power in product((STEPS, 60), (1.0, 2.5)):
        made = partial(lr_scheduler.PolynomialLR, total_iters=total, power=power)
        yield "polynomial_decay", start | {"total": total, "power": power}, made
    for total, least in product((STEPS, 60), (0.0, 0.02)):
        made = partial(lr_scheduler.CosineAnnealingLR, T_max=total, eta_min=least)
        yield "cosine", start | {"total": total, "minimum": least, "hold": False}, made
    for period, growth, least in product((1, 10, 33), (1, 2, 3, 5), (0.0, 0.02)):
        made = partial(lr_scheduler.CosineAnnealingWarmRestarts, T_0=period, T_mult=growth, eta_min=least)
        yield "cosine_restarts", start | {"period": period, "growth": growth, "minimum": least}, made
    for steps, first, last in ((50, 0.1, 1.0), (300, 1 / 3, 1.0), (20, 1.0, 0.5)):
        made = partial(lr_scheduler.LinearLR, start_factor=first, end_factor=last, total_iters=steps)
        yield "linear_warm_up", {"steps": steps, "start": first, "end": last}, made
    yield from one_cycles()


CASES = list(cases())


@pytest.mark.parametrize(
    ("name", "options", "make"), CASES, ids=[call(name, "", options) for name, options, _ in CASES]
)
def test_agrees_with_torch(name: str, options: dict[str, Any], make: Callable[[torch.optim.Optimizer], Any]) -> None:
    expected = their_rates(make, "momentum" if name.endswith("momentum") else "lr")
    found = rates(name, options)
    np.testing.assert_allclose(found * (INITIAL if name == "linear_warm_up" else 1), expected, **TOLERANCE)


# -- reduce on plateau ------------------------------------------------------------------------------------------------

PLATEAU = """
graphspec: 1
dtype: {dtype}
inputs: {{monitor: 0, epoch: {{dtype: int64, value: 0}}}}
nodes: {{rate: '{call}'}}
outputs: rate
"""


def plateau(options: dict[str, Any], dtype: str = "float64") -> Program:
    return gs.loads(PLATEAU.format(dtype=dtype, call=call("reduce_on_plateau", "monitor, epoch", options)))


def bumpy(count: int, sign: float) -> np.ndarray:
    """Return a monitored value that falls, or rises, and stays for a while now and again."""
    noise = np.random.default_rng(1).normal(size=count)
    return sign * (np.exp(-np.arange(count) / 40) + 0.02 * noise - 0.2)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(("threshold_mode", "theirs"), [("relative", "rel"), ("absolute", "abs")])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 0, "factor": 0.7},
        {"patience": 3, "cooldown": 4, "factor": 0.5},
        {"patience": 2, "factor": 0.5, "minimum": 0.01, "threshold": 0.05},
        {"patience": 1, "factor": 0.5, "epsilon": 0.02},
        {"patience": 2, "factor": 0.8, "threshold": 0.0, "cooldown": 1},
    ],
    ids=str,
)
def test_reduce_on_plateau_agrees_with_torch(
    options: dict[str, Any], threshold_mode: str, theirs: str, mode: str
) -> None:
    words = {"minimum": "min_lr", "epsilon": "eps"}
    other = optimizer()
    running = lr_scheduler.ReduceLROnPlateau(
        other, mode=mode, threshold_mode=theirs, **{words.get(key, key): value for key, value in options.items()}
    )
    program = plateau(options | {"initial": INITIAL, "threshold_mode": threshold_mode, "mode": mode})
    values = bumpy(STEPS, 1 if mode == "min" else -1)
    assert program.run(monitor=math.nan)["rate"] == INITIAL
    for epoch, value in enumerate(values, 1):
        running.step(value)
        for _ in range(2):  # the first step of an epoch judges, others only look
            result = program.run(monitor=value, epoch=epoch)
            program.apply(result)
        assert result["rate"] == pytest.approx(other.param_groups[0]["lr"], rel=1e-12)
    assert result["rate"] < INITIAL


def test_reduce_on_plateau_waits_for_a_value() -> None:
    program = plateau({"initial": 1, "patience": 0, "factor": 0.5})
    for value, epoch, expected in (
        (math.nan, 0, 1),
        (math.nan, 1, 1),
        (3.0, 2, 1),
        (3.0, 2, 1),
        (math.nan, 3, 1),
        (3.0, 4, 0.5),
        (4.0, 4, 0.5),
        (2.0, 5, 0.5),
    ):
        result = program.run(monitor=value, epoch=epoch)
        program.apply(result)
        assert result["rate"] == expected
    assert {path: array.item() for path, array in program.state.items()} == {
        "rate.rate": 0.5,
        "rate.best": 2.0,
        "rate.bad": 0,
        "rate.cooling": 0,
        "rate.seen": 5,
    }


# -- all of them ------------------------------------------------------------------------------------------------------

EVERY = [name for name in library.families()["schedules"] if name != "reduce_on_plateau"]
REQUIRED = {"every": 10, "milestones": [3, 8], "total": 100, "period": 10, "steps": 10}


def required(name: str) -> dict[str, Any]:
    function = library.find(name)
    assert function is not None
    return {key: REQUIRED[key] for key, declared in function.attributes.items() if declared.required}


def test_every_schedule_is_compared() -> None:
    assert {name for name, _, _ in CASES} == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_follows_the_dtype_of_the_document(name: str) -> None:
    options = required(name)
    single = rates(name, options, 40, "float32")
    assert single.dtype == "float32"
    np.testing.assert_allclose(single, rates(name, options, 40), rtol=1e-5, atol=1e-9)


def test_reduce_on_plateau_follows_the_dtype_of_the_document() -> None:
    program = plateau({}, "float32")
    assert {path: str(array.dtype) for path, array in program.state.items()} == {
        "rate.rate": "float32",
        "rate.best": "float32",
        "rate.bad": "int64",
        "rate.cooling": "int64",
        "rate.seen": "int64",
    }
    assert program.run(monitor=1.0)["rate"].dtype == "float32"


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("dtype", ["int32", "float64"])
def test_a_step_is_an_integer_or_a_float(name: str, dtype: str) -> None:
    options = required(name)
    program = schedule(name, options, step=dtype)
    step = np.array(17, dtype=dtype)
    assert program.run(step=step)["rate"] == rates(name, options, 18)[17]


@pytest.mark.parametrize("name", EVERY)
def test_a_step_is_a_scalar(name: str) -> None:
    with pytest.raises(SpecError, match="GS403"):
        gs.loads(f"""
graphspec: 1
inputs: {{step: {{shape: [3]}}}}
nodes: {{rate: '{call(name, "step", required(name))}'}}
outputs: rate
""")


@pytest.mark.parametrize("name", [*EVERY, "reduce_on_plateau"])
def test_what_render_writes_is_the_same(name: str) -> None:
    first = plateau({"initial": 0.5}) if name == "reduce_on_plateau" else schedule(name, required(name))
    second = gs.loads(first.to_yaml())
    feeds = {"monitor": 2.0, "epoch": 3} if name == "reduce_on_plateau" else {"step": 23}
    assert first.run(feeds)["rate"] == second.run(feeds)["rate"]
    assert {path: array.item() for path, array in first.state.items()} == {
        path: array.item() for path, array in second.state.items()
    }


def test_jax_agrees() -> None:
    """All schedules in one document, which is compiled once."""
    pytest.importorskip("jax")
    lines = [f"  {name}: '{call(name, 'step', required(name))}'" for name in EVERY]
    lines.append("  plateau: reduce_on_plateau(monitor, step, patience=0)")
    names = [*EVERY, "plateau"]
    program = gs.loads(f"""
graphspec: 1
inputs: {{step: {{dtype: int64}}, monitor: 1}}
nodes:
{chr(10).join(lines)}
outputs: [{", ".join(names)}]
""")
    for step in (0, 7, 120):
        ours, theirs = program.run(step=step), program.run(step=step, engine="jax")
        for name in names:
            np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-12, atol=1e-15, err_msg=name)
        for path, value in ours.updates.items():
            np.testing.assert_allclose(theirs.updates[path], value, rtol=1e-12, err_msg=path)
        program.apply(ours)


@pytest.mark.parametrize(
    ("name", "options", "last"),
    [
        ("cosine", {"total": 50, "minimum": 0.01}, 0.01),
        ("polynomial_decay", {"total": 50, "minimum": 0.01, "power": 2}, 0.01),
        ("linear_warm_up", {"steps": 50}, 1),
        ("one_cycle", {"total": 50, "peak": 1}, 1 / 25 / 1e4),
        ("one_cycle_momentum", {"total": 50}, 0.95),
    ],
)
def test_the_end_lasts(name: str, options: dict[str, Any], last: float) -> None:
    program = schedule(name, options)
    found = [program.run(step=step)["rate"].item() for step in (50, 51, 75, 1000)]
    assert found == pytest.approx([last] * 4, rel=1e-12)


def test_polynomial_decay_to_a_minimum() -> None:
    found = rates("polynomial_decay", {"initial": 1.0, "minimum": 0.2, "total": 4, "power": 2}, 5)
    assert found == pytest.approx([1, 0.2 + 0.8 * 9 / 16, 0.4, 0.25, 0.2])


def test_exponential_decay_in_so_many_steps() -> None:
    found = rates("exponential_decay", {"initial": 1.0, "factor": 0.25, "every": 2}, 4)
    assert found == pytest.approx([1, 0.5, 0.25, 0.125])


@pytest.mark.parametrize("growth", [2, 3, 5, 7, 10])
@pytest.mark.parametrize("period", [1, 3, 7])
def test_cosine_restarts_at_the_very_step(period: int, growth: int) -> None:
    """The number of a period is found by a logarithm, whose rounding errors do not matter."""
    program = schedule("cosine_restarts", {"initial": 1.0, "period": period, "growth": growth})
    begin, size = 0, period
    while begin < 10_000_000:
        assert program.run(step=begin)["rate"] == 1
        if size > 1:
            assert program.run(step=begin + size - 1)["rate"] < 0.6
        begin, size = begin + size, size * growth


@pytest.mark.parametrize("warm_up", [0, 1])
@pytest.mark.parametrize("three_phase", [False, True])
def test_one_cycle_without_a_way_up_or_down(warm_up: float, three_phase: bool) -> None:
    found = rates("one_cycle", {"total": 10, "peak": 1, "warm_up": warm_up, "three_phase": three_phase}, 12)
    assert np.isfinite(found).all()
    assert 0 < found.min() <= found.max() <= 1


def test_schedules_are_factors() -> None:
    program = gs.loads("""
graphspec: 1
inputs: {step: {dtype: int64}}
nodes:
  rate: linear_warm_up(step, steps=10) * cosine(step, initial=2, total=100)
  later: cosine(maximum(step - 10, 0), initial=2, total=90)
outputs: [rate, later]
""")
    assert program.run(step=5)["rate"] == pytest.approx(0.5 * (1 + math.cos(math.pi / 20)))
    assert program.run(step=10)["later"] == 2
    assert program.run(step=55)["later"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("StepLR", "step_decay"),
        ("MultiStepLR", "multi_step"),
        ("ExponentialLR", "exponential_decay"),
        ("CosineAnnealingLR", "cosine"),
        ("CosineAnnealingWarmRestarts", "cosine_restarts"),
        ("PolynomialLR", "polynomial_decay"),
        ("LinearLR", "linear_warm_up"),
        ("ConstantLR", "constant_rate"),
        ("OneCycleLR", "one_cycle"),
        ("ReduceLROnPlateau", "reduce_on_plateau"),
        ("CosineDecay", "cosine"),
        ("clip_grad_norm_", "clip_by_global_norm"),
        ("clip_grad_value_", "clip_by_value"),
        ("RMSprop", "rmsprop"),
        ("AdamW", "adamw"),
        ("SGD", "sgd"),
        ("ema", "exponential_moving_average"),
    ],
)
def test_names_of_others_have_hints(theirs: str, ours: str) -> None:
    with pytest.raises(SpecError) as info:
        gs.loads(f"{{graphspec: 1, inputs: {{step: 1}}, nodes: {{y: {theirs}(step)}}, outputs: y}}")
    assert [found.code for found in info.value.diagnostics] == ["GS201"]
    assert f"'{ours}'" in info.value.diagnostics[0].hint
