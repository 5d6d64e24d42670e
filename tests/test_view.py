"""What people see: numbers, tables at every width, summaries, the catalogue; nothing a terminal would obey."""

from __future__ import annotations

import io
import math
import re
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from graphspec.program import Program, loads
from graphspec.view.catalogue import op_page, ops_table, unknown_op_hint
from graphspec.view.summary import item_size, summary
from graphspec.view.table import Block, Table, one_line, plain, printable, renderables, to_html
from graphspec.view.text import result_html, result_table, result_text, summary_blocks, summary_html, summary_text
from graphspec.view.values import number_text, size_text, value_text

CIRCUIT = """
graphspec: 1
name: circuit
inputs: {x: -2, y: 5, z: -4}
nodes: {q: x + y, f: q * z}
outputs: f
"""
NETWORK = """
graphspec: 1
doc: "A layer, \\e[31mred\\e[0m <b>bold</b>."
dtype: float32
attributes: {hidden: 128}
inputs:
  image: {shape: [batch, 784]}
parameters:
  first_layer_of_the_network.weight: {shape: [784, hidden], init: normal(std=0.1)}
  bias: {shape: [hidden], init: zeros, trainable: false}
state: {steps: 0}
nodes:
  activation_value_of_the_first_layer: maximum(image @ first_layer_of_the_network.weight + bias, 0)
  loss: mean(activation_value_of_the_first_layer)
outputs: loss
updates: {steps: steps + 1}
"""


@pytest.fixture
def network() -> Program:
    return loads(NETWORK)


def rendered(blocks: list[Block], width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, force_terminal=False)
    for item in renderables(blocks, width):
        console.print(item)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (-12.0, "-12"),
        (0.7310585786300049, "0.731059"),
        (0.1, "0.1"),
        (np.float32(0.1), "0.1"),
        (1e-5, "1e-05"),
        (1234567.0, "1234567"),
        (123456789012.0, "1.23457e+11"),
        (np.int64(123456789012), "123456789012"),
        (-0.0, "-0"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (np.bool_(True), "true"),
        (False, "false"),
        (1 - 2j, "1-2j"),
        (np.complex64(0.5 + 1j), "0.5+1j"),
    ],
)
def test_numbers(number: Any, text: str) -> None:
    assert number_text(number) == text


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array(3.0), "3"),
        (np.array([1.0, 2.5]), "[1, 2.5]"),
        (np.array([[1, 2], [3, 4]]), "[[1, 2], [3, 4]]"),
        (np.zeros((2, 0)), "float64[2, 0] empty"),
        (np.arange(10.0), "float64[10] from 0 to 9"),
        (np.zeros((3, 4), np.float32), "float32[3, 4] all 0"),
        (np.array([math.nan] * 7 + [math.inf, 1.0]), "float64[9] all 1, 7 nan, 1 infinite"),
        (np.full(7, math.nan), "float64[7] 7 nan"),
        (np.arange(8) > 5, "bool[8] 2 of 8 true"),
        (np.full(8, 3 + 4j), "complex128[8] of magnitude up to 5"),
    ],
)
def test_arrays(array: np.ndarray, text: str) -> None:
    assert value_text(array) == text


def test_sizes() -> None:
    assert [size_text(n) for n in (1, 999, 1000, 407_040, 2 * 10**9)] == [
        "1 byte",
        "999 bytes",
        "1 kB",
        "407 kB",
        "2 GB",
    ]
    assert [item_size(name) for name in ("bool", "int8", "bfloat16", "float64", "complex128")] == [1, 1, 2, 8, 16]


def test_control_characters_become_escapes() -> None:
    assert printable("a\x1b[31mb\x9b\u202e\r\n") == "a\\u001b[31mb\\u009b\\u202e\\u000d\n"
    assert one_line("two\nlines\x00") == "two lines\\u0000"


def test_a_result_as_text() -> None:
    assert result_text(loads(CIRCUIT).backprop()) == (
        "name  value  gradient of f\n"
        "x        -2             -4\n"
        "y         5             -4\n"
        "z        -4              3\n"
        "q         3             -4\n"
        "f       -12              1"
    )


def test_a_result_without_gradients() -> None:
    table = result_table(loads(CIRCUIT).run(), leaves=["x", "y", "z"])
    assert table.columns == ("name", "value")
    assert list(table.rows) == [("x", "-2"), ("y", "5"), ("z", "-4"), ("q", "3"), ("f", "-12")]


def test_a_result_with_every_node() -> None:
    table = result_table(loads(CIRCUIT).backprop(), everything=True)
    assert table.columns == ("name", "value", "cotangent")
    assert ("q", "3", "-4") in table.rows
    assert ("f", "-12", "1") in table.rows


