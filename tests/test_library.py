"""The library: against PyTorch and NumPy, derivatives of order one and two, kinks, extremes, dtypes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from graphspec import library
from graphspec.errors import SpecError
from graphspec.loader import load_document
from graphspec.program import Program, loads

FOLDER = Path(library.__file__).parent
ELEMENTWISE = ["relu", "leaky_relu", "leaky_relu:slope=0.3", "sigmoid", "softplus", "elu", "silu", "gelu"]


def program(expression: str, dtype: str = "float64", **arrays: Any) -> Program:
    """Return a program that computes ``y`` from arrays, which are the defaults of its inputs, and ``f = sum(y**2)``."""
    lines = ["graphspec: 1", f"dtype: {dtype}", "inputs:" if arrays else "inputs: {}"]
    for name, array in arrays.items():
        values = np.asarray(array)
        kind = dtype if values.dtype.kind == "f" else str(values.dtype)
        lines.append(f"  {name}: {{shape: {list(values.shape)}, dtype: {kind}, value: {values.tolist()}}}")
    lines += ["nodes:", f"  y: '{expression}'", "  f: sum(square(y))", "outputs: [y, f]", "differentiate: f"]
    return loads("\n".join(lines))


def call(name: str, *operands: str) -> str:
    """Return the call of a function that is written as its name, a colon and its attributes."""
    function, _, attributes = name.partition(":")
    return f"{function}({', '.join([*operands, attributes] if attributes else operands)})"


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


# -- the files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_files_are_checked_documents_with_docs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../../schemas/graphspec.schema.json\ngraphspec: 1\n")
    document = load_document(path)
    assert document.doc
    assert list(document.functions) == library.families()[path.stem]
    for name, function in document.functions.items():
        assert function.doc, name
        assert all(attribute.doc for attribute in function.attributes.values()), name
        assert library.find(name) is not None


def test_functions_are_defined_once() -> None:
    assert len(library.names()) == sum(len(names) for names in library.families().values())


# -- activations ------------------------------------------------------------------------------------------------------

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "leaky_relu:slope=0.3": lambda x: functional.leaky_relu(x, 0.3),
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "elu": functional.elu,
    "elu:alpha=0.5": lambda x: functional.elu(x, 0.5),
    "silu": functional.silu,
    "gelu": functional.gelu,
    'gelu:approximate="tanh"': lambda x: functional.gelu(x, approximate="tanh"),
    "softmax": lambda x: torch.softmax(x, -1),
    "softmax:axis=0": lambda x: torch.softmax(x, 0),
    "log_softmax": lambda x: torch.log_softmax(x, -1),
    "log_softmax:axis=-2": lambda x: torch.log_softmax(x, -2),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "logsumexp:axis=0": lambda x: torch.logsumexp(x, 0),
    "logsumexp:axis=-2, keepdims=true": lambda x: torch.logsumexp(x, -2, keepdim=True),
    "logsumexp:axis=null": lambda x: torch.logsumexp(x, (0, 1)),
    "logsumexp:axis=[1, 0], keepdims=true": lambda x: torch.logsumexp(x, (0, 1), keepdim=True),
    "logsumexp:axis=[]": lambda x: x * 1,
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_agree_with_torch(name: str, dtype: str) -> None:
    x = np.concatenate([numbers(3, 4), [[-1000, -30, 30, 1000]], [[0.0, 0.5, -0.5, 1.0]]])
    tensor = torch.tensor(x, dtype=getattr(torch, dtype), requires_grad=True)
    expected = ACTIVATIONS[name](tensor)
    expected.square().sum().backward()
    assert tensor.grad is not None
    result = program(call(name, "x"), dtype, x=x).backprop()
    assert result["y"].dtype == result.gradients["x"].dtype == dtype
    tolerance = {"rtol": 1e-12, "atol": 1e-15} if dtype == "float64" else {"rtol": 2e-5, "atol": 1e-6}
    np.testing.assert_allclose(result["y"], expected.detach().numpy(), **tolerance)
    np.testing.assert_allclose(result.gradients["x"], tensor.grad.numpy(), **tolerance)


def values_and_slopes(name: str, x: list[float], dtype: str = "float64") -> tuple[list[float], list[float]]:
    """Return an element-wise function of ``x`` and the gradient of the sum of its elements."""
    text = (
        f"{{graphspec: 1, dtype: {dtype}, inputs: {{x: {{shape: [n]}}}}, nodes: {{y: '{call(name, 'x')}', f: sum(y)}}, "
    )
    result = loads(text + "outputs: [y, f]}").backprop(x=x)
    return result["y"].tolist(), result.gradients["x"].tolist()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_kinks(dtype: str) -> None:
    """At 0: relu is flat, leaky_relu has the slope below, softplus and sigmoid are smooth."""
    points = [-1.0, -0.0, 0.0, 2.0]
    assert values_and_slopes("relu", points, dtype) == ([0, 0, 0, 2], [0, 0, 0, 1])
    assert values_and_slopes("leaky_relu:slope=0.25", points, dtype) == ([-0.25, 0, 0, 2], [0.25, 0.25, 0.25, 1])
    assert values_and_slopes("elu:alpha=0.25", [-0.0, 0.0, 2.0], dtype) == ([0, 0, 2], [0.25, 0.25, 1])
    assert values_and_slopes("silu", [-0.0, 0.0], dtype) == ([0, 0], [0.5, 0.5])
    assert values_and_slopes("gelu", [-0.0, 0.0], dtype) == ([0, 0], [0.5, 0.5])
    assert values_and_slopes("sigmoid", [0.0, -0.0], dtype) == ([0.5, 0.5], [0.25, 0.25])
    values, slopes = values_and_slopes("softplus", [0.0, -0.0], dtype)
    assert values == pytest.approx([math.log(2)] * 2, rel=1e-6)
    assert slopes == [0.5, 0.5]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nan_stays(name: str) -> None:
    assert math.isnan(values_and_slopes(name, [math.nan])[0][0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_extremes(dtype: str) -> None:
    far = [-math.inf, -1000.0, 1000.0, math.inf]
    assert values_and_slopes("relu", far, dtype) == ([0, 0, 1000, math.inf], [0, 0, 1, 1])
    assert values_and_slopes("elu", far, dtype) == ([-1, -1, 1000, math.inf], [0, 0, 1, 1])
    assert values_and_slopes("silu", far[1:3], dtype) == ([0, 1000], [0, 1])
    assert values_and_slopes("gelu", far[1:3], dtype) == ([0, 1000], [0, 1])
    assert values_and_slopes("sigmoid", far, dtype) == ([0, 0, 1, 1], [0, 0, 0, 0])
    assert values_and_slopes("softplus", far, dtype) == ([0, 0, 1000, math.inf], [0, 0, 1, 1])


def test_softmax_of_large_numbers() -> None:
    x = [[1000.0, 0.0, -1000.0], [1e308, 1e308, -1e308], [-math.inf, 0.0, 0.0]]
    assert program("softmax(x)", x=numbers(3, 3)).run(x=x)["y"].tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5]]
    found = program("log_softmax(x)", x=numbers(1, 3)).backprop(x=x[:1])
    assert found["y"].tolist() == [[0, -1000, -2000]]
    assert np.isfinite(found.gradients["x"]).all()


def test_logsumexp_of_infinities() -> None:
    x = [[-math.inf, -math.inf], [math.inf, 0], [-math.inf, 3], [1000, 1000], [math.inf, -math.inf], [math.nan, 0]]
    tensor = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    torch.logsumexp(tensor, -1).sum().backward()
    assert tensor.grad is not None
    text = "{graphspec: 1, inputs: {x: {shape: [n, 2]}}, nodes: {y: logsumexp(x), f: sum(y)}, outputs: [y, f]}"
    result = loads(text).backprop(x=x, of="f")
    assert result["y"][:5].tolist() == [-math.inf, math.inf, 3, 1000 + math.log(2), math.inf]
    assert math.isnan(result["y"][5])
    np.testing.assert_allclose(result.gradients["x"], tensor.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("shape", "axis"), [((0,), "-1"), ((0, 3), "0"), ((0, 3), "1"), ((2, 0), "null"), ((0,), "[]")]
)
def test_logsumexp_of_nothing(shape: tuple[int, ...], axis: str) -> None:
    """The logarithm of 0; also where the size is known only when the graph runs."""
    axes = None if axis == "null" else () if axis == "[]" else int(axis)
    expected = np.logaddexp.reduce(np.zeros(shape), axis=axes, initial=-np.inf)
    for dims in (list(shape), [f"d{i}" for i in range(len(shape))]):
        text = (
            f"{{graphspec: 1, inputs: {{x: {{shape: {dims}}}}}, nodes: {{y: 'logsumexp(x, axis={axis})', f: sum(y)}}, "
        )
        result = loads(text + "outputs: [y, f]}").backprop(x=np.zeros(shape), of="f")
        np.testing.assert_array_equal(result["y"], expected)
        assert result.gradients["x"].shape == shape


# -- losses and metrics -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["mean_squared_error", "binary_cross_entropy", "cross_entropy"])
def test_losses_agree_with_torch(name: str, reduction: str) -> None:
    x, target = numbers(2, 3, 4), np.random.default_rng(1).uniform(size=(2, 3, 4))
    tensor, other = torch.tensor(x, requires_grad=True), torch.tensor(target)
    if name == "cross_entropy":
        target = np.array([[0, 3, 1], [2, 2, 0]])
        expected = functional.cross_entropy(
            tensor.reshape(6, 4), torch.tensor(target).reshape(6), reduction=reduction
        ).reshape((2, 3) if reduction == "none" else ())
    elif name == "mean_squared_error":
        expected = functional.mse_loss(tensor, other, reduction=reduction)
    else:
        expected = functional.binary_cross_entropy_with_logits(tensor, other, reduction=reduction)
    expected.square().sum().backward()
    assert tensor.grad is not None
    result = program(f'{name}(x, t, reduction="{reduction}")', x=x, t=target).backprop(wrt="x")
    np.testing.assert_allclose(result["y"], expected.detach().numpy(), rtol=1e-13)
    np.testing.assert_allclose(result.gradients["x"], tensor.grad.numpy(), rtol=1e-12)


def test_binary_cross_entropy_of_large_logits() -> None:
    result = program('binary_cross_entropy(x, t, reduction="sum")', x=numbers(4), t=numbers(4)).backprop(
        x=[1000.0, -1000.0, 1000.0, -1000.0], t=[1.0, 0.0, 0.0, 1.0]
    )
    assert result["y"] == 2000
    assert result.gradients["x"].tolist() == [0, 0, 4000, -4000]  # of y**2


def test_binary_cross_entropy_of_probabilities() -> None:
    p, target = np.random.default_rng(2).uniform(size=(2, 5))
    tensor = torch.tensor(p, requires_grad=True)
    expected = functional.binary_cross_entropy(tensor, torch.tensor(target))
    expected.square().backward()
    assert tensor.grad is not None
    result = program("binary_cross_entropy(p, t, from_logits=false)", p=p, t=target).backprop(wrt="p")
    assert result["y"] == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(result.gradients["p"], tensor.grad.numpy(), rtol=1e-12)


def test_sure_probabilities() -> None:
    """Sure and right costs nothing, with the slope of the other side's limit; sure and wrong is infinite."""
    spec = program('binary_cross_entropy(p, t, from_logits=false, reduction="none")', p=numbers(4), t=numbers(4))
    p, target = [0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]
    assert spec.run(p=p, t=target)["y"].tolist() == [0, 0, math.inf, math.inf]
    gradient = program("binary_cross_entropy(p, t, from_logits=false)", p=numbers(2), t=numbers(2))
    assert np.isfinite(gradient.backprop(p=[0.0, 1.0], t=[0.0, 1.0]).gradients["p"]).all()


