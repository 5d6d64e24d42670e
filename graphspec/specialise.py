"""The builds of one document: which inputs are fed, and how many dims `...` stands for, are decided by the feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphspec.declaration import Function
from graphspec.errors import FeedError, SpecError
from graphspec.expression import walk
from graphspec.model import Model, build
from graphspec.structure import expressions_in


class Models:
    """The builds of a document, made when feeds first need them."""

    def __init__(self, function: Function, attributes: Mapping[str, Any]):
        self._function, self._attributes = function, dict(attributes)
        self._built: dict[tuple[frozenset[str], int], Model] = {}
        self._asked = _asked(function)
        self._open = [
            name for name, item in function.inputs.items() if item.shape is not None and ... in item.shape.dims
        ]
        self.first = self.for_feeds({})

    @classmethod
    def of(cls, model: Model) -> Models:
        """Return the only build of a graph that was derived from a document."""
        models = cls.__new__(cls)
        models._function, models._attributes, models._asked, models._open = model.function, {}, frozenset(), []
        models._built = {(frozenset(), 0): model}
        models.first = model
        return models

    def with_attributes(self, attributes: Mapping[str, Any]) -> Models:
        """Return the builds of the same document under further attributes."""
        return Models(self._function, {**self._attributes, **attributes})

    def for_feeds(self, feeds: Mapping[str, Any]) -> Model:
        """Return the build that fits the feeds.

        Raises:
            SpecError: every problem of the document, at the first build.
            FeedError: what is wrong with a build that the feeds ask for.
        """
        key = (self._asked.intersection(feeds), self._leading(feeds))
        if key not in self._built:
            try:
                model = build(self._function, self._attributes, key[0], {"...": key[1]} if key[1] else None)
            except SpecError as error:
                if not self._built:
                    raise
                raise FeedError(error.diagnostics) from None  # what was loaded is well; what is fed leads here
            self._built.setdefault(key, model)  # another thread may have been faster
        return self._built[key]

    def _leading(self, feeds: Mapping[str, Any]) -> int:
        """Return how many dims `...` stands for, judged by the first feed or default that has them."""
        for name in self._open:
            declared = self._function.inputs[name]
            value = feeds.get(name, declared.value)
            if value is not None and declared.shape is not None:
                return max(0, _rank(value) - (len(declared.shape.dims) - 1))
        return 0


def _rank(value: Any) -> int:
    if hasattr(value, "ndim"):
        return int(value.ndim)
    rank = 0
    while isinstance(value, list | tuple):
        rank += 1
        if not value:
            break
        value = value[0]
    return rank if rank else np.ndim(value)


def _asked(function: Function) -> frozenset[str]:
    """Return the inputs whose being given changes what is built."""
    names = {name for name, item in function.inputs.items() if item.optional and item.value is None}
    for expression in expressions_in(function):
        for term in walk(expression.term):
            if term.kind == "call" and term.value == "given":
                names.update(part.value for part in term.parts if part is not None and part.kind == "name")
    return frozenset(names)
