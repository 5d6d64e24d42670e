"""Convolution, pooling, unfolding and resampling against PyTorch; symbolic dims; ties and padding."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from rules import program
from test_catalogue import Trial, compare

from graphspec import window
from graphspec.dims import symbol
from graphspec.errors import ExecutionError, OpTypeError, SpecError
from graphspec.types import TensorType, evaluate_shape

torch = pytest.importorskip("torch")
functional = torch.nn.functional

RANDOM = np.random.default_rng(5)
FIRST, LAST = window.LAYOUTS


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape)


def laid(x: np.ndarray, layout: str) -> np.ndarray:
    return x if layout == FIRST else np.ascontiguousarray(np.moveaxis(x, 1, -1))


def agree(
    name: str,
    given: dict[str, Any],
    peer: Callable[..., Any],
    *operands: np.ndarray,
    layouts: tuple[str, ...] = (FIRST, LAST),
) -> None:
    """Compare the output, and the cotangents of all operands, with PyTorch; in each layout."""
    tensors = [torch.tensor(x, requires_grad=True) for x in operands]
    expected = peer(*tensors)
    ct = normal(*expected.shape)
    gradients = torch.autograd.grad((torch.tensor(ct) * expected).sum(), tensors)
    for layout in layouts:
        made = Trial()
        leaves = [made.leaf(laid(operands[0], layout)), *(made.leaf(x) for x in operands[1:])]
        outputs = made.apply(name, {**given, "layout": layout}, leaves)
        (seed,), pulled = made.pull(outputs, leaves)
        made.arrays[seed.id] = laid(ct, layout)
        found = [made.run(outputs)[0], *made.run(pulled)]
        wanted = [laid(expected.detach().numpy(), layout), laid(gradients[0].numpy(), layout)]
        for array, other in zip(found, [*wanted, *(x.numpy() for x in gradients[1:])], strict=True):
            np.testing.assert_allclose(array, other, rtol=1e-10, atol=1e-10)


CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSES = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}
GRID = list(product((1, 2, 3), (0, 1, 2), (1, 2), (1, 2)))  # stride, padding, dilation, groups


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), GRID)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_agrees_with_torch(rank: int, stride: int, padding: int, dilation: int, groups: int) -> None:
    given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    dims, size = ((7,), (3,)) if rank == 1 else ((6, 5), (2, 3)) if rank == 2 else ((4, 3, 4), (2, 1, 2))
    x, weight = normal(2, 4, *dims), normal(6, 4 // groups, *size)
    agree("conv", given, lambda x, w: CONVOLUTIONS[rank](x, w, **given), x, weight)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), GRID)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_transpose_agrees_with_torch(rank: int, stride: int, padding: int, dilation: int, groups: int) -> None:
    given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "output_padding": stride - 1}
    dims, size = ((5,), (3,)) if rank == 1 else ((5, 4), (2, 3)) if rank == 2 else ((5, 5, 5), (2, 1, 2))
    x, weight = normal(2, 4, *dims), normal(4, 3, *size)
    agree("conv_transpose", given, lambda x, w: TRANSPOSES[rank](x, w, **given), x, weight)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_agrees_with_torch(dilation: int, size: int) -> None:
    x, weight = normal(1, 2, 6, 7), normal(3, 2, size, 3)
    peer = lambda x, w: functional.conv2d(x, w, padding="same", dilation=dilation)
    agree("conv", {"padding": "same", "dilation": dilation}, peer, x, weight)


@pytest.mark.parametrize(("n", "size", "stride"), [*product((5, 6, 7, 8), (1, 2, 3, 5), (1, 2, 3))])
def test_same_padding_gives_dim_over_stride(n: int, size: int, stride: int) -> None:
    made = Trial()
    x, weight = made.leaf(normal(1, 1, n)), made.leaf(normal(1, 1, size))
    (y,) = made.apply("conv", {"padding": "same", "stride": stride}, [x, weight])
    assert y.type.shape == (1, 1, -(-n // stride))
    (z,) = made.apply("conv_transpose", {"padding": "same", "stride": stride}, [x, weight])
    assert z.type.shape == made.run([z])[0].shape == (1, 1, n * stride)


@pytest.mark.parametrize(
    ("stride", "padding", "dilation"),
    [([2, 1], [0, 2], [1, 2]), ([1, 3], 1, [2, 1]), (1, "same", [2, 1]), ([2, 3], "valid", 1)],
)
def test_attributes_of_each_dim_agree_with_torch(stride: Any, padding: Any, dilation: Any) -> None:
    given = {"stride": stride, "padding": padding, "dilation": dilation}
    agree("conv", given, lambda x, w: functional.conv2d(x, w, **given), normal(2, 4, 6, 7), normal(3, 4, 2, 3))


def surrounded(x: Any, size: int, stride: int) -> Any:
    """Pad both dims for ceil(n / stride) windows, as TensorFlow does: where it is odd, with more after."""
    pairs = []
    for n in reversed(x.shape[2:]):
        total = max(0, (-(-n // stride) - 1) * stride + size - n)
        pairs += [total // 2, total - total // 2]
    return functional.pad(x, pairs)


SAME = {
    "conv": lambda x, w, stride: functional.conv2d(surrounded(x, 3, stride), w, stride=stride),
    "unfold": lambda x, stride: functional.unfold(surrounded(x, 3, stride), 3, stride=stride),
    "avg_pool": lambda x, stride: functional.avg_pool2d(surrounded(x, 3, stride), 3, stride),
    "max_pool": lambda x, stride: functional.max_pool2d(surrounded(x, 3, stride), 3, stride),
}


@pytest.mark.parametrize("dims", [(6, 7), (5, 9), (8, 8)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("name", SAME)
def test_same_padding_with_a_stride_is_tensorflows(name: str, stride: int, dims: tuple[int, int]) -> None:
    x = normal(2, 2, *dims)
    operands = [x, normal(3, 2, 3, 3)] if name == "conv" else [np.exp(x)]  # positive: padding is never the greatest
    window = {} if name == "conv" else {"window": 3}
    given = {"padding": "same", "stride": stride, **window}
    agree(name, given, lambda *tensors: SAME[name](*tensors, stride=stride), *operands)


POOLS = list(product((2, 3), (1, 2, 3), (0, 1), (False, True)))  # window, stride, padding, ceil_mode


@pytest.mark.parametrize(("size", "stride", "padding", "ceil_mode"), POOLS)
@pytest.mark.parametrize("dilation", [1, 2])
def test_max_pool_agrees_with_torch(dilation: int, size: int, stride: int, padding: int, ceil_mode: bool) -> None:
    given = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    peer = lambda x: functional.max_pool2d(x, size, **given)
    agree("max_pool", {"window": size, **given}, peer, normal(2, 3, 7, 6))
    agree("max_pool", {"window": size, **given}, lambda x: functional.max_pool1d(x, size, **given), normal(2, 2, 8))


@pytest.mark.parametrize(("size", "stride", "padding", "ceil_mode"), POOLS)
@pytest.mark.parametrize("counted", [True, False])
def test_avg_pool_agrees_with_torch(counted: bool, size: int, stride: int, padding: int, ceil_mode: bool) -> None:
    given = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode, "count_include_pad": counted}
    agree("avg_pool", {"window": size, **given}, lambda x: functional.avg_pool2d(x, size, **given), normal(2, 3, 7, 6))
    agree(
        "avg_pool", {"window": size, **given}, lambda x: functional.avg_pool3d(x, size, **given), normal(1, 2, 4, 5, 3)
    )


@pytest.mark.parametrize(("stride", "padding", "dilation"), [*product((1, 2), (0, 1), (1, 2))])
def test_unfold_and_fold_agree_with_torch(stride: int, padding: int, dilation: int) -> None:
    given = {"stride": stride, "padding": padding, "dilation": dilation}
    agree("unfold", {"window": [2, 3], **given}, lambda x: functional.unfold(x, (2, 3), **given), normal(2, 3, 6, 7))
    columns = normal(*functional.unfold(torch.zeros(2, 3, 6, 7), (2, 3), **given).shape)
    peer = lambda x: functional.fold(x, (6, 7), (2, 3), **given)
    agree("fold", {"size": [6, 7], "window": [2, 3], **given}, peer, columns)


RESIZES = [
    ({"mode": "nearest", "align": "asymmetric"}, {"mode": "nearest"}),
    ({"mode": "nearest"}, {"mode": "nearest-exact"}),
    ({"mode": "linear"}, {"mode": "bilinear", "align_corners": False}),
    ({"mode": "linear", "align": "align_corners"}, {"mode": "bilinear", "align_corners": True}),
    ({"mode": "cubic"}, {"mode": "bicubic", "align_corners": False}),
    ({"mode": "cubic", "align": "align_corners"}, {"mode": "bicubic", "align_corners": True}),
]


@pytest.mark.parametrize(("ours", "theirs"), RESIZES)
@pytest.mark.parametrize("size", [(4, 5), (8, 10), (2, 3), (7, 3), (1, 9)])
def test_resize_agrees_with_torch(size: tuple[int, int], ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    peer = lambda x: functional.interpolate(x, size=size, **theirs)
    agree("resize", {"size": size, **ours}, peer, normal(2, 3, 4, 5))


def test_resize_of_one_and_three_dims_agrees_with_torch() -> None:
    agree("resize", {"size": [7]}, lambda x: functional.interpolate(x, size=7, mode="linear"), normal(1, 2, 4))
    peer = lambda x: functional.interpolate(x, size=(3, 5, 2), mode="trilinear")
    agree("resize", {"size": [3, 5, 2]}, peer, normal(1, 2, 4, 3, 2))


def test_second_order_of_a_small_network_agrees_with_torch() -> None:
    """Differentiate the squared gradient of a loss: what every emitted op must have a gradient for."""
    arrays = [normal(1, 2, 6, 6), normal(4, 1, 3, 3), normal(4, 2, 2, 2)]
    made = Trial()
    g, leaves = made.graph.g, [made.leaf(x) for x in arrays]
    x, weight, other = leaves
    h = g.max_pool(g.tanh(g.conv(x, weight, stride=(2,), padding=(1,), groups=2)), window=(2,), stride=(1,))
    y = g.square(g.avg_pool(g.conv_transpose(h, other, stride=(2,)), window=(3,), stride=(2,), padding=(1,)))
    (ct,), first = made.pull([y], leaves)
    cts, second = made.pull(first, leaves)
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    a, b, c = tensors
    hidden = functional.max_pool2d(torch.tanh(functional.conv2d(a, b, stride=2, padding=1, groups=2)), 2, 1)
    result = functional.avg_pool2d(functional.conv_transpose2d(hidden, c, stride=2), 3, 2, 1) ** 2
    inner = torch.autograd.grad((result * torch.tensor(made.arrays[ct.id])).sum(), tensors, create_graph=True)
    total = sum((torch.tensor(made.arrays[ct.id]) * d).sum() for ct, d in zip(cts, inner, strict=True))
    for found, wanted in zip(made.run(second), torch.autograd.grad(total, tensors), strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-9, atol=1e-9)


# -- symbolic dims ----------------------------------------------------------------------------------------------------

N, H = symbol("n"), symbol("h")


def symbolic(shape: tuple[Any, ...], dims: dict[str, int]) -> tuple[Trial, Any]:
    """Return a graph with an input of a symbolic shape."""
    made = Trial()
    made.dims = dims
    leaf = made.graph.leaf("input", "x", TensorType("float64", shape))
    made.arrays[leaf.id] = normal(*evaluate_shape(shape, dims))
    return made, leaf


@pytest.mark.parametrize("n", [5, 6, 7, 8])
@pytest.mark.parametrize(
    ("name", "given", "shape", "dim"),
    [
        ("conv", {"stride": 2, "padding": 1}, (3, 2, 3), (H + 1) // 2),
        ("conv", {"stride": 2, "padding": "same"}, (3, 2, 3), (H + 1) // 2),
        ("conv", {"stride": 2}, (3, 2, 2), H // 2),
        ("conv", {"padding": "same"}, (3, 2, 4), H),
        ("conv", {"stride": 3}, (3, 2, 1), (H + 2) // 3),
        ("conv_transpose", {"stride": 2}, (2, 3, 2), 2 * H),
        ("conv_transpose", {"stride": 2, "padding": 1, "output_padding": 1}, (2, 3, 3), 2 * H),
        ("conv_transpose", {"stride": 3, "padding": "same"}, (2, 3, 2), 3 * H),
        ("max_pool", {"window": 2}, None, H // 2),
        ("max_pool", {"window": 3, "stride": 2, "padding": 1}, None, (H + 1) // 2),
        ("max_pool", {"window": 3, "stride": 2, "ceil_mode": True}, None, H // 2),
        ("avg_pool", {"window": 3, "stride": 2, "padding": 1, "count_include_pad": False}, None, (H + 1) // 2),
        ("avg_pool", {"window": 4, "stride": 2, "padding": 1, "ceil_mode": True}, None, (H + 1) // 2),
        ("avg_pool", {"window": 2, "padding": "same"}, None, (H + 1) // 2),
        ("resize", {"size": [2 * H], "mode": "cubic"}, None, 2 * H),
    ],
)
def test_spatial_dims_may_be_symbolic(
    name: str, given: dict[str, Any], shape: tuple[int, ...] | None, dim: Any, n: int
) -> None:
    made, x = symbolic((N, 2, H), {"n": 2, "h": n})
    leaves = [x] if shape is None else [x, made.leaf(normal(*shape))]
    outputs = made.apply(name, given, leaves)
    assert outputs[0].type.shape[::2] == (N, dim)
    cts, pulled = made.pull(outputs, leaves)
    compare(made, outputs, cts, leaves, pulled)
    outputs = list(dict.fromkeys(pulled))
    cts, pulled = made.pull(outputs, leaves)
    compare(made, outputs, cts, leaves, pulled)


def test_a_transpose_gives_even_dims_back() -> None:
    made, x = symbolic((N, 2, 2 * H), {"n": 1, "h": 3})
    weight = made.leaf(normal(3, 2, 4))
    y = made.graph.g.conv(x, weight, stride=(2,), padding=(1,))
    assert y.type.shape == (N, 3, H)
    assert made.graph.g.conv_transpose(y, weight, stride=(2,), padding=(1,)).type.shape == (N, 2, 2 * H)


def test_what_does_not_fit_is_found_when_it_is_run() -> None:
    made, x = symbolic((1, 1, H), {"h": 2})
    (y,) = made.apply("conv", {}, [x, made.leaf(normal(1, 1, 3))])
    with pytest.raises(ExecutionError, match="a window that reaches 3 does not fit dim 2"):
        made.run([y])


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("max_pool", {"window": 2, "stride": 3, "ceil_mode": True}),
        ("max_pool", {"window": 2, "stride": 3, "padding": "same"}),
    ],
)
def test_what_symbolic_dims_cannot_tell_is_an_error(name: str, given: dict[str, Any]) -> None:
    made, x = symbolic((1, 1, H), {"h": 4})
    with pytest.raises(OpTypeError) as info:
        made.apply(name, given, [x])
    assert info.value.constraint == "C4"


# -- the words same and valid -----------------------------------------------------------------------------------------

NODE = """
attributes: {{p: same, half: 1}}
inputs: {{x: {{shape: [1, 1, n, 6]}}}}
parameters: {{w: {{shape: [1, 1, 3, 3], init: ones}}}}
nodes:
  f: {node}
