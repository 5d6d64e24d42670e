"""Which columns of a table feed which inputs of a starter, and what is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphspec.names import name_problem
from graphspec.starter.column import Column, Survey
from graphspec.starter.target import class_value

_MOST_WORDS = 20  # of a column of texts that becomes rows of zeros with a one
_SKIPPED = 0.2  # of the rows, at most, that are skipped because cells are empty
_GROUP = 8  # columns called pixel_0, pixel_1 ... that are written as pixel_*
_ID = re.compile(r"(?:.*[_\s.-])?(?:id|idx|index|key|no|nr|number|row|uuid)|unnamed.*", re.IGNORECASE)
NUMBERED = re.compile(r"(.*?)([0-9]+)")
_TAKEN = frozenset("x features label target image token code rebuilt logits prediction loss accuracy class".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Feature:
    """What feeds one input: ``columns``, as they are written, and transforms; ``shape`` is that of a row."""

    input: str
    columns: tuple[str, ...]
    shape: tuple[int, ...]
    single: bool = False
    transforms: Mapping[str, Any] = field(default_factory=dict)
    comment: str = ""


class Features:
    """Sorts columns into inputs.

    Attributes:
        found: the features; ``image`` is the one that keeps the dims of images, if there is one.
        left_out: columns that feed nothing, and why.
        skipped: columns whose empty cells make rows be skipped.
    """

    def __init__(self, survey: Survey, kind: str, skipped: Iterable[str] = ()):
        self.survey, self.kind = survey, kind
        self.found: list[Feature] = []
        self.image: Feature | None = None
        self.left_out: dict[str, str] = {}
        self.skipped = list(skipped)
        self.names = set(_TAKEN)
        self.ids: list[Column] = []

    def take(self, columns: Sequence[Column]) -> None:
        kept = self._without_gaps(columns)
        images = [column for column in kept if _is_image(column)]
        if images:
            self._image(max(images, key=lambda column: np.prod(column.shape)), kept)
            return
        scalars = [column for column in kept if column.is_number and not column.shape]
        for group in numbered(scalars, self.survey.names):
            self._group(group)
            scalars = [column for column in scalars if column not in group]
        self._scalars(scalars)
        for column in kept:
            if column.is_number and column.shape:
                self._array(column)
            elif column.kind == "text":
                self._text(column)
        if not self.found and self.ids:  # better than nothing: it may be the time
            self.left_out = {name: why for name, why in self.left_out.items() if name not in [c.name for c in self.ids]}
            self._matrix(self.ids)

    def _leave_out(self, column: Column, why: str) -> None:
        self.left_out[column.name] = why

    def _without_gaps(self, columns: Sequence[Column]) -> list[Column]:
        """Return the columns that can be used; rows with empty cells are skipped, as long as these are few."""
        spent = sum(c.missing / c.rows for c in self.survey.columns if c.name in self.skipped)
        kept = []
        for column in sorted(columns, key=lambda column: column.missing):
            share = column.missing / max(1, column.rows)
            if column.kind == "other":
                self._leave_out(column, "which has no numbers or texts that a network can use")
            elif share and spent + share > _SKIPPED:
                self._leave_out(column, f"where {column.missing} of {column.rows} cells are empty or no numbers")
            else:
                spent += share
                kept.append(column)
                if share:
                    self.skipped.append(column.name)
        return [column for column in columns if column in kept]

    def _name(self, text: str) -> str:
        """Return a free name for an input."""
        base = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "x"
        base = f"x_{base}" if base[0].isdigit() or name_problem(base, "inputs") else base
        name, number = base, 2
        while name in self.names:
            name, number = f"{base}_{number}", number + 1
        self.names.add(name)
        return name

    def _add(self, feature: Feature) -> None:
        self.found.append(feature)

    def _scalars(self, columns: Sequence[Column]) -> None:
        useful = []
        for column in columns:
            if column.distinct < 2:
                self._leave_out(column, f"which is always {column.low:g}")
            elif _is_id(column):
                self._leave_out(column, "which numbers the rows")
                self.ids.append(column)
            else:
                useful.append(column)
        if useful:
            self._matrix(useful)

    def _matrix(self, columns: Sequence[Column]) -> None:
        transforms = _scaling(columns)
        comment = "each column minus its mean, by its standard deviation" if "standardise" in transforms else ""
        self._add(Feature("x", tuple(column.name for column in columns), (len(columns),), False, transforms, comment))

    def _group(self, columns: Sequence[Column]) -> None:
        match = NUMBERED.fullmatch(columns[0].name)
        assert match is not None
        side = round(len(columns) ** 0.5)
        comment = f"{len(columns)} columns in the order of the file"
        if side * side == len(columns) and side >= 4:
            comment += f"; as images: reshape: [1, {side}, {side}], and conv2d"
        name = self._name(match[1] if match[1].strip("_. ") else "x")
        self._add(Feature(name, (f"{match[1]}*",), (len(columns),), False, _scaling(columns), comment))

    def _array(self, column: Column) -> None:
        if column.low == column.high:
            self._leave_out(column, f"which is always {column.low:g}")
            return
        size = int(np.prod(column.shape))
        transforms = _scaling([column])
        if len(column.shape) > 1:
            transforms["reshape"] = [size]
        name = "x" if not self.found else self._name(column.name)
        comment = f"arrays of {list(column.shape)}, one in each row"
        self._add(Feature(name, (column.name,), (size,), True, transforms, comment))

    def _text(self, column: Column) -> None:
        rows = column.rows - column.missing
        if column.distinct < 2:
            self._leave_out(column, "which is always the same")
        elif column.all_differ:
            self._leave_out(column, "which is another text in every row")
        elif column.distinct > _MOST_WORDS or column.distinct > rows // 2:
            self._leave_out(column, f"which has {column.distinct} different texts; up to {_MOST_WORDS} become one_hot")
        else:
            transforms = {"classes": [class_value(value) for value in column.values], "one_hot": column.distinct}
            comment = f"a one for the text among {column.distinct} zeros"
            name = self._name(column.name)
            self._add(Feature(name, (column.name,), (column.distinct,), True, transforms, comment))

    def _image(self, column: Column, columns: Sequence[Column]) -> None:
        """Take a column of images, and nothing else."""
        for other in columns:
            if other is not column:
                self._leave_out(other, "beside the images; an input of its own could join them behind the last conv2d")
        if column.name not in self.skipped:
            self.skipped = [name for name in self.skipped if name not in {c.name for c in columns}]
        transforms = _scaling([column])
        shape = column.shape
        if self.kind == "autoencoder":
            transforms["reshape"] = [int(np.prod(shape))]
            self._add(
                Feature("x", (column.name,), (int(np.prod(shape)),), True, transforms, f"images of {list(shape)}")
            )
            return
        if len(shape) == 2:
            shape = (1, *shape)
            transforms["reshape"] = [*shape]
        comment = "channels, height, width" if shape[0] in (1, 3, 4) else "height, width, channels"
        self.image = Feature("image", (column.name,), shape, True, transforms, comment)
        self._add(self.image)


def _is_image(column: Column) -> bool:
    shape = column.shape
    if not column.is_number or column.low == column.high:
        return False
    if len(shape) == 3 and (shape[0] in (1, 3, 4) or shape[2] in (1, 3, 4)):
        shape = shape[1:] if shape[0] in (1, 3, 4) else shape[:2]
    return len(shape) == 2 and min(shape) >= 4


def _is_id(column: Column) -> bool:
    if column.kind != "integer" or not column.all_differ:
        return False
    dense = column.high - column.low + 1 == column.distinct
    return column.ascending or dense or bool(_ID.fullmatch(column.name))


def numbered(columns: Sequence[Column], names: Iterable[str]) -> list[list[Column]]:
    """Return the columns whose names differ by a number only, where a pattern takes them and no other column."""
    found: dict[str, list[tuple[int, Column]]] = {}
    for column in columns:
        match = NUMBERED.fullmatch(column.name)
        if match is not None and not any(mark in match[1] for mark in "*?"):
            found.setdefault(match[1], []).append((int(match[2]), column))
    groups = []
    for prefix, members in found.items():
        numbers = sorted(number for number, _ in members)
        whole = numbers == [*range(numbers[0], numbers[0] + len(numbers))]
        alone = sum(name.startswith(prefix) for name in names) == len(members)
        if len(members) >= _GROUP and whole and alone and any(column.distinct > 1 for _, column in members):
            groups.append([column for _, column in members])
    return groups


def _scaling(columns: Sequence[Column]) -> dict[str, Any]:
    """Return the transforms that bring numbers to the order of 1: none where they are there."""
    low, high = min(column.low for column in columns), max(column.high for column in columns)
    same = len(columns) >= _GROUP or bool(columns[0].shape)  # numbers of one nature
    whole = all(column.kind == "integer" or column.dtype == "uint8" for column in columns)
    if same and low >= 0 and high > 1 and whole:
        return {"scale": 1 / high}
    spreads = [column.spread for column in columns if column.spread > 0]
    if max(abs(low), abs(high)) > 3 or min(spreads, default=1.0) < 0.1:
        return {"standardise": True}
    return {}


__all__ = ["NUMBERED", "Feature", "Features", "numbered"]
