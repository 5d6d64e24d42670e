"""What a starter spec takes from a table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from graphspec.starter.column import Column, Survey
from graphspec.starter.feature import NUMBERED, Feature, Features, numbered
from graphspec.starter.target import LABELS, Target, target_of
from graphspec.starter.wording import named, refused
from graphspec.train.table import Table
from graphspec.train.text_table import CsvTable

LEAST_ROWS = 10
_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*")


@dataclass(slots=True)
class Choice:
    """What a starter is made of. ``image`` is a feature with the dims of an image."""

    table: Table
    survey: Survey
    features: list[Feature] = field(default_factory=list)
    image: Feature | None = None
    target: Target | None = None
    left_out: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)  # columns whose empty cells make rows be skipped

    @property
    def rows(self) -> int:
        return self.survey.rows if self.table.rows is None else self.table.rows

    @property
    def width(self) -> int:
        """How many numbers the features of a row are."""
        return sum(int(np.prod(feature.shape)) for feature in self.features)


def choose(table: Table, found: Survey, kind: str, target: str | None = None) -> Choice:
    """Return what a starter of a kind takes from a table.

    Raises:
        FeedError: GS639, the table does not fit; GS631, it has no such target.
    """
    _check(table, found)
    if kind == "language-model":
        return _tokens(table, found)
    chosen = Choice(table, found)
    labels: list[str] = []
    if kind in ("classifier", "regressor"):
        chosen.target = target_of(table, found, kind, target)
        aside, skipped = [chosen.target.column.name], [chosen.target.column.name] * bool(chosen.target.column.missing)
    else:
        aside = labels = [name for name in table.columns if name.lower() in LABELS]
        skipped = []
    features = Features(found, kind, skipped)
    features.take([column for column in found.columns if column.name not in aside])
    features.left_out |= dict.fromkeys(labels, "which seems to be a label")
    reasons = [f"{named(name)}, {features.left_out[name]}" for name in table.columns if name in features.left_out]
    chosen.features, chosen.image, chosen.left_out = features.found, features.image, reasons
    chosen.skipped = features.skipped
    if not chosen.features:
        what = f" besides the target {named(chosen.target.column.name)}" if chosen.target else ""
        raise refused(table, f"{table.name} has no column{what} that a network can use", "; ".join(reasons[:8]))
    if kind == "autoencoder" and chosen.width < 2:
        raise refused(
            table, "an autoencoder needs several numbers for each row, and there is one", "; ".join(reasons[:8])
        )
    return chosen


def _check(table: Table, found: Survey) -> None:
    """Refuse what cannot be a table of rows."""
    names = table.columns
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        hint = "cells are separated by commas, or by tabs in .tsv"
        raise refused(table, f"{table.name} has one column, {named(names[0])}", hint)
    counted = [*map(str, range(len(names)))], [*map(str, range(1, len(names) + 1))]
    numbers = [name for name in names if _NUMBER.fullmatch(name)]
    if len(numbers) * 2 > len(names) > 1 and list(names) not in counted and isinstance(table, CsvTable):
        hint = f"add a first line with a name for each of the {len(names)} columns"
        raise refused(table, f"the first line of {table.name} has numbers, and no names of columns", hint)
    rows = found.rows - found.broken
    if rows < LEAST_ROWS:
        message = f"{table.name} has {rows} {'row' if rows == 1 else 'rows'}"
        raise refused(table, message, f"at least {LEAST_ROWS} are needed to train and to validate")


def _tokens(table: Table, found: Survey) -> Choice:
    """Return windows of tokens: a column of integers [window], or columns token_0, token_1 ..."""
    chosen = Choice(table, found)
    whole = [column for column in found.columns if column.kind == "integer" and column.low >= 0 and not column.missing]
    windows = [column for column in whole if len(column.shape) == 1 and column.shape[0] > 1]
    scalars = [column for column in whole if not column.shape]
    groups = numbered(scalars, table.columns)
    if windows:
        column = windows[0]
        chosen.features = [Feature("token", (column.name,), column.shape, True, {}, "windows of successive tokens")]
        count = int(column.high) + 1
    elif groups:
        match = NUMBERED.fullmatch(groups[0][0].name)
        assert match is not None
        columns, count = (f"{match[1]}*",), int(max(column.high for column in groups[0])) + 1
        chosen.features = [Feature("token", columns, (len(groups[0]),), False, {}, "windows of successive tokens")]
    else:
        shapes = ", ".join(
            f"{named(c.name)} {c.kind}[{', '.join(map(str, ('rows', *c.shape)))}]" for c in found.columns[:4]
        )
        message = f"{table.name} has no windows of tokens, integers of [rows, window]; found {shapes}"
        raise refused(table, message, "cut a stream t into windows: t[: len(t) // 65 * 65].reshape(-1, 65)")
    used = set(chosen.features[0].columns)
    chosen.left_out = [
        f"{named(c.name)}, which is not used" for c in found.columns if c.name not in used and not groups
    ]
    chosen.target = Target(Column("token", "integer"), "", (), count)
    return chosen


__all__ = ["Choice", "choose"]
