"""Where each character of a scalar was written."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from graphspec.source import Source, read_text


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the C parser and with the Python one."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    return str(request.param)


OFFSETS = [
    ("f: é + b", 4, "t:1:8"),
    ("f: 'it''s + b'", 7, "t:1:13"),
    ('f: "a\\tb + \\u00e9c"', 7, "t:1:18"),
    ('f: "\\x41\\U0001F600c"', 2, "t:1:19"),
    ('f: "a \\\n   b + c"', 2, "t:2:4"),
    ('f: "a\n\n   b + c"', 2, "t:3:4"),
    ("f: a +\n   b\n   + c\n", 6, "t:3:4"),
    ("f: 'a\n\n\n  b'\n", 3, "t:4:3"),
    ("f: a\n\n  b", 2, "t:3:3"),
    ("f: |\n  a +\n    b\n  c", 6, "t:3:5"),
    ("f: |-\n\n  a\n  b", 3, "t:4:3"),
    ("f: >\n  a +\n  b\n", 4, "t:3:3"),
    ("f: >-\n  a\n\n  b\n\n\n  c\n", 5, "t:7:3"),
    ("f: >\n  a\n    b\n  c\n", 6, "t:4:3"),
    ("f: |2\n    a\n   b\n", 5, "t:3:4"),
    ("x:\n  f: |1\n     a\n", 2, "t:3:6"),
    ("f: a\r\n  b", 2, "t:2:3"),
    ("f: >\r\n  a\r\n  b\r\n", 2, "t:3:3"),
]


@pytest.mark.parametrize(("text", "offset", "place"), OFFSETS)
def test_offset_in_a_scalar(text: str, offset: int, place: str, parser: str) -> None:
    source = read_text(text, "t")
    data = source.data.get("x", source.data)
    where = source.at(data.marks["f"], offset)
    assert str(where) == place
    assert where.text is not None
    assert where.text[where.column - 1] == data["f"][offset]


def test_length_spans_escapes_and_is_clipped() -> None:
    source = read_text('f: "a\\tb" # c\ng: [x,\n  y]\nh: a\n  b\n', "t")
    assert source.at(source.data.marks["f"], 0, 3).length == 4
    assert source.at(source.data.marks["g"], 0, 50).length == 3
    assert source.at(source.data.marks["h"], 0, 3).length == 1
    assert source.at(source.data.marks["h"], 100, 3).line == 6
    assert read_text("a:").data.marks["a"][:2] == (1, 3)


WORDS = st.lists(
    st.sampled_from(["a", "b1", "x[0]", "+", "*", "é", "it's", "\\", '"', "😀", "long_name", "->"]), min_size=1
)


def check_offsets(source: Source, value: str) -> None:
    if not isinstance(source.data["k"], str):
        return
    assert source.data["k"] == value
    for offset, character in enumerate(value):
        where = source.at(source.data.marks["k"], offset)
        written = (where.text or "")[where.column - 1 :]
        if not character.isspace():
            assert written[0] in (character, "\\")


@given(WORDS, st.sampled_from(["|", ">", "'", '"', None]), st.integers(10, 30))
@settings(max_examples=300, deadline=None)
def test_offsets_of_any_scalar(words: list[str], style: str | None, width: int) -> None:
    value = " ".join(words)
    text = yaml.dump({"k": value}, default_style=style, width=width, allow_unicode=True)
    check_offsets(read_text(text), value)


@given(
    st.lists(st.sampled_from(["a + b", "", "c", "  d", "e  f", "\tg"]), min_size=1, max_size=8), st.sampled_from("|>")
)
@settings(max_examples=300, deadline=None)
def test_offsets_of_any_block(lines: list[str], style: str) -> None:
    text = f"k: {style}2\n" + "".join(f"  {line}\n" if line else "\n" for line in lines)
    value = yaml.safe_load(text)["k"]
    check_offsets(read_text(text), value)
