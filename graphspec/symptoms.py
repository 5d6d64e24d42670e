"""What is wrong with a network, judged by what was measured on one batch. The thresholds stand here, with a reason."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from graphspec.activation import FLAT, Activation, Answer
from graphspec.errors import Diagnostic
from graphspec.finding import CODES, Finding, finding
from graphspec.vitals import ParameterVitals, Vitals

# A parameter that gets 1/10,000 of the last layer's signal needs 10,000 steps where that needs one; seven sigmoid
# layers of a glorot-normal network are there. Those of specs/networks stay above 1/1,000 (measured: 0.0018, a U-Net).
VANISHED = 1e-4
# Healthy first values keep the size of cotangents; a normalisation of small numbers (std 0.02) multiplies by 50
# (measured: 53, a GPT-2 of 12 layers).
EXPLODED = 1e3
# A product with healthy first values multiplies the size of its operand by 0.1 to 3 (measured in specs/networks).
GAIN = 30.0
# Half of the units of a relu are off for one row by chance; off for a whole batch is a unit that learns nothing.
DEAD = 0.5
DEAD_ROWS = 32  # below so many values per unit, chance switches off whole units: then only `MOST_DEAD` counts
MOST_DEAD = 0.9
MOST_DEAD_VALUES = 16  # and so many values in all: that nine tenths of them are off by chance is one in 4,000
SATURATED = 0.5  # share of the values of a sigmoid or tanh
SATURATED_SOME = 0.1  # worth a note: of a tanh of standard normal numbers it is 1 in 30,000
SCALES = 1e3  # between the largest and the smallest array of weights (measured in specs/networks: up to 20)
INPUT_SIZE = 5.0  # root mean square of an input; standardised is 1, pixels from 0 to 1 are 0.5
INPUT_SPREAD = 0.02  # standard deviation, likewise
INPUT_COLUMNS = 100.0  # between the standard deviations of two columns
INPUT_ROWS = 8  # with fewer rows nothing is said about a distribution

_PRODUCTS = ("matmul", "conv", "conv_transpose", "einsum", "tensordot", "outer")
_SHOWN = 3  # names that a message lists


def findings(vitals: Vitals) -> Iterator[Finding]:
    """Yield what is wrong, the gravest first; what another finding explains is left out."""
    cut = list(_disconnected(vitals))
    yield from cut
    yield from _shrinking(vitals)
    yield from _growing(vitals)
    yield from _gains(vitals)
    for found, answer in vitals.answers:
        if answer.share < 1.0 or not _follows_silence(vitals, found):
            yield from _silent(vitals, found, answer)
    if not any(item.diagnostic.severity == "error" for item in cut):
        yield from _unused(vitals)
    yield from _constant(vitals)
    yield from _scales(vitals)
    yield from _inputs(vitals)


def trained(vitals: Vitals) -> list[ParameterVitals]:
    """Return the trainable parameters."""
    return [found for found in vitals.parameters if found.item.trainable]


# -- the loss ---------------------------------------------------------------------------------------------------------


def _disconnected(vitals: Vitals) -> Iterator[Finding]:
    """Find a loss that depends on no parameter, or on no input."""
    model, graph, of = vitals.model, vitals.graph, vitals.of
    name = graph.label(of)
    parameters = [found.item.node for found in trained(vitals)]
    floats = [item.node for item in model.inputs.values() if item.type.is_float]
    sources = parameters or floats
    if not any(node in vitals.backward.cotangents for node in sources):
        what = "trainable parameter" if parameters else "input"
        reached = [node for node in sources if graph.descendants([node])[of]]
        cut = next((found for node in reached if (found := cut_of(vitals, node)) is not None), None)
        if cut is not None:
            message = f"the loss '{name}' reaches every {what} only through {graph.ops[cut].name}, which has no slope"
            hint = f"'{graph.label(cut)}' cuts the gradient off: take it out, or add a way around it"
        else:
            message = f"the loss '{name}' depends on no {what}: nothing can be trained"
            hint = "look at what it is computed from; `graphspec show` lists the nodes"
        yield finding(model, "disconnected", "error", cut if cut is not None else of, message, hint)
    elif model.inputs and parameters:
        below = graph.descendants([item.node for item in model.inputs.values()])
        if not below[of]:
            message = f"the loss '{name}' depends on no input: every row costs the same"
            yield finding(model, "disconnected", "warning", of, message, "compute it from the output and the target")


def cut_of(vitals: Vitals, node: int) -> int | None:
    """Return the node where the way back from the loss to a node ends: it has a cotangent, no operand of it has one."""
    if node in vitals.backward.blocked:
        return vitals.backward.blocked[node]
    graph, reached = vitals.graph, vitals.backward.cotangents
    below = graph.descendants([node])
    for other in graph.ancestors([vitals.of]):
        operands = [i for i in graph.operands[other] if below[i]]
        if other in reached and operands and not any(i in reached for i in operands):
            return other
    return None


# -- the way back -----------------------------------------------------------------------------------------------------


def _shrinking(vitals: Vitals) -> Iterator[Finding]:
    weak = [
        found
        for found in trained(vitals)
        if found.signal is not None and 0.0 < found.signal < VANISHED and not _passed_over(vitals, found)
    ]
    if not weak:
        return
    worst = min(weak, key=lambda found: found.signal or 0.0)
    message = (
        f"the gradient vanishes: at '{worst.item.path}' the cotangent is {worst.signal:.2g} of that at the last layer; "
        f"{_share(len(weak), len(trained(vitals)))} get less than {VANISHED:g} of it: {_names(weak)}"
    )
    hint = "relu for sigmoid or tanh, a normalisation, residual connections, or first values that keep the size"
    yield finding(
        vitals.model, "vanishing", "warning", worst.item.node, message, hint,
        signal=worst.signal, parameters=[found.item.path for found in weak],
    )  # fmt: skip


def _growing(vitals: Vitals) -> Iterator[Finding]:
    strong = [found for found in trained(vitals) if found.signal is not None and found.signal > EXPLODED]
    if not strong:
        return
    worst = max(strong, key=lambda found: found.signal or 0.0)
    message = (
        f"the gradient explodes: at '{worst.item.path}' the cotangent is {worst.signal:.2g} times that at the last "
        f"layer; {_share(len(strong), len(trained(vitals)))} get more than {EXPLODED:g} times it: {_names(strong)}"
    )
    hint = "smaller first values (glorot_uniform, he_normal), a normalisation, or `clip: clip_by_global_norm(...)`"
    yield finding(
        vitals.model, "exploding", "warning", worst.item.node, message, hint,
        signal=number(worst.signal), parameters=[found.item.path for found in strong],
    )  # fmt: skip


def _gains(vitals: Vitals) -> Iterator[Finding]:
    """Find products that make what they are given much larger."""
    gains = {}
    for found in trained(vitals):
        for user in found.users:
            if vitals.graph.ops[user].name in _PRODUCTS or " -> " in found.item.path:
                gain = _gain(vitals, user, found.item.node)
                if gain > GAIN:
                    gains[found.item.path] = (gain, found)
    if not gains:
        return
    gain, worst = max(gains.values(), key=lambda pair: pair[0])
    message = (
        f"values explode: the product with '{worst.item.path}' makes its operand {gain:.3g} times larger; "
        f"{_share(len(gains), len(trained(vitals)))} more than {GAIN:g} times: {_names([f for _, f in gains.values()])}"
    )
    hint = "smaller first values: glorot_uniform, he_normal and lecun_normal keep the size"
    yield finding(
        vitals.model, "exploding", "warning", worst.item.node, message, hint,
        gain=gain, parameters=list(gains),
    )  # fmt: skip


def _gain(vitals: Vitals, user: int, parameter: int) -> float:
    """Return how many times larger the result of a product is than its other operand."""
    from_parameter = vitals.graph.descendants([parameter])
    others = [i for i in vitals.graph.operands[user] if not from_parameter[i]]
    sizes = [vitals.measures[i].rms for i in others if i in vitals.measures]
    result = vitals.measures.get(user)
    if result is None or not sizes or not 0.0 < max(sizes) < math.inf or not math.isfinite(result.rms):
        return 0.0
    return result.rms / max(sizes)


def _passed_over(vitals: Vitals, found: ParameterVitals) -> bool:
    """Tell whether a parameter is behind another that is still all zero."""
    return waits_for(vitals, found.item.node) is not None


def waits_for(vitals: Vitals, node: int) -> str | None:
    """Return a parameter that is all zero, is not at rest itself, and stands between a node and the loss.

    Such first values are common at the end of a residual block: after one step they are not zero any more.
    """
    below = vitals.graph.descendants([node])
    for other in trained(vitals):
        if other.zero and other.gradient:
            products = [u for u in other.users if vitals.graph.ops[u].name in (*_PRODUCTS, "multiply", "take")]
            if any(below[user] for user in products) and not below[other.item.node]:
                return other.item.path
    return None


# -- units ------------------------------------------------------------------------------------------------------------


def _silent(vitals: Vitals, found: Activation, answer: Answer) -> Iterator[Finding]:
    if found.kind == "relu":
        yield from _dead(vitals, found, answer)
    elif answer.share >= SATURATED_SOME:
        severity = "warning" if answer.share >= SATURATED and answer.units * answer.observations > 1 else "note"
        message = (
            f"{found.kind} at '{vitals.graph.label(found.node)}' is saturated: {answer.share:.0%} of its values have a "
            f"derivative below {FLAT:g}; {answer.silent} of {answer.units} units for the whole batch"
        )
        hint = "smaller first values or standardised inputs before it; relu or a normalisation"
        yield finding(
            vitals.model, "saturated", severity, found.node, message, hint,
            share=answer.share, silent=answer.silent, units=answer.units, observations=answer.observations,
        )  # fmt: skip


def _dead(vitals: Vitals, found: Activation, answer: Answer) -> Iterator[Finding]:
    if not answer.silent or answer.observations < 2:
        return
    share, values = answer.silent / answer.units, answer.units * answer.observations
    many = share >= MOST_DEAD and values >= MOST_DEAD_VALUES
    half = share >= DEAD and answer.observations >= DEAD_ROWS
    stuck = vitals.stuck.get(found.node, 0)
    if not (many or half or stuck):
        return
    count = answer.silent if many or half else stuck
    message = (
        f"relu at '{vitals.graph.label(found.node)}' is dead: {count} of {answer.units} units are 0 for the whole "
        "batch, so that no gradient comes through them"
    )
    hint = "biases near 0, a smaller learning rate, standardised inputs, or leaky_relu"
    yield finding(
        vitals.model, "dead", "warning" if many or half else "note", found.node, message, hint,
        share=share, silent=answer.silent, stuck=stuck, units=answer.units, observations=answer.observations,
    )  # fmt: skip


# -- parameters -------------------------------------------------------------------------------------------------------


def _unused(vitals: Vitals) -> Iterator[Finding]:
    graph, of = vitals.graph, vitals.of
    name = graph.label(of)
    for path, declared in vitals.model.function.parameters.items():
        if path not in vitals.model.parameters and declared.trainable:
            about = Diagnostic(
                CODES["unused"], "warning", f"'{path}' is not trained: nothing uses it", f"parameters.{path}",
                declared.origin.location, "use it, or remove it",
            )  # fmt: skip
            yield Finding("unused", about)
    for found in trained(vitals):
        node, path = found.item.node, found.item.path
        if found.gradient is None:
            if not graph.descendants([node])[of]:
                message = f"'{path}' is not trained: the loss '{name}' does not depend on it"
                hint = "use it, remove it, or declare it `trainable: false`"
            else:
                cut = cut_of(vitals, node)
                through = f"{graph.ops[cut].name} ('{graph.label(cut)}')" if cut is not None else "what is constant"
                message = (
                    f"'{path}' is not trained: it reaches the loss '{name}' only through {through}, without a slope"
                )
                hint = "add a way around it, or declare the parameter `trainable: false`"
            yield finding(vitals.model, "unused", "warning", node, message, hint)
        elif found.gradient == 0.0 and waits_for(vitals, node) is None:
            why = _why_zero(vitals, found)
            if why:
                message = f"'{path}' is not trained: its gradient is exactly 0 on this batch, as {why}"
                hint = "look at the cotangents on the way back with --all"
                yield finding(vitals.model, "unused", "warning", node, message, hint, gradient=0.0)


def _why_zero(vitals: Vitals, found: ParameterVitals) -> str:
    """Return why a gradient is zero; empty where contributions cancel each other, as they do now and then."""
    graph = vitals.graph
    cotangents = [vitals.cotangent(user) for user in found.users]
    if all(ct is None or ct.norm == 0.0 for ct in cotangents):
        below = graph.descendants([found.item.node])
        silent = next((item for item in _all_silent(vitals) if below[item.node]), None)
        if silent is not None:
            return f"relu at '{graph.label(silent.node)}' lets nothing through"
        return "every cotangent that comes back to it is 0"
    others = [i for user in found.users for i in graph.operands[user] if i not in (found.item.node, user)]
    products = all(graph.ops[user].name in (*_PRODUCTS, "multiply") for user in found.users)
    sizes = [vitals.measures[i].norm for i in others if i in vitals.measures]
    return "what it is multiplied with is all 0" if products and sizes and 0.0 in sizes else ""


def _follows_silence(vitals: Vitals, found: Activation) -> bool:
    """Tell whether an activation gets nothing but what a relu gives that is off altogether."""
    graph = vitals.graph
    return any(other is not found and graph.descendants([other.node])[found.node] for other in _all_silent(vitals))


def _all_silent(vitals: Vitals) -> list[Activation]:
    return [found for found, answer in vitals.answers if found.kind == "relu" and answer.share == 1.0]


def _scales(vitals: Vitals) -> Iterator[Finding]:
    """Compare the sizes of arrays of weights; vectors (biases, scales) have sizes of their own."""
    sized = [
        found for found in trained(vitals) if len(found.item.shape) > 1 and found.size and math.isfinite(found.size)
    ]
    if len(sized) < 2:
        return
    small, large = min(sized, key=lambda f: f.size), max(sized, key=lambda f: f.size)
    if large.size / small.size < SCALES:
        return
    message = (
        f"parameters of very different size: '{large.item.path}' is {large.size:.3g}, '{small.item.path}' "
        f"{small.size:.3g} (root mean squares): one learning rate does not suit both"
    )
    hint = "scale the first values, or give the two an optimizer group each"
    yield finding(
        vitals.model, "scale", "note", large.item.node, message, hint,
        largest=large.size, smallest=small.size, parameters=[large.item.path, small.item.path],
    )  # fmt: skip


# -- data and outputs -------------------------------------------------------------------------------------------------


def _constant(vitals: Vitals) -> Iterator[Finding]:
    model, graph = vitals.model, vitals.graph
    if not any(_rows_differ(vitals, array) for array in vitals.inputs.values()):
        return
    for name, same in vitals.same.items():
        node = model.outputs[name]
        if not same or _zero_before(vitals, node):
            continue
        reached = graph.descendants([item.node for item in model.inputs.values()])[node]
        why = "although the inputs differ" if reached else "since it depends on no input"
        message = f"the output '{name}' is the same for all {vitals.rows} rows of the batch, {why}"
        hint = "look for dead or saturated units before it, or for first values that are all the same"
        yield finding(model, "constant", "warning", node, message, hint, rows=vitals.rows)


def _rows_differ(vitals: Vitals, array: np.ndarray) -> bool:
    return array.ndim > 0 and len(array) == vitals.rows and len(array) > 1 and bool((array != array[:1]).any())


def _zero_before(vitals: Vitals, node: int) -> bool:
    """Tell whether an output is constant because a layer before it begins with zeros, and will not stay so."""
    return any(
        found.zero and found.gradient and vitals.graph.descendants([found.item.node])[node]
        for found in trained(vitals)
        if any(vitals.graph.ops[user].name in (*_PRODUCTS, "multiply", "take") for user in found.users)
    )


def _inputs(vitals: Vitals) -> Iterator[Finding]:
    if not trained(vitals) or vitals.rows is None or vitals.rows < INPUT_ROWS:
        return
    for name, array in vitals.inputs.items():
        item = vitals.model.inputs[name]
        if not item.type.is_float or not array.ndim or len(array) != vitals.rows or not np.isfinite(array).all():
            continue
        wide = array.astype(np.float64)
        mean, std = float(wide.mean()), float(wide.std())
        columns = wide.std(axis=0) if wide.ndim == 2 else np.array([])
        some = columns[columns > 0]
        uneven = float(some.max() / some.min()) if some.size else 1.0
        size = math.hypot(mean, std)
        if size <= INPUT_SIZE and std >= INPUT_SPREAD and uneven <= INPUT_COLUMNS:
            continue
        message = (
            f"the input '{name}' is not standardised: mean {mean:.3g}, standard deviation {std:.3g}, from "
            f"{wide.min():.3g} to {wide.max():.3g}"
        )
        if uneven > INPUT_COLUMNS:
            message += f"; one column varies {uneven:.3g} times more than another"
        yield finding(
            vitals.model, "input", "note", item.node, message, "`standardise: true` in `data`, or a fixed scale",
            mean=mean, std=std, low=float(wide.min()), high=float(wide.max()), columns=uneven,
        )  # fmt: skip


# -- words ------------------------------------------------------------------------------------------------------------


def number(value: float | None) -> float | str | None:
    """Return a number as JSON can write it."""
    if value is None or math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _share(count: int, total: int) -> str:
    return f"{count} of {total} parameters"


def _names(found: list[ParameterVitals]) -> str:
    names = [item.item.path for item in found]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
