"""The training step as a graph: the model, its gradient, and the next value of every parameter and state.

It is the document with further `updates`: for each trainable parameter `PARAM: optimizer(parameter=PARAM,
gradient=d_PARAM, ...)`. So the state of an optimizer lies below `PARAM.next`, and the graph is run, printed and
differentiated as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from graphspec import derivative
from graphspec.errors import Diagnostic, NotDifferentiableError, SpecError, did_you_mean, first_stage, problem
from graphspec.gradient import joint_model
from graphspec.model import Model
from graphspec.train.updates import StepBuilder
from graphspec.train_section import TrainSection
from graphspec.types import TensorType


@dataclass(frozen=True)
class TrainingStep:
    """The training step of a document.

    Attributes:
        model: its graph; `updates` has the next value of every parameter and state.
        loss: the path that is minimized.
        metrics: the names that are reported; the loss is among them.
        trained: the paths of the parameters that the optimizer changes.
        averages: for each averaged parameter, the state that holds its average.
        own: the paths of the state that is there only while training.
        prefix: the path below which the clock of the training lies: `train.step`, `train.epoch`, `train.monitor`.
        notes: what is odd, but no error.
    """

    model: Model
    loss: str
    metrics: tuple[str, ...]
    trained: tuple[str, ...]
    own: tuple[str, ...] = ()
    averages: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "train"
    notes: tuple[Diagnostic, ...] = ()


def training_step(model: Model, section: TrainSection) -> TrainingStep:
    """Return the training step of a model that was built with the attribute `training`.

    Args:
        model: the document as it is trained.
        section: its section `train`.

    Raises:
        NotDifferentiableError: there is no scalar to minimize, or nothing to train.
        SpecError: every problem of the section's calls.
    """
    loss = section.minimize if section.minimize is not None else model.of
    if loss is None:
        message = "the document has no single float scalar that could be minimized"
        where = section.place("train")
        raise NotDifferentiableError(problem("GS504", message, where, hint="`minimize: NAME` in `train` names one"))
    wanted = _wanted(model, section)
    target, names = derivative.request(model, loss, wanted)
    metrics = tuple(dict.fromkeys([target, *section.metrics]))
    nodes = [_scalar(model, name, section) for name in metrics]
    joint, gradients = joint_model(model, target, names, [*nodes, *model.outputs.values(), *model.updates.values()])
    builder = StepBuilder(joint, section)
    builder.build({name: gradients[name] for name in names if name in gradients})
    builder.raise_errors()
    joint.outputs = {name: node for name, node in ((m, joint.find(m)) for m in metrics) if node is not None}
    joint.outputs |= builder.reported
    joint.of = None
    joint.graph.verify()
    own = tuple(path for path in joint.parameters if path not in model.parameters)
    unreached = (
        f"'{name}' is not trained: '{target}' does not depend on it" for name in names if name not in gradients
    )
    notes = tuple(Diagnostic("GS505", "note", message) for message in unreached)
    return TrainingStep(
        joint, target, metrics, tuple(gradients), own, builder.averages, builder.scope.prefix or "", notes
    )


def _wanted(model: Model, section: TrainSection) -> tuple[str, ...]:
    """Return the parameters to train: trainable floats that no pattern freezes.

    Raises:
        SpecError: a pattern fits no parameter, or nothing is left.
    """
    paths = [p for p, item in model.parameters.items() if item.role == "parameter" and item.type.is_float]
    wrong = [
        problem("GS301", f"the pattern '{pattern}' fits no parameter", where, hint=did_you_mean(pattern, paths))
        for pattern, where in _patterns(section)
        if not any(fnmatchcase(path, pattern) for path in paths)
    ]
    found = tuple(p for p in paths if model.parameters[p].trainable and not _frozen(p, section))
    if not found and not wrong:
        wrong.append(
            problem(
                "GS640", "there is no parameter to train", section.place("frozen"), hint="`parameters:` declares them"
            )
        )
    for path in found:
        if path in model.updates:
            hint = "`trainable: false` leaves it to `updates`"
            wrong.append(
                problem("GS302", f"'{path}' is trained and changed by `updates`", section.place("train"), hint=hint)
            )
    if wrong:
        raise SpecError(first_stage(wrong))
    return found


def _patterns(section: TrainSection) -> Iterable[tuple[str, Any]]:
    yield from ((pattern, section.place(f"frozen.{pattern}")) for pattern in section.frozen)
    for group in section.groups:
        yield from ((pattern, group.origin.location) for pattern in group.patterns)


def _frozen(path: str, section: TrainSection) -> bool:
    patterns = [*section.frozen, *(p for group in section.groups if group.frozen for p in group.patterns)]
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _scalar(model: Model, name: str, section: TrainSection) -> int:
    """Return the node of a metric: a number."""
    node = model.find(name)
    found = None if node is None else model.graph.types[node]
    if node is None or not isinstance(found, TensorType) or not found.is_scalar:
        what = "there is no such value" if node is None else f"it is {found}"
        message = f"the metric '{name}' is a scalar: {what}"
        raise SpecError(problem("GS641", message, section.place(f"metrics.{name}"), hint=f"mean({name}) is one"))
    return node


__all__ = ["TrainingStep", "training_step"]
