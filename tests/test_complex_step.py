"""Gradients against the complex step, which has no rounding: f'(x) = imag(f(x + ih)) / h, to 1e-10.

Source: Squire and Trapp, Using complex variables to estimate derivatives of real functions (1998).
"""

from __future__ import annotations

import numpy as np
import pytest

import graphspec.ops
from graphspec.autodiff import vjp, zeros
from graphspec.engine import numpy_engine
from graphspec.graph import Graph
from graphspec.op import OPS, attributes
from graphspec.plan import schedule
from graphspec.types import TensorType

assert graphspec.ops.__doc__  # the catalogue is filled

STEP = 1e-30
# ops whose kernels are analytic, and so take complex numbers as they are
ANALYTIC = {
    name: ({}, 1)
    for name in [
        "exp",
        "expm1",
        "log",
        "log1p",
        "log2",
        "log10",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "atanh",
        "reciprocal",
        "square",
        "negative",
        "rsqrt",
    ]
} | {
    "add": ({}, 2),
    "subtract": ({}, 2),
    "multiply": ({}, 2),
    "divide": ({}, 2),
    "pow": ({}, 2),
    "matmul": ({}, 2),
    "sum": ({"axis": 1}, 1),
    "mean": ({"axis": [0]}, 1),
    "prod": ({"axis": 1}, 1),
    "reshape": ({"shape": [9]}, 1),
    "permute_dims": ({"axis": [1, 0]}, 1),
    "concat": ({"axis": 1}, 2),
    "slice": ({"axis": [0], "start": [1], "stop": [None]}, 1),
    "cumulative_sum": ({"axis": 0}, 1),
    "solve": ({}, 2),
    "inv": ({}, 1),
    "det": ({}, 1),
    "flip": ({"axis": 0}, 1),
    "tril": ({}, 1),
}


@pytest.mark.parametrize("name", ANALYTIC)
def test_gradient(name: str) -> None:
    given, count = ANALYTIC[name]
    random = np.random.default_rng(5)
    arrays = [random.uniform(0.2, 0.8, (3, 3)) + np.eye(3) * 0.1 for _ in range(count)]
    graph = Graph()
    leaves = [graph.leaf("input", f"x{i}", TensorType("float64", (3, 3))) for i in range(count)]
    known = attributes(OPS[name])
    y = graph.apply(OPS[name](**{key: known[key].check(value) for key, value in given.items()}), *leaves)
    seed = zeros(graph, y.type) + 1
    backward = vjp(graph, {y.id: seed}, [leaf.id for leaf in leaves])
    wanted = [backward.cotangents[leaf.id].id for leaf in leaves]
    numbers = {leaf.id: array for leaf, array in zip(leaves, arrays, strict=True)}
    gradients = numpy_engine.run(schedule(graph, wanted), numbers, {})
    forward = schedule(graph, [y.id])
    for leaf, gradient in zip(leaves, gradients, strict=True):
        direction = random.normal(size=(3, 3))
        stepped = {**numbers, leaf.id: numbers[leaf.id] + 1j * STEP * direction}
        (value,) = numpy_engine.run(forward, stepped, {})
        slope = np.imag(value).sum() / STEP
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-10, abs=1e-12)
