"""Data from Python: mappings, data frames, tensors, iterables of batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow
import pytest
import torch
from data_files import types_of, whole

from graphspec.errors import FeedError
from graphspec.train.dataset import MemoryDataset, dataset_of

TYPES = types_of("{x: {shape: [batch, 2], dtype: float32}, label: {shape: [batch], dtype: int64}}")
SCALARS = types_of("{a: {shape: [batch]}, b: {shape: [batch], dtype: int64}}")
X = np.arange(6.0).reshape(3, 2)
LABEL = np.array([0, 1, 2])


class Frame:
    """What pandas and polars have in common: columns by name, `to_numpy` of each."""

    def __init__(self, columns: dict[str, np.ndarray]):
        self.data, self.columns = columns, list(columns)

    def __getitem__(self, name: str) -> Any:
        return Series(self.data[name])

    def to_numpy(self) -> np.ndarray:
        return np.stack(list(self.data.values()), axis=1)


class Series:
    def __init__(self, values: np.ndarray):
        self.values = values

    def to_numpy(self) -> np.ndarray:
        return self.values


def _twice(value: Any, types: Any) -> None:
    dataset = dataset_of(value, types)
    list(dataset.batches(2))
    list(dataset.batches(2))


def code(value: Any, types: Any = TYPES) -> tuple[str, str]:
    """Return the code and the message of what is wrong with data when it is gone through twice."""
    with pytest.raises(FeedError) as info:
        _twice(value, types)
    first = info.value.diagnostics[0]
    return first.code, first.message


MAPPINGS = [
    {"x": X, "label": LABEL},
    {"x": X.tolist(), "label": LABEL.tolist()},
    {"x": X.astype("float32"), "label": LABEL.astype("int8")},
    {"x": torch.tensor(X), "label": torch.tensor(LABEL)},
    {"x": torch.tensor(X, requires_grad=True), "label": torch.tensor(LABEL)},
    {"x": Series(X), "label": Series(LABEL.astype(float))},
]


@pytest.mark.parametrize("value", MAPPINGS)
def test_mappings_of_arrays(value: dict[str, Any]) -> None:
    dataset = dataset_of(value, TYPES)
    assert (dataset.rows, dataset.names, dataset.skipped, dataset.statistics) == (3, ("x", "label"), 0, {})
    found = whole(dataset)
    assert (found["x"].dtype, found["label"].dtype) == ("float32", "int64")
    np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(found["label"], LABEL)


def test_data_frames_are_mappings() -> None:
    columns = {"a": np.array([0.5, 1.5]), "b": np.array([3, 4])}
    for frame in (Frame(columns), pyarrow.table(columns)):
        found = whole(dataset_of(frame, SCALARS))
        assert {name: array.tolist() for name, array in found.items()} == {"a": [0.5, 1.5], "b": [3, 4]}


def test_later_changes_of_the_arrays_do_not_matter() -> None:
    rows = X.astype("float32")
    dataset = dataset_of({"x": rows}, TYPES)
    rows[:] = -1
    assert whole(dataset)["x"].tolist() == X.tolist()


def test_a_dataset_is_itself() -> None:
    dataset = MemoryDataset({"x": X}, {})
    assert dataset_of(dataset, TYPES) is dataset


WRONG = [
    ({"x": X, "label": LABEL[:2]}, "GS637", "'x' has 3 rows and 'label' has 2"),
    ({"x": X, "lable": LABEL}, "GS601", "no input is called 'lable'"),
    ({}, "GS637", "the mapping has no arrays"),
    ({"x": X[:0]}, "GS635", "the arrays have no rows"),
    ({"x": X[:, 0]}, "GS633", "'x' is float32[batch, 2], given float32[3]"),
    ({"x": np.zeros((3, 3))}, "GS633", "'x' is float32[batch, 2], given float32[3, 3]: dim 0 is 3, expected 2"),
    ({"x": 3.0}, "GS633", "'x' is float32[batch, 2]: 'float' object is not iterable"),
    ({"label": ["a", "b"]}, "GS634", "row 0 of 'label': expected an integer, found the text 'a'"),
    ({"label": [0.5]}, "GS634", "row 0 of 'label': expected an integer, found 0.5"),
    ({"label": np.array([1, None], object)}, "GS634", "row 1 of 'label': expected an integer, found an empty cell"),
    (
        {"label": np.ma.array([1, 2], mask=[0, 1])},
        "GS634",
        "row 1 of 'label': expected an integer, found an empty cell",
    ),
    ({"x": [[1, 2], [3]]}, "GS634", "row 1 of 'x': expected numbers of shape [2], found numbers of shape [1]"),
    ({"x": [[1, np.nan], [3, 4]]}, "GS634", "row 0 of 'x': expected a number, found nan, which is not finite"),
    ({"x": X + 1j}, "GS633", "'x' is float32[batch, 2]: expected numbers, found complex128"),
    (X, "GS637", "data is a mapping of arrays by input, or an iterable of such mappings, not ndarray"),
    (3, "GS637", "data is a mapping of arrays by input, or an iterable of such mappings, not int"),
    ("rows.csv", "GS637", "data is a mapping of arrays by input, or an iterable of such mappings, not str"),
    ([X], "GS637", "batch 1 is no mapping of arrays by input: it is ndarray"),
    ([], "GS635", "there are no batches"),
    (lambda: 3, "GS637", "the function for the data returned int, no iterable"),
    ([{"x": X}, {"x": X, "label": LABEL[:1]}], "GS637", "batch 2: 'x' has 3 rows and 'label' has 1"),
]


@pytest.mark.parametrize(("value", "expected", "message"), WRONG)
def test_what_does_not_fit(value: Any, expected: str, message: str) -> None:
    assert code(value) == (expected, message)


def test_dims_agree_between_arrays() -> None:
    types = types_of("{x: {shape: [batch, n]}, y: {shape: [batch, n]}}")
    found, message = code({"x": np.zeros((3, 2)), "y": np.zeros((3, 4))}, types)
    assert (found, message.endswith("dim n is 2 elsewhere and 4 here")) == ("GS633", True)


def test_inputs_are_standardised_by_saved_statistics() -> None:
    statistics = {"x.mean": np.array([1.0, 2.0]), "x.std": np.array([2.0, 0.0])}
    dataset = dataset_of({"x": X}, TYPES, statistics)
    assert whole(dataset)["x"].tolist() == [[-0.5, -1], [0.5, 1], [1.5, 3]]
    assert dataset.statistics == statistics


BATCHES = [{"x": X[:2], "label": LABEL[:2]}, {"x": X[2:], "label": LABEL[2:]}]


class Loader:
    """An iterable that begins again, as a loader of PyTorch."""

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        return iter(BATCHES)


@pytest.mark.parametrize("value", [BATCHES, tuple(BATCHES), Loader(), lambda: iter(BATCHES), lambda: BATCHES])
def test_iterables_of_batches(value: Any) -> None:
    dataset = dataset_of(value, TYPES)
    assert dataset.rows is None
    for epoch in range(2):
        found = list(dataset.batches(64, seed=0, epoch=epoch))
        assert [batch["label"].tolist() for batch in found] == [[0, 1], [2]]
        assert found[0]["x"].dtype == "float32"
    assert (dataset.rows, dataset.count(64), dataset.names) == (3, 2, ("x", "label"))
    assert [batch["label"].tolist() for batch in dataset.batches(64, first=1)] == [[2]]
    assert dataset.count(1) == 2


def test_a_list_knows_its_length_at_once() -> None:
    assert dataset_of(BATCHES, TYPES).count(64) == 2
    assert dataset_of(Loader(), TYPES).count(64) is None


def test_an_iterator_serves_one_epoch() -> None:
    dataset = dataset_of((batch for batch in BATCHES), TYPES)
    assert len(list(dataset.batches(1))) == 2
    with pytest.raises(FeedError) as info:
        list(dataset.batches(1, epoch=1))
    (found,) = info.value.diagnostics
    assert (found.code, "exhausted" in found.message) == ("GS637", True)
    assert found.hint == "give a list of batches, or a function that returns a new iterator for every epoch"


def test_a_loader_of_pytorch() -> None:
    rows = [{"x": torch.tensor(row), "label": torch.tensor(label)} for row, label in zip(X, LABEL, strict=True)]
    dataset = dataset_of(torch.utils.data.DataLoader(rows, batch_size=2), TYPES)  # type: ignore[arg-type]
    assert [batch["label"].tolist() for batch in dataset.batches(None)] == [[0, 1], [2]]
