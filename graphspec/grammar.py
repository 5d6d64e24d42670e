"""The grammar of a document as JSON Schema: every key, without the ops."""

from __future__ import annotations

from typing import Any

from graphspec.attribute import LANGUAGE_KINDS
from graphspec.types import DTYPES

NAME = "[A-Za-z_][A-Za-z0-9_]*"
_SEGMENT = rf"(?:{NAME}|[0-9]+)"
_DOTTED = rf"{NAME}(?:\.{_SEGMENT})*"
PATH = rf"^{_DOTTED}(?: -> {_DOTTED})?$"
END = rf"^{_DOTTED}$"
EDGE = rf"^\s*{_DOTTED}(?:\s*->\s*{_DOTTED})+\s*$"

DOCUMENT_KEYS_RESERVED = ("presets", "requires", "dims", "meta", "losses", "assert")
TYPE_KEYS_RESERVED = ("layout", "ragged", "axes", "unit")
PARAMETER_KEYS_RESERVED = ("constraint", "regularize", "learning_rate", "sha256", "meta", *TYPE_KEYS_RESERVED)
RESERVED_KEYS = {
    "document": DOCUMENT_KEYS_RESERVED,
    "function": DOCUMENT_KEYS_RESERVED,
    "repeat": ("times", "carry", "scan"),
    "edge": ("delay", "doc", "gain"),
    "parameter": PARAMETER_KEYS_RESERVED,
    "state": PARAMETER_KEYS_RESERVED,
    "input": TYPE_KEYS_RESERVED,
    "differentiate": ("with", "order", "mode"),
}
INITIALIZERS: dict[str, tuple[tuple[str, float | None], ...]] = {
    "zeros": (),
    "ones": (),
    "eye": (),
    "constant": (("value", None),),
    "normal": (("mean", 0.0), ("std", 1.0)),
    "truncated_normal": (("mean", 0.0), ("std", 1.0)),
    "uniform": (("low", None), ("high", None)),
    "orthogonal": (("gain", 1.0),),
    "glorot_uniform": (),
    "glorot_normal": (),
    "he_uniform": (),
    "he_normal": (),
    "lecun_uniform": (),
    "lecun_normal": (),
}

_NUMBER_OR_LIST = {"type": ["number", "boolean", "array"]}
_EXPRESSION = {"$ref": "#/$defs/expression"}
_SHAPE = {"$ref": "#/$defs/shape"}
_TEXT = {"type": "string"}


def _record(description: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
        **more,
    }


def _mapping(description: str, value: dict[str, Any]) -> dict[str, Any]:
    names = {"pattern": PATH}
    return {"type": "object", "description": description, "propertyNames": names, "additionalProperties": value}


def _described(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, **schema}


def _either(types: list[str], name: str) -> dict[str, Any]:
    """Return the schema of a short form or a mapping of its own kind: an ``if``, so that messages are about one."""
    branch = {"if": {"type": "object"}, "then": {"$ref": f"#/$defs/{name}"}}
    return {"type": [*types, "object"], **branch}


_WEIGHT = _either(["number", "array", "string"], "parameter")


def _parameter(description: str, role: str) -> dict[str, Any]:
    properties = {
        "shape": _described("dims: integers, or names of attributes and dims", _SHAPE),
        "dtype": _described("default: the document's float dtype", {"enum": [*DTYPES]}),
        "init": _described(f"an initialiser: {', '.join(INITIALIZERS)}; with arguments as a call", _TEXT),
        "value": _described("the first value; a number fills the shape", _NUMBER_OR_LIST),
        "file": _described("a .safetensors file inside the spec's folder", _TEXT),
        "key": _described("the name in that file; default: the parameter's own path", _TEXT),
        "doc": _TEXT,
    }
    if role == "parameter":
        properties["trainable"] = _described(
            "false: keep the value while training", {"type": "boolean", "default": True}
        )
    return _record(description, properties)


