"""The JSON Schema of a spec, generated from the grammar and the catalogue."""

from __future__ import annotations

from typing import Any

from graphspec import data_grammar, grammar, train_grammar
from graphspec.callee import Callee, resolve_catalogue, signature

_VERSION = "https://json-schema.org/draft/2020-12/schema"


def _definitions() -> dict[str, Any]:
    return {**grammar.definitions(), **data_grammar.definitions(), **train_grammar.definitions()}


def shell() -> dict[str, Any]:
    """Return the schema of everything but the keys of nodes that depend on their op."""
    parts = {**_definitions(), "function": grammar.function(), "node": grammar.node()}
    return {"$schema": _VERSION, **grammar.document(), "$defs": parts}


def document_schema() -> dict[str, Any]:
    """Return the whole schema, with one ``if/then`` per op: an error is always about the op the author named."""
    catalogue = resolve_catalogue()
    branches = [
        {"if": {"properties": {"op": {"const": name}}, "required": ["op"]}, "then": {"$ref": f"#/$defs/op.{name}"}}
        for name in sorted(catalogue)
    ]
    named = {
        "properties": {
            **grammar.node()["then"]["properties"],
            "op": {
                "description": "the op or function",
                "type": "string",
                "anyOf": [
                    {"enum": sorted(catalogue)},
                    {"description": "a function of this file or an import", "type": "string"},
                ],
            },
        },
        "allOf": branches,
    }
    parts = {**_definitions(), "function": grammar.function(), "node": grammar.node(named)}
    parts.update({f"op.{name}": node_schema(callee) for name, callee in sorted(catalogue.items())})
    return {"$schema": _VERSION, "title": "graphspec", **grammar.document(), "$defs": parts}


def node_schema(callee: Callee) -> dict[str, Any]:
    """Return the schema of a node in mapping form that calls ``callee``."""
    facts = signature(callee)
    doc = callee.doc if not isinstance(callee, type) else callee.__doc__ or ""
    docs = {port.name: port.doc or f"operand {port.name}" for port in facts.ports}
    docs.update({name: f"bind the parameter {name}" for name in facts.parameters})
    ports = {name: {"description": text, "$ref": "#/$defs/operands"} for name, text in docs.items()}
    mapping = {"type": "object", "properties": ports, "additionalProperties": False}
    inputs = {"if": {"type": "object"}, "then": mapping, "description": f"operands: {', '.join(ports) or 'none'}"}
    shared = dict.fromkeys(("op", "repeat", "share", "doc"), True)
    attributes = {name: declared.schema() for name, declared in facts.attributes.items()}
    required = [name for name, declared in facts.attributes.items() if declared.required]
    return {
        "description": doc.strip().split("\n\n")[0],
        "properties": {**shared, "inputs": inputs, **attributes},
        "required": required,
        "additionalProperties": False,
    }
