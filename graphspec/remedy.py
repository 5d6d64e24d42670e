"""What to do about a value that is not finite, judged by the op that bore it and the range of its operands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphspec.span import Span

_LARGEST_EXPONENT = {"float64": 709.78, "float32": 88.72, "bfloat16": 88.72, "float16": 11.09}


def remedy(op: str, rule: str, role: str, dtype: str, found: Span, operands: Sequence[Span]) -> str:
    """Return a hint, or nothing.

    Args:
        op: the op of the node that bore it.
        rule: in the backward pass, the op whose gradient rule emitted the node; else empty.
        role: what the node is where it is a leaf, else empty.
        dtype: its dtype.
        found, operands: what it and its operands hold.
    """
    if role:
        return _LEAVES.get(role, "")
    if rule and rule in _SLOPES and any(item.zeros or _outside(rule, item) for item in operands):
        return _SLOPES[rule]
    known = _FORWARD.get(op)
    hint = known(dtype, operands) if known is not None else ""
    return hint or _too_large(dtype, found, operands)


_LEAVES = {
    "input": "the data must be finite: look at the rows and columns it comes from",
    "parameter": (
        "an earlier update made it so, or the file it was loaded from is damaged: "
        "lower the learning rate, or clip the gradient"
    ),
    "state": "an earlier update made it so, or the file it was loaded from is damaged",
    "constant": "it is written so in the document",
    "literal": "it is written so in the document",
}

# the slope is infinite at the edge of where these are defined: the value there is finite, the gradient is not
_SLOPES = {
    "sqrt": "the slope of sqrt is infinite at 0: write sqrt(x + 1e-8), or square the rest instead",
    "rsqrt": "the slope of rsqrt is infinite at 0: write rsqrt(x + 1e-8)",
    "pow": "the slope of x ** p is infinite at 0 where p < 1: write (x + 1e-8) ** p",
    "log": "log(0) has no slope: write log(x + 1e-8), or log(where(x > 0, x, 1)) where it is masked afterwards",
    "log2": "log2(0) has no slope: write log2(x + 1e-8)",
    "log10": "log10(0) has no slope: write log10(x + 1e-8)",
    "log1p": "log1p(-1) has no slope: keep x above -1",
    "divide": "the divisor is 0: write a / (b + 1e-8), or a / where(b == 0, 1, b) where it is masked afterwards",
    "asin": "the slope of asin is infinite at -1 and 1: clip(x, -0.999999, 0.999999)",
    "acos": "the slope of acos is infinite at -1 and 1: clip(x, -0.999999, 0.999999)",
    "atanh": "the slope of atanh is infinite at -1 and 1: clip(x, -0.999999, 0.999999)",
    "acosh": "the slope of acosh is infinite at 1: keep x above 1",
}


def _outside(rule: str, item: Span) -> bool:
    return rule == "pow" and item.low is not None and item.low < 0


def _log(dtype: str, operands: Sequence[Span]) -> str:
    x = operands[0]
    if x.low is None or x.low > 0:
        return ""
    what = "0" if x.low == 0 else f"{x.low:.6g}"
    return f"log of {what}: write log(x + 1e-8); of probabilities take log_softmax or a loss that takes logits"


def _log1p(dtype: str, operands: Sequence[Span]) -> str:
    x = operands[0]
    return "" if x.low is None or x.low > -1 else f"log1p of {x.low:.6g}: keep x above -1"


def _divide(dtype: str, operands: Sequence[Span]) -> str:
    if operands[1].zeros:
        return "division by 0: write a / (b + 1e-8), or a / where(b == 0, 1, b) where it is masked afterwards"
    return ""


def _exp(dtype: str, operands: Sequence[Span]) -> str:
    limit, x = _LARGEST_EXPONENT.get(dtype), operands[0]
    if limit is None or x.high is None or x.high < limit / 2:
        return ""
    return (
        f"exp of {x.high:.6g} overflows {dtype}, whose limit is {limit:.4g}: write logsumexp, softplus, sigmoid or "
        "softmax, which do not overflow, or subtract the maximum first"
    )


def _sqrt(dtype: str, operands: Sequence[Span]) -> str:
    x = operands[0]
    if x.low is None or x.low >= 0:
        return ""
    return f"sqrt of {x.low:.6g}: write sqrt(maximum(x, 0) + 1e-8)"


def _rsqrt(dtype: str, operands: Sequence[Span]) -> str:
    x = operands[0]
    return "" if x.low is None or x.low > 0 else f"rsqrt of {x.low:.6g}: write rsqrt(x + 1e-8)"


def _pow(dtype: str, operands: Sequence[Span]) -> str:
    base, exponent = operands
    if base.low is not None and base.low < 0:
        return f"a power of {base.low:.6g} with a broken exponent is not real: take abs(x) or maximum(x, 0) first"
    if base.zeros and exponent.low is not None and exponent.low < 0:
        return "a negative power of 0: write (x + 1e-8) ** p"
    return ""


def _unit(name: str) -> Callable[[str, Sequence[Span]], str]:
    def hint(dtype: str, operands: Sequence[Span]) -> str:
        x = operands[0]
        outside = x.low is not None and x.high is not None and (x.low <= -1 or x.high >= 1)
        return f"{name} is defined between -1 and 1: clip(x, -0.999999, 0.999999)" if outside else ""

    return hint


def _too_large(dtype: str, found: Span, operands: Sequence[Span]) -> str:
    """Return the hint for what overflowed without a special reason."""
    largest = max((abs(end) for item in operands for end in (item.low, item.high) if end is not None), default=0.0)
    if not found.infinite or any(item.bad for item in operands) or largest < 1.0:
        return ""
    return (
        f"numbers as large as {largest:.3g} overflow {dtype}: lower the learning rate, clip the gradient, "
        "or give the weights smaller first values"
    )


_FORWARD: dict[str, Callable[[str, Sequence[Span]], str]] = {
    **dict.fromkeys(("log", "log2", "log10"), _log),
    "log1p": _log1p,
    **dict.fromkeys(("divide", "floor_divide", "remainder"), _divide),
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh"), _exp),
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    "pow": _pow,
    **{name: _unit(name) for name in ("asin", "acos", "atanh")},
}
