"""Arithmetic of symbolic dims: polynomials with integer coefficients in a normal form.

A dim is an integer or an `Expr`. Two dims are equal when their normal forms are; ``//`` and ``%`` that do not
simplify exactly are opaque atoms of the polynomial (L6.1). Nothing here recurses: an expression knows the opaque
atoms inside it, inner ones first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Dim: TypeAlias = "int | Expr"
Atom: TypeAlias = "str | Opaque"
Monomial: TypeAlias = "tuple[tuple[Atom, int], ...]"

# What a shape may grow to, so that no spec can make the arithmetic of its dims hang.
TERMS = 1_000
DEGREE = 1_000
OPAQUES = 100
CHARACTERS = 50_000
COEFFICIENT = 2**256


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Opaque:
    """A floor division or a remainder that does not simplify: ``left // right`` or ``left % right``."""

    kind: str
    left: Dim
    right: Dim
    text: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", f"{_left(self.left)} {self.kind} {_right(self.right)}")

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Opaque) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expr:
    """A dim that is not an integer, as its terms in descending graded lexicographic order.

    The text is injective as long as names of symbols are identifiers, so it decides equality and the hash.
    """

    terms: tuple[tuple[Monomial, int], ...]
    symbols: frozenset[str] = field(init=False)
    opaques: tuple[Opaque, ...] = field(init=False)
    text: str = field(init=False)

    def __post_init__(self) -> None:
        atoms = dict.fromkeys(atom for monomial, _ in self.terms for atom, _ in monomial)
        opaques = _opaques(atoms)
        inner = [symbols(side) for opaque in opaques for side in (opaque.left, opaque.right)]
        names = frozenset(atom for atom in atoms if isinstance(atom, str))
        object.__setattr__(self, "symbols", names.union(*inner))
        object.__setattr__(self, "opaques", opaques)
        object.__setattr__(self, "text", _text(self.terms))
        if len(opaques) > OPAQUES or len(self.text) > CHARACTERS:
            raise ValueError(f"a dim is too large: {self.text[:60]} ...")

    @property
    def is_symbol(self) -> bool:
        """Whether this is exactly one bare name."""
        (monomial, coefficient), *rest = self.terms
        return not rest and coefficient == 1 and len(monomial) == 1 and monomial[0] == (self.text, 1)

    def __add__(self, other: Dim) -> Dim:
        return _sum((self, other)) if isinstance(other, (int, Expr)) else NotImplemented

    def __sub__(self, other: Dim) -> Dim:
        return _sum((self, -other)) if isinstance(other, (int, Expr)) else NotImplemented

    def __rsub__(self, other: Dim) -> Dim:
        return _sum((other, -self)) if isinstance(other, (int, Expr)) else NotImplemented

    def __mul__(self, other: Dim) -> Dim:
        return _multiply(self, other) if isinstance(other, (int, Expr)) else NotImplemented

    def __neg__(self) -> Dim:
        return _multiply(self, -1)

    def __floordiv__(self, other: Dim) -> Dim:
        return floordiv(self, other) if isinstance(other, (int, Expr)) else NotImplemented

    def __rfloordiv__(self, other: Dim) -> Dim:
        return floordiv(other, self) if isinstance(other, (int, Expr)) else NotImplemented

    def __mod__(self, other: Dim) -> Dim:
        return mod(self, other) if isinstance(other, (int, Expr)) else NotImplemented

    def __rmod__(self, other: Dim) -> Dim:
        return mod(other, self) if isinstance(other, (int, Expr)) else NotImplemented

    __radd__ = __add__
    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Expr) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def symbol(name: str) -> Expr:
    """Return the dim that is one name."""
    return Expr(((((name, 1),), 1),))


def symbols(dim: Dim) -> frozenset[str]:
    """Return the free symbols of a dim, those inside ``//`` and ``%`` too."""
    return dim.symbols if isinstance(dim, Expr) else frozenset()


