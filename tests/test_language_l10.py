"""Rules L10.1 and L10.2: numbers and booleans in YAML, and expressions inside brackets."""

from __future__ import annotations

import math

import pytest
from rules import diagnostics, only, place, problems, program, value

import graphspec as gs

# -- L10.1 numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5", 5.0),
        ("-5", -5.0),
        ("+5", 5.0),
        ("0", 0.0),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("-2.5e+2", -250.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
        ("[1e-3, -0.0]", [0.001, -0.0]),
        ("true", True),
        ("True", True),
        ("FALSE", False),
    ],
)
def test_l10_1_the_core_schema(written: str, expected: object) -> None:
    assert value(f"inputs: {{x: {written}}}\nnodes: {{f: x}}\noutputs: f") == expected


@pytest.mark.parametrize("written", ["null", "~", "Null", "NULL", ""])
def test_l10_1_null_is_no_default(written: str) -> None:
    loaded = program(f"inputs:\n  x: {written}\nnodes: {{f: x}}\noutputs: f")
    with pytest.raises(gs.FeedError):
        loaded.run()


DISPUTED = {
    "012": ("10", "12"),
    "-012": ("-10", "-12"),
    "08": ("'08'", "8"),
    "0x1F": ("31", "decimal"),
    "0o17": ("15", "'0o17'"),
    "0b101": ("5", "'0b101'"),
    "1_000": ("1000", "'1_000'"),
    "1:30": ("90", "'1:30'"),
    "190:20:30": ("685230", "'190:20:30'"),
    "yes": ("true", "'yes'"),
    "No": ("false", "'No'"),
    "on": ("true", "'on'"),
    "OFF": ("false", "'OFF'"),
    "y": ("true", "'y'"),
    "2001-12-14": ("a date", "'2001-12-14'"),
    "2001-12-14t21:59:43.10-05:00": ("a date", "text"),
    ".inf": ("infinity", "finite"),
    "-.Inf": ("infinity", "finite"),
    ".nan": ("not a number", "finite"),
}


@pytest.mark.parametrize("written", DISPUTED)
def test_l10_1_a_disputed_number_shows_its_readings(written: str) -> None:
    found = only(f"inputs:\n  x: {written}\nnodes: {{f: x}}\noutputs: f")
    assert place(found) == ("GS106", 3, 6)
    assert f"'{written}' is not a number here" in found.message
    for reading in DISPUTED[written]:
        assert reading in found.message


SLOTS = {
    "inputs: {x: @}\nnodes: {f: x}": (2, 13),
    "inputs: {x: {value: @}}\nnodes: {f: x}": (2, 21),
    "inputs: {x: [1, @]}\nnodes: {f: x}": (2, 17),
    "inputs: {x: {optional: @}}\nnodes: {f: x}": (2, 24),
    "parameters: {w: @}\nnodes: {f: w}": (2, 17),
    "parameters: {w: {value: @}}\nnodes: {f: w}": (2, 25),
    "parameters: {w: {value: 1, trainable: @}}\nnodes: {f: w}": (2, 39),
    "state: {s: @}\nnodes: {f: s}": (2, 12),
    "constants: {c: @}\nnodes: {f: c}": (2, 16),
    "constants: {c: [[1], [@]]}\nnodes: {f: c}": (2, 23),
    "attributes: {a: {default: 1, minimum: @}}\nnodes: {f: a}": (2, 39),
    "attributes: {a: {type: integer, default: @}}\nnodes: {f: a}": (2, 42),
    "inputs: {x: [1, 2]}\nnodes:\n  f: {op: sum, inputs: x, axis: @}": (4, 33),
    "inputs: {x: [1, 2]}\nnodes:\n  f: {op: sum, inputs: x, keepdims: @}": (4, 37),
    "inputs: {x: 1}\nnodes:\n  f: {op: relu, inputs: x, repeat: @}": (4, 36),
    "inputs: {x: 1}\nnodes:\n  f: {op: add}\nedges:\n  - x -> f: {value: @}": (6, 21),
    "nodes: {f: 1 + 1}\ntests: [{rtol: @}]": (3, 16),
    "inputs: {x: {shape: [@]}}\nnodes: {f: x}": (2, 22),
}


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("written", ["012", "yes"])
def test_l10_1_in_every_slot_that_wants_a_number_or_a_boolean(slot: str, written: str) -> None:
    text = slot.replace("@", written) + "\noutputs: f"
    if "shape" in slot and written == "yes":
        assert str(program(text).inputs["x"]) == "float64[yes]"  # a dim may have this name
    else:
        assert place(only(text)) == ("GS106", *SLOTS[slot])


@pytest.mark.parametrize("written", ["yes", "on", "off", "no", "y", "n"])
def test_l10_1_where_a_name_is_wanted_they_are_names(written: str) -> None:
    assert value(f"inputs: {{{written}: 3}}\nnodes: {{f: {written} * 2}}\noutputs: f") == 6
    assert value(f"inputs: {{x: 3}}\nnodes: {{{written}: x}}\noutputs: [{written}]", written) == 3


def test_l10_1_a_date_or_an_hour_in_a_text_is_text() -> None:
    assert program("doc: 2001-12-14\nname: 1:30\nnodes: {f: 1 + 1}\noutputs: f").name == "1:30"


@pytest.mark.parametrize("written", ['"5"', "'5'"])
def test_l10_1_a_quoted_number_is_text(written: str) -> None:
    found = only(f"inputs: {{x: {written}}}\nnodes: {{f: x}}\noutputs: f")
    assert place(found) == ("GS204", 2, 14)


