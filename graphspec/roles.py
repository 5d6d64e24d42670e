"""Which input of a document holds the rows, which one the target, and which output is the prediction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphspec.attribute import dims_in
from graphspec.errors import FeedError, did_you_mean, problem
from graphspec.model import Model
from graphspec.types import TensorType, kind


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of what an estimator feeds and reads."""

    input: str
    target: str
    output: str


def roles_of(model: Model, input: str | None = None, target: str | None = None, output: str | None = None) -> Roles:
    """Return the roles of a document that is fed with rows and a target; what is given is not searched for.

    The prediction is the first float output that has a row for each row of the batch and needs one input only: these
    are the rows. The target is the one further input that has no default.

    Raises:
        FeedError: there is none, or several.
    """
    needed = [name for name, item in model.inputs.items() if item.default is None]
    for name, what in ((input, "input"), (target, "target")):
        if name is not None and name not in model.inputs:
            raise _refused(f"{what}='{name}' is no input of the document", did_you_mean(name, model.inputs))
    output = _output(model, [name for name in needed if name != target], input) if output is None else output
    node = model.find(output)
    if node is None:
        hint = did_you_mean(output, [*model.outputs, *model.graph.names])
        raise _refused(f"output='{output}' is no node of the document", hint)
    rows = _inputs(model, node, needed)
    if input is None:
        input = _only(rows, "input", f"'{output}' needs")
    if target is None:
        target = _only([name for name in needed if name != input], "target", f"besides '{input}' there are the inputs")
    if target in rows:
        raise _refused(f"'{output}' needs the target '{target}' itself", "output= names the prediction")
    return Roles(input, target, output)


def is_probability(model: Model, output: str) -> bool:
    """Tell whether an output holds probabilities, and not logits: by its name, or by what it is a call of."""
    if output in ("probability", "probabilities"):
        return True
    path = next((item.path for item in model.function.outputs if item.name == output), output)
    declared = model.function.nodes.get(path)
    if declared is None:
        return False
    called = declared.op
    if declared.expression is not None and declared.expression.term.kind == "call":
        called = declared.expression.term.value
    return called in ("softmax", "sigmoid")


def _output(model: Model, needed: Iterable[str], input: str | None) -> str:
    """Return the prediction."""
    for name, node in model.outputs.items():
        found = model.graph.types[node]
        if not isinstance(found, TensorType) or kind(found.dtype) != "float" or found.rank not in (1, 2):
            continue
        fed = _inputs(model, node, needed)
        if dims_in(found.shape[:1]) and len(fed) == 1 and input in (None, *fed):
            return name
    message = f"none of the outputs {', '.join(model.outputs)} is a prediction: a float for each row, or several"
    raise _refused(message, "output= names a node, input= and target= the inputs")


def _inputs(model: Model, node: int, names: Iterable[str]) -> list[str]:
    """Return the inputs among ``names`` that a node needs."""
    needed = set(model.graph.ancestors([node]))
    return [name for name in names if model.inputs[name].node in needed]


def _only(names: list[str], what: str, message: str) -> str:
    if len(names) == 1:
        return names[0]
    raise _refused(f"which input is the {what}? {message} {', '.join(names) or 'none'}", f"{what}= names it")


def _refused(message: str, hint: str) -> FeedError:
    return FeedError(problem("GS646", message, hint=hint))
