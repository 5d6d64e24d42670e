"""Datasets: every row once per epoch, orders that are functions of the seed, splits, statistics, shapes."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from data_files import failure, opened, spec, types_of, whole, write
from hypothesis import given, settings
from hypothesis import strategies as st

from graphspec.errors import FeedError
from graphspec.loader import load_text
from graphspec.train.dataset import MemoryDataset, StreamDataset, open_datasets, open_file
from graphspec.train.order import key, permutation, scattered, share
from graphspec.train.statistics import Moments

VECTOR = "{x: {shape: [batch, 2]}}"


def numbered(rows: int) -> dict[str, np.ndarray]:
    return {"x": np.arange(float(rows))}


@pytest.fixture
def streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with 1000 rows in files that are streamed in windows of 100 rows, in blocks of 30 or 64."""
    monkeypatch.setattr("graphspec.train.dataset.WINDOW", 100 * 8)
    monkeypatch.setattr("graphspec.train.array_table._BLOCK", 64 * 8)
    monkeypatch.setattr("graphspec.train.arrow_table.PIECE", 25 * 8)
    monkeypatch.setattr("graphspec.train.table.PIECE", 17 * 8)
    write(tmp_path / "rows.npy", {"x": np.arange(1000.0)}).rename(tmp_path / "x.npy")
    write(tmp_path / "x.parquet", numbered(1000), row_group_size=30)
    write(tmp_path / "wide.parquet", numbered(1000), row_group_size=700)
    write(tmp_path / "x.feather", numbered(1000), chunksize=64)
    for i in range(4):
        columns = {"x": np.arange(250.0 * i, 250.0 * (i + 1))}
        write(tmp_path / f"part-{i}.parquet", columns, row_group_size=90)
    return tmp_path


STREAMED = ["x.npy", "x.parquet", "wide.parquet", "x.feather", "'part-*.parquet'"]


# -- order ----------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 70),
    size=st.one_of(st.none(), st.integers(1, 80)),
    first=st.integers(0, 5),
    seed=st.one_of(st.none(), st.integers(0, 2**40)),
    epoch=st.integers(0, 3),
    drop_last=st.booleans(),
)
def test_every_row_once(rows: int, size: int | None, first: int, seed: int | None, epoch: int, drop_last: bool) -> None:
    dataset = MemoryDataset({"x": np.arange(rows)}, {})
    order = np.arange(rows) if seed is None else permutation(rows, seed, epoch)
    batches = list(dataset.batches(size, seed=seed, epoch=epoch, first=first, drop_last=drop_last))
    step = rows if size is None else size
    kept = rows // step * step if drop_last else rows
    found = np.concatenate([batch["x"] for batch in batches] or [np.zeros(0, int)])
    np.testing.assert_array_equal(found, order[first * step : kept])
    assert sorted(order.tolist()) == list(range(rows))
    assert all(len(batch["x"]) == step for batch in batches[:-1])
    count = dataset.count(size, drop_last)
    assert count == len(list(dataset.batches(size, drop_last=drop_last)))