outputs: f
"""


@pytest.mark.parametrize(
    ("node", "padding"),
    [
        ("{op: conv, inputs: [x, w], padding: same}", (1, 1, 1, 1)),
        ("{op: conv, inputs: [x, w], padding: valid}", (0, 0, 0, 0)),
        ("{op: conv, inputs: [x, w], padding: $p}", (1, 1, 1, 1)),
        ("{op: conv, inputs: [x, w], padding: $half}", (1, 1, 1, 1)),
        ("{op: conv, inputs: [x, w], padding: [half, $half]}", (1, 1, 1, 1)),
        ("{op: conv, inputs: [x, w], padding: [n, 0]}", (symbol("n"), symbol("n"), 0, 0)),
        ("{op: conv, inputs: [x, w], padding: $n}", (symbol("n"),) * 4),
        ('conv(x, w, padding="same")', (1, 1, 1, 1)),
        ("conv(x, w, padding=p)", (1, 1, 1, 1)),
        ("conv(x, w, padding=n)", (symbol("n"),) * 4),
    ],
)
def test_a_word_or_numbers_stand_for_padding(node: str, padding: tuple[Any, ...]) -> None:
    built = program(NODE.format(node=node))
    graph = built.model.graph
    op: Any = graph.ops[graph.names["f"]]
    assert op.padding == padding
    again = program(built.to_yaml().partition("\n")[2])
    assert again.model.graph.ops[again.model.graph.names["f"]] == op


@pytest.mark.parametrize(
    ("node", "code", "message", "hint"),
    [
        ("{op: conv, inputs: [x, w], padding: smae}", "GS205", "found string 'smae'", "did you mean 'same'?"),
        ("{op: conv, inputs: [x, w], padding: SAME}", "GS205", "found string 'SAME'", "did you mean 'same'?"),
        ("{op: conv, inputs: [x, w], padding: half}", "GS205", "found string 'half'", "$name is computed"),
        ("{op: conv, inputs: [x, w], padding: 1.5}", "GS205", "expected an integer, found number 1.5", ""),
        ("{op: conv, inputs: [x, w], padding: [same, 0]}", "GS301", "unknown name 'same'", ""),
        ('conv(x, w, padding="vaild")', "GS205", "found string 'vaild'", "did you mean 'valid'?"),
    ],
)
def test_what_padding_refuses(node: str, code: str, message: str, hint: str) -> None:
    with pytest.raises(SpecError) as info:
        program(NODE.format(node=node))
    (found,) = info.value.diagnostics
    assert found.code == code
    assert message in found.message
    assert hint in found.hint


def test_each_copy_may_have_a_word_of_its_own() -> None:
    repeat = "{over: {padding: [same, [1, 1], [n, n]]}}"
    text = NODE.replace("3, 3], init", "1, 1], init").format(node=f"{{op: conv, inputs: [x, w], repeat: {repeat}}}")
    with pytest.raises(SpecError, match="a repeated function returns the type of its first input"):
        program(text)
    kept = text.replace("[1, 1], [n, n]", "valid, 0")
    assert program(kept).run(x=np.ones((1, 1, 3, 6)))["f"].shape == (1, 1, 3, 6)


SPEC = """
inputs:
  image: {shape: [batch, 2, height, width]}
