"""Pieces of tables to the arrays of the inputs, with every bad row found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphspec.data_section import SourceDeclaration, SplitDeclaration
from graphspec.errors import Diagnostic, FeedError, problem
from graphspec.train.cells import Misfit
from graphspec.train.split import KeySplit
from graphspec.train.table import Piece, Table, unknown_column
from graphspec.train.transform import BadRows, Transform
from graphspec.types import DimConflict, TensorType, match

_SHOWN = 20  # of the bad rows of a piece


@dataclass(slots=True)
class Rows:
    """Some rows: arrays by input, which rows are good, and where there is a key, the part of each.

    Inputs that are standardised are not yet so. Bad rows hold anything.
    """

    arrays: dict[str, np.ndarray]
    good: np.ndarray
    parts: np.ndarray | None = None


class Assembler:
    """Reads the tables of one source for the inputs in ``types``.

    Raises:
        FeedError: the source feeds none of the inputs.
    """

    def __init__(
        self,
        source: SourceDeclaration,
        types: Mapping[str, TensorType],
        folder: Path | None,
        split: SplitDeclaration | None = None,
    ):
        self.source = source
        self.transforms = {
            name: Transform(declared, types[name], folder) for name, declared in source.inputs.items() if name in types
        }
        if not self.transforms:
            where, names = source.origin.location, ", ".join(types) or "none"
            raise FeedError(problem("GS637", f"the rows of '{source.part}' feed none of the inputs {names}", where))
        self.split = split
        self.key = KeySplit(split) if split is not None and split.key is not None else None
        self.dims: dict[str, Any] = {}
        self._columns: dict[int, dict[str, tuple[str, ...]]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.transforms)

    @property
    def standardised(self) -> tuple[str, ...]:
        """The inputs that are standardised."""
        return tuple(name for name, transform in self.transforms.items() if transform.declared.standardise)

    def columns(self, table: Table) -> list[str]:
        """Return the columns of a table that are needed.

        Raises:
            FeedError: the table does not have them.
        """
        taken = self._taken(table)
        found = list(dict.fromkeys(column for columns in taken.values() for column in columns))
        if self.key is not None and self.split is not None and self.split.key not in found:
            assert self.split.key is not None
            if self.split.key not in table.columns:
                where = self.split.key_origin.location if self.split.key_origin is not None else None
                raise FeedError(unknown_column(table, self.split.key, where))
            found.append(self.split.key)
        return found

    def _taken(self, table: Table) -> dict[str, tuple[str, ...]]:
        """Return the columns of each input; all that are missing are named."""
        if id(table) not in self._columns:
            taken: dict[str, tuple[str, ...]] = {}
            wrong: list[Diagnostic] = []
            for name, transform in self.transforms.items():
                try:
                    taken[name] = transform.columns(table)
                except FeedError as error:
                    wrong += error.diagnostics
            if wrong:
                raise FeedError(wrong)
            self._columns[id(table)] = taken
        return self._columns[id(table)]

    def read(self, table: Table, piece: Piece) -> Rows:
        """Return the rows of a piece.

        Raises:
            FeedError: columns do not fit their input, or, unless bad rows are skipped, a row is bad.
        """
        bad: BadRows = {}
        arrays: dict[str, np.ndarray] = {}
        for name, transform in self.transforms.items():
            columns = self._taken(table)[name]
            try:
                array, wrong = transform.read(piece, columns)
                self._check_shape(transform, transform.row_shape(array), columns)
                if not transform.declared.standardise:
                    array, late = transform.finish(array, {})
                    wrong = {**{row: (columns[0], reason) for row, reason in late.items()}, **wrong}
            except Misfit as error:
                raise self._misfit(transform, error.message) from None
            arrays[name] = array
            for row, reason in wrong.items():
                bad.setdefault(row, reason)
        parts = self._parts(piece, bad)
        good = np.ones(piece.rows, bool)
        good[[*bad, *piece.broken]] = False
        if (bad or piece.broken) and self.source.bad_rows == "stop":
            raise _bad_rows(table, piece, bad)
        return Rows(arrays, good, parts)

    def _parts(self, piece: Piece, bad: BadRows) -> np.ndarray | None:
        if self.key is None or self.split is None or self.split.key is None:
            return None
        parts, empty = self.key.parts(piece.columns[self.split.key])
        for row, reason in empty.items():
            bad.setdefault(row, (self.split.key, reason))
        return parts

    def finish(self, arrays: Mapping[str, np.ndarray], statistics: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the arrays of the inputs, standardised.

        Raises:
            FeedError: the statistics do not fit.
        """
        result = dict(arrays)
        for name in self.standardised:
            transform = self.transforms[name]
            try:
                result[name], wrong = transform.finish(arrays[name], statistics)
            except (Misfit, ValueError) as error:
                raise self._misfit(transform, str(error)) from None
            if wrong:
                raise self._misfit(transform, f"standardised, {next(iter(wrong.values()))}")
        return result

    def _misfit(self, transform: Transform, message: str) -> FeedError:
        where = transform.declared.origin.location
        return FeedError(problem("GS633", f"'{transform.declared.input}' is {transform.type}: {message}", where))

    def _check_shape(self, transform: Transform, shape: tuple[int, ...], columns: tuple[str, ...]) -> None:
        """Check that rows of a shape fit an input.

        Raises:
            FeedError: they do not.
        """
        type = transform.type
        if type.shape and len(shape) == type.rank - 1:
            try:
                match(type.shape[1:], shape, self.dims, {})
                return
            except DimConflict as conflict:
                reason = f": {conflict.message}" if "elsewhere" in conflict.message else ""
        else:
            reason = ""
        given = f"column '{columns[0]}'" if transform.declared.single else _listed(columns)
        verb = "gives" if transform.declared.single or len(columns) == 1 else "give"
        found = ", ".join(["batch", *map(str, shape)])
        message = f"'{transform.declared.input}' is {type}: {given} {verb} [{found}]{reason}"
        where = transform.declared.origin.location
        raise FeedError(problem("GS633", message, where, hint=_shape_hint(transform, shape, columns)))


