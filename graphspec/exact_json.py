"""JSON that gives back what was written: every float to the bit; read strictly, without the places of `source`.

Non-finite floats, which JSON has no number for, are written as ``{"$float": "nan"}``, ``"inf"`` or ``"-inf"``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

LIMIT = 64 * 2**20
"""The longest text that is read, in bytes."""

_TAG = "$float"
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def write_json(value: Any) -> str:
    """Return a value as JSON on one line; mappings, lists, tuples, texts, numbers (of NumPy too), booleans and None.

    Raises:
        TypeError: something of another type, or a key that is no text.
        ValueError: the key ``$float``, half a surrogate pair, or a value inside itself.

    Example:
        >>> write_json({"best": float("inf"), "betas": (0.9, 0.999)})
        '{"best": {"$float": "inf"}, "betas": [0.9, 0.999]}'
    """
    try:
        text = json.dumps(_plain(value), allow_nan=False, ensure_ascii=False)
        text.encode()
    except RecursionError:
        raise ValueError("it holds itself, or collections too deep inside one another") from None
    return text


def read_json(content: bytes) -> Any:
    """Return the value of a text that `write_json` may have written.

    Raises:
        ValueError: it is not strict JSON in UTF-8, has a key twice in one object, or is larger than `LIMIT`.
    """
    if len(content) > LIMIT:
        raise ValueError(f"{len(content):,} bytes of JSON are more than the limit of {LIMIT:,}")
    text = content.decode()
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_finite)
        if _HALF.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("its collections are too deep inside one another") from None
    return value


def _plain(value: Any) -> Any:
    if hasattr(value, "dtype") and getattr(value, "ndim", None) == 0:  # a number of NumPy
        value = value.item()
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_TAG: str(float(value))}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if not isinstance(value, Mapping):
        raise TypeError(f"JSON has no place for a {type(value).__name__}")
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"a key must be a text, not {key!r}")
        if key == _TAG:
            raise ValueError(f"the key '{_TAG}' has a meaning of its own")
    return {key: _plain(item) for key, item in value.items()}


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is written twice")
    if _TAG in found:
        if len(found) > 1 or found[_TAG] not in list(_NON_FINITE):
            raise ValueError(f"'{_TAG}' is one of {', '.join(_NON_FINITE)}")
        return _NON_FINITE[found[_TAG]]
    return found


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is too large for a float64")
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
