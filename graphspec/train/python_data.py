"""Data from Python: mappings of arrays, and iterables of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

import numpy as np

from graphspec.dims import Dim
from graphspec.errors import FeedError, did_you_mean, problem
from graphspec.train.batches import Batch, Dataset, MemoryDataset
from graphspec.train.cells import Misfit, convert
from graphspec.train.statistics import standardised
from graphspec.train.table import same_length
from graphspec.types import DimConflict, TensorType, match

_SHOWN = 20


def dataset_of(
    value: Any, types: Mapping[str, TensorType], statistics: Mapping[str, np.ndarray] | None = None
) -> Dataset:
    """Return Python data as rows of inputs.

    Args:
        value: a mapping of arrays by input (also a data frame), whose first axis counts the rows; an iterable of such
            mappings, each a batch, or a callable that returns one; or a dataset. An array is a list or anything with
            ``__array__`` or ``to_numpy``.
        types: the types of the inputs.
        statistics: the means and standard deviations by which inputs are standardised, as in `Dataset.statistics`.

    Raises:
        FeedError: the data is none of these, or does not fit the inputs.
    """
    if isinstance(value, Dataset):
        return value
    facts = dict(statistics or {})
    names = column_names(value)
    if names is not None:
        return MemoryDataset(_converted({name: value[name] for name in names}, types, facts, {}), facts)
    if callable(value) or (isinstance(value, Iterable) and not isinstance(value, str | bytes) and not _is_array(value)):
        return BatchesDataset(value, types, facts)
    message = f"data is a mapping of arrays by input, or an iterable of such mappings, not {type(value).__name__}"
    raise FeedError(problem("GS637", message, hint="for example {'x': array, 'label': array}"))


def column_names(value: Any) -> list[Any] | None:
    """Return the names of a mapping or of a data frame; None where it is neither."""
    if isinstance(value, Mapping):
        return list(value)
    names = getattr(value, "column_names", None)  # PyArrow
    if names is None and hasattr(value, "to_numpy"):  # pandas, polars
        names = getattr(value, "columns", None)
    return None if names is None or not hasattr(value, "__getitem__") else [*names]


class BatchesDataset(Dataset):
    """Batches that are made elsewhere. Their sizes and their order are what they are; ``first`` are passed over."""

    def __init__(self, source: Any, types: Mapping[str, TensorType], statistics: dict[str, np.ndarray]):
        self.source, self.types, self.statistics = source, types, statistics
        self.rows: int | None = None
        self._names: tuple[str, ...] = ()
        self._waiting: Iterator[Any] | None = None  # what was begun to learn the names
        self.number = len(source) if isinstance(source, list | tuple) else None
        self.once = not callable(source) and iter(source) is source if isinstance(source, Iterator) else False
        self.begun = False

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The inputs that the first batch feeds."""
        if not self._names:
            begun = self._iterator()
            first = list(islice(begun, 1))
            self._names = tuple(column_names(first[0]) or ()) if first else ()
            self._waiting = chain(first, begun)
        return self._names

    def count(self, size: int | None, drop_last: bool = False) -> int | None:
        """Return the number of batches that there are, whatever the size; None before they have been gone through."""
        return self.number

    def _iterator(self) -> Iterator[Any]:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            return waiting
        if self.once and self.begun:
            message = "the iterator of batches is exhausted: it can be gone through once, for one epoch"
            hint = "give a list of batches, or a function that returns a new iterator for every epoch"
            raise FeedError(problem("GS637", message, hint=hint))
        self.begun = True
        made = self.source() if isinstance(self.source, Callable) else self.source  # type: ignore[arg-type]
        if not isinstance(made, Iterable):
            raise FeedError(problem("GS637", f"the function for the data returned {type(made).__name__}, no iterable"))
        return iter(made)

    def batches(
        self, size: int | None, *, seed: int | None = None, epoch: int = 0, first: int = 0, drop_last: bool = False
    ) -> Iterator[Batch]:
        rows = number = 0
        dims: dict[str, Dim] = {}
        for number, batch in enumerate(self._iterator(), 1):
            if number <= first:
                continue
            names = column_names(batch)
            if names is None:
                message = f"batch {number} is no mapping of arrays by input: it is {type(batch).__name__}"
                raise FeedError(problem("GS637", message, hint="yield mappings such as {'x': array, 'label': array}"))
            arrays = {name: batch[name] for name in names}
            found = _converted(arrays, self.types, self.statistics, dims, f"batch {number}: ")
            rows += len(next(iter(found.values())))
            yield found
        if number == 0:
            raise FeedError(problem("GS635", "there are no batches"))
        self.number = number
        if not first:
            self.rows = rows


