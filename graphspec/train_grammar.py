"""The grammar of the section `train` as JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphspec.grammar import described, record

_EXPRESSION = {"type": "string"}
_NAMES = {"type": ["string", "array"], "items": {"type": "string"}}
_COUNT = {"type": "integer", "minimum": 1}
_EVERY = {"if": {"type": "string"}, "then": {"const": "epoch"}, "else": _COUNT, "type": ["string", "integer"]}
_MONITOR = {
    "monitor": described(
        "a column of the log, such as validation.loss; default: the loss, of the validation data where there is any",
        {"type": "string"},
    ),
    "mode": described("whether less or more of it is better", {"enum": ["min", "max"], "default": "min"}),
}


def definitions() -> dict[str, Any]:
    """Return the named parts of the grammar of `train`."""
    group = record(
        "parameters by pattern, and what the optimizer uses for them instead: {pattern: '*.bias', weight_decay: 0}",
        {
            "pattern": described("of paths of parameters, with * and ?; or a list of patterns", _NAMES),
            "frozen": described("true: the parameters keep their values", {"type": "boolean", "default": False}),
            "optimizer": described("an optimizer of their own", _EXPRESSION),
        },
        required=["pattern"],
    )
    group["additionalProperties"] = {"type": ["number", "boolean", "string"]}
    return {
        "train": record("how to train", _train()),
        "train.group": group,
        "train.validate": record(
            "when the validation data is evaluated",
            {"every": described("epoch, or a number of steps", {**_EVERY, "default": "epoch"}), "batch": _COUNT},
        ),
        "train.early_stopping": record(
            "when to stop before the end",
            {
                **_MONITOR,
                "patience": described("validations without a better value", {**_COUNT, "default": 10}),
                "minimum_change": described("what counts as better", {"type": "number", "minimum": 0, "default": 0}),
                "restore": described(
                    "whether the model gets the best values back in the end", {"type": "boolean", "default": True}
                ),
            },
        ),
        "train.limits": record(
            "training stops after the batch in which one is passed",
            {
                "seconds": described("of this run", {"type": "number", "minimum": 0}),
                "memory": described("bytes of resident memory of the process", _COUNT),
            },
        ),
        "train.checkpoint": record(
            "where the state of the training is kept",
            {
                "folder": described("inside the spec's folder", {"type": "string"}),
                "every": described("epoch, or a number of steps", {**_EVERY, "default": "epoch"}),
                "keep": described("the newest ones that are kept, besides the best", {**_COUNT, "default": 3}),
                **_MONITOR,
            },
            required=["folder"],
        ),
    }


def _train() -> dict[str, Any]:
    either = {"if": {"type": "object"}}
    return {
        "minimize": described("the float scalar; default: what `differentiate` names", {"type": "string"}),
        "optimizer": described(
            "a call of a function of parameter and gradient; step, epoch, monitor and attributes may stand in it",
            {**_EXPRESSION, "default": "adam"},
        ),
        "epochs": described("times that the training data is gone through", {**_COUNT, "default": 1}),
        "steps": described("of the optimizer; with `epochs`, what comes first ends the training", _COUNT),
        "batch": described("rows of one step; null: all", {"type": ["integer", "null"], "minimum": 1, "default": 32}),
        "shuffle": described(
            "whether the order of rows is another one in each epoch", {"type": "boolean", "default": True}
        ),
        "drop_last": described(
            "whether a last batch that is not full is left out", {"type": "boolean", "default": False}
        ),
        "metrics": described("scalars that are reported; default: the loss", _NAMES),
        "seed": described(
            "of first values, of the order of rows and of random ops", {"type": "integer", "minimum": 0, "default": 0}
        ),
        "clip": described("a call of a function of gradient, or several, applied in order", {**_NAMES}),
        "groups": {
            "description": "what holds for some parameters only; of several groups that fit, the last one wins",
            "type": "array",
            "items": {"$ref": "#/$defs/train.group"},
        },
        "frozen": described("patterns of the parameters that keep their values", _NAMES),
        "accumulate": described("batches whose gradients make up one step", {**_COUNT, "default": 1}),
        "average": described(
            "a call of a function of parameter, whose averages the model uses afterwards", _EXPRESSION
        ),
        "validate": {"type": "object", "$ref": "#/$defs/train.validate"},
        "early_stopping": {"type": "object", "$ref": "#/$defs/train.early_stopping"},
        "limits": {"type": "object", "$ref": "#/$defs/train.limits"},
        "checkpoint": {"type": ["string", "object"], **either, "then": {"$ref": "#/$defs/train.checkpoint"}},
    }


def kind(path: Sequence[Any]) -> str:
    """Return what a mapping below `train` is called in messages; ``path`` begins behind that key."""
    match list(path):
        case []:
            return "train section"
        case ["groups", _]:
            return "group"
        case [key, *_]:
            return str(key).replace("_", " ")
    raise AssertionError(path)