@pytest.mark.parametrize("written", ["1e999", "-1e400", "[1, 1e999]"])
def test_l10_1_numbers_written_in_a_file_are_finite(written: str) -> None:
    found = only(f"inputs: {{x: {written}}}\nnodes: {{f: x}}\noutputs: f")
    assert found.code == "GS107"
    assert found.where is not None
    assert found.where.line == 2
    assert "too large" in found.message


def test_l10_1_numbers_in_expressions_are_finite_too() -> None:
    found = only("inputs: {x: 1}\nnodes:\n  f: x * 1e999\noutputs: f")
    assert place(found) == ("GS209", 4, 10)


def test_l10_1_infinity_has_a_name_in_expressions() -> None:
    assert value("inputs: {x: 1}\nnodes: {f: x * inf}\noutputs: f") == math.inf
    assert math.isnan(value("inputs: {x: 1}\nnodes: {f: x * nan}\noutputs: f"))


@pytest.mark.parametrize("written", ["012", "0x1F", "1_000", "0o17", "08"])
def test_l10_1_numbers_in_expressions_are_decimal(written: str) -> None:
    found = only(f"inputs: {{x: 1}}\nnodes:\n  f: x + {written}\noutputs: f")
    assert place(found) == ("GS106", 4, 10)


def test_l10_1_a_node_that_is_a_disputed_number() -> None:
    for written in ("012", "0x1F", "1_000"):
        found = only(f"inputs: {{x: 1}}\nnodes:\n  f: {written}\noutputs: f")
        assert found.code in ("GS106", "GS209")
        assert found.where is not None
        assert (found.where.line, found.where.column) == (4, 6)


def test_l10_1_all_of_them_are_reported() -> None:
    text = "inputs: {x: 012, y: yes}\nparameters: {w: 0x10}\nnodes: {f: x + y + w}\noutputs: f"
    assert problems(text) == [("GS106", 2, 13), ("GS106", 2, 21), ("GS106", 3, 17)]


def test_l10_1_json_has_its_own_numbers() -> None:
    text = '{"graphspec": 1, "inputs": {"x": 1e2}, "nodes": {"f": "x * 2"}, "outputs": "f"}'
    assert gs.loads(text).run()["f"] == 200


# -- L10.2 expressions inside brackets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column", "quoted"),
    [
        ("nodes: {f: sum(a, axis=0)}", 2, 12, 'f: "sum(a, axis=0)"'),
        ("nodes: {g: 1 + 1, f: sum(a, axis=0), h: a}", 2, 22, 'f: "sum(a, axis=0)"'),
        ("nodes: {f: a[0]}", 2, 12, 'f: "a[0]"'),
        ("nodes: {f: a[0] + 1}", 2, 12, 'f: "a[0] + 1"'),
        ("nodes: {f: sum(a[0, 1], axis=0)}", 2, 12, 'f: "sum(a[0, 1], axis=0)"'),
        ("nodes: {f: g(a, [1, 2])}", 2, 12, 'f: "g(a, [1, 2])"'),
        ("nodes: {f: max(a, b)}", 2, 12, 'f: "max(a, b)"'),
        ("nodes:\n  f: {op: add, inputs: [max(a, b), c]}", 3, 25, '"max(a, b)"'),
        ("nodes:\n  f: {op: add, inputs: [a[0], c]}", 3, 25, '"a[0]"'),
        ("outputs: {f: sum(a, axis=0)}", 2, 14, 'f: "sum(a, axis=0)"'),
        ("updates: {s: where(a, b, c)}", 2, 14, 's: "where(a, b, c)"'),
        ("functions: {g: {nodes: {y: sum(a, axis=0)}}}", 2, 28, 'y: "sum(a, axis=0)"'),
    ],
)
def test_l10_2_an_expression_that_brackets_cut_has_its_own_message(
    text: str, line: int, column: int, quoted: str
) -> None:
    found = diagnostics(text)
    assert place(found[0]) == ("GS110", line, column)
    assert "inside { } and [ ]" in found[0].message
    assert quoted in found[0].hint
    assert {item.code for item in found} == {"GS110"}


def test_l10_2_quoted_it_is_an_expression() -> None:
    assert value("inputs: {a: [1, 2]}\nnodes: {f: 'sum(a, axis=0)', g: \"a[0] + 1\"}\noutputs: [f, g]") == 3


def test_l10_2_in_block_style_it_needs_no_quotes() -> None:
    assert value("inputs: {a: [1, 2]}\nnodes:\n  f: sum(a, axis=0)\noutputs: f") == 3


def test_l10_2_several_are_all_reported() -> None:
    text = "nodes: {f: sum(a, axis=0), g: max(a, b)}"
    assert problems(text) == [("GS110", 2, 12), ("GS110", 2, 31)]


def test_l10_2_a_comment_that_cuts_an_expression() -> None:
    found = diagnostics("nodes:\n  f: sum(a # the sum\n  g: 1\noutputs: f")
    assert found[0].code == "GS110"
    assert found[0].where is not None
    assert (found[0].where.line, found[0].where.column) == (3, 6)


@pytest.mark.parametrize(("character", "written"), [("*", "*a"), ("!", "!a"), ("%", "%a"), ("@", "@a"), ("`", "`a`")])
def test_l10_2_a_scalar_that_begins_with_a_character_of_yaml(character: str, written: str) -> None:
    found = diagnostics(f"nodes:\n  f: {written}\noutputs: f")[0]
    assert found.code in ("GS101", "GS105", "GS204")
    assert found.where is not None
    assert found.where.line == 3
    assert character in found.message or '"' in found.hint
