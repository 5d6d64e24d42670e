"""The JSON Schema: equal to the file, valid itself, true of every spec, and of one mind with the loader."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import jsonschema
import numpy as np
import pytest
import samples
from samples import SAMPLES

from graphspec.attribute import Attribute, to_json
from graphspec.callee import resolve_catalogue, signature
from graphspec.errors import SpecError
from graphspec.op import OPS, attributes
from graphspec.program import loads
from graphspec.schema import document_schema
from graphspec.source import read_file

for family in iter_modules(samples.__path__):
    import_module(f"samples.{family.name}")

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "schemas" / "graphspec.schema.json"
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
VALUES: list[Any] = [None, True, 0, 1, -1, 2.0, 1.5, -0.5, [], [0], [1, -1], [None], [1.5], [True], [[1]], {}]


@cache
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(document_schema())


def test_the_file_is_what_is_generated() -> None:
    assert FILE.read_text(encoding="utf-8") == json.dumps(document_schema(), indent=1, sort_keys=False) + "\n"


def test_it_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(document_schema())


def test_every_callee_has_its_part() -> None:
    parts = document_schema()["$defs"]
    for name, callee in resolve_catalogue().items():
        described = parts[f"op.{name}"]
        assert set(signature(callee).attributes) <= set(described["properties"])
        assert described["description"]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_is_valid(path: Path) -> None:
    assert [error.message for error in validator().iter_errors(read_file(path).data)] == []


def test_there_are_specs() -> None:
    assert len(SPECS) >= 3


def document(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose one node calls an op on the operands of its first sample."""
    operands = [np.asarray(operand) for operand in SAMPLES[name][-1].operands]
    inputs = {f"x{i}": {"shape": list(array.shape), "dtype": str(array.dtype)} for i, array in enumerate(operands)}
    node = {"op": name, **given, **({"inputs": list(inputs)} if inputs else {})}
    return {"graphspec": 1, "inputs": inputs, "nodes": {"n": node}, "outputs": "n"}


def base(name: str) -> dict[str, Any]:
    """Return valid attributes of an op, as JSON data."""
    return {key: to_json(value) for key, value in SAMPLES[name][-1].attributes.items()}


def beyond(declared: Attribute) -> list[Any]:
    """Return values outside the range or the choices of an attribute."""
    found: list[Any] = ["no such choice"] if declared.choices or declared.kind == "dtype" else []
    found += [declared.minimum - 1] if declared.minimum is not None else []
    return found + ([declared.maximum + 1] if declared.maximum is not None else [])


def mutations(name: str) -> list[dict[str, Any]]:
    """Return the attributes of an op, right and wrong: of another kind, unknown, missing, out of range."""
    given = base(name)
    found = [given, {**given, "nonsense": 1}, {**given, "Axis": 0}]
    for key, declared in attributes(OPS[name]).items():
        found.append({other: value for other, value in given.items() if other != key})
        found += [{**given, key: value} for value in [*VALUES, *beyond(declared)]]
        if not declared.takes_dims or declared.is_word("text"):  # else a string is a dim, whose name no schema knows
            found += [{**given, key: text} for text in ("", "some text", "12", "$missing")]
    return found


def loader_refuses(data: dict[str, Any]) -> bool:
    """Tell whether the loader finds the structure of a document wrong (GS2xx)."""
    try:
        loads(json.dumps(data))
    except SpecError as error:
        return any(diagnostic.stage == 2 for diagnostic in error.diagnostics)
    return False


@pytest.mark.parametrize("name", [name for name in OPS if attributes(OPS[name])])
def test_the_loader_agrees(name: str) -> None:
    for given in mutations(name):
        data = document(name, given)
        refused = not validator().is_valid(data)
        if "$missing" not in given.values():  # the schema lets computed values through; the loader looks them up
            assert loader_refuses(data) is refused, given


@pytest.mark.parametrize("name", ["nonsense", "op", "inputs", "repeat", "share", "doc"])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_the_loader_agrees_about_the_keys_of_a_node(name: str, value: Any) -> None:
    data = document("exp", {})
    data["nodes"]["n"][name] = value
    assert loader_refuses(data) is not validator().is_valid(data)
