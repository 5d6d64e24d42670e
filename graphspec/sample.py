"""Random feeds for inputs that nobody has given a value."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from graphspec.dims import symbols
from graphspec.errors import FeedError, problem
from graphspec.feeds import convert
from graphspec.model import Model
from graphspec.types import DimConflict, TensorType, evaluate_shape, kind, match

ATTEMPTS: Final = 4
"""Ways to draw: of either sign, positive, between 0 and 1, above 1; dims grow where small ones may be refused."""
_RANGES: Final = ((0.2, 1.5), (0.2, 1.5), (0.1, 0.9), (1.1, 2.0))
SIZES: Final = ((2, 3, 5, 7, 11), (2, 3, 5, 7, 11), (4, 6, 8, 10, 12), (8, 12, 16, 20, 24))


def missing_feeds(
    model: Model, given: Mapping[str, Any], random: np.random.Generator, attempt: int = 0
) -> dict[str, np.ndarray]:
    """Return a random array for every input that has neither a default nor a feed; dims agree with what is given.

    Raises:
        FeedError: the small sizes of the dims give no shape.
    """
    dims = _bound_dims(model, given)
    wanted = {name: item.type for name, item in model.inputs.items() if item.default is None and name not in given}
    bind_sizes(dims, wanted.values(), attempt)
    shapes = {name: evaluate_shape(type.shape, dims) for name, type in wanted.items()}
    for name, shape in shapes.items():
        if min(shape, default=0) < 0:
            message = f"no random feed for '{name}', {wanted[name]}: small dims make the shape {list(shape)}"
            raise FeedError(problem("GS605", message))
    return {name: draw(type, shapes[name], random, attempt) for name, type in wanted.items()}


def bind_sizes(dims: dict[str, int], types: Iterable[TensorType], attempt: int) -> None:
    """Bind every dim that is free to a small size of its own."""
    free = sorted({name for type in types for dim in type.shape for name in symbols(dim)} - set(dims))
    unused = (size for size in itertools.cycle(SIZES[attempt]) if size not in dims.values() or len(dims) > 4)
    for name in free:
        dims[name] = next(unused)


def _bound_dims(model: Model, given: Mapping[str, Any]) -> dict[str, int]:
    """Return the dims that feeds and defaults bind; what does not fit is reported when the feeds are used."""
    dims: dict[str, Any] = {}
    for name, item in model.inputs.items():
        value = given.get(name, item.default)
        if value is not None:
            try:
                match(item.type.shape, convert(value, item.type.dtype).shape, dims, {})
            except (DimConflict, TypeError, ValueError, OverflowError):
                continue
    return dims


def draw(type: TensorType, shape: tuple[int, ...], random: np.random.Generator, attempt: int = 0) -> np.ndarray:
    """Return random numbers of a dtype; integers are 0 or 1, so that they can be labels, and 0 at later attempts."""
    group = kind(type.dtype)
    if group in ("boolean", "integer"):
        high = 2 if group == "boolean" or attempt == 0 else 1
        return random.integers(0, high, shape).astype(type.dtype)
    low, high_bound = _RANGES[attempt]
    values = random.uniform(low, high_bound, shape)
    if attempt == 0:
        values = values * random.choice((-1.0, 1.0), shape)
    return np.asarray(values, dtype=type.dtype)
