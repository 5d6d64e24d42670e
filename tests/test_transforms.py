"""The transforms of columns, and generated rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from data_files import opened, whole, write

VECTOR = "{x: {shape: [batch, 2]}}"

TRANSFORMS = [
    ("{columns: a, scale: 0.5, shift: 1}", "[batch]", "float64", [1.5, 2.0, 2.5]),
    ("{columns: a, scale: 2, shift: -1}", "[batch]", "int64", [1, 3, 5]),
    ("{columns: a, shift: -1, one_hot: 3}", "[batch, 3]", "float32", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    ("{columns: b, cast: int64}", "[batch]", "int64", [0, 1, -2]),
    ("{columns: b, cast: int64}", "[batch]", "float64", [0, 1, -2]),
    ("{columns: b, cast: float32}", "[batch]", "float64", [0.5, 1.5, -2.5]),
    ("{columns: c, classes: [yes, no]}", "[batch]", "int64", [0, 1, 0]),
    ("{columns: c, classes: [yes, no], one_hot: 2}", "[batch, 2]", "bool", [[1, 0], [0, 1], [1, 0]]),
    ("{columns: a, classes: [3, 2, 1.0]}", "[batch]", "uint8", [2, 1, 0]),
    ("{columns: [a, b], reshape: [2, 1]}", "[batch, 2, 1]", "float64", [[[1], [0.5]], [[2], [1.5]], [[3], [-2.5]]]),
    ("{columns: [a, a2], reshape: [-1]}", "[batch, 2]", "int32", [[1, 4], [2, 5], [3, 6]]),
    ("{columns: d, classes: [false, true]}", "[batch]", "int64", [1, 0, 1]),
    ("d", "[batch]", "bool", [True, False, True]),
    ("a", "[batch]", "complex128", [1, 2, 3]),
]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize(("written", "shape", "dtype", "expected"), TRANSFORMS)
def test_transforms(written: str, shape: str, dtype: str, expected: list[object], suffix: str, tmp_path: Path) -> None:
    columns = {
        "a": np.array([1, 2, 3]),
        "a2": np.array([4, 5, 6]),
        "b": np.array([0.5, 1.5, -2.5]),
        "c": np.array(["yes", "no", "yes"]),
        "d": np.array([True, False, True]),
    }
    write(tmp_path / f"rows.{suffix}", columns)
    data = f"{{train: {{file: rows.{suffix}, inputs: {{x: {written}}}}}}}"
    found = whole(opened(tmp_path, data, f"{{x: {{shape: {shape}, dtype: {dtype}}}}}")["train"])["x"]
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.array(expected, dtype))


def test_the_order_of_transforms_is_fixed(tmp_path: Path) -> None:
    write(tmp_path / "rows.csv", {"a": np.array([1.0, 2, 3, 4])})
    data = (
        "{train: {file: rows.csv, inputs: {x: {reshape: [1, 1], standardise: true, shift: 5, scale: 3, columns: [a]}}}}"
    )
    found = opened(tmp_path, data, "{x: {shape: [batch, 1, 1]}}")["train"]
    moved = np.array([1.0, 2, 3, 4]) * 3 + 5
    np.testing.assert_allclose(found.statistics["x.mean"], [moved.mean()])
    np.testing.assert_allclose(whole(found)["x"][:, 0, 0], (moved - moved.mean()) / moved.std())


# -- generated rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two_moons", "spirals", "sine"])
def test_generated_rows(name: str) -> None:
    columns = "[x0, x1]" if name != "sine" else "[x, y]"
    data = "{train: {generate: '%s(rows=60, seed=%d)', inputs: {x: %s}}}"
    first = whole(opened(None, data % (name, 1, columns), VECTOR)["train"])["x"]
    assert first.shape == (60, 2)
    assert np.array_equal(first, whole(opened(None, data % (name, 1, columns), VECTOR)["train"])["x"])
    assert not np.array_equal(first, whole(opened(None, data % (name, 2, columns), VECTOR)["train"])["x"])


def test_generated_formulas() -> None:
    found = whole(opened(None, "{train: {generate: 'sine(noise=0, periods=2)', inputs: {x: [x, y]}}}", VECTOR)["train"])
    np.testing.assert_allclose(found["x"][:, 1], np.sin(2 * np.pi * found["x"][:, 0]))
    inputs = "{x: {shape: [batch, 2]}, label: {shape: [batch], dtype: int64}}"
    data = "{train: {generate: two_moons(noise=0), inputs: {x: [x0, x1], label: label}}}"
    found = whole(opened(None, data, inputs)["train"])
    centre = np.where(found["label"][:, np.newaxis] == 0, [0, 0], [1, 0.5])
    np.testing.assert_allclose(np.linalg.norm(found["x"] - centre, axis=1), 1)
    assert np.bincount(found["label"]).tolist() == [200, 200]
    data = "{train: {generate: 'spirals(noise=0, classes=4)', inputs: {x: [x0, x1], label: label}}}"
    found = whole(opened(None, data, inputs)["train"])
    assert np.bincount(found["label"]).tolist() == [150] * 4
