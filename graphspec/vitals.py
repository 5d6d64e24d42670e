"""What is measured of a network on one batch: sizes of values, cotangents and gradients, and which units answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphspec.activation import Activation, Answer, activations, answer, stuck
from graphspec.anomaly import observe
from graphspec.autodiff import Backward
from graphspec.dims import Expr, symbol
from graphspec.graph import Graph
from graphspec.model import Model
from graphspec.parameter import Parameter
from graphspec.plan import schedule
from graphspec.span import Span, span
from graphspec.types import TensorType

# ops that a parameter goes through before it meets data
_VIEWS = ("matrix_transpose", "permute_dims", "reshape", "expand_dims", "squeeze", "broadcast_to", "cast", "identity")


@dataclass(frozen=True, slots=True)
class Measure:
    """A value in numbers; ``norm`` is the root of the sum of squares."""

    span: Span
    norm: float

    @property
    def rms(self) -> float:
        """The root of the mean of squares: the size of a typical element."""
        return self.norm / math.sqrt(self.span.size) if self.span.size else 0.0


@dataclass(frozen=True, slots=True)
class ParameterVitals:
    """A parameter in numbers.

    Attributes:
        users: the nodes where it meets data.
        size, gradient: root of the mean square of its value and of its gradient; None without a gradient.
        signal: the size of the cotangent where it is used, as a multiple of that at the last layer; None without one.
    """

    item: Parameter
    users: tuple[int, ...]
    size: float
    zero: bool
    gradient: float | None
    signal: float | None

    @property
    def ratio(self) -> float | None:
        """The size of the gradient as a multiple of that of the parameter."""
        return self.gradient / self.size if self.gradient is not None and self.size else None


@dataclass
class Vitals:
    """All that is measured.

    Attributes:
        of: the node of the loss.
        rows: how many rows the batch has, None where no dim counts them.
        measures: by node, those of the backward pass among them.
        same: for each output by name, whether it is the same for every row.
        answers: how the units of each activation answered.
        stuck: by the node of each relu, how many of its units are far below 0.
        inputs: the arrays that were fed or are defaults, by name.
    """

    model: Model
    graph: Graph
    backward: Backward
    of: int
    rows: int | None
    batch: Any
    measures: dict[int, Measure] = field(default_factory=dict)
    same: dict[str, bool] = field(default_factory=dict)
    answers: list[tuple[Activation, Answer]] = field(default_factory=list)
    stuck: dict[int, int] = field(default_factory=dict)
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    parameters: list[ParameterVitals] = field(default_factory=list)

    def cotangent(self, node: int) -> Measure | None:
        """Return the measure of the cotangent of a node of the forward pass."""
        found = self.backward.cotangents.get(node)
        return None if found is None else self.measures.get(found.id)


def measure(
    model: Model,
    graph: Graph,
    backward: Backward,
    of: int,
    leaves: Mapping[int, Any],
    dims: Mapping[str, int],
    inputs: Mapping[str, np.ndarray],
) -> Vitals:
    """Run a graph with its backward pass once and measure every node.

    Args:
        model: the document.
        graph, backward: its graph with the cotangents of everything.
        of: the node of the loss.
        leaves: the arrays of the leaves, by node.
        dims: the integer of every symbolic dim.
        inputs: the fed arrays by name.
    """
    batch, rows = batch_of(model, inputs)
    vitals = Vitals(model, graph, backward, of, rows, batch, inputs=dict(inputs))
    found = list(activations(graph, len(model.graph), batch))
    watched = {item.node: item for item in found}
    before = {item.before: item for item in found if item.before is not None}
    outputs = {node: name for name, node in model.outputs.items() if _counts_rows(graph, node, batch)}
    cotangents = [value.id for value in backward.cotangents.values()]

    def see(node: int, value: Any) -> None:
        if isinstance(value, tuple):
            return
        vitals.measures[node] = Measure(span(value), _norm(value))
        if node in watched:
            vitals.answers.append((watched[node], answer(watched[node], np.asarray(value))))
        if node in before:
            vitals.stuck[before[node].node] = stuck(before[node], np.asarray(value))
        if node in outputs:
            vitals.same[outputs[node]] = _constant(np.asarray(value))

    observe(schedule(graph, wanted_nodes(model, of, cotangents)), leaves, dims, see)
    vitals.parameters = _parameters(vitals)
    return vitals


def wanted_nodes(model: Model, of: int, cotangents: Sequence[int]) -> list[int]:
    """Return what is computed: the loss, the outputs, and all cotangents."""
    return [of, *model.outputs.values(), *cotangents]


def batch_of(model: Model, inputs: Mapping[str, np.ndarray]) -> tuple[Any, int | None]:
    """Return the dim that counts the rows, and how many there are; None where the inputs share no first dim."""
    leading = [(model.inputs[name].type.shape[:1], array) for name, array in inputs.items() if array.ndim]
    dims = [shape[0] for shape, _ in leading if shape]
    named = [dim for dim in dims if isinstance(dim, Expr) and len(dim.symbols) == 1 and dim == symbol(*dim.symbols)]
    chosen = max(named, key=named.count) if named else dims[0] if dims and len(set(dims)) == 1 else None
    rows = next((len(array) for shape, array in leading if chosen is not None and shape == (chosen,)), None)
    return chosen, rows


def _counts_rows(graph: Graph, node: int, batch: Any) -> bool:
    found = graph.types[node]
    return isinstance(found, TensorType) and found.is_float and found.rank > 0 and found.shape[0] == batch


def _norm(value: Any) -> float:
    array = np.asarray(value)
    if not array.size:
        return 0.0
    if array.dtype.kind != "c":
        array = array.astype(np.float64, copy=False)
    largest = float(np.max(np.abs(array)))
    if not math.isfinite(largest) or largest == 0.0:
        return largest
    return largest * float(np.linalg.norm((array / largest).ravel()))


def _constant(array: np.ndarray) -> bool:
    """Tell whether all rows are one, up to rounding."""
    if len(array) < 2 or not np.isfinite(array).all():
        return False
    wide = array.astype(np.float64)
    return bool(np.max(np.ptp(wide, axis=0), initial=0.0) <= 1e-6 * np.max(np.abs(wide), initial=0.0))


# -- parameters -------------------------------------------------------------------------------------------------------


def users_of(graph: Graph, end: int) -> list[list[int]]:
    """Return the nodes that use each node of the first ``end``, among these."""
    found: list[list[int]] = [[] for _ in range(end)]
    for node in range(end):
        for operand in dict.fromkeys(graph.operands[node]):
            found[operand].append(node)
    return found


def _parameters(vitals: Vitals) -> list[ParameterVitals]:
    graph, model = vitals.graph, vitals.model
    users = users_of(graph, len(model.graph))
    known = {path: item for path, item in model.parameters.items() if item.role == "parameter" and item.type.is_float}
    meets = {path: tuple(_meets(graph, users, item.node)) for path, item in known.items()}
    ahead = _last_layers(vitals, users, {node for nodes in meets.values() for node in nodes})
    return [_parameter(vitals, item, meets[path], ahead) for path, item in known.items()]


def _meets(graph: Graph, users: list[list[int]], node: int) -> list[int]:
    """Return the nodes where a parameter meets data, behind what only changes its shape or dtype."""
    found = []
    for user in users[node]:
        found += _meets(graph, users, user) if graph.ops[user].name in _VIEWS and users[user] else [user]
    return found


def _last_layers(vitals: Vitals, users: list[list[int]], layers: set[int]) -> dict[int, float]:
    """Return, for each node, the largest cotangent at a last layer behind it; a last layer has none behind it."""
    ahead: dict[int, float] = {}
    for node in range(len(users) - 1, -1, -1):
        sizes = []
        for user in users[node]:
            ct = vitals.cotangent(user)
            if user in ahead:
                sizes.append(ahead[user])
            elif user in layers and ct is not None:
                sizes.append(ct.norm)
        if sizes:
            ahead[node] = max(sizes)
    return ahead


def _parameter(vitals: Vitals, item: Parameter, users: tuple[int, ...], ahead: Mapping[int, float]) -> ParameterVitals:
    value = vitals.measures.get(item.node)
    gradient = vitals.cotangent(item.node)
    signals = []
    for user in users:
        ct = vitals.cotangent(user)
        if ct is not None:
            last = ahead.get(user, ct.norm)
            signals.append(ct.norm / last if last else 0.0 if ct.norm == 0 else math.inf)
    return ParameterVitals(
        item,
        users,
        value.rms if value is not None else math.nan,
        value is not None and value.norm == 0.0,
        None if gradient is None else gradient.rms,
        max(signals, default=None),
    )
