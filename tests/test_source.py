"""The text layer: scalars, places, refusals, limits (rules L10, design 2.7)."""

from __future__ import annotations

import cProfile
import json
import os
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from graphspec.errors import Diagnostic, SpecError
from graphspec.scalars import INTEGER_DIGITS
from graphspec.source import LIMITS, Map, Mark, Seq, read_file, read_text


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the C parser and with the Python one."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    return str(request.param)


def refusals(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as caught:
        read_text(text, "t")
    return caught.value.diagnostics


def places(text: str) -> list[tuple[str, int, int]]:
    found = refusals(text)
    assert all(d.where is not None and d.severity == "error" for d in found)
    return [(d.code, d.where.line, d.where.column) for d in found if d.where]


def test_types_and_marks(parser: str) -> None:
    text = 'é: {a: [1, "x"], b: }\n"k": \'v\'\nlist:\n- p\n-   q: |\n      text\n'
    source = read_text(text, "t")
    data = source.data
    assert data == {"é": {"a": [1, "x"], "b": None}, "k": "v", "list": ["p", {"q": "text\n"}]}
    assert (type(data), type(data["list"]), source.mark) == (Map, Seq, Mark(1, 1, "block", 0, 0))
    assert data.marks == {
        "é": Mark(1, 4, "{", 1, 1),
        "k": Mark(2, 6, "'", 2, 1),
        "list": Mark(4, 1, "block", 3, 1),
    }
    assert data["é"].marks["a"] == Mark(1, 8, "[", 1, 5)
    assert data["é"]["a"].marks == [Mark(1, 9, "", 0, 0), Mark(1, 12, '"', 0, 0)]
    assert data["list"].marks == [Mark(4, 3, "", 0, 0), Mark(5, 5, "block", 0, 0)]
    assert data["list"][1].marks["q"] == Mark(5, 8, "|", 5, 5)
    assert str(source.at_key(data.marks["k"], 3)) == "t:2:1"
    assert str(source.at_key(data["list"].marks[1])) == "t:5:5"


def test_marks_of_anchors_and_aliases(parser: str) -> None:
    source = read_text("a: &x 5\nb: &y # note\n  c: 1\nd: *x\ne: [*y]\nf: &z\n&k g: *k\n")
    data = source.data
    assert data == {"a": 5, "b": {"c": 1}, "d": 5, "e": [{"c": 1}], "f": None, "g": "g"}
    assert data.marks["a"] == Mark(1, 7, "", 1, 1)
    assert data.marks["b"] == Mark(3, 3, "block", 2, 1)
    assert data.marks["d"] == Mark(4, 4, "", 4, 1)
    assert data["e"].marks[0] == Mark(5, 5, "block", 0, 0)
    assert data.marks["g"][3:] == (7, 4)
    assert source.at(data.marks["d"], 0, 2).column == 4
    assert data["e"][0] is data["b"]


def test_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    for text in ["a: 1\r\nb: [x,\r\n y]\r\n", "a: 1\rb: [x,\r y]\r", "\ufeffa: 1\nb: [x,\n y]\n"]:
        path = tmp_path / "t.yaml"
        path.write_bytes(text.encode())
        for source in (read_text(text), read_file(path)):
            assert source.data == {"a": 1, "b": ["x", "y"]}
            assert source.data["b"].marks[1] == Mark(3, 2, "", 0, 0)
            assert source.at(source.data["b"].marks[1]).text == " y]"


REFUSED = [
    ("a: *x", [("GS101", 1, 4)], 'write a: "*x"'),
    ("f: *x + y", [("GS101", 1, 4)], 'write f: "*x + y"'),
    ("f: * x", [("GS101", 1, 4)], 'write f: "* x"'),
    ("f: @a", [("GS101", 1, 4)], 'write f: "@a"'),
    ("a: 1\nf: %x # c", [("GS101", 2, 4)], 'write f: "%x"'),
    ("f: `x", [("GS101", 1, 4)], 'write f: "`x"'),
    ("f: &", [("GS101", 1, 4)], 'write f: "&"'),
    ("f: >x", [("GS101", 1, 4)], 'write f: ">x"'),
    ("f: |x", [("GS101", 1, 4)], 'write f: "|x"'),
    ("f: - x", [("GS101", 1, 4)], 'write f: "- x"'),
    ("f: ? x", [("GS101", 1, 4)], 'write f: "? x"'),
    ("f: [a, b][0]", [("GS101", 1, 4)], 'write f: "[a, b][0]"'),
    ("a: {b: *}", [("GS101", 1, 8)], 'write "*"'),
    ("f: x: y", [("GS101", 1, 5)], 'write f: "x: y"'),
    ("f: 'x1 -> z' * d\ng: 1", [("GS101", 1, 13)], "write f: \"'x1 -> z' * d\""),
    ('f: "a" + b', [("GS101", 1, 7)], "write f: '\"a\" + b'"),
    ("f: [1, 2\ng: 3\n", [("GS101", 1, 4)], ""),
    ('f: "abc\ng: 3\n', [("GS101", 1, 4)], ""),
    ('f: "a\\d"', [("GS101", 1, 6)], "single quotes"),
    ("a:\n\tb: 1", [("GS101", 2, 1)], "use spaces"),
    ("a:\n  b: 1\n\tc: 2", [("GS101", 3, 1)], "use spaces"),
    ("a:\n  f x + y\n  g: 2\n", [("GS101", 2, 3)], ""),
    ("a: 1\n  b: 2\n", [("GS101", 2, 3)], ""),
    ("a:\n  b: 1\n c: 2\n", [("GS101", 3, 2)], ""),
    ("a:\n  - x\n  y: 2", [("GS101", 3, 3)], ""),
    ("a: 1\nfoo\n", [("GS101", 2, 1)], ""),
    ("{a: 1}}", [("GS101", 1, 7)], ""),
    ("&a [*a]", [("GS101", 1, 5)], ""),
    ("a: 1\na: 2\nb: {c: 1, c: 2}", [("GS102", 2, 1), ("GS102", 3, 11)], ""),
    ("é: 1\ne\u0301: 2", [("GS102", 2, 1)], ""),
    ("\u212a: 1\nK: 2", [("GS102", 2, 1)], ""),
    ("1: a\nnull: b\ntrue: c\n1.5: d\n[a]: e", [("GS103", line, 1) for line in range(1, 6)], ""),
    ("? {a: b}\n: c\n? [d]", [("GS103", 1, 3), ("GS103", 3, 3)], ""),
    ("a: !!python/object:x 1\nb: !x {a: 1}\n<<: {}", [("GS105", 1, 4), ("GS105", 2, 4), ("GS105", 3, 1)], ""),
    ("a: 1\n---\nb: 1", [("GS105", 2, 1)], ""),
    ("# c\n%FOO x\n---\na: 1", [("GS105", 2, 1)], ""),
    ("%TAG ! x\n---\na: 1", [("GS105", 1, 1)], ""),
    ("%YAML 2.0\n---\na: 1", [("GS105", 1, 1)], ""),
    ("a: 1e400\nb: " + "1" * (INTEGER_DIGITS + 1), [("GS107", 1, 4), ("GS107", 2, 4)], ""),
    ("a: \0", [("GS108", 1, 4)], ""),
    ("a: \ud800\nb: \x1b", [("GS108", 1, 4), ("GS108", 2, 4)], ""),
    ("a: \ufeffb", [("GS108", 1, 4)], ""),
    ("", [("GS109", 1, 1)], ""),
    (" \n# only\n", [("GS109", 1, 1)], ""),
    ("---\n", [("GS109", 1, 1)], ""),
    ("{f: sum(a, axis=0)}", [("GS110", 1, 5)], 'write f: "sum(a, axis=0)"'),
    (
        "n: {f: sum(a, axis=0), g: clip(a, 0, 1), h: x}",
        [("GS110", 1, 8), ("GS110", 1, 27)],
        'write f: "sum(a, axis=0)"',
    ),
    ("outputs: [sum(a, axis=0), b]", [("GS110", 1, 11)], 'write "sum(a, axis=0)"'),
    ("{f: sum(a[0], axis=0), g: 1}", [("GS110", 1, 5)], 'write f: "sum(a[0], axis=0)"'),
    ("{f: x[:, 1]}", [("GS110", 1, 5)], 'write f: "x[:, 1]"'),
    ("f: [0, 1)\n", [("GS110", 1, 8)], ""),
    ("f: max(a, # first\n", [("GS110", 1, 4)], ""),
    ('{"a": 1, "a": 2}', [("GS102", 1, 10)], ""),
    ('{"a":\r\n 1e400}', [("GS107", 2, 2)], ""),
    ('["\\ud800"]', [("GS108", 1, 2)], ""),
]


@pytest.mark.parametrize(("text", "expected", "hint"), REFUSED)
def test_refused(text: str, expected: list[tuple[str, int, int]], hint: str, parser: str) -> None:
    assert places(text) == expected
    assert hint in refusals(text)[0].hint


def test_a_duplicate_shows_the_first() -> None:
    (found,) = refusals("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert str(found.related[0].where) == "t:3:3"
    assert "'c'" in found.message


@pytest.mark.parametrize(
    "text", ["block.0: 1", "'1': 1", '"<<": 1', "on: 1", "012: 1", "? a\n: b", "%YAML 1.2\n---\na: 1\n..."]
)
def test_accepted_keys_and_documents(text: str, parser: str) -> None:
    assert all(type(key) is str for key in read_text(text).data)


@pytest.mark.parametrize(
    "text",
    ["{f: max(a)}", "{doc: don't (it's)}", "f: g(a,\n  b)", 'f: "max(a, # b)"', "f: x # (", "{f: 'sum(a, axis=0)'}"],
)
def test_expressions_that_are_whole(text: str, parser: str) -> None:
    assert read_text(text).data


def test_control_characters_never_reach_the_excerpt() -> None:
    assert "\x1b" not in str(refusals("a: \x1b[31m")[0])


def test_alias_bombs_are_refused_quickly(parser: str) -> None:
    names = "abcdefghij"
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for before, name in pairwise(names):
        bomb += f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    merge = bomb.replace("[", "{<<: [").replace("]", "]}")
    start = time.perf_counter()
    assert places(bomb[:500])[-1][0] == "GS104"
    assert time.perf_counter() - start < 5  # a guard against hanging
    assert {code for code, *_ in places(merge)} <= {"GS104", "GS105"}
    assert time.perf_counter() - start < 5
    assert f"{LIMITS.alias_nodes:,}" in refusals(bomb)[0].message


def test_depth(parser: str) -> None:
    deepest = LIMITS.depth
    assert read_text("[" * deepest + "]" * deepest).data
    assert read_text("".join(" " * i + "a:\n" for i in range(deepest))).data
    deep = ["[" * 100_000, "{a: " * 100_000, '{"a": ' * 100_000, "- " * 1_000]
    deep += ["".join(" " * i + "a:\n" for i in range(1_000)), "[" * (deepest + 1) + "]" * (deepest + 1)]
    start = time.perf_counter()
    for text in deep:
        assert [code for code, *_ in places(text)] == ["GS104"]
    assert len(places("? " * 100_000)) <= LIMITS.problems
    assert time.perf_counter() - start < 5


def test_depth_through_aliases() -> None:
    half = LIMITS.depth // 2 + 1
    text = f"a: &a {'[' * half}{']' * half}\nb: {'[' * half}*a{']' * half}\n"
    assert places(text)[0][:2] == ("GS104", 2)


def test_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.truncate(LIMITS.size + 1)
    with pytest.raises(SpecError, match=r"GS104 .*67,108,864"):
        read_file(path)


def calls(text: str) -> int:
    """Return how many functions are called while a text is read."""
    profile = cProfile.Profile()
    profile.runcall(read_text, text)
    return sum(entry.callcount for entry in profile.getstats())


def test_reading_is_linear() -> None:
    def text(count: int) -> str:
        return "nodes:\n" + "".join(f"  n{i}: n{i - 1} + exp(x)\n" for i in range(count))

    small = calls(text(2_000))
    assert calls(text(20_000)) < 10.5 * small


def test_many_problems_end_the_reading() -> None:
    assert len(refusals("a: 1\n" * 10_000)) == LIMITS.problems


JSON = '{\n "a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00x"],\n\t"b": {}, "c": []}'


def test_json_and_yaml_agree(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(JSON, encoding="utf-8")
    source = read_file(path, "t.json")
    assert source.data == json.loads(JSON)
    assert source.data["a"].marks[4] == Mark(2, 31, '"', 0, 0)
    assert source.at(source.data["a"].marks[4], 2).column == 50
    plain = JSON.replace("\\ud83d\\ude00", "")
    marks = [read_text(text).data["a"].marks for text in (plain, plain + " # no JSON")]
    assert marks[0] == marks[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,}', ("GS101", 1, 9)),
        ("{a: 1}", ("GS101", 1, 2)),
        ("[1, 2", ("GS101", 1, 6)),
        ("[1 2]", ("GS101", 1, 4)),
        ("[01]", ("GS101", 1, 2)),
        ("[NaN]", ("GS101", 1, 2)),
        ('{"a" 1}', ("GS101", 1, 6)),
        ("{}\n{}", ("GS101", 2, 1)),
        ("[}", ("GS101", 1, 2)),
        ('["\t"]', ("GS101", 1, 2)),
        ("graphspec: 1", ("GS101", 1, 1)),
        ('{"a": 1, "a": 2}', ("GS102", 1, 10)),
        ("", ("GS109", 1, 1)),
    ],
)
def test_json_files_are_strict(text: str, expected: tuple[str, int, int], tmp_path: Path) -> None:
    path = tmp_path / "t.JSON"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read_file(path)
    (found,) = caught.value.diagnostics
    assert found.where is not None
    assert (found.code, found.where.line, found.where.column) == expected


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec="utf-8")),
        lambda inner: st.lists(inner) | st.dictionaries(st.just("k"), inner),
    )
)
@settings(max_examples=200, deadline=None)
def test_any_json_value(value: object) -> None:
    assert read_text(json.dumps([value])).data == [value]


