"""The grammar of the section `data` as JSON Schema, and the words of the section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphspec.grammar import described, either, record
from graphspec.types import DTYPES

PARTS = ("train", "validation", "test")
FORMATS: dict[str, tuple[str, ...]] = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "jsonl": (".jsonl", ".ndjson"),
    "npz": (".npz",),
    "npy": (".npy",),
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "safetensors": (".safetensors",),
}
"""The formats of files, and the suffixes that they are known by."""

GENERATORS: dict[str, dict[str, int | float]] = {
    "two_moons": {"rows": 400, "noise": 0.1, "seed": 0},
    "spirals": {"rows": 600, "classes": 3, "turns": 0.75, "noise": 0.05, "seed": 0},
    "sine": {"rows": 200, "periods": 1.0, "noise": 0.1, "seed": 0},
}
"""What `generate` may call, with the arguments and their defaults; the columns are in `train.generate`."""
LEAST = {"rows": 1, "classes": 2, "turns": 0, "periods": 0, "noise": 0, "seed": 0}
"""The least values of those arguments."""

COLORS = {"grey": 1, "rgb": 3, "rgba": 4}
"""The modes of images and their channels."""

_TEXT = {"type": "string"}
_NAMES = {"type": ["string", "array"], "items": _TEXT}
_COUNT = {"type": "integer", "minimum": 1}


def definitions() -> dict[str, Any]:
    """Return the named parts of the grammar of `data`."""
    source = {"type": "object", "$ref": "#/$defs/data.source"}
    fraction = {"type": "number", "minimum": 0, "maximum": 1, "default": 0}
    return {
        "data": record(
            "where the rows for training, validation and tests are",
            {
                "train": described("the rows that parameters are fitted to", source),
                "validation": described("the rows that are evaluated while training", source),
                "test": described("the rows that `evaluate` uses", source),
                "split": described(
                    "parts of the train source, instead of sources of their own",
                    {"type": "object", "$ref": "#/$defs/data.split"},
                ),
            },
        ),
        "data.source": record(
            "rows: a file or several, or generated ones, and which columns feed which inputs",
            {
                "file": described(
                    "a file inside the spec's folder, a list of files, with * and ? for several; or, for .npy files, "
                    "{column: file}",
                    {"type": ["string", "array", "object"], "items": _TEXT, "additionalProperties": _TEXT},
                ),
                "generate": described(f"a call of {', '.join(GENERATORS)}: two_moons(rows=400, noise=0.1)", _TEXT),
                "format": described("default: what the suffix of the file says", {"enum": [*FORMATS]}),
                "inputs": described(
                    "{input: column}, {input: [columns]} or {input: {columns, ...}}; default: those of the train "
                    "source, and there the column of the same name for every input without default",
                    {
                        "type": "object",
                        "additionalProperties": {**either(["string", "array"], "data.input"), "items": _TEXT},
                    },
                ),
                "bad_rows": described(
                    "what to do about rows that cannot be used: stop, or skip and count them",
                    {"enum": ["stop", "skip"], "default": "stop"},
                ),
            },
        ),
        "data.split": record(
            "which rows of the train source are held out",
            {
                "validation": described("the share for validation", fraction),
                "test": described("the share for tests", fraction),
                "seed": described("of the choice", {"type": "integer", "minimum": 0, "default": 0}),
                "key": described("a column: rows with one value of it stay together", _TEXT),
            },
        ),
        "data.input": _input(),
        "data.image": record(
            "cells that are encoded images",
            {
                "mode": described("the channels: [1, height, width], or 3 or 4", {"enum": [*COLORS]}),
                "from": described(
                    "what a text is: the name of a file inside the spec's folder, or base64; bytes are the image",
                    {"enum": ["file", "base64"], "default": "file"},
                ),
            },
            required=["mode"],
        ),
    }


def _input() -> dict[str, Any]:
    """Return the schema of what feeds one input; the transforms are applied in the order of the keys."""
    number = {"type": "number"}
    image = {
        "type": ["string", "object"],
        "if": {"type": "object"},
        "then": {"$ref": "#/$defs/data.image"},
        "else": {"if": {"type": "string"}, "then": {"enum": [*COLORS]}},
    }
    return record(
        "what feeds one input: columns, and transforms, applied in the order image, classes, cast, scale, shift, "
        "standardise, one_hot, reshape",
        {
            "columns": described(
                "a column gives an array of [batch]; a list of columns, or patterns with * and ?, [batch, k]; default: "
                "the input's name",
                _NAMES,
            ),
            "image": described("cells are images in PNG, JPEG or another format: their mode, or {mode, from}", image),
            "classes": described(
                "the values that cells may have; each becomes its number in this list, from 0",
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1},
            ),
            "cast": described("a dtype; fractions are cut off where it is one of integers", {"enum": [*DTYPES]}),
            "scale": described("a factor", number),
            "shift": described("a summand", number),
            "standardise": described(
                "subtract the mean and divide by the standard deviation of the training part, column by column",
                {"type": "boolean", "default": False},
            ),
            "one_hot": described("the number of classes: each number becomes a row of zeros with a one", _COUNT),
            "reshape": described(
                "the shape of one row; -1 for one dim that follows from the others",
                {"type": "array", "items": {"type": "integer", "minimum": -1}},
            ),
        },
    )


def kind(path: Sequence[Any]) -> str:
    """Return what a mapping below `data` is called in messages; ``path`` begins behind that key."""
    match list(path):
        case []:
            return "data section"
        case ["split"]:
            return "split"
        case [*_, "inputs", _]:
            return "data input"
        case [*_, "image"]:
            return "image"
    return "data source"