parameters:
  weight: {shape: [4, 2, 3, 3], init: he_normal}
  back: {shape: [4, 1, 2, 2], init: he_normal}
nodes:
  h: tanh(conv(image, weight, stride=[2, 1], padding="same"))
  pooled: max_pool(h, window=2, stride=1)
  up: conv_transpose(pooled, back, stride=2)
  sized: resize(up, size=[image.shape[2], 2 * image.shape[3]])
  f: sum(sized * sized)
outputs: f
"""


def test_specs_use_windows_and_their_gradients_load_again() -> None:
    built = program(SPEC)
    image = normal(2, 2, 7, 6)
    result = built.backprop(image=image)
    gradient = built.gradient()
    found = gradient.run(image=image)
    again = program(gradient.to_yaml().partition("\n")[2])
    again.parameters.update(gradient.parameters)
    repeated = again.run(image=image)
    for name in ("image", "weight", "back"):
        np.testing.assert_allclose(found[f"d_{name}"], result.gradients[name], rtol=1e-12)
        np.testing.assert_array_equal(repeated[f"d_{name}"], found[f"d_{name}"])


# -- conventions ------------------------------------------------------------------------------------------------------


def gradient_of(name: str, x: Any, **given: Any) -> list[Any]:
    """Return the gradient of the sum of the output for one channel of one image."""
    made = Trial()
    leaf = made.leaf(np.asarray([[x]], float))
    y = made.apply(name, given, [leaf])
    (ct,), (pulled,) = made.pull(y, [leaf])
    made.arrays[ct.id] = np.ones(made.arrays[ct.id].shape)
    return made.run([pulled])[0][0, 0].tolist()


def test_max_pool_shares_ties() -> None:
    assert gradient_of("max_pool", [1, 1, 0, 2], window=2) == [0.5, 0.5, 0.0, 1.0]
    assert gradient_of("max_pool", [3, 3, 3], window=3) == pytest.approx([1 / 3] * 3)
    assert gradient_of("max_pool", [[1, 2], [2, 2]], window=2) == pytest.approx(np.array([[0, 1], [1, 1]]) / 3)


def test_max_pool_takes_nothing_from_padding() -> None:
    """Zeros around the array are neither the greatest of negative numbers, nor a tie with a zero."""
    assert gradient_of("max_pool", [-1, -2], window=2, padding=1, stride=1) == [2.0, 1.0]
    assert gradient_of("max_pool", [0, -2], window=2, padding=1, stride=1) == [2.0, 1.0]


def test_max_pool_of_nan_is_nan_without_a_gradient() -> None:
    made = Trial()
    x = made.leaf(np.array([[[1.0, np.nan, 2.0, 3.0]]]))
    assert np.isnan(made.run(made.apply("max_pool", {"window": 2}, [x]))[0]).tolist() == [[[True, False]]]
    assert gradient_of("max_pool", [1, np.nan, 2, 3], window=2) == [0.0, 0.0, 0.0, 1.0]


def test_windows_of_padding_only() -> None:
    made = Trial()
    x = made.leaf(np.ones((1, 1, 1)))
    given = {"window": 2, "dilation": 2, "padding": 1, "stride": 1}
    assert made.run(made.apply("max_pool", given, [x]))[0].tolist() == [[[-np.inf]]]
    assert made.run(made.apply("avg_pool", given, [x]))[0].tolist() == [[[0.0]]]
    assert np.isnan(made.run(made.apply("avg_pool", {**given, "count_include_pad": False}, [x]))[0]).all()


def test_nearest_takes_the_later_of_two() -> None:
    made = Trial()
    x = made.leaf(np.array([[[0.0, 1.0, 2.0, 3.0]]]))
    (half, before) = (
        made.run(made.apply("resize", {"size": [2], "mode": "nearest", "align": align}, [x]))[0].tolist()
        for align in ("half_pixel", "asymmetric")
    )
    assert (half, before) == ([[[1.0, 3.0]]], [[[0.0, 2.0]]])


@pytest.mark.parametrize("name", ["conv", "conv_transpose", "conv_weight_gradient"])
def test_blocks_of_images_give_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operands = {
        "conv": (normal(5, 2, 6), normal(4, 1, 3)),
        "conv_transpose": (normal(5, 4, 4), normal(4, 1, 3)),
        "conv_weight_gradient": (normal(5, 2, 6), normal(5, 4, 4)),
    }[name]
    given = {"groups": 2, **({"window": 3} if name == "conv_weight_gradient" else {})}
    made = Trial()
    (y,) = made.apply(name, given, [made.leaf(x) for x in operands])
    whole = made.run([y])[0]
    monkeypatch.setattr(window, "_BLOCK", 60)
    np.testing.assert_allclose(made.run([y])[0], whole, rtol=1e-12, atol=1e-14)


def test_attributes_are_written_out() -> None:
    made = Trial()
    x, weight = made.leaf(normal(1, 1, 5, 6)), made.leaf(normal(1, 1, 2, 3))
    (y,) = made.apply("conv", {"padding": "same", "stride": 2}, [x, weight])
    op: Any = made.graph.ops[y.id]
    assert (op.stride, op.padding, op.dilation) == ((2, 2), (0, 1, 0, 1), (1, 1))
    assert made.apply("conv", {"padding": [0, 1, 0, 1], "stride": [2, 2]}, [x, weight]) == [y]
