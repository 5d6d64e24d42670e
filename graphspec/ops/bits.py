"""Ops on the bits of integers, in two's complement; booleans have the logical ones.

Constraints of all of them: (C1) operands are integers; (C2) they share a dtype, which is that of the result; (C3)
their shapes broadcast to the shape of the result. None has a gradient: integers have none.
"""

from __future__ import annotations

from typing import Any

from graphspec.op import elementwise

# A table: each op is its name, doc and ports, then its formula.
# fmt: off

elementwise("bitwise_and", "y = the bits that are 1 in both. No gradient. Example: ``bitwise_and(flags, 1)``", "a b",
            lambda xp, a, b: xp.bitwise_and(a, b), takes="integer")
elementwise("bitwise_or", "y = the bits that are 1 in one or both. No gradient. Example: ``bitwise_or(flags, 4)``",
            "a b", lambda xp, a, b: xp.bitwise_or(a, b), takes="integer")
elementwise("bitwise_xor", "y = the bits that differ. No gradient. Example: ``bitwise_xor(a, b)``", "a b",
            lambda xp, a, b: xp.bitwise_xor(a, b), takes="integer")
elementwise("bitwise_invert", "y = each bit changed: -x - 1, or the greatest number minus x in an unsigned dtype. "
            "No gradient. Example: ``bitwise_invert(mask)``", "x",
            lambda xp, x: xp.bitwise_invert(x), takes="integer")

# fmt: on


def _outside(xp: Any, a: Any, b: Any) -> Any:
    """Return where ``b`` is no number of places that the hardware can shift ``a`` by."""
    return (b < 0) | (b >= 8 * a.dtype.itemsize)


def _left(xp: Any, a: Any, b: Any) -> Any:
    outside = _outside(xp, a, b)
    return xp.where(outside, xp.zeros_like(a), xp.bitwise_left_shift(a, xp.where(outside, xp.zeros_like(b), b)))


def _right(xp: Any, a: Any, b: Any) -> Any:
    outside = _outside(xp, a, b)
    sign = xp.where(a < 0, xp.bitwise_invert(xp.zeros_like(a)), xp.zeros_like(a))
    return xp.where(outside, sign, xp.bitwise_right_shift(a, xp.where(outside, xp.zeros_like(b), b)))


elementwise(
    "bitwise_left_shift",
    "y = a * 2**b, without the bits that are shifted out. No gradient. Special values: 0 where b is negative or at "
    "least the number of bits. Example: ``bitwise_left_shift(1, position)``",
    "a b",
    _left,
    takes="integer",
)
elementwise(
    "bitwise_right_shift",
    "y = floor(a / 2**b). No gradient. Special values: 0, or -1 where a is negative, where b is negative or at least "
    "the number of bits. Example: ``bitwise_right_shift(code, 8)``",
    "a b",
    _right,
    takes="integer",
)
