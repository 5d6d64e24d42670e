"""What unquoted scalars mean (rule L10.1)."""

from __future__ import annotations

import pytest
import yaml

from graphspec.scalars import ambiguous
from graphspec.source import read_text


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the C parser and with the Python one."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    return str(request.param)


SCALARS = [
    *[(text, None) for text in ["null", "Null", "NULL", "~", ""]],
    *[(text, True) for text in ["true", "True", "TRUE"]],
    *[(text, False) for text in ["false", "False", "FALSE"]],
    *[
        ("0", 0),
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("-0", 0),
        ("120", 120),
        ("12345678901234567890", 12345678901234567890),
    ],
    *[
        ("1.5", 1.5),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("0.", 0.0),
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("+1.5e+3", 1500.0),
    ],
    *[("1.e2", 100.0), (".5e1", 5.0), ("0e5", 0.0), ("0.05", 0.05), ("-0.0", -0.0), ("1e308", 1e308), ("1e-400", 0.0)],
    *[
        ("'5'", "5"),
        ('"5"', "5"),
        ("'null'", "null"),
        ('"true"', "true"),
        ("''", ""),
        ('"a\\tb"', "a\tb"),
        ("'it''s'", "it's"),
    ],
    *[
        (text, text)
        for text in [
            "tRue",
            "nUll",
            "none",
            "None",
            "x",
            "x + y",
            "-x",
            "- ",
            "e5",
            "1e",
            "1.5.2",
            ".",
            "..",
            "+",
            "-",
        ][:6]
    ],
    *[
        (text, text)
        for text in ["-x", "e5", "1e", "1.5.2", ".", "..", "+", "1x", "1 2", "1,5", "+-1", "1e5.0", "inf", "nan"]
    ],
    *[
        (text, text)
        for text in ["012", "-012", "00", "08", "012.5", "00.5", "01e5", "0x1F", "-0x1F", "0o17", "0b11", "1_000"]
    ],
    *[(text, text) for text in ["1:30", "1:30.5", "190:20:30", "yes", "No", "on", "OFF", "y", "n", "2020-01-01"]],
    *[
        (text, text)
        for text in ["2001-12-14t21:59:43.10-05:00", ".inf", "-.INF", ".nan", "+.inf", "1e5x", "٣", "1_0.5"]
    ],
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalar_means(text: str, value: object, parser: str) -> None:
    data = read_text(f"k: {text}").data
    assert type(data["k"]) is type(value)
    assert str(data["k"]) == str(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("012", "YAML 1.1 reads 012 as 10, YAML 1.2 as 12"),
        ("-012", "YAML 1.1 reads -012 as -10, YAML 1.2 as -12"),
        ("08", "YAML 1.1 reads 08 as the text '08', YAML 1.2 as 8"),
        ("0_7", "YAML 1.1 reads 0_7 as 7, YAML 1.2 as the text '0_7'"),
        ("012.5", "a leading zero means octal"),
        ("0x1F", "reads 0x1F as 31"),
        ("0o17", "YAML 1.2 reads 0o17 as 15"),
        ("0b11", "YAML 1.1 reads 0b11 as 3"),
        ("1:30", "YAML 1.1 reads 1:30 as 90 (base 60)"),
        ("-1:30", "as -90 (base 60)"),
        ("1:30.5", "as 90.5 (base 60)"),
        ("1_000", "YAML 1.1 reads 1_000 as 1000"),
        ("1_000.5", "YAML 1.1 reads 1_000.5 as 1000.5"),
        ("yes", "YAML 1.1 reads yes as true"),
        ("Off", "YAML 1.1 reads Off as false"),
        ("n", "YAML 1.1 reads n as false"),
        ("2020-01-01", "as a date"),
        ("2001-12-14t21:59:43.10-05:00", "as a date"),
        ("-.inf", "reads -.inf as infinity"),
        (".NaN", "reads .NaN as not a number"),
        ("0" * 100, "readers disagree"),
    ],
)
def test_ambiguous_shows_the_readings(text: str, words: str) -> None:
    assert words in (ambiguous(text) or "")
    assert read_text(f"k: {text}").data["k"] == text


@pytest.mark.parametrize(
    "text", ["", "x", "1", "-1.5", "1e5", "x_1", "a:b", "true", "null", "yess", "0", "1_x", "_1", "1-2"]
)
def test_not_ambiguous(text: str) -> None:
    assert ambiguous(text) is None
