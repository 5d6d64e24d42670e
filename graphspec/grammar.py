"""The grammar of a document as JSON Schema: every key, without the ops."""

from __future__ import annotations

from typing import Any

from graphspec.attribute import LANGUAGE_KINDS, UNITED_KINDS
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


def record(description: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
        **more,
    }


def mapping(description: str, value: dict[str, Any]) -> dict[str, Any]:
    names = {"pattern": PATH}
    return {"type": "object", "description": description, "propertyNames": names, "additionalProperties": value}


def described(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, **schema}


def either(types: list[str], name: str) -> dict[str, Any]:
    """Return the schema of a short form or a mapping of its own kind: an ``if``, so that messages are about one."""
    branch = {"if": {"type": "object"}, "then": {"$ref": f"#/$defs/{name}"}}
    return {"type": [*types, "object"], **branch}


_WEIGHT = either(["number", "array", "string"], "parameter")


def _parameter(description: str, role: str) -> dict[str, Any]:
    properties = {
        "shape": described("dims: integers, or names of attributes and dims", _SHAPE),
        "dtype": described("default: the document's float dtype", {"enum": [*DTYPES]}),
        "init": described(f"an initialiser: {', '.join(INITIALIZERS)}; with arguments as a call", _TEXT),
        "value": described("the first value; a number fills the shape", _NUMBER_OR_LIST),
        "file": described("a .safetensors file inside the spec's folder", _TEXT),
        "key": described("the name in that file; default: the parameter's own path", _TEXT),
        "doc": _TEXT,
    }
    if role == "parameter":
        properties["trainable"] = described(
            "false: keep the value while training", {"type": "boolean", "default": True}
        )
    return record(description, properties)


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
        "attribute": record(
            "the declaration of an attribute",
            {
                "type": described(
                    "what its values are; of a list of types, the first that a value fits",
                    {
                        "if": {"type": "array"},
                        "then": {"items": {"enum": [*UNITED_KINDS]}, "minItems": 1},
                        "else": {"enum": [*LANGUAGE_KINDS]},
                    },
                ),
                "default": described("without it the attribute is required", {}),
                "doc": _TEXT,
                "minimum": {"type": "number"},
                "maximum": {"type": "number"},
                "choices": {"type": "array"},
            },
        ),
        "input": record(
            "the declaration of an input",
            {
                "shape": _SHAPE,
                "dtype": {"enum": [*DTYPES]},
                "value": described("the default", _NUMBER_OR_LIST),
                "optional": {"type": "boolean", "default": False},
                "variadic": {"type": "boolean", "default": False},
                "doc": _TEXT,
            },
        ),
        "parameter": _parameter("a trainable leaf", "parameter"),
        "state": _parameter("a leaf that `updates` change", "state"),
        "repeat": record(
            "one copy per entry",
            {"over": {"type": "object", "additionalProperties": {"type": ["array", "string"]}}},
            required=["over"],
        ),
        "edge": record(
            "an edge",
            {"from": _TEXT, "to": _TEXT, "weight": _WEIGHT},
            required=["from", "to"],
        ),
        "differentiate": record(
            "what `run` differentiates",
            {"of": _TEXT, "wrt": {"type": ["array", "string"], "items": _TEXT}},
            required=["of"],
        ),
        "test": record(
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
        "doc": described("what it computes, in one or more sentences", _TEXT),
        "dtype": described("the default float dtype", {"enum": ["float64", "float32"], "default": "float64"}),
        "imports": mapping("{alias: path}: other spec files, callable as op alias and alias.function", _TEXT),
        "functions": mapping("functions of one's own", {"$ref": "#/$defs/function"}),
        "attributes": mapping(
            "values known when the graph is built",
            either(["number", "boolean", "string", "array", "null"], "attribute"),
        ),
        "parameters": mapping("trainable leaves", either(["number", "array"], "parameter")),
        "state": mapping("leaves that `updates` change", either(["number", "boolean", "array"], "state")),
        "constants": mapping("named literals", _NUMBER_OR_LIST),
        "nodes": mapping("{name: expression} or {name: {op, inputs, ...}}", {"$ref": "#/$defs/node"}),
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
        "updates": mapping("{state or parameter: its value after this run}", _EXPRESSION),
        "gradient": {
            "description": "a gradient rule of one's own: {input: expression of ct, inputs, outputs and nodes}",
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        },
        "surrogate": described("the gradient is on purpose not the derivative", {"type": "boolean", "default": False}),
        "tests": {"type": "array", "items": {"$ref": "#/$defs/test"}},
    }


def document() -> dict[str, Any]:
    """Return the schema of a file."""
    inputs = mapping(
        "{name: default} or {name: {shape, dtype, value, ...}}",
        either(["number", "boolean", "array", "null"], "input"),
    )
    properties = {
        "graphspec": described("the format version", {"const": 1}),
        **_shared(),
        "inputs": inputs,
        "differentiate": either(["string"], "differentiate"),
        "data": {"type": "object", "$ref": "#/$defs/data"},
        "train": {"type": "object", "$ref": "#/$defs/train"},
    }
    return record("a graphspec file", properties, required=["graphspec"])


def function() -> dict[str, Any]:
    """Return the schema of an entry of `functions`."""
    named = {**document()["properties"]["inputs"], "type": ["object", "array"], "items": _TEXT}
    return record("a function", {**_shared(), "inputs": named})


def node(node_keys: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of a node, without what depends on its op."""
    properties = {
        "op": described("the op or function", _TEXT),
        "inputs": described(
            "an expression, a list by position or a mapping by port",
            {
                "type": ["string", "number", "boolean", "array", "object"],
                "items": _EXPRESSION,
                "additionalProperties": {"$ref": "#/$defs/operands"},
            },
        ),
        "repeat": {**either(["integer", "string"], "repeat"), "minimum": 0},
        "share": described("use all parameters and state of that node", _TEXT),
        "doc": _TEXT,
    }
    mapping = {"type": "object", "properties": properties, "required": ["op"], **(node_keys or {})}
    return {"type": ["string", "number", "boolean", "object"], "if": {"type": "object"}, "then": mapping}
