"""Rows that cannot be used: each is found and located; training stops, or they are skipped and counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from data_files import failure, opened, whole, write

from graphspec.errors import FeedError

BAD = [
    ("float64", "x", "expected a number, found 'abc'", "abc"),
    ("float64", "x", "expected a number, found an empty cell", ""),
    ("float64", "x", "expected a number, found an empty cell", "  "),
    ("float64", "x", "expected a number, found nan, which is not finite", "nan"),
    ("float64", "x", "expected a number, found -inf, which is not finite", "-inf"),
    ("float64", "x", "expected a number, found inf, which is not finite", "1e999"),
    ("float64", "x", "expected a number, found '1_000'", "1_000"),
    ("float64", "x", "expected a number, found '0x10'", "0x10"),
    ("float64", "x", "expected a number, found '1,5'", '"1,5"'),
    ("float64", "x", "expected a number, found '\u0663'", "\u0663"),
    ("float64", "x", "expected a number, found 'true'", "true"),
    ("float64", "x", "expected a number, found '1e'", "1e"),
    ("float32", "x", "1e+39 does not fit float32", "1e39"),
    ("float16", "x", "70000 does not fit float16", "70000"),
    ("int64", "x", "expected an integer, found 1.5", "1.5"),
    ("int64", "x", "9223372036854775808 does not fit int64", "9223372036854775808"),
    ("int64", "x", "expected an integer, found nan, which is not finite", "NaN"),
    ("int8", "x", "200 does not fit int8", "200"),
    ("int8", "x", "200.0 does not fit int8", "2e2"),
    ("uint8", "x", "-1 does not fit uint8", "-1"),
    ("uint64", "x", "-1 does not fit uint64", "-1"),
    ("bool", "x", "expected true or false, found 'maybe'", "maybe"),
    ("bool", "x", "expected true or false, found 2", "2"),
    ("int64", "{columns: x, classes: [1, 0]}", "'2' is not one of the classes 1, 0", "2"),
    ("int64", "{columns: x, classes: [1, 0]}", "expected one of the classes, found an empty cell", ""),
    ("float64", "{columns: x, shift: 0.5}", "expected a number, found nan, which is not finite", "nan"),
    ("int64", "{columns: x, scale: 4}", "scaled and shifted, it does not fit int64", "4611686018427387904"),
    ("int8", "{columns: x, scale: 100}", "300 does not fit int8", "3"),
    ("int64", "{columns: x, scale: 0.5}", "expected an integer, found 1.5", "3"),
]


@pytest.mark.parametrize(("dtype", "written", "message", "cell"), BAD)
def test_bad_cells(dtype: str, written: str, message: str, cell: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"other,x\n0,1\n0,{cell}\n0,0\n", encoding="utf-8")
    inputs = f"{{x: {{shape: [batch], dtype: {dtype}}}}}"
    source = f"file: rows.csv, inputs: {{x: {written}}}"
    if written.endswith("0.5}") and dtype == "int64":
        (tmp_path / "rows.csv").write_text(f"other,x\n0,2\n0,{cell}\n0,0\n")
    (found,) = failure(tmp_path, f"{{train: {{{source}}}}}", inputs)
    assert (found.code, found.message) == ("GS634", f"row 2, column 'x': {message}")
    assert str(found.where) == "rows.csv:3:3"
    assert "bad_rows: skip" in found.hint
    dataset = opened(tmp_path, f"{{train: {{{source}, bad_rows: skip}}}}", inputs)["train"]
    assert (dataset.rows, dataset.skipped) == (2, 1)
    assert np.isfinite(whole(dataset)["x"].astype(float)).all()


@pytest.mark.parametrize(
    ("row", "message"),
    [("1", "expected 2 cells, found 1"), ("1,2,3", "expected 2 cells, found 3"), ('1,"2" ', "taken apart")],
)
def test_rows_with_a_wrong_number_of_cells(row: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"other,x\n0,1\n{row}\n0,0\n")
    (found,) = failure(tmp_path, "{train: {file: rows.csv}}")
    assert (found.code, str(found.where)) == ("GS634", "rows.csv:3:1")
    assert found.message.startswith("row 2 ")
    assert message in found.message
    dataset = opened(tmp_path, "{train: {file: rows.csv, bad_rows: skip}}")["train"]
    assert whole(dataset)["x"].tolist() == [1, 0]
    assert dataset.skipped == 1


ARRAYS = [
    (np.array([1.0, np.nan, 0.0]), "float64", "expected a number, found nan, which is not finite"),
    (np.array([1.0, -np.inf, 0.0]), "float32", "expected a number, found -inf, which is not finite"),
    (np.array([1.0, 1e39, 0.0]), "float32", "1e+39 does not fit float32"),
    (np.array([1.0, 0.5, 0.0]), "int64", "expected an integer, found 0.5"),
    (np.array([1.0, np.nan, 0.0]), "int64", "expected an integer, found nan, which is not finite"),
    (np.array([1, 300, 0]), "uint8", "300 does not fit uint8"),
    (np.array([1, -1, 0]), "uint64", "-1 does not fit uint64"),
    (np.array([1, 2**63, 0], "uint64"), "int64", "9223372036854775808 does not fit int64"),
    (np.array([1.0, 2.0**63, 0]), "int64", "9.223372036854776e+18 does not fit int64"),
    (np.array([1, 2, 0]), "bool", "expected true or false, found 2"),
    (np.array(["1", "b", "0"]), "float64", ""),
]


@pytest.mark.parametrize("suffix", ["npz", "parquet", "feather"])
@pytest.mark.parametrize(("array", "dtype", "message"), ARRAYS)
@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_bad_numbers_in_arrays(
    array: np.ndarray, dtype: str, message: str, suffix: str, memory: int, tmp_path: Path
) -> None:
    write(tmp_path / f"rows.{suffix}", {"other": array, "x": array})
    inputs = f"{{x: {{shape: [batch], dtype: {dtype}}}}}"
    found = failure(tmp_path, f"{{train: {{file: rows.{suffix}}}}}", inputs, memory=memory)
    if not message:
        assert found[0].message == "row 1, column 'x': expected a number, found the text '1'"
        return
    assert [(item.code, item.message) for item in found] == [("GS634", f"row 2, column 'x': {message}")]
    assert str(found[0].where) == f"rows.{suffix}:2:2"
    dataset = opened(tmp_path, f"{{train: {{file: rows.{suffix}, bad_rows: skip}}}}", inputs, memory=memory)["train"]
    assert (dataset.rows, dataset.skipped) == (2, 1)
    assert whole(dataset)["x"].tolist() == [1, 0]


def test_classes_are_suggested(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\nsetosa\nversicolour\n")
    data = "{train: {file: rows.csv, inputs: {x: {classes: [setosa, versicolor, virginica]}}}}"
    (found,) = failure(tmp_path, data, "{x: {shape: [batch], dtype: int64}}")
    words = "'versicolour' is not one of the classes setosa, versicolor, virginica: did you mean 'versicolor'?"
    assert found.message == f"row 2, column 'x': {words}"


def test_one_hot_out_of_range(tmp_path: Path) -> None:
    write(tmp_path / "rows.csv", {"x": np.array([0, 1, 3, 2])})
    data = "{train: {file: rows.csv, inputs: {x: {one_hot: 3}}%s}}"
    (found,) = failure(tmp_path, data % "", "{x: {shape: [batch, 3]}}")
    assert found.message == "row 3, column 'x': class 3 is not one of 0 to 2"
    dataset = opened(tmp_path, data % ", bad_rows: skip", "{x: {shape: [batch, 3]}}")["train"]
    assert (dataset.rows, dataset.skipped) == (3, 1)


def test_many_bad_rows_are_cut_short(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\n" + "a\n" * 100)
    found = failure(tmp_path, "{train: {file: rows.csv}}")
    assert len(found) == 20
    assert found[-1].hint.endswith("(80 more near by)")
    (empty,) = failure(tmp_path, "{train: {file: rows.csv, bad_rows: skip}}")
    assert (empty.code, "100 bad rows were skipped" in empty.message) == ("GS635", True)


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_skipped_rows_are_counted_in_their_part(memory: int, tmp_path: Path) -> None:
    rows = np.arange(1000.0)
    rows[::10] = np.nan
    write(tmp_path / "bad.parquet", {"x": rows}, row_group_size=64)
    data = "{train: {file: bad.parquet, bad_rows: skip}, split: {validation: 0.3, seed: 2}}"
    found = opened(tmp_path, data, memory=memory)
    assert sum(dataset.skipped for dataset in found.values()) == 100
    for dataset in found.values():
        assert 0 < dataset.skipped < 100
        assert dataset.rows == sum(len(batch["x"]) for batch in dataset.batches(7, seed=1))
    good = sorted(value for dataset in found.values() for value in whole(dataset)["x"].tolist())
    assert good == [value for value in range(1000) if value % 10]


def test_streams_stop_at_a_bad_row(tmp_path: Path) -> None:
    rows = np.arange(1000.0)
    rows[777] = np.nan
    write(tmp_path / "bad.parquet", {"x": rows}, row_group_size=64)
    train = opened(tmp_path, "{train: {file: bad.parquet}}", memory=0)["train"]
    with pytest.raises(FeedError) as info:
        list(train.batches(10, seed=0))
    assert str(info.value.diagnostics[0].where) == "bad.parquet:778:1"
