"""Which column of a table is what a starter predicts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graphspec.errors import FeedError, Location
from graphspec.starter.column import Column, Survey, Value
from graphspec.starter.wording import named, refused
from graphspec.train.table import Table, unknown_column

TARGETS = (
    *("target", "label", "labels", "class", "classes", "y", "species", "category", "outcome", "diagnosis"),
    *("response", "price", "value", "quality"),
)
"""Names of columns that are taken for the target, the surest first."""

LABELS = TARGETS[:7]
"""Those of columns that an autoencoder does not rebuild."""

MOST_CLASSES = 100
_MOST_NUMBERS = 20  # that are fractions and may be classes


@dataclass(frozen=True, slots=True)
class Target:
    """The column that is predicted; ``classes`` are written where cells are not numbers from 0."""

    column: Column
    why: str
    classes: tuple[Value, ...] = ()
    count: int = 0


def target_of(table: Table, found: Survey, kind: str, name: str | None) -> Target:
    """Return the target: the one that is asked for, one with the name of a target, or the last column."""
    columns = {column.name: column for column in found.columns}
    if name is not None:
        if name not in columns:
            raise FeedError(unknown_column(table, name, Location(table.name, 1, 1)))
        return _fitting(table, found, kind, columns[name], "asked for")
    ranked = sorted((TARGETS.index(c.name.lower()), c.name) for c in found.columns if c.name.lower() in TARGETS)
    for _, candidate in ranked:
        if not _unfit(columns[candidate], kind):
            return _fitting(table, found, kind, columns[candidate], "chosen by its name")
    return _fitting(table, found, kind, found.columns[-1], "chosen as the last column")


def _fitting(table: Table, found: Survey, kind: str, column: Column, why: str) -> Target:
    """Return a column as the target.

    Raises:
        FeedError: GS639, it cannot be that.
    """
    reason = _unfit(column, kind)
    if len(table.columns) == 1:
        message = f"{table.name} has one column, and a {kind} needs a target and something to tell it by"
        raise refused(table, message, "of arrays, an .npz file with X and y; or `graphspec new autoencoder`")
    if reason:
        others = [
            other.name
            for other in found.columns
            if other is not column and not (other.kind == "integer" and other.all_differ) and not _unfit(other, kind)
        ]
        hint = f"--target NAME, such as {', '.join(map(named, others[:4]))}" if others else ""
        if not others and not _unfit(column, _other(kind)):
            hint = f"`graphspec new {_other(kind)}` could take it"
        raise refused(table, f"column {named(column.name)}, {why}, cannot be the target of a {kind}: {reason}", hint)
    if kind == "regressor":
        return Target(column, why)
    values = column.values
    if column.kind == "integer" and [float(value) for value in values] == [*range(len(values))]:
        return Target(column, why, (), len(values))
    return Target(column, why, tuple(class_value(value) for value in values), len(values))


def _other(kind: str) -> str:
    return "regressor" if kind == "classifier" else "classifier"


def class_value(value: Value) -> Value:
    """Return a value as it is listed under `classes`: a number only where it is written as one."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value) and str(int(value)) == value:
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unfit(column: Column, kind: str) -> str:
    """Return why a column cannot be the target, or nothing."""
    rows = column.rows - column.missing
    if column.kind == "other":
        return "it has no numbers or texts that a network can use"
    if column.shape:
        return f"a cell of it has {' by '.join(map(str, column.shape))} numbers"
    if column.distinct < 2:
        return "all its values are the same"
    if column.missing > column.rows // 2:
        return f"{column.missing} of {column.rows} cells are empty"
    if kind == "regressor":
        return "" if column.kind in ("float", "integer") else f"it holds {column.kind}s, which are classes"
    most = _MOST_NUMBERS if column.kind == "float" else MOST_CLASSES
    if column.distinct > most or column.distinct > rows // 2:
        return f"it has {column.distinct} different values in {rows} rows, and classes are at most {most}"
    return ""


__all__ = ["LABELS", "TARGETS", "Target", "class_value", "target_of"]