def test_a_result_shows_updates(network: Program) -> None:
    result = network.backprop(image=np.ones((2, 784), np.float32))
    text = result_table(result, leaves=["steps"]).plain()
    assert re.search(r"^steps  +0$", text, re.MULTILINE)
    assert re.search(r"^steps \(next\)  +1$", text, re.MULTILINE)


def test_html_is_escaped(network: Program) -> None:
    page = summary_html(network)
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "\x1b" not in page
    table = Table(("<name>",), [("<script>",)], "a & b")
    assert table.html().count("<script>") == 0
    assert "a &amp; b" in table.html()
    assert "&lt;name&gt;" in table.html()


def test_results_and_programs_show_themselves_in_notebooks() -> None:
    program = loads(CIRCUIT)
    result = program.backprop()
    assert result._repr_mimebundle_() == {"text/plain": result_text(result), "text/html": result_html(result)}
    assert program._repr_mimebundle_() == {"text/plain": summary_text(program), "text/html": summary_html(program)}


@pytest.mark.parametrize("width", [20, 40, 80, 160])
def test_terminals_of_every_width(network: Program, width: int) -> None:
    """Nothing is wider than the terminal, and every name is there in full, folded where it must be."""
    result = network.backprop(image=np.ones((2, 784), np.float32))
    text = rendered([*summary_blocks(network), result_table(result)], width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    assert "\x1b" not in text
    if width != 80:  # there the names of folded columns stand beside other columns
        joined = re.sub(r"\s", "", text)
        for name in ("first_layer_of_the_network.weight", "activation_value_of_the_first_layer", "float32[batch,128]"):
            assert name in joined


def test_narrow_terminals_stack_rows() -> None:
    table = Table(("name", "value"), [("n" * 50, "1"), ("short", "")], "title")
    assert rendered([table], 55).splitlines() == ["title", "", "n" * 50, "  value: 1", "short"] or table.width <= 55
    assert "  value: 1" in rendered([table], 40)


def test_markup_of_consoles_is_text() -> None:
    assert "[red]x[/red]" in rendered([Table(("[bold]name",), [("[red]x[/red]",)])], 80)


def test_plain_text_has_a_line_around_tables() -> None:
    table = Table(("a",), [("1",)])
    assert plain(["first", "second", table, table, "last"]) == "first\nsecond\n\na\n1\n\na\n1\n\nlast"
    assert to_html(["a < b"]) == "<p>a &lt; b</p>"


def test_the_facts_of_a_network(network: Program) -> None:
    facts = summary(network.model)
    assert facts["attributes"] == [{"name": "hidden", "value": "128"}]
    assert facts["inputs"][0] == {"name": "image", "type": "float32[batch, 784]", "default": None, "doc": ""}
    assert [item["first value"] for item in facts["parameters"]] == ["normal(mean=0, std=0.1)", "zeros, not trainable"]
    assert facts["outputs"] == [{"name": "loss", "type": "float32[]"}]
    assert facts["operations"] == {"add": 2, "matmul": 1, "maximum": 1, "mean": 1}
    assert facts["dims"] == ["batch"]
    totals = facts["totals"]
    assert (totals["parameters"], totals["trainable"]) == (784 * 128 + 128, 784 * 128)
    assert totals["parameter_bytes"] == 4 * (784 * 128 + 128)
    assert totals["value_bytes"] is None
    text = plain(summary_blocks(network))
    assert "parameters: 100,480 numbers, 402 kB, 128 of them not trainable" in text
    assert "values of all operations: depends on batch" in text


def test_long_summaries_are_cut_and_say_so() -> None:
    nodes = "".join(f"  n{i}: x * {i}\n" for i in range(300))
    program = loads(f"graphspec: 1\ninputs: {{x: 1}}\nnodes:\n{nodes}outputs: n0\n")
    assert "and 100 more nodes" in summary_text(program)
    assert "n299" in plain(summary_blocks(program))


def test_the_catalogue_lists_every_op() -> None:
    text = plain(ops_table())
    assert re.search(r"^exp\(x\)  +y = e\*\*x$", text, re.MULTILINE)
    assert "sum(x, axis=, keepdims=)" in text


def test_the_page_of_an_op() -> None:
    text = plain(op_page("split"))
    assert text.startswith("split(x, parts=, sizes=, axis=)\n\nThe parts of")
    assert re.search(r"^parts +integer +null +at least 1", text, re.MULTILINE)
    assert "outputs: y0, y1, ..." in text
    assert "operands: *terms" not in plain(op_page("add"))
    assert "operands: terms (one or more)" in plain(op_page("add"))
    with pytest.raises(KeyError):
        op_page("mul")
    assert unknown_op_hint("mul") == "did you mean 'multiply'?"
    assert unknown_op_hint("tnah") == "did you mean 'tanh'?"