def substitute(dim: Dim, env: Mapping[str, Dim]) -> Dim:
    """Replace symbols by dims, all at once; symbols that ``env`` lacks stay.

    Raises:
        ZeroDivisionError: a divisor becomes zero.
        ValueError: the result is too large.
    """
    if not isinstance(dim, Expr) or dim.symbols.isdisjoint(env):
        return dim
    images: dict[Atom, Dim] = {name: env[name] if name in env else symbol(name) for name in dim.symbols}
    for opaque in dim.opaques:
        left, right = _image(opaque.left, images), _image(opaque.right, images)
        images[opaque] = floordiv(left, right) if opaque.kind == "//" else mod(left, right)
    return _image(dim, images)


def evaluate(dim: Dim, env: Mapping[str, int]) -> int:
    """Return the integer that a dim is when its symbols have these values.

    Raises:
        KeyError: a symbol has no value.
        ZeroDivisionError: a divisor is zero.
    """
    value = substitute(dim, env)
    if isinstance(value, Expr):
        raise KeyError(min(value.symbols))
    return value


def floordiv(a: Dim, b: Dim) -> Dim:
    """Return ``a // b``: the quotient where division is exact, else an opaque atom.

    Raises:
        ZeroDivisionError: ``b`` is 0.
    """
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    quotient = _quotient(a, b)
    return _atom(Opaque("//", a, b)) if quotient is None else quotient


def mod(a: Dim, b: Dim) -> Dim:
    """Return ``a % b``: 0 where division is exact, else an opaque atom.

    Raises:
        ZeroDivisionError: ``b`` is 0.
    """
    if isinstance(a, int) and isinstance(b, int):
        return a % b
    return _atom(Opaque("%", a, b)) if _quotient(a, b) is None else 0


def product(dims: Iterable[Dim]) -> Dim:
    """Return the product of dims; 1 for none."""
    total: Dim = 1
    for dim in dims:
        total = _multiply(total, dim)
    return total


def exact_quotient(a: Dim, b: Dim) -> Dim | None:
    """Return the polynomial ``q`` with ``q * b == a``, or None where there is none."""
    return None if b == 0 else _quotient(a, b)


def _quotient(a: Dim, b: Dim) -> Dim | None:
    """Divide by the leading term until nothing is left; the first one that does not divide ends it."""
    if b == 0:
        raise ZeroDivisionError(f"{a} is divided by zero")
    remainder, divisor = dict(_terms(a)), _terms(b)
    lead, lead_coefficient = divisor[0]
    quotient: dict[Monomial, int] = {}
    while remainder:
        monomial = min(remainder, key=_order)
        ratio = _ratio(monomial, lead)
        coefficient, rest = divmod(remainder[monomial], lead_coefficient)
        if rest or ratio is None or len(quotient) == TERMS or abs(coefficient) > COEFFICIENT:
            return None
        quotient[ratio] = coefficient
        for other, factor in divisor:
            _accumulate(remainder, _times(ratio, other), -coefficient * factor)
    return _dim(quotient)