def definitions() -> dict[str, Any]:
    """Return the named parts of the grammar."""
    return {
        "expression": {
            "description": "an expression such as relu(x @ weight + bias); a number or boolean is a literal",
            "type": ["string", "number", "boolean"],
        },
        "operands": {
            "description": "an expression, or a list of them for a port that takes many",
            "type": ["string", "number", "boolean", "array"],
            "items": _EXPRESSION,
        },
        "computed": {
            "description": "computed from attributes: $name or $(2 * name)",
            "type": "string",
            "pattern": r"^\$",
        },
        "shape": {
            "description": "a list of dims: integers, names, arithmetic over them; '...' for any leading dims",
            "type": "array",
            "items": {"type": ["integer", "string"], "minimum": 0},
        },
        "attribute": _record(
            "the declaration of an attribute",
            {
                "type": {"enum": [*LANGUAGE_KINDS]},
                "default": _described("without it the attribute is required", {}),
                "doc": _TEXT,
                "minimum": {"type": "number"},
                "maximum": {"type": "number"},
                "choices": {"type": "array"},
            },
        ),
        "input": _record(
            "the declaration of an input",
            {
                "shape": _SHAPE,
                "dtype": {"enum": [*DTYPES]},
                "value": _described("the default", _NUMBER_OR_LIST),
                "optional": {"type": "boolean", "default": False},
                "variadic": {"type": "boolean", "default": False},
                "doc": _TEXT,
            },
        ),
        "parameter": _parameter("a trainable leaf", "parameter"),
        "state": _parameter("a leaf that `updates` change", "state"),
        "repeat": _record(
            "one copy per entry",
            {"over": {"type": "object", "additionalProperties": {"type": "array"}}},
            required=["over"],
        ),
        "edge": _record(
            "an edge",
            {"from": _TEXT, "to": _TEXT, "weight": _WEIGHT},
            required=["from", "to"],
        ),
        "differentiate": _record(
            "what `run` differentiates",
            {"of": _TEXT, "wrt": {"type": ["array", "string"], "items": _TEXT}},
            required=["of"],
        ),
        "test": _record(
            "a test that `graphspec check` runs",
            {
                "name": _TEXT,
                "feeds": {"type": "object", "additionalProperties": {"type": ["number", "boolean", "array", "string"]}},
                "attributes": {"type": "object"},
                "of": _TEXT,
                "expect": {
                    "type": "object",
                    "additionalProperties": {"type": ["number", "boolean", "array", "string"]},
                },
                "gradients": {"type": "object", "additionalProperties": {"type": ["number", "array", "string"]}},
                "rtol": {"type": "number", "minimum": 0},
                "atol": {"type": "number", "minimum": 0},
            },
        ),
    }


def _shared() -> dict[str, Any]:
    """Return the keys that files and functions share."""
    return {
        "name": _TEXT,
        "doc": _described("what it computes, in one or more sentences", _TEXT),
        "dtype": _described("the default float dtype", {"enum": ["float64", "float32"], "default": "float64"}),
        "imports": _mapping("{alias: path}: other spec files, callable as op alias and alias.function", _TEXT),
        "functions": _mapping("functions of one's own", {"$ref": "#/$defs/function"}),
        "attributes": _mapping(
            "values known when the graph is built",
            _either(["number", "boolean", "string", "array", "null"], "attribute"),
        ),
        "parameters": _mapping("trainable leaves", _either(["number", "array"], "parameter")),
        "state": _mapping("leaves that `updates` change", _either(["number", "boolean", "array"], "state")),
        "constants": _mapping("named literals", _NUMBER_OR_LIST),
        "nodes": _mapping("{name: expression} or {name: {op, inputs, ...}}", {"$ref": "#/$defs/node"}),
        "edges": {
            "type": "array",
            "description": "source -> target, chains, and weighted edges",
            "items": {
                "type": ["string", "object"],
                "if": {"type": "object"},
                "then": {
                    "if": {"minProperties": 1, "maxProperties": 1, "propertyNames": {"pattern": "->"}},
                    "then": {"additionalProperties": _WEIGHT},
                    "else": {"$ref": "#/$defs/edge"},
                },
            },
        },
        "outputs": {
            "description": "a name, a list of names, or {name: expression}",
            "type": ["string", "array", "object"],
            "items": _TEXT,
            "additionalProperties": _EXPRESSION,
        },
        "updates": _mapping("{state or parameter: its value after this run}", _EXPRESSION),
        "gradient": {
            "description": "a gradient rule of one's own: {input: expression of ct, inputs, outputs and nodes}",
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        },
        "surrogate": _described("the gradient is on purpose not the derivative", {"type": "boolean", "default": False}),
        "tests": {"type": "array", "items": {"$ref": "#/$defs/test"}},
    }


def document() -> dict[str, Any]:
    """Return the schema of a file."""
    inputs = _mapping(
        "{name: default} or {name: {shape, dtype, value, ...}}",
        _either(["number", "boolean", "array", "null"], "input"),
    )
    properties = {
        "graphspec": _described("the format version", {"const": 1}),
        **_shared(),
        "inputs": inputs,
        "differentiate": _either(["string"], "differentiate"),
        "data": _described("where the training data is", {"type": "object"}),
        "train": _described("how to train", {"type": "object"}),
    }
    return _record("a graphspec file", properties, required=["graphspec"])


def function() -> dict[str, Any]:
    """Return the schema of an entry of `functions`."""
    named = {**document()["properties"]["inputs"], "type": ["object", "array"], "items": _TEXT}
    return _record("a function", {**_shared(), "inputs": named})


def node(node_keys: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of a node, without what depends on its op."""
    properties = {
        "op": _described("the op or function", _TEXT),
        "inputs": _described(
            "an expression, a list by position or a mapping by port",
            {
                "type": ["string", "number", "boolean", "array", "object"],
                "items": _EXPRESSION,
                "additionalProperties": {"$ref": "#/$defs/operands"},
            },
        ),
        "repeat": {**_either(["integer", "string"], "repeat"), "minimum": 0},
        "share": _described("use all parameters and state of that node", _TEXT),
        "doc": _TEXT,
    }
    mapping = {"type": "object", "properties": properties, "required": ["op"], **(node_keys or {})}
    return {"type": ["string", "number", "boolean", "object"], "if": {"type": "object"}, "then": mapping}