def test_cross_entropy_of_one_row_and_of_large_logits() -> None:
    result = program("cross_entropy(x, k)", x=numbers(3), k=np.array(2)).backprop(x=[1000.0, 0.0, -1000.0], wrt="x")
    assert result["y"] == 2000
    assert result.gradients["x"].tolist() == [4000, 0, -4000]


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_labels_of_any_integer_dtype(dtype: str) -> None:
    labels, logits = np.array([1, 0], dtype=dtype), np.array([[0.0, 0.0], [math.log(3), 0.0]])
    spec = program("cross_entropy(x, k) + accuracy(x, k)", x=logits, k=labels)
    assert spec.run()["y"] == pytest.approx((math.log(2) + math.log(4 / 3)) / 2 + 0.5)


def test_accuracy_is_the_share_of_right_rows() -> None:
    logits = [[[0, 1, 2], [5, 1, 1]], [[1, 2, 2], [0, 0, 0]]]
    result = program("accuracy(x, k)", "float32", x=np.array(logits, dtype=float), k=np.array([[2, 0], [2, 0]])).run()
    assert result["y"] == 0.75
    assert result["y"].dtype == "float32"


@pytest.mark.parametrize("name", ["mean_squared_error", "binary_cross_entropy"])
def test_losses_never_broadcast(name: str) -> None:
    with pytest.raises(SpecError) as info:
        program(f"{name}(x, t)", x=numbers(4, 1), t=numbers(4))
    assert [found.code for found in info.value.diagnostics] == ["GS403"]


