"""JSON that comes back as it was written, and is refused where it is not JSON."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphspec import exact_json
from graphspec.exact_json import read_json, write_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab_$"), inner),
    max_leaves=20,
)


def bits(value: object) -> object:
    """Return a value with its floats as bytes, so that 0.0 and -0.0 differ."""
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bits(item) for item in value]
    return struct.pack("<d", value) if isinstance(value, float) else (type(value), value)


@given(VALUES)
def test_what_is_written_comes_back(value: object) -> None:
    assert bits(read_json(write_json(value).encode())) == bits(value)


def test_nan_comes_back() -> None:
    assert math.isnan(read_json(write_json({"loss": math.nan}).encode())["loss"])


def test_numbers_of_numpy_are_numbers() -> None:
    given = [np.float32(0.1), np.int64(3), np.bool_(True), np.float64("-inf"), np.array(2.5), (1, 2), np.str_("a")]
    assert read_json(write_json(given).encode()) == [float(np.float32(0.1)), 3, True, -math.inf, 2.5, [1, 2], "a"]


@pytest.mark.parametrize("value", [{1: 2}, b"x", {1, 2}, np.zeros(2), object(), [1j], {"a": {None: 1}}])
def test_what_json_has_no_place_for(value: object) -> None:
    with pytest.raises(TypeError):
        write_json(value)


def test_values_that_would_not_come_back() -> None:
    ring: list[object] = []
    ring.append(ring)
    for value in ({"$float": 1}, "\ud800", ring):
        with pytest.raises(ValueError):  # noqa: PT011
            write_json(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "{", "[1,]", "{'a': 1}", "01", "+1", ".5", "1.", "NaN", "[Infinity]", "-Infinity", "nul", "1 2"),
        *('{"a": 1, "a": 1}', '{"b": {"a": 1, "a": 2}}', '"\t"', '"\\x41"', '"\\ud800"', "1e999", "[" * 100_000),
        *('{"$float": "1"}', '{"$float": "nan", "a": 1}', '{"$float": ["nan"]}', "\ufeff{}", "9" * 5000),
    ],
)
def test_what_is_not_json(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_json(text.encode())


def test_bytes_that_are_no_text() -> None:
    for content in (b"\xff", '"ü"'.encode("latin-1"), "{}".encode("utf-16")):
        with pytest.raises(ValueError):  # noqa: PT011
            read_json(content)


def test_a_text_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_json, "LIMIT", 10)
    assert read_json(b"[1,     2]") == [1, 2]
    with pytest.raises(ValueError, match="more than the limit"):
        read_json(b"[1,      2]")
