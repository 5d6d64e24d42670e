"""Which operand goes to which port (rules L5.1, L5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from graphspec.callee import Signature
from graphspec.errors import did_you_mean

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Misfit(Generic[T]):
    """One reason why operands do not fit; ``operand`` is the one at fault, None for a missing one."""

    code: str
    message: str
    operand: T | None = None
    hint: str = ""


@dataclass
class Bound(Generic[T]):
    """The operands of every port, in order, and the parameters that were bound by name."""

    ports: dict[str, list[T]] = field(default_factory=dict)
    parameters: dict[str, T] = field(default_factory=dict)
    misfits: list[Misfit[T]] = field(default_factory=list)


def bind(
    signature: Signature,
    positional: Sequence[T],
    named: Mapping[str, Sequence[T]],
    edges: Sequence[tuple[str | None, T]] = (),
) -> Bound[T]:
    """Assign positional operands, operands by port name and arriving edges to the ports of ``signature``."""
    bound: Bound[T] = Bound()
    for i, operand in enumerate(positional):
        port = signature.ports[i] if i < len(signature.ports) else signature.variadic
        if port is None:
            count = len(signature.ports)
            message = f"{signature.name} takes {count} operand{'s' * (count != 1)}, found {len(positional)}"
            bound.misfits.append(Misfit("GS305", message, operand, f"its signature is {signature}"))
            break
        bound.ports.setdefault(port.name, []).append(operand)
    for name, operands in named.items():
        _bind_named(signature, bound, name, operands)
    from_edges: set[str] = set()
    for wanted, operand in edges:
        _bind_edge(signature, bound, wanted, operand, from_edges)
    missing = [port.name for port in signature.ports if port.name not in bound.ports and not port.optional]
    misplaced = sum(misfit.code == "GS309" for misfit in bound.misfits)  # they were meant for ports that are missing
    for name in missing if len(missing) > misplaced else ():
        message = f"{signature.name} has no operand for its port '{name}'"
        bound.misfits.append(Misfit("GS303", message, hint=f"its signature is {signature}"))
    return bound


def _bind_named(signature: Signature, bound: Bound[T], name: str, operands: Sequence[T]) -> None:
    first = operands[0] if operands else None
    if name in signature.parameters and len(operands) == 1:
        bound.parameters[name] = operands[0]
        return
    port = signature.port(name)
    if port is None:
        known = [item.name for item in signature.ports] + list(signature.parameters)
        bound.misfits.append(
            Misfit("GS309", f"{signature.name} has no port '{name}'", first, did_you_mean(name, known))
        )
    elif name in bound.ports:
        bound.misfits.append(Misfit("GS304", f"port '{name}' of {signature.name} gets its operand twice", first))
    elif operands:
        bound.ports[name] = list(operands)
        if len(operands) > 1 and not port.variadic:
            message = f"port '{name}' of {signature.name} takes one operand, found {len(operands)}"
            bound.misfits.append(Misfit("GS305", message, operands[1]))


def _bind_edge(signature: Signature, bound: Bound[T], wanted: str | None, operand: T, from_edges: set[str]) -> None:
    if wanted is None:
        port = signature.variadic or (signature.ports[0] if len(signature.ports) == 1 else None)
        if port is None:
            names = ", ".join(item.name for item in signature.ports)
            message = f"{signature.name} has several ports: {names}" if names else f"{signature.name} takes no operands"
            bound.misfits.append(Misfit("GS309", message, operand, "name one: source -> target.port"))
            return
    else:
        port = signature.port(wanted)
        if port is None:
            hint = did_you_mean(wanted, [item.name for item in signature.ports])
            bound.misfits.append(Misfit("GS309", f"{signature.name} has no port '{wanted}'", operand, hint))
            return
    taken = port.name in bound.ports
    if taken and not (port.variadic and port.name in from_edges):
        bound.misfits.append(Misfit("GS304", f"port '{port.name}' of {signature.name} gets its operand twice", operand))
        return
    bound.ports.setdefault(port.name, []).append(operand)
    from_edges.add(port.name)