def _listed(columns: tuple[str, ...]) -> str:
    if len(columns) == 1:
        return f"a list of 1 column ({columns[0]})"
    shown = ", ".join(columns) if len(columns) <= 4 else f"{columns[0]}, {columns[1]}, ..., {columns[-1]}"
    return f"{len(columns)} columns ({shown})"


def _shape_hint(transform: Transform, shape: tuple[int, ...], columns: tuple[str, ...]) -> str:
    wanted = transform.type.shape[1:]
    if not transform.type.shape:
        return "an input that data feeds has a first dim for the rows, such as [batch]"
    if transform.declared.single and wanted == (1, *shape):
        return f"a list, [{columns[0]}], gives a dim of 1"
    if not transform.declared.single and shape == (1, *wanted):
        return f"without brackets, {columns[0]} gives no dim of its own"
    integers = [dim for dim in wanted if isinstance(dim, int)]
    if len(integers) == len(wanted) and np.prod(integers) == np.prod(shape) and integers:
        return f"reshape: [{', '.join(map(str, integers))}]"
    return ""


def _bad_rows(table: Table, piece: Piece, bad: BadRows) -> FeedError:
    """Return the error about the bad rows of a piece."""
    found = []
    rows = sorted({*bad, *piece.broken})
    for row in rows[:_SHOWN]:
        number = piece.start + row
        if row in piece.broken:
            reason, at = piece.broken[row]
            found.append(problem("GS634", f"row {number + 1} {reason}", table.place(number, None, at)))
        else:
            column, reason = bad[row]
            message = f"row {number + 1}, column '{column}': {reason}"
            found.append(problem("GS634", message, table.place(number, column)))
    more = f" ({len(rows) - _SHOWN} more near by)" if len(rows) > _SHOWN else ""
    last = found[-1]
    hint = f"`bad_rows: skip` leaves such rows out and counts them{more}"
    found[-1] = problem(last.code, last.message, last.where, hint=hint)
    return FeedError(found)
