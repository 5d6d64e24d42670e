"""A document against its schema: every violation as a located diagnostic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from graphspec import data_grammar, schema, train_grammar
from graphspec.attribute import describe
from graphspec.errors import Diagnostic, Location, did_you_mean, problem
from graphspec.grammar import RESERVED_KEYS
from graphspec.names import name_problem
from graphspec.source import Map, Mark, Seq, Source
from graphspec.types import RESERVED_DTYPES

_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "null": "null",
}


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    return Draft202012Validator(schema.shell(), registry=Registry())  # an empty registry: nothing is ever fetched


def validate(source: Source, called: bool = False) -> list[Diagnostic]:
    """Return what is wrong with the structure of a document; ops are checked later, one by one.

    ``called``: it is imported, so that its data and its training are not used (L7.3).
    """
    if not isinstance(source.data, Map):
        message = f"a spec is a mapping of keys, found {describe(source.data)}"
        return [problem("GS204", message, source.at(source.mark), hint="begin with `graphspec: 1`")]
    found: list[Diagnostic] = []
    for error in _validator().iter_errors(_without_expressions(source.data)):
        if not called or list(error.absolute_path)[:1] not in (["data"], ["train"]):
            found.extend(_translate(source, error))
    return found


def _without_expressions(data: Map) -> dict[str, Any]:
    """Return a document without the nodes that are expressions: any text or number is one, and there may be many."""
    nodes = data.get("nodes")
    if not isinstance(nodes, Map):
        return data
    return {**data, "nodes": {name: node for name, node in nodes.items() if not isinstance(node, str | int | float)}}


def _translate(source: Source, error: Any) -> Iterable[Diagnostic]:
    """Return the diagnostics of one violation."""
    path = list(error.absolute_path)
    rule = error.validator
    if section_kind(path) == "edge" and isinstance(error.instance, dict) and any("->" in key for key in error.instance):
        return []  # the reader says what is wrong with several weighted edges in one mapping
    if rule == "propertyNames" or "propertyNames" in error.absolute_schema_path:
        return []  # the reader reports names, with reasons
    if rule == "additionalProperties":
        extra = [key for key in error.instance if key not in error.schema["properties"]]
        return [_unknown_key(source, path, key, error.schema) for key in extra]
    where = _place(source, path)
    name = ".".join(map(str, path))
    if rule == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        if missing == ["graphspec"]:
            return [problem("GS206", "the key 'graphspec' is missing", where, hint="begin with `graphspec: 1`")]
        if set(error.instance) & set(RESERVED_KEYS.get(section_kind(path), ())):
            return []  # what is reserved may stand for what is missing
        return [problem("GS203", f"the key '{key}' is missing", where, path=name) for key in missing]
    if rule == "const" and path == ["graphspec"]:
        message = f"format version {describe(error.instance)} is not known; this graphspec reads version 1"
        return [problem("GS206", message, where, hint="write `graphspec: 1`" if error.instance == "1" else "")]
    return [_value(source, error, path, where, name)]


def _value(source: Source, error: Any, path: Sequence[Any], where: Location, name: str) -> Diagnostic:
    value, rule = error.instance, error.validator
    if rule == "type":
        allowed = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        if list(path[-2:]) == ["differentiate", "of"] and isinstance(value, list):
            return problem("GS208", "a list in 'of' is reserved for a later version", where, path=name)
        disputed = source.disputed(value, _mark(source, path), name)
        if disputed is not None and {"number", "integer", "boolean"} & set(allowed):
            return disputed
        kinds = [_KINDS[kind] for kind in allowed]
        expected = kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} or {kinds[-1]}"
        return problem("GS204", f"{_quoted(path)} expected {expected}, found {describe(value)}", where, path=name)
    if rule in ("enum", "const"):
        choices = error.validator_value if rule == "enum" else [error.validator_value]
        if path and path[-1] == "dtype" and value in RESERVED_DTYPES:
            return problem("GS208", f"the dtype '{value}' is reserved for a later version", where, path=name)
        names = ["null" if choice is None else str(choice) for choice in choices]
        message = f"{_quoted(path)} expected one of {', '.join(names)}, found {describe(value)}"
        hint = did_you_mean(value, names) if isinstance(value, str) else ""
        return problem("GS205", message, where, path=name, hint=hint)
    if rule in ("minimum", "maximum"):
        bound = "at least" if rule == "minimum" else "at most"
        return problem(
            "GS205", f"{_quoted(path)} expected {bound} {error.validator_value}, found {value}", where, path=name
        )
    return problem("GS204", f"{_quoted(path)} {error.message}", where, path=name)


def _quoted(path: Sequence[Any]) -> str:
    name = next((key for key in reversed(path) if isinstance(key, str)), None)
    return "the document:" if name is None else f"'{name}':"


def _unknown_key(source: Source, path: list[Any], key: str, definition: dict[str, Any]) -> Diagnostic:
    mark = _container(source, path).marks[key]
    where = source.at_key(mark, len(key))
    kind = section_kind(path)
    name = ".".join(map(str, [*path, key]))
    if key in RESERVED_KEYS.get(kind, ()):
        return problem("GS208", f"the key '{key}' is reserved for a later version", where, path=name)
    hint = did_you_mean(key, definition["properties"])
    if not hint and name_problem(key, "nodes") is None and kind in ("document", "function"):
        hint = f"the keys of a {kind} are {', '.join(definition['properties'])}"
    return problem("GS202", f"unknown key '{key}' in {_article(kind)}", where, path=name, hint=hint)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def section_kind(path: Sequence[Any]) -> str:
    """Return what a mapping at ``path`` is: "document", "function", "input", "parameter", "node", "edge", ..."""
    inner = list(path)
    while len(inner) >= 2 and inner[0] == "functions":
        inner = inner[2:]
        if not inner:
            return "function"
    if not inner:
        return "document"
    if inner[0] == "data":
        return data_grammar.kind(inner[1:])
    if inner[0] == "train":
        return train_grammar.kind(inner[1:])
    singular = {"inputs": "input", "parameters": "parameter", "nodes": "node", "edges": "edge", "tests": "test"}
    if inner[0] == "attributes":
        return "attribute"
    if inner[-1] == "repeat":
        return "repeat"
    if inner[0] == "edges" and len(inner) > 2:
        return "parameter"
    return singular.get(str(inner[0]), str(inner[0]))


def _container(source: Source, path: Sequence[Any]) -> Any:
    data = source.data
    for key in path:
        data = data[key]
    return data


def _mark(source: Source, path: Sequence[Any]) -> Mark:
    if not path:
        return source.mark
    parent = _container(source, path[:-1])
    assert isinstance(parent, Map | Seq)
    return parent.marks[path[-1]]


def _place(source: Source, path: Sequence[Any]) -> Location:
    value = _container(source, path)
    return source.at(_mark(source, path), 0, len(value) if isinstance(value, str) else 1)
