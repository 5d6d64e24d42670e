"""What can be called: ops, functions and attributes that name one; how a name is looked up, and its signature."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphspec import library, ops
from graphspec.attribute import Attribute
from graphspec.declaration import Function
from graphspec.errors import did_you_mean
from graphspec.op import OPS, Op, Port, attributes

Callee = type[Op] | Function
assert ops.__doc__  # importing the package fills the catalogue

INHERITED = {
    "training": Attribute("training", ("boolean",), False, "true while the runner trains; passes down through calls"),
    "dtype": Attribute("dtype", ("dtype",), "float64", "the float dtype; passes down through calls"),
}

# names of NumPy, PyTorch, ONNX and Keras that are ours under another name
FOREIGN = {
    "mul": "multiply",
    "sub": "subtract",
    "div": "divide",
    "neg": "negative",
    "power": "pow",
    "dot": "matmul",
    "mm": "matmul",
    "bmm": "matmul",
    "gemm": "linear",
    "dense": "linear",
    "transpose": "permute_dims",
    "permute": "permute_dims",
    "unsqueeze": "expand_dims",
    "view": "reshape",
    "concatenate": "concat",
    "cat": "concat",
    "hstack": "concat",
    "gather": "take_along_axis",
    "index_select": "take",
    "reduce_sum": "sum",
    "reduce_mean": "mean",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "amax": "max",
    "amin": "min",
    "average": "mean",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "absolute": "abs",
    "fabs": "abs",
    "mod": "remainder",
    "fmod": "remainder",
    "rint": "round",
    "greater_than": "greater",
    "less_than": "less",
    "eq": "equal",
    "ne": "not_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "lt": "less",
    "le": "less_equal",
    "astype": "cast",
    "detach": "stop_gradient",
    "select": "where",
    "logistic": "sigmoid",
    "expit": "sigmoid",
    "mse": "mean_squared_error",
    "mse_loss": "mean_squared_error",
    "bce": "binary_cross_entropy",
    "nll": "negative_log_likelihood",
    "softmax_cross_entropy": "cross_entropy",
    "clamp": "clip",
    "expand": "broadcast_to",
    "rand": "random_uniform",
    "randn": "random_normal",
    "ln": "log",
    "inverse": "reciprocal",
    "momentum": "sgd",
    "step_lr": "step_decay",
    "multi_step_lr": "multi_step",
    "piecewise_constant_decay": "multi_step",
    "exponential_lr": "exponential_decay",
    "cosine_annealing_lr": "cosine",
    "cosine_decay": "cosine",
    "cosine_decay_schedule": "cosine",
    "cosine_annealing_warm_restarts": "cosine_restarts",
    "cosine_decay_restarts": "cosine_restarts",
    "sgdr_schedule": "cosine_restarts",
    "polynomial_lr": "polynomial_decay",
    "linear_lr": "linear_warm_up",
    "warmup": "linear_warm_up",
    "linear_warmup": "linear_warm_up",
    "constant_lr": "constant_rate",
    "constant_schedule": "constant_rate",
    "one_cycle_lr": "one_cycle",
    "reduce_lron_plateau": "reduce_on_plateau",
    "reduce_lr_on_plateau": "reduce_on_plateau",
    "clip_grad_value_": "clip_by_value",
    "clip_grad_norm_": "clip_by_global_norm",
    "ema": "exponential_moving_average",
    "averaged_model": "exponential_moving_average",
}


@dataclass(frozen=True, slots=True)
class Signature:
    """What a call may name: ports, attributes and parameters share one namespace."""

    name: str
    ports: tuple[Port, ...]
    attributes: Mapping[str, Attribute]
    parameters: tuple[str, ...] = ()

    @property
    def variadic(self) -> Port | None:
        return self.ports[-1] if self.ports and self.ports[-1].variadic else None

    def port(self, name: str) -> Port | None:
        return next((port for port in self.ports if port.name == name), None)

    @property
    def names(self) -> list[str]:
        """Everything that a keyword may name."""
        return [*(port.name for port in self.ports), *self.attributes, *self.parameters]

    def __str__(self) -> str:
        ports = [f"*{port.name}" if port.variadic else port.name for port in self.ports]
        return f"{self.name}({', '.join([*ports, *(f'{name}=' for name in self.attributes if name not in INHERITED)])})"


@dataclass(frozen=True)
class Reference:
    """The value of an attribute of type `op`: what to call, and attributes bound where it was written."""

    name: str
    callee: Callee
    attributes: tuple[tuple[str, Any], ...] = field(default=())

    def __str__(self) -> str:
        bound = ", ".join(f"{key}={value}" for key, value in self.attributes)
        return f"{self.name}({bound})" if bound else self.name


def signature(callee: Callee) -> Signature:
    """Return the signature of an op or function."""
    if isinstance(callee, Function):
        ports = tuple(
            Port(item.name, "T", item.variadic, item.may_be_left_out, item.doc) for item in callee.inputs.values()
        )
        return Signature(callee.name, ports, {**callee.attributes, **INHERITED}, tuple(callee.parameters))
    return Signature(callee.name, callee.ports, attributes(callee))


def resolve(function: Function, name: str) -> Callee | None:
    """Look a callee up: functions of this document and of the enclosing ones, imports, catalogue, library (L2.2)."""
    first, _, second = name.partition(".")
    scope: Function | None = function
    while scope is not None:
        if not second and first in scope.functions:
            return scope.functions[first]
        scope = scope.outer
    imported = _imported(function, first)
    if imported is not None:
        return imported.functions.get(second) if second else imported
    return None if second else OPS.get(first) or library.find(first)


def _imported(function: Function | None, alias: str) -> Function | None:
    while function is not None:
        if alias in function.imports:
            return function.imports[alias]
        function = function.outer
    return None


def callable_names(function: Function) -> Iterator[str]:
    """Return every name that could be called in a document."""
    scope: Function | None = function
    while scope is not None:
        yield from scope.functions
        for alias, imported in scope.imports.items():
            yield alias
            yield from (f"{alias}.{name}" for name in imported.functions)
        scope = scope.outer
    yield from OPS
    yield from library.names()


def resolve_catalogue() -> dict[str, Callee]:
    """Return every op and library function by name."""
    found: dict[str, Callee] = dict(OPS)
    for name in library.names():
        function = library.find(name)
        if function is not None:
            found[name] = function
    return found


def unknown_hint(function: Function, name: str) -> str:
    """Return what a person may have meant by an op that does not exist."""
    last = name.rpartition(".")[2]
    foreign = FOREIGN.get(last.lower()) or FOREIGN.get(re.sub("(?<=[a-z])(?=[A-Z])", "_", last).lower())
    if foreign is not None and resolve(function, foreign) is not None:
        return f"did you mean '{foreign}'?"
    return did_you_mean(name, callable_names(function))