def _terms(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(dim, Expr):
        return dim.terms
    return (((), int(dim)),) if dim else ()


def _dim(terms: Mapping[Monomial, int]) -> Dim:
    if not terms:
        return 0
    if len(terms) == 1 and () in terms:
        return terms[()]
    if len(terms) > TERMS:
        raise ValueError(f"a dim has more than {TERMS} terms")
    if max(map(abs, terms.values())) > COEFFICIENT or max(map(_degree, terms)) > DEGREE:
        raise ValueError("a coefficient or a power in a dim is too large")
    return Expr(tuple(sorted(terms.items(), key=lambda term: _order(term[0]))))


def _accumulate(terms: dict[Monomial, int], monomial: Monomial, coefficient: int) -> None:
    total = terms.get(monomial, 0) + coefficient
    if total:
        terms[monomial] = total
    else:
        terms.pop(monomial, None)


def _sum(dims: Iterable[Dim]) -> Dim:
    total: dict[Monomial, int] = {}
    for dim in dims:
        for monomial, coefficient in _terms(dim):
            _accumulate(total, monomial, coefficient)
    return _dim(total)


def _multiply(a: Dim, b: Dim) -> Dim:
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    total: dict[Monomial, int] = {}
    right = _terms(b)
    for monomial, coefficient in _terms(a):
        for other, factor in right:
            _accumulate(total, _times(monomial, other), coefficient * factor)
        if len(total) > TERMS:
            raise ValueError(f"a dim has more than {TERMS} terms")
    return _dim(total)


def _image(dim: Dim, images: Mapping[Atom, Dim]) -> Dim:
    """Return a dim with every atom replaced by its image."""
    if isinstance(dim, int):
        return dim
    return _sum(
        _multiply(product(_power(images[atom], power) for atom, power in monomial), coefficient)
        for monomial, coefficient in dim.terms
    )


def _power(base: Dim, power: int) -> Dim:
    return base**power if isinstance(base, int) else product([base] * power)


def _atom(opaque: Opaque) -> Expr:
    return Expr(((((opaque, 1),), 1),))


def _opaques(atoms: Iterable[Atom]) -> tuple[Opaque, ...]:
    """Return the opaque atoms and those inside them, inner ones first."""
    found: dict[Opaque, None] = {}
    for atom in atoms:
        if isinstance(atom, Opaque):
            for side in (atom.left, atom.right):
                found.update(dict.fromkeys(side.opaques if isinstance(side, Expr) else ()))
            found[atom] = None
    return tuple(found)


def _times(a: Monomial, b: Monomial) -> Monomial:
    if not a or not b:
        return a or b
    powers = dict(a)
    for atom, power in b:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=_rank))


def _ratio(a: Monomial, b: Monomial) -> Monomial | None:
    """Return ``a / b``, or None where ``b`` does not divide ``a``."""
    powers = dict(a)
    for atom, power in b:
        powers[atom] = powers.get(atom, 0) - power
        if powers[atom] < 0:
            return None
    return tuple((atom, power) for atom, power in powers.items() if power)


def _degree(monomial: Monomial) -> int:
    return sum(power for _, power in monomial)


def _rank(factor: tuple[Atom, int]) -> tuple[bool, str, int]:
    """Order factors by atom, names before opaque ones; of two powers of an atom the higher comes first."""
    atom, power = factor
    return (False, atom, -power) if isinstance(atom, str) else (True, atom.text, -power)


def _order(monomial: Monomial) -> tuple[int, list[tuple[bool, str, int]]]:
    """Order monomials for reading and for division: an admissible order, the leading one smallest."""
    return -_degree(monomial), [_rank(factor) for factor in monomial]


def _text(terms: tuple[tuple[Monomial, int], ...]) -> str:
    """Return a sum as a person writes it: a positive term first where there is one (``1 - n``)."""
    first = next((index for index, (_, coefficient) in enumerate(terms) if coefficient > 0), 0)
    ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
    pieces = []
    for index, (monomial, coefficient) in enumerate(ordered):
        sign = (" + ", " - ")[coefficient < 0] if index else ("", "-")[coefficient < 0]
        pieces.append(sign + _term_text(monomial, abs(coefficient), wrapped=sign == "-"))
    return "".join(pieces)


def _term_text(monomial: Monomial, coefficient: int, wrapped: bool) -> str:
    if coefficient == 1 and len(monomial) == 1 and not wrapped and monomial[0][1] == 1:
        return str(monomial[0][0])
    factors = [str(coefficient)] if coefficient != 1 or not monomial else []
    for atom, power in monomial:
        base = atom if isinstance(atom, str) else f"({atom})"
        factors.append(base if power == 1 else f"{base}**{power}")
    return "*".join(factors)


def _left(dim: Dim) -> str:
    """Return a dividend, in parentheses unless it is a product that reads without them."""
    if isinstance(dim, int):
        return str(dim) if dim >= 0 else f"({dim})"
    monomial, coefficient = dim.terms[0]
    bare_opaque = coefficient == 1 and len(monomial) == 1 and not isinstance(monomial[0][0], str)
    return f"({dim})" if len(dim.terms) > 1 or coefficient < 0 or bare_opaque else str(dim)


def _right(dim: Dim) -> str:
    """Return a divisor, in parentheses unless it is one name or a number."""
    bare = dim >= 0 if isinstance(dim, int) else dim.is_symbol
    return str(dim) if bare else f"({dim})"
