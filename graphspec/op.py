"""What an op is: a signature, an inference, a kernel and a gradient rule; and the catalogue of all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from inspect import get_annotations
from typing import Any, ClassVar, TypeAlias, TypeVar

from graphspec.attribute import REQUIRED, Attribute, bind_dims, dims_in, has_dims
from graphspec.dims import Dim
from graphspec.errors import OpTypeError
from graphspec.types import TensorType, broadcast, kind

Types = TensorType | tuple[TensorType, ...]

# How the fields of an op are annotated; `_KINDS` maps them to the kinds of attributes.
Dtype: TypeAlias = str
Axes: TypeAlias = "tuple[Dim, ...] | None"
Integers: TypeAlias = "tuple[Dim, ...]"
Bounds: TypeAlias = "tuple[Dim | None, ...]"
Padding: TypeAlias = "tuple[Dim, ...] | str"


@dataclass(frozen=True, slots=True)
class Port:
    """An operand slot.

    ``group`` tells what a literal there becomes: operands of group "T" share a dtype and a literal adopts it; in
    groups "integer" and "boolean" a literal is int64 or bool. A variadic port is the last and takes one or more.
    """

    name: str
    group: str = "T"
    variadic: bool = False
    optional: bool = False
    doc: str = ""


@dataclass(frozen=True)
class Op(ABC):
    """An op instance is the op plus its attribute values: frozen, hashable, so that equal nodes can be merged."""

    name: ClassVar[str]
    family: ClassVar[str]
    ports: ClassVar[tuple[Port, ...]]
    outputs: ClassVar[tuple[str, ...]] = ("y",)  # empty: y0, y1, ... as many as `infer` returns
    implicit: ClassVar[tuple[str, ...]] = ()  # leaves that the emitter adds as last operands: "seed"
    differentiable: ClassVar[bool] = False

    @abstractmethod
    def infer(self, *types: TensorType) -> Types:
        """Return the type of the output, or a tuple of types where there are several.

        Raises:
            OpTypeError: a numbered constraint is violated.
        """

    @abstractmethod
    def kernel(self, xp: Any, *arrays: Any) -> Any:
        """Compute the output (a tuple where there are several) with the array namespace ``xp``."""

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        """Emit the cotangents of the inputs; None means: does not depend. ``values`` are the inputs, then the outputs.

        ``ct`` is the cotangent of the output; a tuple of them where there are several outputs.
        """
        raise NotImplementedError(self.name)

    def settle(self, *types: TensorType) -> Op:
        """Return the op with what the types of its operands decide written out; called when a node is emitted."""
        return self

    def dims(self) -> set[str]:
        """Return the names of the symbolic dims in its attributes."""
        return set().union(*map(dims_in, vars(self).values()))

    def bind(self, env: Mapping[str, int]) -> Op:
        """Return the op with symbolic dims in its attributes replaced by integers."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        if not any(map(has_dims, values.values())):
            return self
        return type(self)(**{name: bind_dims(value, env) for name, value in values.items()})


OPS: dict[str, type[Op]] = {}
_KINDS = {
    "int": "integer",
    "float": "float",
    "bool": "boolean",
    "str": "string",
    "Dtype": "dtype",
    "Dim": "dim",
    "Axes": "axes",
    "Integers": "integers",
    "Bounds": "bounds",
    "Shape": "shape",
    "Padding": "padding",
}
C = TypeVar("C", bound=type[Op])


def make(name: str, **values: Any) -> Op:
    """Return the op called ``name`` with its attributes."""
    cls: Any = OPS[name]
    instance: Op = cls(**values)
    return instance


def parse_ports(text: str) -> tuple[Port, ...]:
    """Read ports such as ``"condition:boolean x y"`` or ``"*terms"``."""
    ports = []
    for word in text.split():
        name, _, group = word.partition(":")
        ports.append(Port(name.lstrip("*").rstrip("?"), group or "T", name.startswith("*"), name.endswith("?")))
    return tuple(ports)


def op(name: str, *, ports: str, outputs: str = "y", family: str | None = None) -> Callable[[C], C]:
    """Register a class as the op called ``name``; its annotated fields are its attributes.

    ``outputs="*"`` is for ops whose number of outputs depends on attributes.
    """

    def register(cls: C) -> C:
        if name in OPS:
            raise ValueError(f"op {name!r} is declared twice")
        if not cls.__doc__:
            raise ValueError(f"op {name!r} has no docstring")
        cls.name, cls.ports = name, parse_ports(ports)
        cls.outputs = () if outputs == "*" else tuple(outputs.split())
        cls.family = family or cls.__module__.rpartition(".")[2]
        cls.differentiable = cls.vjp is not Op.vjp
        # an op without attributes of its own inherits all that a dataclass would generate, which is slow to make
        own = {key for key, hint in get_annotations(cls).items() if "ClassVar" not in str(hint)}
        OPS[name] = dataclass(frozen=True)(cls) if own else cls
        return OPS[name]  # type: ignore[return-value]

    return register


