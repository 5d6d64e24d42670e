"""`graphspec doctor`: how a network is before it is trained, looked at on one batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from graphspec import derivative, feeds
from graphspec.anomaly import first_anomaly
from graphspec.autodiff import gradient
from graphspec.finding import Finding
from graphspec.model import Model
from graphspec.plan import schedule
from graphspec.program import Program
from graphspec.symptoms import findings, number, trained
from graphspec.view.values import number_text
from graphspec.vitals import Vitals, measure, wanted_nodes

BATCH = 64  # rows that are looked at: enough for shares of units, few enough to be quick
_ORDER = ("error", "warning", "note")


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes:
        findings: the gravest first.
        vitals: what was measured.
        loss: the value that was differentiated.
        of: its name.
    """

    findings: tuple[Finding, ...]
    vitals: Vitals
    loss: float
    of: str

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; warnings and notes may be there."""
        return not any(found.diagnostic.severity == "error" for found in self.findings)

    def to_dict(self, everything: bool = False) -> dict[str, Any]:
        """Return JSON data; with ``everything`` every node that has a path."""
        vitals = self.vitals
        data: dict[str, Any] = {
            "ok": self.ok,
            "of": self.of,
            "loss": number(self.loss),
            "rows": vitals.rows,
            "diagnostics": [found.to_dict() for found in self.findings],
            "parameters": [
                {
                    "path": found.item.path,
                    "elements": int(np.prod(found.item.shape, dtype=np.int64)),
                    "trainable": found.item.trainable,
                    "rms": number(found.size),
                    "gradient": number(found.gradient),
                    "ratio": number(found.ratio),
                    "signal": number(found.signal),
                }
                for found in vitals.parameters
            ],
            "activations": [
                {
                    "path": vitals.graph.label(found.node),
                    "kind": found.kind,
                    "units": answer.units,
                    "silent": answer.silent,
                    "share": answer.share,
                }
                for found, answer in vitals.answers
            ],
        }
        if everything:
            data["nodes"] = list(self.nodes())
        return data

    def nodes(self) -> Iterator[dict[str, Any]]:
        """Yield the op, the range and the size of the value and of the cotangent of every node that has a path."""
        vitals = self.vitals
        for path, node in vitals.model.graph.names.items():
            found = vitals.measures.get(node)
            if found is not None:
                ct = vitals.cotangent(node)
                yield {
                    "path": path,
                    "op": vitals.graph.ops[node].name,
                    **found.span.to_dict(),
                    "rms": number(found.rms),
                    "cotangent": number(None if ct is None else ct.rms),
                }


def examine(
    program: Program,
    given: Mapping[str, Any] | None = None,
    *,
    of: str | None = None,
    batch: int | None = None,
    seed: int = 0,
) -> Examination:
    """Run a program forward and backward over one batch and report what is wrong with it.

    The program is built as it is for training. Values come from ``given``, else from the first batch of the training
    data that the document declares, else from defaults.

    Args:
        program: the network with its parameters.
        given: inputs by name, and parameters by path.
        of: the loss; default: what `train` minimizes, or the document differentiates.
        batch: the number of rows that are taken from the data (default: 64).
        seed: of random ops, first values and the choice of the rows.

    Raises:
        NotDifferentiableError: there is no loss.
        FeedError: a feed is missing or does not fit.
        ExecutionError: a node failed.
    """
    program = _training(program)
    fed = {**_data(program, dict(given or {}), batch or BATCH, seed), **(given or {})}
    model = program._models.for_feeds(fed)
    section = model.function.train_section
    of = of if of is not None or section is None else section.minimize
    target, names = _request(model, of)
    graph = model.graph.copy()
    node = derivative.node_of(model, target)
    backward = gradient(graph, node, [derivative.node_of(model, name) for name in names])
    cotangents = [value.id for value in backward.cotangents.values()]
    plan = schedule(graph, wanted_nodes(model, node, cotangents))
    leaves, bound = program._bound(model, plan, fed, seed, program._parameters.snapshot())
    feeds.require_sizes(model, bound, plan.dims)
    inputs = {name: bound.arrays[name] for name in model.inputs if name in bound.arrays}
    inputs |= {
        name: item.default for name, item in model.inputs.items() if name not in inputs and item.default is not None
    }
    vitals = measure(model, graph, backward, node, leaves, bound.dims, inputs)
    loss = vitals.measures[node].span
    value = float("nan") if loss.nan else float("inf") if loss.infinite else float(loss.low or 0.0)
    found = [*_anomalies(vitals, leaves, bound.dims, value, target), *findings(vitals)]
    found.sort(key=lambda item: _ORDER.index(item.diagnostic.severity))
    return Examination(tuple(found), vitals, value, target)


def _training(program: Program) -> Program:
    """Return the program as it is built for training, with the same parameters."""
    models = program._models.with_attributes({"training": True})
    return Program(models, program._parameters.for_model(models.first))


def _request(model: Model, of: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the loss and all that it may be differentiated with respect to."""
    target, _ = derivative.request(model, of, None)
    return target, model.default_wrt()


def _data(program: Program, given: Mapping[str, Any], batch: int, seed: int) -> dict[str, np.ndarray]:
    """Return the first batch of the training data, where the document declares any and it is wanted."""
    function = program.model.function
    section = function.data_section
    if section is None or "train" not in section.sources:
        return {}
    if set(section.sources["train"].inputs) <= set(given):
        return {}
    from graphspec.train.dataset import open_datasets

    types = {name: item.type for name, item in program.model.inputs.items()}
    folder = function.folder if function.folder is None else Path(function.folder)
    dataset = open_datasets(section, types, folder)["train"]
    return next(iter(dataset.batches(batch, seed=seed)), {})


def _anomalies(
    vitals: Vitals, leaves: Mapping[int, Any], dims: Mapping[str, int], loss: float, target: str
) -> Iterator[Finding]:
    """Find what is not finite: in the loss, a gradient or an output; the first of them that is explains the others.

    A cotangent that is not finite on the way, but is masked before it reaches a parameter, does no harm. Nor does that
    of an input while parameters are trained; it is worth a warning.
    """
    model = vitals.model
    inputs = [item.node for item in model.inputs.values()]
    parameters = [found.item.node for found in trained(vitals)]
    asked = [(f"the loss '{target}' is {number_text(loss)}", [vitals.of], "error")]
    asked.append(("a gradient is not finite", _cotangents(vitals, parameters or inputs), "error"))
    asked += [(f"the output '{name}' is not finite", [node], "error") for name, node in model.outputs.items()]
    asked.append(("the gradient of an input is not finite", _cotangents(vitals, inputs), "warning"))
    bad = {node for node, found in vitals.measures.items() if found.span.bad}
    for context, nodes, severity in asked:
        found = None if bad.isdisjoint(nodes) else first_anomaly(vitals.graph, leaves, dims, nodes)
        if found is not None and found.role not in ("literal", "constant"):
            yield Finding("not finite", replace(found.diagnostic(context), severity=severity), found.to_dict())
            return


def _cotangents(vitals: Vitals, nodes: list[int]) -> list[int]:
    known = vitals.backward.cotangents
    return [known[node].id for node in nodes if node in known]
