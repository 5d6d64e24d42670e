"""The readers: every format holds the same table; files that are not what they say are refused with their place."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from data_files import SUFFIXES, failure, opened, table, whole, write

from graphspec.errors import EngineError

COLUMNS = {
    "a": np.array([0.1, -2.5, 1e300, 3.0, 0.0]),
    "b": np.array([1, -7, 2**62, 4, 5]),
    "c": np.array([True, False, False, True, True]),
    "d": np.array([0.25, 0.5, 0.75, 1.0, 1.25], "float32"),
}
INPUTS = (
    "{a: {shape: [batch]}, b: {shape: [batch], dtype: int64}, c: {shape: [batch], dtype: bool}, "
    "d: {shape: [batch], dtype: float32}}"
)


def same(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_table(suffix: str, tmp_path: Path) -> None:
    write(tmp_path / f"rows.{suffix}", COLUMNS)
    same(whole(opened(tmp_path, f"{{train: {{file: rows.{suffix}}}}}", INPUTS)["train"]), COLUMNS)


def test_npy_files_by_column_and_alone(tmp_path: Path) -> None:
    for name, column in COLUMNS.items():
        write(tmp_path / f"{name}.npy", {name: column})
    files = ", ".join(f"{name}: {name}.npy" for name in COLUMNS)
    same(whole(opened(tmp_path, f"{{train: {{file: {{{files}}}}}}}", INPUTS)["train"]), COLUMNS)
    found = whole(opened(tmp_path, "{train: {file: a.npy}}", "{a: {shape: [batch]}}")["train"])
    same(found, {"a": COLUMNS["a"]})


@pytest.mark.parametrize("suffix", ["jsonl", "npz", "parquet", "feather", "safetensors"])
def test_cells_that_are_arrays(suffix: str, tmp_path: Path) -> None:
    rows = np.arange(12.0).reshape(4, 3)
    write(tmp_path / f"rows.{suffix}", {"x": rows})
    found = opened(tmp_path, f"{{train: {{file: rows.{suffix}}}}}", "{x: {shape: [batch, 3]}}")["train"]
    same(whole(found), {"x": rows})


def test_several_files_in_sorted_order(tmp_path: Path) -> None:
    for name, start in (("b-10.csv", 10), ("b-2.parquet", 20), ("a.csv", 0)):
        write(tmp_path / name, {"x": np.arange(start, start + 3.0)})
    found = opened(tmp_path, "{train: {file: ['b-*.csv', 'b-*.parquet', a.csv]}}")
    assert whole(found["train"])["x"].tolist() == [10, 11, 12, 20, 21, 22, 0, 1, 2]
    write(tmp_path / "b-1.csv", {"x": np.arange(30.0, 32.0)})
    found = opened(tmp_path, "{train: {file: 'b-*.csv'}}")
    assert whole(found["train"])["x"].tolist() == [30, 31, 10, 11, 12]


def test_a_pattern_without_files(tmp_path: Path) -> None:
    (found,) = failure(tmp_path, "{train: {file: 'b-*.csv'}}")
    assert found.code == "GS630"
    assert str(found.where) == "<text>:7:23"
    assert "no file matches b-*.csv" in found.message


def test_a_missing_file_is_suggested(tmp_path: Path) -> None:
    write(tmp_path / "rows.csv", {"x": np.arange(3.0)})
    (found,) = failure(tmp_path, "{train: {file: row.csv}}")
    assert (found.code, found.hint) == ("GS630", "did you mean 'rows.csv'?")
    (found,) = failure(tmp_path, "{train: {file: nowhere/row.csv}}")
    assert found.code == "GS630"
    (tmp_path / "folder.csv").mkdir()
    (found,) = failure(tmp_path, "{train: {file: folder.csv}}")
    assert (found.code, found.message) == ("GS630", "folder.csv is not a file")


def test_a_text_without_a_folder() -> None:
    (found,) = failure(None, "{train: {file: rows.csv}}")
    assert found.code == "GS630"
    assert "no folder" in found.message


# -- columns --------------------------------------------------------------------------------------------------------


def test_patterns_take_columns_in_the_order_of_the_file(tmp_path: Path) -> None:
    columns = {"p10": np.array([1.0, 2]), "label": np.array([3, 4]), "p2": np.array([5.0, 6]), "q": np.array([7.0, 8])}
    write(tmp_path / "rows.csv", columns)
    found = opened(tmp_path, "{train: {file: rows.csv, inputs: {x: [q, 'p*']}}}", "{x: {shape: [batch, 3]}}")["train"]
    assert whole(found)["x"].tolist() == [[7, 1, 5], [8, 2, 6]]
    found = opened(tmp_path, "{train: {file: rows.csv, inputs: {x: p1?}}}", "{x: {shape: [batch, 1]}}")["train"]
    assert whole(found)["x"].tolist() == [[1], [2]]


def test_columns_that_are_missing_are_all_named(tmp_path: Path) -> None:
    write(tmp_path / "rows.csv", {"height": np.arange(3.0), "weight": np.arange(3.0)})
    inputs = "{x: {shape: [batch]}, y: {shape: [batch, k]}}"
    first, second = failure(tmp_path, "{train: {file: rows.csv, inputs: {x: hieght, y: ['w?', 'z*']}}}", inputs)
    assert (first.code, first.message) == ("GS631", "rows.csv has no column 'hieght'")
    assert first.hint == "did you mean 'height', 'weight'?" or "'height'" in first.hint
    assert str(first.where) == "<text>:7:44"
    assert (second.code, second.message) == ("GS631", "rows.csv has no column 'w?'")
    (found,) = failure(tmp_path, "{train: {file: rows.csv, inputs: {x: ['*', height]}}}", "{x: {shape: [batch, 3]}}")
    assert (found.code, found.message) == ("GS631", "'x' takes column 'height' of rows.csv twice")


def test_files_that_differ_in_their_columns(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", {"x": np.arange(3.0)})
    write(tmp_path / "b.csv", {"y": np.arange(3.0)})
    (found,) = failure(tmp_path, "{train: {file: '*.csv'}}")
    assert (found.code, found.message) == ("GS631", "b.csv has no column 'x'")


def test_another_delimiter_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x;y\n1;2\n")
    (found,) = failure(tmp_path, "{train: {file: rows.csv}}")
    assert (found.code, "separated by another" in found.hint) == ("GS631", True)


# -- text -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"x,y\n1,2\n3,4\n",
        b"x,y\n1,2\n3,4",
        b"\xef\xbb\xbfx,y\r\n1,2\r\n3,4\r\n",
        b"x,y\r1,2\r3,4\r",
        b'"x","y"\n"1","2"\n"3",4\n',
        b"\n\nx,y\n\n1,2\n\n3,4\n\n",
        b"x,y\n 1,2 \n\t3,+4\n",
        b"x,y\n1.,2e0\n3.0E0,04\n",
    ],
    ids=["plain", "no last line end", "bom and crlf", "cr", "quoted", "blank lines", "spaces", "forms of numbers"],
)
def test_ways_to_write_csv(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    found = opened(tmp_path, "{train: {file: rows.csv, inputs: {x: [x, y]}}}", "{x: {shape: [batch, 2]}}")["train"]
    assert whole(found)["x"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        (b"", 1, 1, "is empty"),
        (b"\n  \n", 1, 1, "is empty"),
        (b"x,y\n1,\xff\n", 2, 3, "0xff, which is not UTF-8"),
        (b"\xff\xfex\x00,\x00", 1, 1, "UTF-16"),
        (b"x,y\n1,\0\n", 2, 3, "NUL"),
        (b"x,y,x\n1,2,3\n", 1, 1, "two columns 'x'"),
        (b"\nx,,y\n1,2,3\n", 2, 1, "column 2 of rows.csv has no name"),
    ],
)
def test_what_is_no_csv(content: bytes, line: int, column: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    (found,) = failure(tmp_path, "{train: {file: rows.csv}}")
    assert found.code == "GS632"
    assert words in found.message
    assert str(found.where) == f"rows.csv:{line}:{column}"


def test_lines_are_counted_through_quoted_line_ends(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('note,x\n"a\nb\n",1\n"c, ""d""",two\nz,3,4\n"e\nf",nan\n')
    found = failure(tmp_path, "{train: {file: rows.csv}}")
    assert [str(item.where) for item in found] == ["rows.csv:5:12", "rows.csv:6:1", "rows.csv:7:1"]
    assert [item.message for item in found] == [
        "row 2, column 'x': expected a number, found 'two'",
        "row 3 expected 2 cells, found 3",
        "row 4, column 'x': expected a number, found nan, which is not finite",
    ]
    assert str(found[0]).splitlines()[1:] == ['    5 | "c, ""d""",two', "      |            ^^^"]


