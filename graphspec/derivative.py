"""What is differentiated with respect to what, and whether the gradient exists (rule L8.2)."""

from __future__ import annotations

from collections.abc import Sequence

from graphspec.autodiff import Backward
from graphspec.errors import Diagnostic, Location, NotDifferentiableError, did_you_mean, problem
from graphspec.graph import Graph
from graphspec.model import Model
from graphspec.types import TensorType


def node_of(model: Model, name: str) -> int:
    """Return the node of a name that `request` has checked."""
    node = model.find(name)
    assert node is not None
    return node


def request(model: Model, of: str | None, wrt: Sequence[str] | str | None) -> tuple[str, tuple[str, ...]]:
    """Return what to differentiate, and with respect to what, defaults filled in (L8.2).

    Raises:
        NotDifferentiableError: a name is unknown, not a float, or ``of`` not a scalar.
    """
    found: list[Diagnostic] = []
    target = of if of is not None else model.of
    if target is None:
        floats = [name for name, node in model.outputs.items() if is_scalar(model, node)]
        message = "there is nothing to differentiate: no output is a float scalar"
        if floats:
            message = f"there are several float scalars: {', '.join(floats)}"
        raise NotDifferentiableError(
            problem("GS504", message, hint="name one: --of NAME, of=..., or `differentiate: NAME`")
        )
    node = _checked(model, target, found)
    if node is not None and not is_scalar(model, node):
        hint = f"reduce it: sum({target}) or mean({target})"
        message = f"'{target}' is {model.graph.types[node]}: a gradient is that of a scalar"
        found.append(problem("GS501", message, _place(model, node), hint=hint))
    names: tuple[str, ...]
    if wrt is not None:
        names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    else:
        names = model.wrt if model.wrt is not None else model.default_wrt()
    names = tuple(dict.fromkeys(names))
    for name in names:
        _checked(model, name, found)
    if found:
        raise NotDifferentiableError(found)
    return target, names


def is_scalar(model: Model, node: int) -> bool:
    """Tell whether a node is a float scalar."""
    found = model.graph.types[node]
    return isinstance(found, TensorType) and found.is_float and found.is_scalar


def _checked(model: Model, name: str, found: list[Diagnostic]) -> int | None:
    node = model.find(name)
    if node is None:
        hint = did_you_mean(name, [*model.graph.names, *model.outputs])
        found.append(problem("GS504", f"there is no value '{name}' to differentiate", hint=hint))
        return None
    kind = model.graph.types[node]
    if isinstance(kind, tuple):
        outputs = ", ".join(path for path in model.graph.names if path.startswith(f"{name}."))
        found.append(problem("GS504", f"'{name}' has several outputs: {outputs}", _place(model, node)))
        return None
    if not kind.is_float:
        found.append(problem("GS502", f"'{name}' is {kind}: only floats have gradients", _place(model, node)))
        return None
    return node


def _place(model: Model, node: int) -> Location | None:
    origin = model.graph.origins[node]
    return origin.location if origin is not None else None


def judge(
    model: Model, graph: Graph, backward: Backward, of: str | None, wrt: Sequence[str], named: bool
) -> tuple[Diagnostic, ...]:
    """Return notes on gradients that are zero; refuse those that do not exist.

    A name that reaches ``of`` only through an op without gradient is refused where it was asked for by name, or
    where nothing else has a gradient either; else it is zero, with a note.

    Raises:
        NotDifferentiableError: GS503.
    """
    if of is None:
        return ()
    nodes = {name: node_of(model, name) for name in wrt}
    blocked = {name: backward.blocked[node] for name, node in nodes.items() if node in backward.blocked}
    reached = [name for name, node in nodes.items() if node in backward.cotangents]
    if blocked and (named or not reached):
        raise NotDifferentiableError([_blocked(model, of, name, block, "error") for name, block in blocked.items()])
    notes = [_blocked(model, of, name, block, "note") for name, block in blocked.items()]
    zero = [name for name, node in nodes.items() if node in backward.zero]
    for name in zero:
        touched = graph.descendants([nodes[name]])[node_of(model, of)]
        why = "its derivative is zero everywhere" if touched else f"'{of}' does not depend on it"
        notes.append(Diagnostic("GS505", "note", f"the gradient of '{name}' is zero: {why}"))
    return tuple(notes)


def _blocked(model: Model, of: str, name: str, block: int, severity: str) -> Diagnostic:
    op = model.graph.ops[block].name
    path = model.graph.label(block)
    message = f"'{name}' reaches '{of}' only through {op} ('{path}'), which has no gradient"
    return Diagnostic("GS503", severity, message, where=_place(model, block))