@pytest.mark.parametrize(
    ("label", "code", "said"),
    [
        ("short", "GS403", ["[4]", "[3]", "short", "x"]),
        ("p[0]", "GS403", ["[4]", "[6]", "x"]),
        ("p[:, 1:]", "GS403", ["[4]", "[4, 5]", "x"]),
        ("narrow", "GS401", ["float64[4, 6]", "float32[4, 6]", "narrow", "x"]),
        ("one_hot", "GS401", ["float64[4, 6]", "int64[4, 6]", "one_hot", "x"]),
        ("2", "GS403", ["[4]", "[]", "x"]),
        ("2.5", "GS403", ["[4]", "[]", "x"]),
        ("true", "GS403", ["[4]", "[]", "x"]),
    ],
)
def test_labels_that_do_not_fit(label: str, code: str, said: list[str]) -> None:
    """The diagnostic names both operands and leads to the call."""
    text = f"""
graphspec: 1
inputs:
  x: {{shape: [4, 6]}}
  p: {{shape: [4, 6]}}
  short: {{shape: [3], dtype: int64}}
  narrow: {{shape: [4, 6], dtype: float32}}
  one_hot: {{shape: [4, 6], dtype: int64}}
nodes: {{y: 'cross_entropy(x, {label})'}}
outputs: y
"""
    with pytest.raises(SpecError) as info:
        loads(text)
    found = info.value.diagnostics[0]
    called = found.related[-1].where
    assert called is not None
    assert (found.code, called.line) == (code, 9)
    shown = "\n".join([found.message, *(item.message for item in found.related)])
    assert all(words in shown for words in said)


