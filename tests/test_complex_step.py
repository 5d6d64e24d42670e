"""Gradients against the complex step, which has no rounding: f'(x) = imag(f(x + ih)) / h, to 1e-10.

Every differentiable op takes part, on its own samples, unless it is listed with the reason why it cannot.
Source: Squire and Trapp, Using complex variables to estimate derivatives of real functions (1998).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from samples import Sample
from test_catalogue import SMOOTH, Trial, trial

from graphspec.op import OPS
from graphspec.value import Value

STEP = 1e-30

_DECOMPOSED = "a complex matrix is decomposed with its conjugate transpose, which is no analytic function of it"
_REAL = "NumPy has it for real numbers only"
_SERIES = "the kernel computes with real numbers of double precision, by series and fractions"
_MEANT = "its gradient is on purpose not the derivative"

# The differentiable ops that do not admit the step.
EXCEPT = {
    "abs": "of a complex number it is the modulus, which is not analytic",
    "sign": "of a complex number it is x / |x|, which is not analytic",
    "slogdet": "the logarithm is that of the modulus, and the sign a phase",
    **dict.fromkeys(("cholesky", "qr", "svd", "eigh", "pinv"), _DECOMPOSED),
    **dict.fromkeys(("floor", "ceil", "trunc", "floor_divide", "remainder"), _REAL),
    **dict.fromkeys(("hypot", "logaddexp", "cbrt", "atan2", "copysign"), _REAL),
    **dict.fromkeys(("erf", "erfc", "lgamma", "digamma", "trigamma", "polygamma"), _SERIES),
    **dict.fromkeys(("stop_gradient", "scale_gradient", "clip_gradient"), _MEANT),
    **dict.fromkeys(("random_uniform", "random_normal"), "it has no operand"),
    "cast": "the result has the dtype that is asked for, which is real",
}
ADMITTED = [case for case in SMOOTH if case.values[0] not in EXCEPT]


def run(made: Trial, outputs: Sequence[Value], stepped: Value, direction: np.ndarray) -> list[np.ndarray]:
    """Return the outputs with all floats complex and one leaf moved along ``direction``."""
    arrays = {node: x.astype(complex) for node, x in made.arrays.items() if x.dtype.kind == "f"}
    arrays[stepped.id] = arrays[stepped.id] + 1j * STEP * direction
    return made.run(outputs, arrays)


def disagreements(name: str, sample: Sample) -> list[tuple[float, float]]:
    """Return the slopes by the gradient and by the step, along a random direction of each operand, where they differ."""
    made, operands, outputs = trial(name, sample)
    cts, gradients = made.pull(outputs, operands)
    random = np.random.default_rng(5)
    found = []
    for x, gradient in zip(operands, made.run(gradients), strict=True):
        direction = random.normal(size=gradient.shape)
        pairs = zip(cts, run(made, outputs, x, direction), strict=True)
        step = float(sum(np.sum(made.arrays[ct.id] * np.imag(y)) for ct, y in pairs)) / STEP
        slope = float(np.sum(gradient * direction))
        if slope != pytest.approx(step, rel=1e-10, abs=1e-12):
            found.append((slope, step))
    return found


@pytest.mark.parametrize(("name", "sample"), ADMITTED)
def test_gradients_agree_with_the_complex_step(name: str, sample: Sample) -> None:
    assert not disagreements(name, sample)


def test_every_differentiable_op_takes_part_or_is_listed() -> None:
    differentiable = {name for name in OPS if OPS[name].differentiable}
    assert {case.values[0] for case in ADMITTED} | set(EXCEPT) == differentiable
    assert len(differentiable) - len(EXCEPT) > 80


@pytest.mark.parametrize("name", EXCEPT)
def test_the_listed_do_not_admit_it(name: str) -> None:
    """One of the samples at least fails, or there is none that could be asked."""
    smooth = [case.values[1] for case in SMOOTH if case.values[0] == name]
    assert not smooth or any(refuses(name, sample) for sample in smooth)


def refuses(name: str, sample: Sample) -> bool:
    """Tell whether an op fails on complex numbers, or its result is not analytic."""
    try:
        return bool(disagreements(name, sample))
    except Exception:
        return True
