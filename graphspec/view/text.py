"""Results and programs for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from graphspec.model import Model
from graphspec.view.summary import summary
from graphspec.view.table import Block, Table, plain, to_html
from graphspec.view.values import count_text, size_text, value_text

_ROWS = 200  # of a table in a notebook or a console


class ResultLike(Protocol):
    """What a view reads of a `Result`: arrays by name."""

    outputs: dict[str, Any]
    updates: dict[str, Any]
    of: str | None
    gradients: dict[str, Any]

    @property
    def values(self) -> Mapping[str, Any]: ...
    @property
    def cotangents(self) -> Mapping[str, Any]: ...


class ProgramLike(Protocol):
    """What a view reads of a `Program`."""

    @property
    def model(self) -> Model: ...


def result_table(result: ResultLike, everything: bool = False, leaves: Iterable[str] = ()) -> Table:
    """Return the table of a result.

    Args:
        result: what `run` or `backprop` gave.
        everything: whether to list every node with its cotangent.
        leaves: inputs, parameters and state to list besides what the gradients are with respect to.
    """
    rows = _node_rows(result) if everything else _rows(result, leaves)
    rows += [(f"{name} (next)", value_text(array), "") for name, array in result.updates.items()]
    label = "cotangent" if everything else f"gradient of {result.of}"
    columns = ("name", "value", label) if result.of is not None else ("name", "value")
    # numbers end flush; a column that has arrays too is easier to read from the left
    right = frozenset(i for i in (1, 2) if not any("[" in row[i] for row in rows))
    return Table(columns, [row[: len(columns)] for row in rows], right=right)


def _rows(result: ResultLike, leaves: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return inputs and parameters, then the nodes that the document names itself, then other outputs."""
    values = result.values
    found = {}
    for name in [*leaves, *result.gradients]:
        if name in values or name in result.gradients:
            gradient = result.gradients.get(name)
            value = values.get(name, result.outputs.get(name))
            found[name] = (name, _text(value), _text(gradient))
    for name, array in values.items():
        if name not in found and "." not in name:
            found[name] = (name, value_text(array), _text(result.cotangents.get(name)))
    for name, array in result.outputs.items():
        if name not in found:
            found[name] = (name, value_text(array), "")
    return list(found.values())


def _node_rows(result: ResultLike) -> list[tuple[str, str, str]]:
    rows = [(name, value_text(array), _text(result.cotangents.get(name))) for name, array in result.values.items()]
    others = [(name, value_text(array), "") for name, array in result.outputs.items() if name not in result.values]
    return rows + others


def _text(array: Any) -> str:
    return "" if array is None else value_text(array)


def result_text(result: ResultLike) -> str:
    """Return a result as aligned text."""
    return result_table(result).plain()


def result_html(result: ResultLike) -> str:
    """Return a result as an HTML table."""
    return result_table(result).html()


def summary_text(program: ProgramLike) -> str:
    """Return the summary of a program as aligned text."""
    return plain(summary_blocks(program, _ROWS))


def summary_html(program: ProgramLike) -> str:
    """Return the summary of a program as HTML."""
    return to_html(summary_blocks(program, _ROWS))


def summary_blocks(program: ProgramLike, limit: int | None = None) -> list[Block]:
    """Return inputs, parameters, nodes, outputs and totals; of each table at most ``limit`` rows."""
    facts = summary(program.model)
    blocks: list[Block] = [f"{facts['name']}: {facts['doc']}" if facts["doc"] else facts["name"]]
    blocks += _section(facts["attributes"], "attributes", ("name", "value"), limit)
    blocks += _section(facts["inputs"], "inputs", ("name", "type", "default"), limit)
    blocks += _section(facts["parameters"], "parameters", ("path", "type", "elements", "first value"), limit)
    blocks += _section(facts["state"], "state", ("path", "type", "elements", "first value"), limit)
    blocks += _section(facts["nodes"], "nodes", ("path", "op", "type", "parameters"), limit)
    blocks += _section(facts["outputs"], "outputs", ("name", "type"), limit)
    return [*blocks, *_totals(facts)]


def _section(rows: list[dict[str, Any]], title: str, columns: tuple[str, ...], limit: int | None) -> list[Block]:
    if not rows:
        return []
    shown = rows if limit is None else rows[:limit]
    columns = tuple(name for name in columns if any(row[name] is not None for row in shown))
    cells = [tuple(_cell(row[column]) for column in columns) for row in shown]
    right = frozenset(i for i, name in enumerate(columns) if name in ("elements", "parameters"))
    blocks: list[Block] = [Table(columns, cells, title, right)]
    if len(shown) < len(rows):
        blocks.append(f"and {count_text(len(rows) - len(shown))} more {title}; `graphspec show` lists them all")
    return blocks


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return count_text(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _totals(facts: dict[str, Any]) -> list[Block]:
    totals = facts["totals"]
    operations = ", ".join(f"{name} {count_text(count)}" for name, count in facts["operations"].items())
    lines: list[Block] = [
        f"operations: {count_text(totals['operations'])}" + (f" ({operations})" if operations else "")
    ]
    trainable, elements = totals["trainable"], totals["parameters"]
    frozen = f", {count_text(elements - trainable)} of them not trainable" if trainable < elements else ""
    lines.append(f"parameters: {count_text(elements, 'number')}, {size_text(totals['parameter_bytes'])}{frozen}")
    if facts["state"]:
        lines.append(f"state: {count_text(totals['state'], 'number')}, {size_text(totals['state_bytes'])}")
    size = totals["value_bytes"]
    lines.append(f"values of all operations: {size_text(size)}" if size is not None else _unknown_size(facts))
    lines.append(f"differentiated: {facts['of']}" if facts["of"] else "differentiated: nothing")
    return lines


def _unknown_size(facts: dict[str, Any]) -> str:
    return f"values of all operations: depends on {', '.join(facts['dims'])}"