# -- layers -----------------------------------------------------------------------------------------------------------


def test_linear_agrees_with_torch() -> None:
    x = numbers(2, 5, 3)
    spec = program("linear(x, units=4)", x=x)
    assert {path: array.shape for path, array in spec.parameters.items()} == {"y.weight": (3, 4), "y.bias": (4,)}
    weight, bias = numbers(3, 4, seed=1), numbers(4, seed=2)
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, weight.T.copy(), bias)]
    functional.linear(*tensors).square().sum().backward()
    gradients = spec.backprop({"y.weight": weight, "y.bias": bias}).gradients
    expected = [tensor.grad.numpy() for tensor in tensors if tensor.grad is not None]
    np.testing.assert_allclose(gradients["x"], expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradients["y.weight"], expected[1].T, rtol=1e-12)
    np.testing.assert_allclose(gradients["y.bias"], expected[2], rtol=1e-12)


def test_linear_without_bias_has_no_bias() -> None:
    assert list(program("linear(x, units=4, use_bias=false)", x=numbers(3)).parameters) == ["y.weight"]


def test_linear_begins_with_glorot_and_zeros() -> None:
    found = program("linear(x, units=50)", "float32", x=numbers(30)).parameters
    limit = math.sqrt(6 / 80)
    assert found["y.weight"].dtype == found["y.bias"].dtype == "float32"
    assert 0.9 * limit < np.abs(found["y.weight"]).max() <= limit
    assert not found["y.bias"].any()


def test_linear_checks_the_shape_of_a_weight_that_is_passed_in() -> None:
    with pytest.raises(SpecError, match="GS402"):
        program("linear(x, units=4, weight=w)", x=numbers(3), w=numbers(4, 4))