def test_a_quote_that_is_not_closed(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('x\n1\n"2\n3\n')
    (found,) = failure(tmp_path, "{train: {file: rows.csv}}")
    assert (found.code, str(found.where)) == ("GS634", "rows.csv:3:1")


def test_header_only(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,y\n")
    (found,) = failure(tmp_path, "{train: {file: rows.csv}}")
    assert (found.code, found.message) == ("GS635", "there are no rows for train in rows.csv")


JSON_LINES = [
    ('{"x": 1}\n{"x": 2,}\n', 2, 9, "row 2 is not JSON"),
    ('{"x": 1}\n\n{"y": 2}\n', 3, 1, "row 2 has no key 'x'"),
    ('{"x": 1}\n[2]\n', 2, 1, "row 2 expected a JSON mapping, found [2]"),
    ('{"x": 1}\n{"x": NaN}\n', 2, 1, "row 2 is not JSON: NaN is no JSON number"),
    ('{"x": 1}\n{"x": 1, "x": 2}\n', 2, 1, "row 2 is not JSON: the key 'x' stands twice"),
    ('{"x": 1}\n{"y": 0, "x": null}\n', 2, 10, "row 2, column 'x': expected a number, found an empty cell"),
    ('{"x": 1}\n{"x": "2"}\n', 2, 2, "row 2, column 'x': expected a number, found the text '2'"),
    ('{"x": 1}\n{"x": [2]}\n', 2, 2, "row 2, column 'x': expected one number, found numbers of shape [1]"),
    ('{"x": 1}\n{"x": {"a": 1}}\n', 2, 2, "row 2, column 'x': expected a number, found a mapping"),
    ('{"x": 1}\n{"x": 1e999}\n', 2, 2, "row 2, column 'x': expected a number, found inf, which is not finite"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), JSON_LINES)
def test_bad_json_lines(text: str, line: int, column: int, message: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    (found,) = failure(tmp_path, "{train: {file: rows.jsonl}}")
    assert (found.code, str(found.where)) == ("GS634", f"rows.jsonl:{line}:{column}")
    assert found.message.startswith(message)
    dataset = opened(tmp_path, "{train: {file: rows.jsonl, bad_rows: skip}}")["train"]
    assert (dataset.rows, dataset.skipped) == (1, 1)
    assert whole(dataset)["x"].tolist() == [1]


def test_the_first_json_line_names_the_columns(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('\n{"x" 1}\n')
    (found,) = failure(tmp_path, "{train: {file: rows.jsonl}}")
    assert (found.code, str(found.where)) == ("GS632", "rows.jsonl:2:6")


# -- arrays ---------------------------------------------------------------------------------------------------------


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    objects = np.array([1, None, "x"], object)
    np.save(tmp_path / "x.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=objects)
    for suffix in ("npy", "npz"):
        (found,) = failure(tmp_path, f"{{train: {{file: x.{suffix}}}}}")
        assert (found.code, str(found.where)) == ("GS632", f"x.{suffix}:1:1")


@pytest.mark.parametrize("suffix", ["npy", "npz", "parquet", "feather", "safetensors"])
def test_damaged_files(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"x.{suffix}", {"x": np.arange(1000.0)})
    content = path.read_bytes()
    for damaged in (b"", b"nonsense", content[: len(content) // 2]):
        path.write_bytes(damaged)
        (found,) = failure(tmp_path, f"{{train: {{file: x.{suffix}}}}}")
        assert (found.code, str(found.where)) == ("GS632", f"x.{suffix}:1:1")


def test_arrays_of_different_lengths(tmp_path: Path) -> None:
    inputs = "{x: {shape: [batch]}, y: {shape: [batch]}}"
    np.savez(tmp_path / "rows.npz", x=np.arange(3.0), y=np.arange(4.0), other=np.array(5))
    (found,) = failure(tmp_path, "{train: {file: rows.npz}}", inputs)
    assert (found.code, found.message) == ("GS637", "'x' has 3 rows and 'y' has 4")
    np.save(tmp_path / "x.npy", np.arange(3.0))
    np.save(tmp_path / "y.npy", np.arange(4.0))
    (found,) = failure(tmp_path, "{train: {file: {x: x.npy, y: y.npy}}}", inputs)
    assert (found.code, found.message) == ("GS637", "'x' has 3 rows and 'y' has 4")


@pytest.mark.parametrize(
    "array", [np.asfortranarray(np.arange(12.0).reshape(4, 3)), np.arange(12.0).reshape(4, 3).astype(">f8")]
)
def test_layouts_of_npy(array: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    found = opened(tmp_path, "{train: {file: x.npy}}", "{x: {shape: [batch, 3]}}", memory=0)["train"]
    same(whole(found), {"x": np.arange(12.0).reshape(4, 3)})


# -- Arrow ----------------------------------------------------------------------------------------------------------


def test_arrow_types(tmp_path: Path) -> None:
    columns = {
        "decimal": pyarrow.array([1, 2]).cast(pyarrow.decimal128(21, 2)),
        "dictionary": pyarrow.array(["b", "a"]).dictionary_encode(),
        "half": pyarrow.array(np.array([0.5, 1], "float16")),
        "lists": pyarrow.array([[1, 2], [3, 4]]),
        "nested": pyarrow.array([[[1, 2]], [[3, 4]]]),
        "flags": pyarrow.array([True, False]),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "rows.parquet")
    inputs = (
        "{decimal: {shape: [batch]}, dictionary: {shape: [batch], dtype: int64}, half: {shape: [batch]}, "
        "lists: {shape: [batch, 2]}, nested: {shape: [batch, 1, 2]}, flags: {shape: [batch], dtype: bool}}"
    )
    data = "{train: {file: rows.parquet, inputs: {dictionary: {classes: [a, b]}, %s}}}"
    rest = ", ".join(f"{name}: {name}" for name in columns if name != "dictionary")
    found = whole(opened(tmp_path, data % rest, inputs)["train"])
    assert {name: array.tolist() for name, array in found.items()} == {
        "dictionary": [1, 0],
        "decimal": [1, 2],
        "half": [0.5, 1],
        "lists": [[1, 2], [3, 4]],
        "nested": [[[1, 2]], [[3, 4]]],
        "flags": [True, False],
    }


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_nulls_are_empty_cells(suffix: str, tmp_path: Path) -> None:
    arrays = pyarrow.table({"x": [1, None, 3, 2**60], "y": [[1.0], [2.0], None, [4.0]], "z": [0.5, 1.0, 2.0, None]})
    path = tmp_path / f"rows.{suffix}"
    pyarrow.parquet.write_table(arrays, path) if suffix == "parquet" else pyarrow.feather.write_feather(
        arrays, str(path)
    )
    inputs = "{x: {shape: [batch], dtype: int64}, y: {shape: [batch, 1]}, z: {shape: [batch]}}"
    found = failure(tmp_path, f"{{train: {{file: rows.{suffix}}}}}", inputs)
    assert [(str(item.where), item.message) for item in found] == [
        (f"rows.{suffix}:2:1", "row 2, column 'x': expected an integer, found an empty cell"),
        (f"rows.{suffix}:3:2", "row 3, column 'y': expected a number, found an empty cell"),
        (f"rows.{suffix}:4:3", "row 4, column 'z': expected a number, found an empty cell"),
    ]
    dataset = opened(tmp_path, f"{{train: {{file: rows.{suffix}, bad_rows: skip}}}}", inputs)["train"]
    assert (dataset.rows, dataset.skipped) == (1, 3)


def test_columns_of_something_else(tmp_path: Path) -> None:
    write(tmp_path / "rows.parquet", {"x": np.array(["2024-01-01"], "datetime64[D]")})
    (found,) = failure(tmp_path, "{train: {file: rows.parquet}}")
    assert found.code == "GS634"
    assert found.message.startswith("row 1, column 'x': expected a number, found date")
    np.savez(tmp_path / "rows.npz", x=np.array(["2024-01-01"], "datetime64[D]"))
    (found,) = failure(tmp_path, "{train: {file: rows.npz}}")
    assert (found.code, found.message.endswith("column 'x': expected numbers, found datetime64[D]")) == ("GS633", True)


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "rows.parquet", {"x": np.arange(3.0)})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "graphspec.train.arrow_table", raising=False)
    monkeypatch.delattr("graphspec.train.arrow_table", raising=False)
    with pytest.raises(EngineError) as info:
        opened(tmp_path, "{train: {file: rows.parquet}}")
    assert info.value.diagnostics[0].code == "GS612"
    assert info.value.diagnostics[0].hint == "pip install 'graphspec[data]'"


def test_parquet_is_written(tmp_path: Path) -> None:
    from graphspec.train.arrow_table import parquet

    (tmp_path / "rows.parquet").write_bytes(parquet(COLUMNS))
    same(whole(opened(tmp_path, "{train: {file: rows.parquet}}", INPUTS)["train"]), COLUMNS)
    assert pyarrow.parquet.read_table(tmp_path / "rows.parquet").equals(table(COLUMNS))
    assert json.loads(json.dumps(list(COLUMNS))) == ["a", "b", "c", "d"]
