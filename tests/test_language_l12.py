"""Rule L12: what is reserved is refused, and the message says so."""

from __future__ import annotations

import pytest
from rules import diagnostics, only, place

REST = "\nnodes: {f: 1 + 1}\noutputs: f"


def reserved(text: str, word: str) -> int:
    """Return the line of the one thing that is wrong: a reserved word, which the message names."""
    found = only(text)
    assert found.code == "GS208"
    assert "reserved" in found.message
    assert f"'{word}'" in found.message
    assert found.where is not None
    assert found.where.text is not None
    assert found.where.text[found.where.column - 1 :].lstrip("'\"[").startswith(word if word != "of" else "f, g")
    return found.where.line


@pytest.mark.parametrize("key", ["presets", "requires", "dims", "meta", "losses", "assert"])
@pytest.mark.parametrize("value", ["{}", "[]", "1", "{a: {b: 1}}", "null"])
def test_l12_document_keys(key: str, value: str) -> None:
    assert reserved(f"{key}: {value}{REST}", key) == 2


@pytest.mark.parametrize("key", ["presets", "requires", "dims", "meta", "losses", "assert"])
def test_l12_document_keys_in_a_function(key: str) -> None:
    text = f"functions:\n  g:\n    {key}: {{}}\n    nodes: {{y: 1 + 1}}\n    outputs: y{REST}"
    assert reserved(text, key) == 4


@pytest.mark.parametrize("key", ["times", "carry", "scan"])
@pytest.mark.parametrize("more", ["", ", over: {a: [1]}"])
def test_l12_repeat_keys(key: str, more: str) -> None:
    text = f"functions:\n  g: {{inputs: [x], attributes: {{a: 1}}, nodes: {{y: x}}, outputs: y}}\nnodes:\n  f: {{op: g, inputs: [1], repeat: {{{key}: 3{more}}}}}\noutputs: f"
    assert reserved(text, key) == 5


@pytest.mark.parametrize("key", ["delay", "doc", "gain"])
def test_l12_edge_keys(key: str) -> None:
    text = f"inputs: {{x: 1}}\nnodes: {{f: {{op: add}}}}\nedges:\n  - {{from: x, to: f, {key}: 1}}\noutputs: f"
    assert reserved(text, key) == 5


@pytest.mark.parametrize("key", ["constraint", "regularize", "learning_rate", "sha256", "meta"])
@pytest.mark.parametrize("section", ["parameters", "state"])
def test_l12_parameter_keys(section: str, key: str) -> None:
    assert reserved(f"{section}: {{w: {{value: 1, {key}: x}}}}{REST}", key) == 2


@pytest.mark.parametrize("key", ["constraint", "regularize", "learning_rate", "sha256", "meta"])
def test_l12_parameter_keys_of_the_weight_of_an_edge(key: str) -> None:
    text = f"inputs: {{x: 1}}\nnodes: {{f: {{op: add}}}}\nedges:\n  - x -> f: {{value: 1, {key}: x}}\noutputs: f"
    assert reserved(text, key) == 5
    text = text.replace("x -> f: {", "{from: x, to: f, weight: {").replace(": x}", ": x}}")
    assert reserved(text, key) == 5


@pytest.mark.parametrize("key", ["layout", "ragged", "axes", "unit"])
@pytest.mark.parametrize("section", ["inputs", "parameters", "state"])
def test_l12_type_keys(section: str, key: str) -> None:
    assert reserved(f"{section}: {{x: {{value: 1, {key}: 1}}}}{REST}", key) == 2


@pytest.mark.parametrize("dtype", ["string", "key"])
@pytest.mark.parametrize("section", ["inputs", "parameters", "state"])
def test_l12_dtypes(section: str, dtype: str) -> None:
    assert reserved(f"{section}: {{x: {{value: 1, dtype: {dtype}}}}}{REST}", dtype) == 2


@pytest.mark.parametrize("dtype", ["string", "key"])
def test_l12_dtypes_of_documents_and_of_ops(dtype: str) -> None:
    assert reserved(f"dtype: {dtype}{REST}", dtype) == 2
    assert reserved(f"inputs: {{x: 1}}\nnodes:\n  f: {{op: cast, inputs: x, dtype: {dtype}}}\noutputs: f", dtype)
    assert reserved(f'inputs: {{x: 1}}\nnodes:\n  f: cast(x, dtype="{dtype}")\noutputs: f', dtype)


@pytest.mark.parametrize("key", ["with", "order", "mode"])
def test_l12_differentiate_keys(key: str) -> None:
    assert reserved(f"differentiate: {{of: f, {key}: 2}}{REST}", key) == 2


def test_l12_a_list_in_of() -> None:
    assert reserved(f"differentiate: {{of: [f, g]}}{REST}", "of") == 2


@pytest.mark.parametrize("name", ["gradient", "vjp", "jvp", "jacobian", "hessian", "cond", "scan", "while", "map"])
def test_l12_functions_that_the_language_keeps(name: str) -> None:
    found = only(f"functions:\n  {name}: {{inputs: [x], nodes: {{y: x}}, outputs: y}}{REST}")
    assert place(found) == ("GS207", 3, 3)


def test_l12_a_document_with_several_reserved_words_names_them_all() -> None:
    found = diagnostics(f"meta: 1\nassert: []\ndifferentiate: {{of: f, order: 2}}{REST}")
    assert [place(item) for item in found] == [("GS208", 2, 1), ("GS208", 3, 1), ("GS208", 4, 24)]