@pytest.mark.parametrize("shape", [(), (4,)])
def test_neuron_weighs_and_sums(shape: tuple[int, ...]) -> None:
    a, b, c = (numbers(*shape, seed=seed) for seed in range(3))
    feeds = {"y.weight": [1.0, -2.0, 0.5], "y.bias": 0.25}
    z = a - 2 * b + 0.5 * c + 0.25
    sigmoid = program("neuron(a, b, c)", a=a, b=b, c=c).run(feeds)["y"]
    np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-z)), rtol=1e-13)
    tanh = program("neuron(a, b, c, activation=tanh)", a=a, b=b, c=c).run(feeds)["y"]
    np.testing.assert_allclose(tanh, np.tanh(z), rtol=1e-13)
    assert program("neuron(a)", a=a).parameters["y.weight"].shape == (1,)


def test_dropout_is_the_identity_outside_training() -> None:
    x = numbers(3, 4)
    result = program("dropout(x)", x=x).backprop()
    assert np.array_equal(result["y"], x)
    assert np.array_equal(result.gradients["x"], 2 * x)


@pytest.mark.parametrize("rate", [0, 0.25, 0.9, 1])
def test_dropout_drops_a_share_and_scales_the_rest(rate: float) -> None:
    spec = program(f"dropout(x, rate={rate}, training=true)", x=np.ones((100, 50)))
    result = spec.backprop()
    kept = result["y"] != 0
    assert kept.mean() == pytest.approx(1 - rate, abs=0.03)
    assert result["y"][kept] == pytest.approx(1 / (1 - rate) if rate < 1 else 1)
    assert np.array_equal(result.gradients["x"], 2 * result["y"] * (1 / (1 - rate) if rate < 1 else 1))
    assert np.array_equal(spec.run()["y"], result["y"])
    if 0 < rate < 1:
        assert not np.array_equal(spec.run(seed=1)["y"], result["y"])


def test_two_dropouts_differ() -> None:
    y = program("dropout(x, training=true) - dropout(x, training=true)", x=np.ones(100)).run()["y"]
    assert y.any()


def test_dropout_follows_the_training_of_its_document() -> None:
    text = "{graphspec: 1, dtype: float32, inputs: {x: {shape: [n]}}, nodes: {y: dropout(x)}, outputs: y}"
    y = loads(text, attributes={"training": True}).run(x=[1.0] * 100)["y"]
    assert set(y.tolist()) == {0, 2}
    assert y.dtype == "float32"


# -- derivatives ------------------------------------------------------------------------------------------------------

SMOOTH = [
    *(call(name, "p") for name in ACTIVATIONS),
    "linear(p, units=2)",
    "neuron(p[0], p[1], p[2])",
    "dropout(p, training=true)",
    "mean_squared_error(p, sin(p))",
    "binary_cross_entropy(p, sigmoid(p))",
    "binary_cross_entropy(sigmoid(p), cos(p), from_logits=false)",
    'cross_entropy(p, argmax(p, axis=-1), reduction="sum")',
    "cross_entropy(p, softmax(sin(p)), label_smoothing=0.1)",
]


@pytest.mark.parametrize("expression", SMOOTH)
def test_derivatives_of_order_one_and_two(expression: str) -> None:
    """Along a line, against central differences of the value and of the first derivative."""
    text = f"""
graphspec: 1
inputs: {{t: 0, x: {numbers(3, 4).tolist()}, v: {numbers(3, 4, seed=1).tolist()}}}
nodes: {{p: x + t * v, y: '{expression}', f: sum(sin(y))}}
outputs: f
"""
    value = loads(text)
    first = value.gradient(wrt="t")
    second = first.gradient(of="d_t", wrt="t")
    step = 1e-5

    def difference(run: Program, output: str) -> float:
        return (run.run(t=step)[output].item() - run.run(t=-step)[output].item()) / (2 * step)

    assert first.run()["d_t"].item() == pytest.approx(difference(value, "f"), rel=1e-7, abs=1e-9)
    (bend,) = second.run().outputs.values()
    assert bend.item() == pytest.approx(difference(first, "d_t"), rel=1e-6, abs=1e-8)


def test_softplus_and_sigmoid_bend_rightly_at_zero() -> None:
    """softplus'' = 1/4 and softplus''' = 0 at 0, though it is written with cases there."""
    program = loads("{graphspec: 1, inputs: {x: 0}, nodes: {f: softplus(x)}, outputs: f}")
    found = []
    for order in range(3):
        name = "f" if order == 0 else next(iter(program.outputs))
        program = program.gradient(of=name, wrt="x")
        found += [array.item() for array in program.run().outputs.values()]
    assert found == pytest.approx([0.5, 0.25, 0], abs=1e-15)
