"""Library functions against PyTorch: forward and gradient in float64, to 1e-10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from test_library import program
from torch.nn import functional as F

from graphspec.errors import SpecError
from graphspec.program import loads

RANDOM = np.random.default_rng(3)
A, B, C = (RANDOM.normal(size=(4, 6)) for _ in range(3))
LABEL = np.array([0, 5, 2, 2])
SIGN = np.array([1.0, -1.0, -1.0, 1.0])
P = RANDOM.dirichlet(np.ones(6), size=4)
IMAGE = RANDOM.normal(size=(2, 4, 6, 6))
OBLONG = RANDOM.normal(size=(2, 3, 7, 5))
HEADS = [RANDOM.normal(size=(2, n, 5, 4)) for n in (4, 2, 2)]
MASK = np.tril(np.ones((5, 5), dtype=bool))
W = RANDOM.uniform(0.5, 2, size=6)

CONSTANT = ("s", "w")  # signs and class weights, which PyTorch does not differentiate

CASES: dict[str, tuple[str, dict[str, Any], Callable[..., torch.Tensor]]] = {
    "relu6": ("relu6(a * 4)", {"a": A}, lambda a: F.relu6(a * 4)),
    "prelu": ("prelu(a)", {"a": A}, lambda a: F.prelu(a, torch.tensor([0.25], dtype=a.dtype))),
    "selu": ("selu(a)", {"a": A}, F.selu),
    "celu": ("celu(a, alpha=0.5)", {"a": A}, lambda a: F.celu(a, 0.5)),
    "mish": ("mish(a)", {"a": A}, F.mish),
    "softsign": ("softsign(a)", {"a": A}, F.softsign),
    "hard_sigmoid": ("hard_sigmoid(a * 3)", {"a": A}, lambda a: (a * 3 / 6 + 0.5).clamp(0, 1)),
    "hard_swish": ("hard_swish(a * 3)", {"a": A}, lambda a: F.hardswish(a * 3)),
    "hard_tanh": ("hard_tanh(a * 2, low=-0.5)", {"a": A}, lambda a: F.hardtanh(a * 2, -0.5, 1.0)),
    "logit": ("logit(a)", {"a": P}, torch.logit),
    "glu": ("glu(a)", {"a": A}, F.glu),
    "swiglu": ("swiglu(a)", {"a": A}, lambda a: F.silu(a[:, :3]) * a[:, 3:]),
    "softmin": ("softmin(a, axis=0)", {"a": A}, lambda a: F.softmin(a, dim=0)),
    "threshold": ("threshold(a, level=0.1, value=7)", {"a": A}, lambda a: F.threshold(a, 0.1, 7.0)),
    "mean_absolute_error": ("mean_absolute_error(a, b)", {"a": A, "b": B}, F.l1_loss),
    "huber": ("huber(a, b, delta=0.7)", {"a": A, "b": B}, lambda a, b: F.huber_loss(a, b, delta=0.7)),
    "smooth_l1": ("smooth_l1(a, b, beta=0.7)", {"a": A, "b": B}, lambda a, b: F.smooth_l1_loss(a, b, beta=0.7)),
    "negative_log_likelihood": (
        "negative_log_likelihood(a, label)",
        {"a": A, "label": LABEL},
        lambda a, label: F.nll_loss(a, label),
    ),
    "kl_divergence": ("kl_divergence(a, b)", {"a": A, "b": P}, lambda a, b: (b * (b.log() - a)).mean()),
    "hinge": ("hinge(a, b)", {"a": A, "b": np.sign(B)}, lambda a, b: torch.clamp(1 - a * b, min=0).mean()),
    "cosine_embedding": (
        "cosine_embedding(a, b, s, margin=0.1)",
        {"a": A, "b": B, "s": SIGN},
        lambda a, b, s: F.cosine_embedding_loss(a, b, s, margin=0.1),
    ),
    "triplet_margin": ("triplet_margin(a, b, c)", {"a": A, "b": B, "c": C}, F.triplet_margin_loss),
    "poisson_nll": ("poisson_nll(a, b)", {"a": A, "b": P}, F.poisson_nll_loss),
    "gaussian_nll": ("gaussian_nll(a, b, c)", {"a": A, "b": B, "c": P}, F.gaussian_nll_loss),
    "cross_entropy_probabilities": ("cross_entropy(a, b)", {"a": A, "b": P}, F.cross_entropy),
    "cross_entropy_weight": (
        "cross_entropy(a, label, weight=w)",
        {"a": A, "label": LABEL, "w": W},
        lambda a, label, w: F.cross_entropy(a, label, weight=w),
    ),
    "cross_entropy_smoothing": (
        "cross_entropy(a, label, label_smoothing=0.2)",
        {"a": A, "label": LABEL},
        lambda a, label: F.cross_entropy(a, label, label_smoothing=0.2),
    ),
    "cross_entropy_smoothing_weight": (
        "cross_entropy(a, label, weight=w, label_smoothing=0.2)",
        {"a": A, "label": LABEL, "w": W},
        lambda a, label, w: F.cross_entropy(a, label, weight=w, label_smoothing=0.2),
    ),
    "cross_entropy_ignore": (
        "cross_entropy(a, label, ignore_index=2)",
        {"a": A, "label": LABEL},
        lambda a, label: F.cross_entropy(a, label, ignore_index=2),
    ),
    "cross_entropy_sum": (
        'cross_entropy(a, label, reduction="sum")',
        {"a": A, "label": LABEL},
        lambda a, label: F.cross_entropy(a, label, reduction="sum"),
    ),
    "var": ("var(a, axis=0, correction=1)", {"a": A}, lambda a: a.var(dim=0)),
    "std": ("std(a, axis=-1, keepdims=true)", {"a": A}, lambda a: a.std(dim=-1, correction=0, keepdim=True)),
    "layer_norm": ("layer_norm(a)", {"a": A}, lambda a: F.layer_norm(a, (6,))),
    "rms_norm": ("rms_norm(a)", {"a": A}, lambda a: F.rms_norm(a, (6,), eps=1e-6)),
    "group_norm": ("group_norm(x, groups=2)", {"x": IMAGE}, lambda x: F.group_norm(x, 2)),
    "instance_norm": ("instance_norm(x)", {"x": IMAGE}, F.instance_norm),
    "batch_norm": ("batch_norm(x, training=true)", {"x": IMAGE}, lambda x: F.batch_norm(x, None, None, training=True)),
    "local_response_norm": ("local_response_norm(x, size=3)", {"x": IMAGE}, lambda x: F.local_response_norm(x, 3)),
    "global_average_pool": ("global_average_pool(x)", {"x": IMAGE}, lambda x: x.mean(dim=(2, 3))),
    "global_max_pool": ("global_max_pool(x)", {"x": IMAGE}, lambda x: x.amax(dim=(2, 3))),
    "adaptive_average_pool": (
        "adaptive_average_pool(x, rows=2, columns=3)",
        {"x": IMAGE},
        lambda x: F.adaptive_avg_pool2d(x, (2, 3)),
    ),
    "adaptive_max_pool": (
        "adaptive_max_pool(x, rows=3, columns=2)",
        {"x": IMAGE},
        lambda x: F.adaptive_max_pool2d(x, (3, 2)),
    ),
    "flatten": ("flatten(x)", {"x": IMAGE}, lambda x: x.flatten(1)),
    "pixel_shuffle": ("pixel_shuffle(x, factor=2)", {"x": IMAGE}, lambda x: F.pixel_shuffle(x, 2)),
    "attention": (
        "scaled_dot_product_attention(q, k, v)",
        {"q": HEADS[0], "k": HEADS[1], "v": HEADS[2]},
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
    ),
    "attention_causal": (
        "scaled_dot_product_attention(q, k, v, causal=true)",
        {"q": HEADS[0], "k": HEADS[1], "v": HEADS[2]},
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True),
    ),
    "attention_mask": (
        "scaled_dot_product_attention(q, q, q, mask=m)",
        {"q": HEADS[0], "m": MASK},
        lambda q, m: F.scaled_dot_product_attention(q, q, q, attn_mask=m),
    ),
    "weight_norm": ("weight_norm(a)", {"a": A}, lambda a: a / a.norm(dim=1, keepdim=True)),
}
CASES |= {
    f"adaptive_{name}_pool_{rows}_{columns}": (
        f"adaptive_{name}_pool(x, rows={rows}, columns={columns})",
        {"x": OBLONG},
        lambda x, pool=pool, size=(rows, columns): pool(x, size),
    )
    for name, pool in (("average", F.adaptive_avg_pool2d), ("max", F.adaptive_max_pool2d))
    for rows, columns in ((3, 2), (3, 4), (5, 7), (9, 8), (7, 1), (1, 5), (1, 1))
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("given", [{}, {"weight": W}])
@pytest.mark.parametrize("smoothing", [0, 0.3])
@pytest.mark.parametrize("target", [LABEL, LABEL.astype("int32"), P, 2 * P])
def test_cross_entropy_is_pytorchs(
    target: np.ndarray, smoothing: float, given: dict[str, np.ndarray], reduction: str
) -> None:
    """Integers and probabilities, also those that do not sum to 1, with and without what else may be given."""
    integers = target.dtype.kind == "i"
    ignored = ", ignore_index=2" if integers else ""
    weight = ", weight=weight" if given else ""
    attributes = f'reduction="{reduction}", label_smoothing={smoothing}{ignored}'
    built = program(f"cross_entropy(a, t{weight}, {attributes})", a=A, t=target, **given)
    wrt = ["a"] if integers else ["a", "t"]
    result = built.backprop(wrt=wrt)
    leaves = {"a": torch.tensor(A, requires_grad=True), "t": torch.tensor(target, requires_grad=not integers)}
    y = F.cross_entropy(
        leaves["a"],
        leaves["t"].long() if integers else leaves["t"],
        weight=torch.tensor(W) if given else None,
        reduction=reduction,
        label_smoothing=smoothing,
        **({"ignore_index": 2} if integers else {}),
    )
    y.square().sum().backward()
    np.testing.assert_allclose(result["y"], y.detach().numpy(), rtol=1e-10, atol=1e-10)
    for name in wrt:
        np.testing.assert_allclose(result.gradients[name], leaves[name].grad.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("given", [{}, {"weight": W}])
def test_negative_log_likelihood_is_pytorchs(given: dict[str, np.ndarray], reduction: str) -> None:
    weight = ", weight=weight" if given else ""
    text = f'negative_log_likelihood(a, t{weight}, reduction="{reduction}", ignore_index=5)'
    result = program(text, a=A, t=LABEL, **given).backprop(wrt="a")
    a = torch.tensor(A, requires_grad=True)
    options = {"weight": torch.tensor(W)} if given else {}
    y = F.nll_loss(a, torch.tensor(LABEL), reduction=reduction, ignore_index=5, **options)
    y.square().sum().backward()
    np.testing.assert_allclose(result["y"], y.detach().numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(result.gradients["a"], a.grad.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["adaptive_average_pool", "adaptive_max_pool"])
@pytest.mark.parametrize("shape", ["[batch, 3, 7, 5]", "[batch, channels, height, width]"])
@pytest.mark.parametrize("size", [(3, 2), (1, 1), (8, 5)])
def test_adaptive_pooling_of_symbolic_dims(name: str, shape: str, size: tuple[int, int]) -> None:
    call = f"adaptive_{name.split('_')[1]}_pool(x, rows={size[0]}, columns={size[1]})"
    text = (
        f"graphspec: 1\ninputs: {{x: {{shape: {shape}}}}}\nnodes: {{y: '{call}', f: sum(square(y))}}\noutputs: [y, f]"
    )
    result = loads(text).backprop(x=OBLONG, of="f")
    known = program(call, x=OBLONG).backprop(wrt="x")
    np.testing.assert_allclose(result["y"], known["y"], rtol=1e-14)
    np.testing.assert_allclose(result.gradients["x"], known.gradients["x"], rtol=1e-13)


def test_ties_of_adaptive_max_pooling_share_equally() -> None:
    """Of nine elements every window has four, and the windows of two rows and columns overlap."""
    x = np.array([[[[1.0, 1, 0], [1, 0, 0], [0, 0, 5]]]])
    result = program("sqrt(adaptive_max_pool(x, rows=2, columns=2))", x=x).backprop(of="f", wrt="x")
    third = 1 / 3
    np.testing.assert_allclose(result.gradients["x"], [[[[third, 1 + third, 0], [1 + third, 0, 0], [0, 0, 1]]]])


@pytest.mark.parametrize("name", CASES)
def test_forward_and_gradient(name: str) -> None:
    expression, arrays, oracle = CASES[name]
    wrt = [key for key, array in arrays.items() if array.dtype == np.float64 and key not in CONSTANT]
    result = program(expression, **arrays).backprop(wrt=wrt)
    tensors = {key: torch.tensor(array, requires_grad=key in wrt) for key, array in arrays.items()}
    y = oracle(*tensors.values())
    y.square().sum().backward()
    np.testing.assert_allclose(result["y"], y.detach().numpy(), rtol=1e-10, atol=1e-10)
    for key in wrt:
        if tensors[key].grad is not None:
            np.testing.assert_allclose(result.gradients[key], tensors[key].grad.numpy(), rtol=1e-10, atol=1e-10)


def test_layers_with_their_weights() -> None:
    x = torch.tensor(IMAGE)
    for name, layer in (
        ("conv2d(x, units=3, stride=2, padding=1)", torch.nn.Conv2d(4, 3, 3, stride=2, padding=1, dtype=torch.float64)),
        ("depthwise_conv2d(x, multiplier=2)", torch.nn.Conv2d(4, 8, 3, groups=4, dtype=torch.float64)),
        ("conv_transpose2d(x, units=3)", torch.nn.ConvTranspose2d(4, 3, 2, stride=2, dtype=torch.float64)),
    ):
        built = program(name, x=IMAGE)
        weight, bias = (layer.weight.detach().numpy(), layer.bias.detach().numpy())
        for path in built.parameters:
            built.parameters[path] = weight if path.endswith("weight") else bias
        np.testing.assert_allclose(built.run()["y"], layer(x).detach().numpy(), rtol=1e-10, atol=1e-10)


def same(x: torch.Tensor, size: int, strides: tuple[int, int]) -> torch.Tensor:
    """Pad both dims for ceil(n / stride) windows: TensorFlow's convention, PyTorch has it for a stride of 1 only."""
    pairs: list[int] = []
    for n, stride in zip(reversed(x.shape[2:]), reversed(strides), strict=True):
        total = max(0, (-(-n // stride) - 1) * stride + size - n)
        pairs += [total // 2, total - total // 2]
    return F.pad(x, pairs)


CONVOLUTIONS: dict[str, tuple[str, np.ndarray, Callable[..., torch.Tensor]]] = {
    "conv1d": (
        "conv1d(x, units=3, stride=[2], padding=[1, 2])",
        IMAGE[..., 0],
        lambda x, w, b: F.conv1d(F.pad(x, (1, 2)), w, b, stride=2),
    ),
    "conv2d": (
        "conv2d(x, units=3, stride=[2, 1], padding=[0, 2], dilation=[1, 2])",
        IMAGE,
        lambda x, w, b: F.conv2d(x, w, b, stride=(2, 1), padding=(0, 2), dilation=(1, 2)),
    ),
    "conv2d_pairs": (
        "conv2d(x, units=3, padding=[1, 0, 2, 1])",
        IMAGE,
        lambda x, w, b: F.conv2d(F.pad(x, (2, 1, 1, 0)), w, b),
    ),
    "conv2d_same": (
        'conv2d(x, units=3, padding="same", dilation=2)',
        IMAGE,
        lambda x, w, b: F.conv2d(x, w, b, padding="same", dilation=2),
    ),
    "conv2d_valid": ('conv2d(x, units=3, padding="valid")', IMAGE, lambda x, w, b: F.conv2d(x, w, b, padding="valid")),
    "conv2d_same_strides": (
        'conv2d(x, units=3, padding="same", stride=[2, 5])',
        IMAGE,
        lambda x, w, b: F.conv2d(same(x, 3, (2, 5)), w, b, stride=(2, 5)),
    ),
    "conv3d": (
        'conv3d(x, units=2, padding="same", groups=2, window=2)',
        IMAGE.reshape(2, 4, 3, 4, 3),
        lambda x, w, b: F.conv3d(F.pad(x, (0, 1, 0, 1, 0, 1)), w, b, groups=2),
    ),
    "conv_transpose2d": (
        "conv_transpose2d(x, units=3, stride=[2, 3], padding=[1, 0], dilation=[2, 1])",
        IMAGE,
        lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 3), padding=(1, 0), dilation=(2, 1)),
    ),
    "conv_transpose2d_same": (
        'conv_transpose2d(x, units=3, stride=2, window=3, padding="same")',
        IMAGE,
        lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2)[..., :-1, :-1],
    ),
    "depthwise_conv2d": (
        "depthwise_conv2d(x, stride=[1, 2], padding=[1, 0], dilation=[2, 1])",
        IMAGE,
        lambda x, w, b: F.conv2d(x, w, b, stride=(1, 2), padding=(1, 0), dilation=(2, 1), groups=4),
    ),
    "separable_conv2d": (
        'separable_conv2d(x, units=3, stride=2, padding="same")',
        IMAGE,
        lambda x, each, w, b: F.conv2d(F.conv2d(same(x, 3, (2, 2)), each, stride=2, groups=4), w, b),
    ),
}


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_forward_and_gradient(name: str) -> None:
    expression, x, oracle = CONVOLUTIONS[name]
    built = program(expression, x=x)
    values = {path: RANDOM.normal(size=array.shape) for path, array in built.parameters.items()}
    built.parameters.update(values)
    result = built.backprop()
    tensors = {path: torch.tensor(array, requires_grad=True) for path, array in {"x": x, **values}.items()}
    y = oracle(*tensors.values())
    y.square().sum().backward()
    np.testing.assert_allclose(result["y"], y.detach().numpy(), rtol=1e-10, atol=1e-10)
    for path, tensor in tensors.items():
        assert tensor.grad is not None
        np.testing.assert_allclose(result.gradients[path], tensor.grad.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("attributes", "message", "hint"),
    [
        ('padding="smae"', "expected an integer, a list or one of same, valid, found string 'smae'", "mean 'same'?"),
        ("padding=1.5", "expected an integer, a list or one of same, valid, found number 1.5", ""),
        ("stride=true", "expected an integer or a list, found boolean true", ""),
        ("stride=[1, 0]", "expected at least 1, found 0", ""),
        ("padding=[-1, 0]", "expected at least 0, found -1", ""),
        ("dilation=[1, 2, 3]", "one for each of 2 spatial dims", ""),
    ],
)
def test_what_convolutions_refuse(attributes: str, message: str, hint: str) -> None:
    with pytest.raises(SpecError) as info:
        program(f"conv2d(x, units=3, {attributes})", x=IMAGE)
    (found,) = info.value.diagnostics
    assert message in found.message
    assert hint in found.hint


def test_multi_head_attention_is_pytorchs() -> None:
    x = RANDOM.normal(size=(2, 5, 8))
    layer = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    built = program("multi_head_attention(x, heads=2)", x=x)
    values = {
        "y.packed.weight": layer.in_proj_weight.detach().numpy().T,
        "y.packed.bias": layer.in_proj_bias.detach().numpy(),
        "y.y.weight": layer.out_proj.weight.detach().numpy().T,
        "y.y.bias": layer.out_proj.bias.detach().numpy(),
    }
    for path, value in values.items():
        built.parameters[path] = value
    tensor = torch.tensor(x)
    np.testing.assert_allclose(
        built.run()["y"], layer(tensor, tensor, tensor)[0].detach().numpy(), rtol=1e-10, atol=1e-10
    )


def test_positions() -> None:
    x = np.zeros((5, 6))
    angle = np.arange(5)[:, None] / 10000 ** (np.arange(3) * 2 / 6)
    found = program("sinusoidal_positions(x)", x=x).run()["y"]
    np.testing.assert_allclose(found[:, 0::2], np.sin(angle), atol=1e-12)
    np.testing.assert_allclose(found[:, 1::2], np.cos(angle), atol=1e-12)
    y = RANDOM.normal(size=(5, 6))
    turned = program("rotary_embedding(x)", x=y).run()["y"]
    z = (y[:, :3] + 1j * y[:, 3:]) * np.exp(1j * angle)
    np.testing.assert_allclose(turned, np.concatenate([z.real, z.imag], axis=1), atol=1e-12)


def test_metrics() -> None:
    logits = A
    predicted = logits.argmax(axis=1)
    matrix = np.zeros((6, 6), dtype=np.int64)
    np.add.at(matrix, (LABEL, predicted), 1)
    arrays = {"p": predicted, "label": LABEL}
    np.testing.assert_array_equal(program_value("confusion_matrix(p, label, classes=6)", **arrays), matrix)
    a, b = np.array([True, True, False, True]), np.array([True, False, True, True])
    assert float(program_value("precision(a, b)", a=a, b=b)) == pytest.approx(2 / 3)
    assert float(program_value("recall(a, b)", a=a, b=b)) == pytest.approx(2 / 3)
    assert float(program_value("f1(a, b)", a=a, b=b)) == pytest.approx(2 / 3)
    top = np.argsort(-logits, axis=1)[:, :3]
    share = np.mean([label in row for label, row in zip(LABEL, top, strict=True)])
    assert float(program_value("top_k_accuracy(x, label, k=3)", x=logits, label=LABEL)) == share
    r2 = 1 - ((A - B) ** 2).sum() / ((B - B.mean()) ** 2).sum()
    assert float(program_value("r2(a, b)", a=A, b=B)) == pytest.approx(r2)
    mape = np.abs((A - B) / B).mean()
    assert float(program_value("mean_absolute_percentage_error(a, b)", a=A, b=B)) == pytest.approx(mape)
    perplexity = np.exp(F.cross_entropy(torch.tensor(A), torch.tensor(LABEL)).item())
    assert float(program_value("perplexity(a, label)", a=A, label=LABEL)) == pytest.approx(perplexity)


def program_value(expression: str, **arrays: Any) -> np.ndarray:
    """Return the value of an expression; ``f`` of the common program needs a float, so it is cast."""
    built = program(f'cast({expression}, dtype="float64")', **arrays)
    return built.run()["y"]


def test_spectral_norm_divides_by_the_greatest_singular_value() -> None:
    built = program("spectral_norm(w, training=true)", w=A)
    for _ in range(200):
        result = built.run()
        built.apply(result)
    np.testing.assert_allclose(result["y"], A / np.linalg.svd(A)[1][0], rtol=1e-8)


def test_drop_path_drops_whole_examples() -> None:
    x = np.ones((400, 3))
    y = program("drop_path(x, rate=0.25, training=true)", x=x).run(seed=1)["y"]
    kept = y[:, 0] > 0
    assert np.all(y == np.where(kept, 4 / 3, 0)[:, None])
    assert 0.65 < kept.mean() < 0.85
    assert np.array_equal(program("drop_path(x)", x=x).run()["y"], x)