def _converted(
    arrays: Mapping[Any, Any],
    types: Mapping[str, TensorType],
    statistics: Mapping[str, np.ndarray],
    dims: dict[str, Dim],
    context: str = "",
) -> Batch:
    """Return arrays in the types of the inputs.

    Raises:
        FeedError: names, lengths, dtypes, shapes or numbers do not fit.
    """
    wrong = [_unknown(name, types, context) for name in arrays if name not in types]
    if wrong:
        raise FeedError(wrong)
    if not arrays:
        raise FeedError(problem("GS637", f"{context}the mapping has no arrays"))
    found: Batch = {}
    for name, value in arrays.items():
        found[name] = _array(name, value, types[name], statistics, context)
    try:
        rows = same_length("", {name: array.shape for name, array in found.items()})
    except FeedError as error:
        first = error.diagnostics[0]
        raise FeedError(problem(first.code, f"{context}{first.message}", hint=first.hint)) from None
    if rows == 0:
        raise FeedError(problem("GS635", f"{context}the arrays have no rows"))
    for name, array in found.items():
        _check_shape(name, array, types[name], dims, context)
    return found


def _unknown(name: Any, types: Mapping[str, TensorType], context: str) -> Any:
    hint = did_you_mean(str(name), types) or f"the inputs are {', '.join(types) or 'none'}"
    return problem("GS601", f"{context}no input is called '{name}'", hint=hint)


def _array(name: str, value: Any, type: TensorType, statistics: Mapping[str, np.ndarray], context: str) -> np.ndarray:
    mean, std = statistics.get(f"{name}.mean"), statistics.get(f"{name}.std")
    moved = mean is not None and std is not None
    try:
        cells = as_array(value)
        if isinstance(cells, np.ndarray) and not cells.shape:
            raise Misfit("a single number has no rows")
        array, bad = convert(cells, "float64" if moved else type.dtype)
        if moved and not bad:
            assert mean is not None
            assert std is not None
            array, bad = convert(standardised(array, mean, std), type.dtype)
    except (Misfit, TypeError, ValueError, RuntimeError) as error:
        raise FeedError(problem("GS633", f"{context}'{name}' is {type}: {error}")) from None
    if bad:
        rows = sorted(bad)
        raise FeedError([problem("GS634", f"{context}row {row} of '{name}': {bad[row]}") for row in rows[:_SHOWN]])
    shared = isinstance(cells, np.ndarray) and np.may_share_memory(array, cells)
    return array.copy() if shared else array


def as_array(value: Any) -> Any:
    """Return an array, or a list of cells, for a value from Python."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "to_numpy") and not hasattr(value, "numpy"):
        return np.asarray(value.to_numpy())
    if hasattr(value, "detach"):  # PyTorch: one that a gradient is recorded for gives no array
        return np.asarray(value.detach())
    return np.asarray(value) if hasattr(value, "__array__") else list(value)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or hasattr(value, "__array__") or hasattr(value, "to_numpy")


def _check_shape(name: str, array: np.ndarray, type: TensorType, dims: dict[str, Dim], context: str) -> None:
    found = TensorType(str(array.dtype), array.shape)
    if not type.shape or array.ndim != type.rank:
        raise FeedError(problem("GS633", f"{context}'{name}' is {type}, given {found}"))
    try:
        match(type.shape[1:], array.shape[1:], dims, {})
    except DimConflict as conflict:
        message = f"{context}'{name}' is {type}, given {found}: {conflict.message}"
        raise FeedError(problem("GS633", message)) from None