@pytest.mark.parametrize("file", STREAMED)
@pytest.mark.parametrize("size", [1, 7, 64, 100, 256, 999, 1000, 3000, None])
@pytest.mark.parametrize("seed", [None, 0, 5])
def test_streams_give_every_row_once(file: str, size: int | None, seed: int | None, streamed: Path) -> None:
    dataset = opened(streamed, f"{{train: {{file: {file}, inputs: {{x: '?'}}}}}}", "{x: {shape: [batch, 1]}}", memory=0)
    train = dataset["train"]
    assert isinstance(train, StreamDataset)
    assert (train.rows, train.count(size)) == (1000, 1 if size is None else -(-1000 // size))
    batches = list(train.batches(size, seed=seed, epoch=2))
    assert len(batches) == train.count(size)
    assert all(len(batch["x"]) == size for batch in batches[:-1])
    found = np.concatenate([batch["x"][:, 0] for batch in batches])
    expected = np.arange(1000.0)
    np.testing.assert_array_equal(found if seed is None else np.sort(found), expected)
    if seed is not None:
        assert not np.array_equal(found, expected)


@pytest.mark.parametrize("file", STREAMED)
@pytest.mark.parametrize("size", [7, 64, 250])
@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("drop_last", [False, True])
def test_streams_go_on_with_any_batch(file: str, size: int, seed: int | None, drop_last: bool, streamed: Path) -> None:
    data = f"{{train: {{file: {file}, inputs: {{x: '?'}}}}, split: {{test: 0.37}}}}"
    train = opened(streamed, data, "{x: {shape: [batch, 1]}}", memory=0)["train"]
    full = [batch["x"] for batch in train.batches(size, seed=seed, epoch=1, drop_last=drop_last)]
    assert len(full) == train.count(size, drop_last)
    for first in {0, 1, 2, len(full) // 2, len(full) - 1, len(full), len(full) + 3}:
        rest = [batch["x"] for batch in train.batches(size, seed=seed, epoch=1, first=first, drop_last=drop_last)]
        assert len(rest) == len(full[first:])
        assert all(np.array_equal(a, b) for a, b in zip(rest, full[first:], strict=True))


def test_what_comes_before_is_not_read(streamed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = opened(streamed, "{train: {file: x.npy}}", memory=0)["train"]
    assert isinstance(train, StreamDataset)
    read: list[tuple[int, int]] = []
    original = train.stream.read
    monkeypatch.setattr(train.stream, "read", lambda spans: read.extend(spans) or original(spans))
    next(train.batches(50, seed=1, first=18))
    assert sum(stop - start for start, stop in read) <= 100


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_the_order_is_a_function_of_seed_and_epoch(memory: int, streamed: Path) -> None:
    def rows(seed: int, epoch: int, size: int = 64) -> list[float]:
        train = opened(streamed, "{train: {file: x.parquet}}", memory=memory)["train"]
        return [value for batch in train.batches(size, seed=seed, epoch=epoch) for value in batch["x"].tolist()]

    orders = {(seed, epoch): rows(seed, epoch) for seed, epoch in itertools.product(range(3), range(3))}
    assert len({tuple(order) for order in orders.values()}) == 9
    assert all(orders[place] == rows(*place) for place in orders)
    assert rows(1, 1, 10) == orders[1, 1]


def test_windows_mix_blocks(streamed: Path) -> None:
    """A batch has rows from more than one block, and blocks are not visited in order."""
    train = opened(streamed, "{train: {file: x.parquet}}", memory=0)["train"]
    first, *_ = train.batches(50, seed=0)
    blocks = {int(value) // 30 for value in first["x"]}
    assert len(blocks) >= 3
    assert max(blocks) - min(blocks) > len(blocks)


def test_streams_and_memory_hold_the_same(streamed: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"a": rng.normal(size=1000), "b": rng.normal(3, 7, size=1000), "k": rng.integers(0, 4, 1000)}
    write(streamed / "all.parquet", columns, row_group_size=130)
    data = (
        "{train: {file: all.parquet, inputs: {x: {columns: [a, b], standardise: true}, k: {columns: k, one_hot: 4}}}, "
        "split: {validation: 0.3, test: 0.1, seed: 4}}"
    )
    inputs = "{x: {shape: [batch, 2], dtype: float32}, k: {shape: [batch, 4]}}"
    small = opened(streamed, data, inputs, memory=0)
    large = opened(streamed, data, inputs)
    for part in ("train", "validation", "test"):
        assert isinstance(small[part], StreamDataset)
        assert isinstance(large[part], MemoryDataset)
        assert small[part].rows == large[part].rows
        a, b = whole(small[part]), whole(large[part])
        np.testing.assert_allclose(a["x"], b["x"], rtol=1e-6)
        np.testing.assert_array_equal(a["k"], b["k"])
        for name, value in large[part].statistics.items():
            np.testing.assert_allclose(small[part].statistics[name], value, rtol=1e-13)


def test_batches_do_not_share_memory_that_changes(streamed: Path) -> None:
    train = opened(streamed, "{train: {file: x.npy}}", memory=0)["train"]
    batches = list(train.batches(30, seed=0))
    kept = [batch["x"].copy() for batch in batches]
    assert all(np.array_equal(batch["x"], copy) for batch, copy in zip(batches, kept, strict=True))
    memory = MemoryDataset({"x": np.arange(10.0)}, {})
    with pytest.raises(ValueError, match="read-only"):
        next(memory.batches(3))["x"][0] = 1


def test_numbers_of_the_order_do_not_change() -> None:
    """They are part of what a resumed training relies on, so they are fixed here, computed by hand in Python."""

    def mixed(value: int) -> int:
        mask = (1 << 64) - 1
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
        return value ^ (value >> 31)

    golden = 0x9E3779B97F4A7C15
    assert key(7) == mixed((golden + 7) % 2**64)
    assert scattered(5, 6, 11).tolist() == [mixed(mixed((5 + golden) % 2**64) ^ 11)]
    assert share("a", 0) == share("a", 0) != share("a", 1)


# -- split ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2, 3, 10, 997, 5000])
@pytest.mark.parametrize(("validation", "test"), [(0.2, 0.1), (0.5, 0.0), (0.0, 0.33), (0.49, 0.5)])
def test_shares_are_exact_and_parts_apart(rows: int, validation: float, test: float, tmp_path: Path) -> None:
    from graphspec.data_section import SplitDeclaration
    from graphspec.train.split import Split

    split = Split(SplitDeclaration(None, validation, test, 5), rows)  # type: ignore[arg-type]
    parts = split.parts(0, rows)
    assert (parts == 2).sum() == round(test * rows)
    assert (parts == 1).sum() == min(rows - round(test * rows), round(validation * rows))
    pieces = np.concatenate([split.parts(start, min(start + 7, rows)) for start in range(0, rows, 7)])
    np.testing.assert_array_equal(pieces, parts)


def test_a_split_depends_on_its_seed_alone(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", numbered(100))

    def test_rows(seed: int) -> list[float]:
        data = f"{{train: {{file: x.csv}}, split: {{test: 0.2, validation: 0.1, seed: {seed}}}}}"
        found = opened(tmp_path, data)
        rows = [value for part in found.values() for value in whole(part)["x"].tolist()]
        assert sorted(rows) == list(range(100))
        assert [part.rows for part in found.values()] == [70, 10, 20]
        return whole(found["test"])["x"].tolist()

    assert test_rows(0) == test_rows(0)
    assert len({tuple(test_rows(seed)) for seed in range(5)}) == 5


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_rows_of_one_key_stay_together_and_in_their_part(memory: int, streamed: Path) -> None:
    rng = np.random.default_rng(1)
    patients = rng.integers(0, 200, 3000)
    data = "{train: {file: k.parquet, inputs: {x: x}}, split: {validation: 0.25, test: 0.25, seed: 1, key: patient}}"

    def parts(rows: int) -> dict[int, str]:
        columns = {"x": patients[:rows].astype(float), "patient": patients[:rows]}
        write(streamed / "k.parquet", columns, row_group_size=400)
        found = opened(streamed, data, memory=memory)
        assert sum(dataset.rows or 0 for dataset in found.values()) == rows
        of: dict[int, str] = {}
        for part, dataset in found.items():
            for value in np.unique(whole(dataset)["x"]):
                assert of.setdefault(int(value), part) == part
        return of

    few, many = parts(1000), parts(3000)
    assert few.items() <= many.items()
    shares = {
        part: sum(value == part for value in many.values()) / len(many) for part in ("train", "validation", "test")
    }
    assert shares == pytest.approx({"train": 0.5, "validation": 0.25, "test": 0.25}, abs=0.08)


def test_keys_are_the_same_in_every_format(tmp_path: Path) -> None:
    keys = np.arange(60) % 20
    for suffix in ("csv", "parquet", "jsonl"):
        write(tmp_path / f"rows.{suffix}", {"x": np.arange(60.0), "k": keys})
    found = {
        suffix: whole(opened(tmp_path, f"{{train: {{file: rows.{suffix}}}, split: {{test: 0.4, key: k}}}}")["test"])
        for suffix in ("csv", "parquet", "jsonl")
    }
    assert found["csv"]["x"].tolist() == found["parquet"]["x"].tolist() == found["jsonl"]["x"].tolist()


def test_a_key_that_is_missing_or_empty(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("x,patient\n1,a\n2,\n3,c\n")
    (found,) = failure(tmp_path, "{train: {file: x.csv}, split: {test: 0.5, key: patents}}")
    assert (found.code, found.hint, str(found.where)) == ("GS631", "did you mean 'patient'?", "<text>:7:54")
    (found,) = failure(tmp_path, "{train: {file: x.csv}, split: {test: 0.5, key: patient}}")
    assert (found.code, found.message) == ("GS634", "row 2, column 'patient': expected a key, found an empty cell")


def test_a_part_without_rows(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", numbered(3))
    (found,) = failure(tmp_path, "{train: {file: x.csv}, split: {test: 0.1}}")
    assert (found.code, found.message) == ("GS635", "there are no rows for test in x.csv")


# -- statistics -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_statistics_are_those_of_the_training_part(memory: int, streamed: Path) -> None:
    rng = np.random.default_rng(2)
    columns = {"a": rng.normal(1e6, 1e-2, 1000), "b": rng.normal(size=1000), "c": np.full(1000, 3.25)}
    write(streamed / "s.parquet", {**columns, "x": np.arange(1000.0)}, row_group_size=77)
    data = (
        "{train: {file: s.parquet, inputs: {z: {columns: [a, b, c], scale: 2, shift: 1, standardise: true}, x: x}}, "
        "split: {test: 0.3}}"
    )
    found = opened(streamed, data, "{z: {shape: [batch, 3]}, x: {shape: [batch]}}", memory=memory)
    train, test = whole(found["train"]), whole(found["test"])
    rows = np.stack(list(columns.values()), axis=1) * 2 + 1
    part = rows[train["x"].astype(int)]
    np.testing.assert_allclose(found["train"].statistics["z.mean"], part.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found["train"].statistics["z.std"], part.std(axis=0), rtol=1e-9)
    std = np.where(part.std(axis=0) == 0, 1, part.std(axis=0))
    np.testing.assert_allclose(train["z"], (part - part.mean(axis=0)) / std, atol=1e-7)
    expected = (rows[test["x"].astype(int)] - part.mean(axis=0)) / std
    np.testing.assert_allclose(test["z"], expected, atol=1e-7)
    assert (train["z"][:, 2] == 0).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(0, 10**6))
def test_moments_of_pieces(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    pieces = [rng.normal(rng.normal(0, 100), 3, (length, 2)) for length in lengths]
    moments = Moments()
    for piece in pieces:
        moments.add(piece)
    rows = np.concatenate(pieces)
    if len(rows):
        np.testing.assert_allclose(moments.mean, rows.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(moments.std, rows.std(axis=0), rtol=1e-10, atol=1e-12)


def test_saved_statistics_are_used(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", numbered(4))
    data = "{train: {file: x.csv, inputs: {x: {standardise: true}}}}"
    saved = {"x.mean": np.array(1.0), "x.std": np.array(2.0)}
    found = opened(tmp_path, data, statistics=saved)["train"]
    assert whole(found)["x"].tolist() == [-0.5, 0, 0.5, 1]
    assert found.statistics == saved
    (wrong,) = failure(tmp_path, data, statistics={"x.mean": np.array(1.0)})
    assert (wrong.code, str(wrong.where)) == ("GS638", "<text>:7:38")


def test_parts_that_are_not_needed_are_not_read(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", numbered(4))
    data = "{train: {file: missing.csv}, test: {file: x.csv}}"
    assert list(opened(tmp_path, data, parts=["test"])) == ["test"]
    data = "{train: {file: missing.csv, inputs: {x: {standardise: true}}}, test: {file: x.csv}}"
    assert [found.code for found in failure(tmp_path, data, parts=["test"])] == ["GS630"]
    saved = {"x.mean": np.array(0.0), "x.std": np.array(1.0)}
    assert list(opened(tmp_path, data, parts=["test"], statistics=saved)) == ["test"]


def test_another_file_like_a_source(tmp_path: Path) -> None:
    inputs = "{x: {shape: [batch]}, label: {shape: [batch], dtype: int64}}"
    text = spec("{train: {file: a.csv, inputs: {x: {columns: height, scale: 2}, label: kind}}}", inputs)
    source = load_text(text).data_section.sources["train"]
    path = write(tmp_path / "new.csv", {"height": np.arange(3.0)})
    found = open_file(path, source, {"x": types_of(inputs)["x"]})
    assert found.names == ("x",)
    assert whole(found)["x"].tolist() == [0, 2, 4]
    with pytest.raises(FeedError) as info:
        open_file(path, source, types_of(inputs))
    assert [item.code for item in info.value.diagnostics] == ["GS631"]


# -- shapes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "shape", "message", "hint"),
    [
        ("a", "[batch, 1]", "'x' is float64[batch, 1]: column 'a' gives [batch]", "a list, [a], gives a dim of 1"),
        (
            "[a]",
            "[batch]",
            "'x' is float64[batch]: a list of 1 column (a) gives [batch, 1]",
            "without brackets, a gives",
        ),
        ("'?'", "[batch, 3]", "'x' is float64[batch, 3]: 4 columns (a, b, c, d) give [batch, 4]", ""),
        (
            "'?'",
            "[batch, 2, 2]",
            "'x' is float64[batch, 2, 2]: 4 columns (a, b, c, d) give [batch, 4]",
            "reshape: [2, 2]",
        ),
        ("a", "[]", "'x' is float64[]: column 'a' gives [batch]", "an input that data feeds has a first dim"),
        (
            "{columns: [a, b], reshape: [3]}",
            "[batch, 3]",
            "'x' is float64[batch, 3]: rows of shape [2] cannot be reshaped to [3]",
            "",
        ),
    ],
)
def test_columns_that_do_not_fit(columns: str, shape: str, message: str, hint: str, tmp_path: Path) -> None:
    write(tmp_path / "rows.csv", {name: np.arange(3.0) for name in "abcd"})
    data = f"{{train: {{file: rows.csv, inputs: {{x: {columns}}}}}}}"
    (found,) = failure(tmp_path, data, f"{{x: {{shape: {shape}}}}}")
    assert (found.code, found.message, str(found.where)) == ("GS633", message, "<text>:7:41")
    assert found.hint.startswith(hint)


def test_symbolic_dims_agree(tmp_path: Path) -> None:
    write(tmp_path / "rows.csv", {name: np.arange(3.0) for name in "abcd"})
    inputs = "{x: {shape: [batch, n]}, y: {shape: [batch, n]}}"
    assert opened(tmp_path, "{train: {file: rows.csv, inputs: {x: [a, b], y: [c, d]}}}", inputs)["train"].rows == 3
    (found,) = failure(tmp_path, "{train: {file: rows.csv, inputs: {x: [a, b], y: [c]}}}", inputs)
    assert found.code == "GS633"
    assert "dim n is 2 elsewhere and 1 here" in found.message


def test_a_source_that_feeds_nothing(tmp_path: Path) -> None:
    inputs = "{x: {shape: [batch]}, y: {value: 1, shape: []}}"
    document = load_text(spec("{train: {generate: sine, inputs: {x: x}}}", inputs))
    with pytest.raises(FeedError) as info:
        open_datasets(document.data_section, {"y": types_of(inputs)["y"]}, None)
    assert info.value.diagnostics[0].code == "GS637"
