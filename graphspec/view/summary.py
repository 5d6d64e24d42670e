"""What a document has: the facts that `graphspec show` prints."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

from graphspec.dims import symbols
from graphspec.leaf import Leaf, Literal, Project
from graphspec.model import Input, Model
from graphspec.op import Types
from graphspec.parameter import Parameter
from graphspec.types import TensorType
from graphspec.view.values import number_text, value_text


def summary(model: Model) -> dict[str, Any]:
    """Return name, attributes, inputs, parameters, state, nodes, outputs, operations and totals as JSON data."""
    graph = model.graph
    operations = [
        node for node, op in enumerate(graph.ops) if graph.paths[node] and not isinstance(op, Leaf | Literal | Project)
    ]
    known = {role: [p for p in model.parameters.values() if p.role == role] for role in ("parameter", "state")}
    counts = Counter(graph.ops[node].name for node in operations)
    return {
        "name": model.function.name,
        "doc": " ".join(model.function.doc.split()),
        "dtype": model.dtype,
        "of": model.of,
        "attributes": [{"name": name, "value": _value(value)} for name, value in _attributes(model).items()],
        "inputs": [_input(item) for item in model.inputs.values()],
        "parameters": [_parameter(item) for item in known["parameter"]],
        "state": [_parameter(item) for item in known["state"]],
        "nodes": [_node(model, node) for node in operations],
        "outputs": [{"name": name, "type": type_text(graph.types[node])} for name, node in model.outputs.items()],
        "operations": dict(counts.most_common()),
        "dims": sorted(
            {name for node in operations for t in _parts(graph.types[node]) for d in t.shape for name in symbols(d)}
        ),
        "totals": {
            "operations": len(operations),
            "parameters": sum(_elements(item) for item in known["parameter"]),
            "trainable": sum(_elements(item) for item in known["parameter"] if item.trainable),
            "parameter_bytes": sum(_elements(item) * item_size(item.type.dtype) for item in known["parameter"]),
            "state": sum(_elements(item) for item in known["state"]),
            "state_bytes": sum(_elements(item) * item_size(item.type.dtype) for item in known["state"]),
            "value_bytes": _value_bytes([part for node in operations for part in _parts(graph.types[node])]),
        },
    }


def type_text(types: Types) -> str:
    """Return a type as text; of a node with several outputs all of them."""
    return ", ".join(str(part) for part in _parts(types))


def item_size(dtype: str) -> int:
    """Return the bytes of one element."""
    digits = re.search(r"\d+$", dtype)
    return int(digits[0]) // 8 if digits else 1


def _attributes(model: Model) -> dict[str, Any]:
    return {name: model.attributes[name] for name in model.function.attributes if name in model.attributes}


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"  # as deep as it was written: at most 100 levels
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _input(item: Input) -> dict[str, Any]:
    default = None if item.default is None else value_text(item.default)
    return {"name": item.path, "type": str(item.type), "default": default, "doc": item.doc}


def _parameter(item: Parameter) -> dict[str, Any]:
    if item.init is not None:
        name, arguments = item.init
        bound = ", ".join(f"{key}={number_text(value)}" for key, value in arguments.items())
        first = f"{name}({bound})" if bound else name
    else:
        first = f"file {item.file}" if item.file is not None else value_text(item.value)
    return {
        "path": item.path,
        "type": str(item.type),
        "elements": _elements(item),
        "first value": first if item.trainable or item.role == "state" else f"{first}, not trainable",
        "trainable": item.trainable,
    }


def _elements(item: Parameter) -> int:
    return math.prod(item.shape)


def _node(model: Model, node: int) -> dict[str, Any]:
    """Return one row; its parameters are the elements of those that the node uses directly."""
    graph = model.graph
    used = {graph.paths[operand] or "" for operand in graph.operands[node]}
    known = [model.parameters[path] for path in used if path in model.parameters]
    parameters = sum(_elements(item) for item in known if item.role == "parameter")
    return {
        "path": graph.paths[node],
        "op": graph.ops[node].name,
        "type": type_text(graph.types[node]),
        "parameters": parameters or None,
    }


def _parts(types: Types) -> tuple[TensorType, ...]:
    return types if isinstance(types, tuple) else (types,)


def _value_bytes(types: list[TensorType]) -> int | None:
    """Return the bytes of all values together, None where a dim is symbolic."""
    total = 0
    for found in types:
        dims = [dim for dim in found.shape if isinstance(dim, int)]
        if len(dims) < found.rank:
            return None
        total += math.prod(dims) * item_size(found.dtype)
    return total
