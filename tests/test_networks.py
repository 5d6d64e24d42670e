"""The larger networks: published parameter counts, and both engines on a small form."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphspec as gs

FOLDER = Path(__file__).parent.parent / "specs" / "networks"
DIMS = {"batch": 2, "height": 16, "width_of_image": 16, "positions": 5}
MIXER = {"size": 8, "patch": 4, "features": 6, "tokens_hidden": 5, "features_hidden": 7, "layers": 2, "classes": 3}

# the published counts; for U-Net, the autoencoder and the Mixer the sums over their layers
PARAMETERS = {
    "lenet5": 61_706,
    "resnet18": 11_689_512,
    "vgg11": 132_863_336,
    "gpt2": 124_439_808,
    "unet": sum(9 * i * o + o for i, o in [(3, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64)])
    + sum(9 * i * o + o for i, o in [(64, 32), (32, 32), (32, 16), (16, 16)])
    + (4 * 64 * 32 + 32)
    + (4 * 32 * 16 + 16)
    + (16 * 2 + 2),
    "variational_autoencoder": 784 * 400 + 400 + 2 * (400 * 20 + 20) + 20 * 400 + 400 + 400 * 784 + 784,
    "mlp_mixer": 3 * 32 * 32 * 512
    + 512
    + 8 * (2 * 2 * 512 + 49 * 256 + 256 + 256 * 49 + 49 + 512 * 2048 + 2048 + 2048 * 512 + 512)
    + 2 * 512
    + 512 * 1000
    + 1000,
    "graph_convolution": 5 * 16 + 16 * 7,
    "matrix_factorisation": 6 * 3 + 5 * 3 + 6 + 5 + 1,
}
SMALL: dict[str, dict[str, Any]] = {
    "lenet5": {"size": 12},
    "resnet18": {"width": 2, "classes": 3},
    "vgg11": {"width": 2, "hidden": 6, "classes": 3, "size": 32},
    "gpt2": {"vocabulary": 17, "context": 8, "features": 8, "heads": 2, "layers": 2},
    "unet": {"width": 2, "size": 8},
    "variational_autoencoder": {"pixels": 6, "hidden": 5, "latent": 2},
    "mlp_mixer": MIXER,
    "graph_convolution": {},
    "matrix_factorisation": {},
}


def feeds(program: gs.Program) -> dict[str, np.ndarray]:
    """Return random arrays for the inputs without a default; labels are 0 and 1."""
    random = np.random.default_rng(0)
    found = {}
    for name, item in program.model.inputs.items():
        if item.default is None:
            shape = [dim if isinstance(dim, int) else DIMS[str(dim)] for dim in item.type.shape]
            integers = item.type.dtype == "int64"
            found[name] = random.integers(0, 2, shape) if integers else random.random(shape).astype(item.type.dtype)
    return found


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_number_of_parameters(name: str) -> None:
    program = gs.load(FOLDER / f"{name}.yaml")
    counted = [prod(item.shape) for item in program.model.parameters.values() if item.role == "parameter"]
    assert sum(counted) == PARAMETERS[name]


@pytest.mark.parametrize("name", SMALL)
def test_forward_and_backward_on_both_engines(name: str) -> None:
    program = gs.load(FOLDER / f"{name}.yaml", attributes=SMALL[name])
    given = feeds(program)
    numpy = program.backprop(given)
    assert set(numpy.gradients) >= set(program.parameters)
    if name == "variational_autoencoder":
        # the engines draw different noise: without it they agree
        given |= {"log_variance.weight": 0, "log_variance.bias": -200}
        numpy = program.backprop(given)
    jax = program.backprop(given, engine="jax")
    for path, gradient in numpy.gradients.items():
        np.testing.assert_allclose(jax.gradients[path], gradient, rtol=1e-3, atol=1e-5, err_msg=path)


@pytest.mark.parametrize("name", ["lenet5", "gpt2", "graph_convolution", "resnet18"])
def test_a_gradient_is_the_slope_of_the_loss(name: str) -> None:
    program = gs.load(FOLDER / f"{name}.yaml", attributes={**SMALL[name], "dtype": "float64"})
    given = feeds(program)
    result = program.backprop(given)
    random = np.random.default_rng(1)
    path = next(path for path in program.parameters if program.parameters[path].ndim > 1)
    start = program.parameters[path]
    direction = random.normal(size=start.shape).astype(start.dtype)
    step = 1e-6
    ends = [float(program.run({**given, path: start + sign * step * direction})["loss"]) for sign in (1, -1)]
    slope = float(np.sum(result.gradients[path] * direction))
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, rel=1e-5)