def attribute(doc: str, *, default: Any = REQUIRED, **limits: Any) -> Any:
    """Declare an attribute of an op: a field that carries its doc and its limits."""
    metadata = {"doc": doc, **limits}
    return field(metadata=metadata) if default is REQUIRED else field(default=default, metadata=metadata)


@cache
def attributes(cls: type[Op]) -> dict[str, Attribute]:
    """Return the declared attributes of an op by name."""

    def declared(item: Field[Any]) -> Attribute:
        default = REQUIRED if item.default is MISSING else item.default
        kind_name = _KINDS[str(item.type).removesuffix(" | None")]
        return Attribute(item.name, (kind_name,), default, **item.metadata)

    return {item.name: declared(item) for item in fields(cls)}


TAKES = {
    "float": ("float",),
    "number": ("integer", "float", "complex"),
    "real": ("integer", "float"),
    "integer": ("integer",),
    "boolean": ("boolean",),
    "bits": ("boolean", "integer"),
    "any": ("boolean", "integer", "float", "complex"),
}


def require_kind(name: str, takes: str, *types: TensorType) -> None:
    """Check C1 of element-wise ops: every operand is of a kind that the op takes."""
    for found in types:
        if kind(found.dtype) not in TAKES[takes]:
            wanted = {"float": "floats", "boolean": "booleans", "integer": "integers"}.get(takes, "numbers")
            hint = "cast(x, dtype=...) converts" if kind(found.dtype) in ("integer", "float", "boolean") else ""
            raise OpTypeError("C1", f"{name} takes {wanted}, found {found}", hint=hint)


def same_dtype(name: str, *types: TensorType) -> None:
    """Check C2: the operands share a dtype."""
    for found in types[1:]:
        if found.dtype != types[0].dtype:
            hint = f'cast(..., dtype="{types[0].dtype}") converts; dtypes are never mixed silently'
            raise OpTypeError("C2", f"{name} needs one dtype, found {types[0]} and {found}", hint=hint)


def broadcast_types(name: str, *types: TensorType) -> tuple[Any, ...]:
    """Return the broadcast shape of the operands; C3: there is one."""
    shape = types[0].shape
    for i, found in enumerate(types[1:], 1):
        wider = broadcast(shape, found.shape)
        if wider is None:
            shapes = " and ".join(str(t) for t in types[: i + 1])
            raise OpTypeError("C3", f"shapes do not broadcast in {name}: {shapes}", code="GS402")
        shape = wider
    return shape


def native(xp: Any, dtype: str) -> Any:
    """Return the dtype of an array namespace by its name."""
    return getattr(xp, "bool_" if dtype == "bool" and hasattr(xp, "bool_") else dtype)


def front_axis(constraint: str, axis: Dim, rank: int) -> int:
    """Return an axis counted from the front; ``constraint``: it is an axis of an array of ``rank`` dims."""
    if not isinstance(axis, int) or not -rank <= axis < rank:
        raise OpTypeError(constraint, f"axis {axis} is not an axis of an array of {rank} dims", code="GS404")
    return axis % rank


def front_axes(constraint: str, axes: Integers, rank: int) -> tuple[int, ...]:
    """Return axes counted from the front; ``constraint``: they are distinct axes of an array of ``rank`` dims."""
    found = tuple(front_axis(constraint, axis, rank) for axis in axes)
    if len(set(found)) < len(found):
        raise OpTypeError(constraint, f"an axis is listed twice in {list(axes)}", code="GS404")
    return found


def elementwise(
    name: str,
    doc: str,
    ports: str,
    kernel: Callable[..., Any],
    vjp: Callable[..., tuple[Any, ...]] | None = None,
    *,
    takes: str = "float",
    gives: str = "same",
) -> type[Op]:
    """Declare an element-wise op from two formulas.

    Constraints: (C1) operands are of the kind ``takes``; (C2) they share a dtype; (C3) their shapes broadcast.
    """

    def infer(self: Op, *types: TensorType) -> TensorType:
        require_kind(name, takes, *types)
        same_dtype(name, *types)
        return TensorType(types[0].dtype if gives == "same" else gives, broadcast_types(name, *types))

    body: dict[str, Any] = {
        "__doc__": doc,
        "__module__": kernel.__module__,
        "infer": infer,
        # NumPy's functions give scalars, not arrays, for operands without axes
        "kernel": lambda self, xp, *arrays: xp.asarray(kernel(xp, *arrays)),
    }
    if vjp is not None:
        body["vjp"] = lambda self, g, ct, *values: vjp(g, ct, *values)
    return op(name, ports=ports)(type(name, (Op,), body))