@given(st.text("{}[]()*&!%@`|>-?:,#'\" \t\nab1=.\\", max_size=40))
@settings(max_examples=1000, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(SpecError):
        read_text(text)
        return
    assert all(d.code.startswith("GS1") and d.where and str(d) for d in refusals(text))


def test_files(tmp_path: Path) -> None:
    (tmp_path / "circuit.yaml").write_text("a: 1", encoding="utf-8")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: caf\xe9")
    (tmp_path / "wide.yaml").write_bytes("a: 1".encode("utf-16"))
    os.mkfifo(tmp_path / "pipe.yaml")
    expected = {
        "circiut.yaml": "GS111 .*\n.*did you mean 'circuit.yaml'",
        "no/such.yaml": "GS111",
        "": "GS114 .*folder",
        "pipe.yaml": "GS114",
        "a\0b": "GS114",
        "x" * 300: "GS114",
        "latin.yaml": ":2:7: GS108 .*0xe9",
        "wide.yaml": "GS108 .*UTF-16",
    }
    for name, message in expected.items():
        with pytest.raises(SpecError, match=message):
            read_file(os.path.join(tmp_path, name))
    assert read_file(tmp_path / "circuit.yaml", "shown").file == "shown"
    assert read_file(str(tmp_path / "circuit.yaml")).data == {"a": 1}
