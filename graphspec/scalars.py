"""What an unquoted scalar means: the YAML 1.2 core schema with decimal, finite numbers (rule L10.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

Scalar = str | int | float | bool | None

INTEGER_DIGITS = 400
"""The longest integer that may be written in a file, in digits."""

WORDS: dict[str, Scalar] = dict.fromkeys(["", "~", "null", "Null", "NULL"])
WORDS |= dict.fromkeys(["true", "True", "TRUE"], True) | dict.fromkeys(["false", "False", "FALSE"], False)
"""The plain scalars that are null or booleans."""

_WHOLE = r"(?:0|[1-9][0-9]*)"
_EXPONENT = r"(?:[eE][-+]?[0-9]+)?"
_NUMBER = re.compile(rf"[-+]?(?:({_WHOLE})|(?:\.[0-9]+|{_WHOLE}(?:\.[0-9]*)?){_EXPONENT})")


def plain_value(text: str) -> Scalar:
    """Return the value of an unquoted scalar.

    Raises:
        OverflowError: a number without a finite float, or an integer of more than `INTEGER_DIGITS` digits.
    """
    if text[:1] not in "0123456789.+-" or not text:
        return WORDS.get(text, text)
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    if number[1] is None:
        value = float(text)
        if math.isinf(value):
            raise OverflowError(f"{shortened(text)} is too large for a float64")
        return value
    if len(number[1]) > INTEGER_DIGITS:
        raise OverflowError(f"an integer of {len(number[1])} digits is too long (limit: {INTEGER_DIGITS} digits)")
    return int(text)


def ambiguous(text: str) -> str | None:
    """Return one sentence with the readings of a plain scalar that YAML readers disagree about, or None.

    It is meant for a string that stands where a number or a boolean is wanted.
    """
    for pattern, readings in _DISPUTED:
        if pattern.fullmatch(text):
            return readings(text) if len(text) <= 60 else f"YAML readers disagree about {shortened(text)}"
    return None


def shortened(text: str, width: int = 40) -> str:
    """Return the text, or its beginning and an ellipsis, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."


def _only_old(text: str, reading: object) -> str:
    return f"YAML 1.1 reads {text} as {reading}, YAML 1.2 as the text '{text}'"


def _boolean(text: str) -> str:
    return _only_old(text, "true" if text.lower() in ("y", "yes", "on") else "false")


def _leading_zero(text: str) -> str:
    digits = text.replace("_", "")
    octal = set(digits) <= set("+-01234567")
    old = str(int(digits, 8)) if octal else f"the text '{text}'"
    new = str(int(digits)) if digits == text else f"the text '{text}'"
    return f"YAML 1.1 reads {text} as {old}, YAML 1.2 as {new}"


def _leading_zero_fraction(text: str) -> str:
    return f"YAML reads {text} as {float(text)}, yet a leading zero means octal in YAML 1.1: write it without"


def _hexadecimal(text: str) -> str:
    return f"YAML reads {text} as {int(text.replace('_', ''), 16)}, yet numbers here are decimal"


def _octal(text: str) -> str:
    return f"YAML 1.2 reads {text} as {int(text, 8)}, YAML 1.1 as the text '{text}'"


def _binary(text: str) -> str:
    return _only_old(text, int(text.replace("_", ""), 2))


def _underscores(text: str) -> str:
    digits = text.replace("_", "")
    return _only_old(text, digits if re.search("[.eE]", digits) else int(digits))


def _base_sixty(text: str) -> str:
    digits = text.replace("_", "").lstrip("+-")
    value = 0.0
    for part in digits.split(":"):
        value = value * 60 + float(part)
    sign = "-" if text[0] == "-" else ""
    return _only_old(text, f"{sign}{value:.15g} (base 60)")


def _date(text: str) -> str:
    return _only_old(text, "a date")


def _not_finite(text: str) -> str:
    meaning = "not a number" if text[-1] in "nN" else "infinity"
    return f"YAML reads {text} as {meaning}, yet numbers written in a file are finite"


_DISPUTED: list[tuple[re.Pattern[str], Callable[[str], str]]] = [
    (re.compile(r"y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF"), _boolean),
    (re.compile(r"[-+]?0[0-9_]*[0-9][0-9_]*"), _leading_zero),
    (re.compile(rf"[-+]?0[0-9]+(?:\.[0-9]*)?{_EXPONENT}"), _leading_zero_fraction),
    (re.compile(r"[-+]?0x_*[0-9a-fA-F][0-9a-fA-F_]*"), _hexadecimal),
    (re.compile(r"[-+]?0o[0-7]+"), _octal),
    (re.compile(r"[-+]?0b_*[01][01_]*"), _binary),
    (re.compile(rf"(?=[^_]*_)[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?{_EXPONENT}"), _underscores),
    (re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"), _base_sixty),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9:.]*.*)?"), _date),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"), _not_finite),
]
