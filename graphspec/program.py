"""What users hold: a spec that is ready to run and to differentiate."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphspec import derivative, feeds, writer
from graphspec.attribute import dims_in
from graphspec.autodiff import Backward, gradient
from graphspec.engine import engine_named
from graphspec.gradient import gradient_model
from graphspec.graph import Graph
from graphspec.leaf import Leaf
from graphspec.loader import load_document, load_text
from graphspec.model import Model
from graphspec.plan import Plan, schedule
from graphspec.result import Arrays, Result
from graphspec.specialise import Models
from graphspec.trainable import Trainable
from graphspec.types import TensorType, evaluate_shape
from graphspec.weights import Parameters


def load(path: str | os.PathLike[str], *, attributes: Mapping[str, Any] | None = None) -> Program:
    """Load a spec from a file.

    Args:
        path: a YAML or JSON file.
        attributes: values that override the document's attributes.

    Raises:
        SpecError: every problem of the first stage that fails.
    """
    return Program(Models(load_document(path), attributes or {}))


def loads(
    text: str, *, attributes: Mapping[str, Any] | None = None, folder: str | os.PathLike[str] | None = None
) -> Program:
    """Load a spec from text; ``folder`` is where its imports and weights are looked up.

    Raises:
        SpecError: every problem of the first stage that fails.
    """
    return Program(Models(load_text(text, folder), attributes or {}))


class Program(Trainable):
    """A differentiable function. Nothing that runs it changes it, so several threads may use one.

    Example:
        >>> import graphspec as gs
        >>> program = gs.loads("{graphspec: 1, inputs: {x: 3}, nodes: {f: x * x}, outputs: f}")
        >>> float(program.backprop().gradients["x"])
        6.0
    """

    def __init__(self, models: Models, parameters: Parameters | None = None):
        super().__init__(models, parameters or Parameters(models.first))
        self._gradients: dict[tuple[int, str, tuple[str, ...]], tuple[Graph, Backward]] = {}
        self._plans: dict[tuple[int, tuple[int, ...]], Plan] = {}

    @property
    def model(self) -> Model:
        """The document as it was built at load time."""
        return self._models.first

    @property
    def name(self) -> str:
        return self.model.function.name

    @property
    def graph(self) -> Graph:
        """The typed graph; ``graph.dag`` is its networkx form."""
        return self.model.graph

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The type of every input."""
        return {name: item.type for name, item in self.model.inputs.items()}

    @property
    def outputs(self) -> dict[str, TensorType]:
        """The type of every output."""
        return {name: self.graph.types[node] for name, node in self.model.outputs.items()}  # type: ignore[misc]

    @property
    def parameters(self) -> Parameters:
        """The parameters by path: arrays; assignable, with ``save`` and ``load`` for safetensors files."""
        return self._parameters.of_role("parameter")

    @property
    def state(self) -> Parameters:
        """The state by path, as `parameters`."""
        return self._parameters.of_role("state")

    # -- running ----------------------------------------------------------------------------------------------------

    def run(
        self, feeds: Mapping[str, Any] | None = None, /, *, engine: str = "numpy", seed: int = 0, **inputs: Any
    ) -> Result:
        """Run forward.

        Args:
            feeds: inputs by name (parameters and state by path too); further ones as keywords.
            engine: "numpy" or "jax".
            seed: of the random ops, and of the initialisers of parameters that have not been set.

        Raises:
            FeedError: a feed is missing, unknown or ill-typed.
            ExecutionError: a node failed.
            EngineError: the engine is unknown or not installed.
        """
        return self._execute(None, (), _merged(feeds, inputs), engine, seed)

    def backprop(
        self,
        feeds: Mapping[str, Any] | None = None,
        /,
        *,
        of: str | None = None,
        wrt: Sequence[str] | str | None = None,
        engine: str = "numpy",
        seed: int = 0,
        **inputs: Any,
    ) -> Result:
        """Run forward and backward.

        Args:
            feeds: as for `run`.
            of: the scalar to differentiate; default: the document's `differentiate`, or its only scalar output.
            wrt: names of float values; default: the document's, or every float input and trainable parameter.

        Raises:
            NotDifferentiableError: there is nothing to differentiate, or no gradient exists.
            FeedError, ExecutionError, EngineError: as for `run`.
        """
        given = _merged(feeds, inputs)
        model = self._models.for_feeds(given)
        target, names = derivative.request(model, of, wrt)
        return self._execute(target, names, given, engine, seed, named=wrt is not None or model.wrt is not None)

    def _execute(
        self, of: str | None, wrt: tuple[str, ...], given: dict[str, Any], engine: str, seed: int, named: bool = False
    ) -> Result:
        model = self._models.for_feeds(given)
        graph, backward = (model.graph, Backward()) if of is None else self._backward(model, of, wrt)
        notes = derivative.judge(model, graph, backward, of, wrt, named)
        wanted = [*model.outputs.values(), *model.updates.values()]
        gradients = {name: derivative.node_of(model, name) for name in wrt}
        found = {name: backward.cotangents[node].id for name, node in gradients.items() if node in backward.cotangents}
        plan = self._plan(graph, (*wanted, *found.values()))
        runner = engine_named(engine)
        values = self._parameters.snapshot()
        leaves, bound = self._bound(model, plan, given, seed, values)
        zero = {name: node for name, node in gradients.items() if name not in found}
        feeds.require_sizes(model, bound, plan.dims.union(*(_dims(graph, node) for node in zero.values())))
        arrays = runner(plan, leaves, bound.dims)
        fed = {name: bound.arrays[name] for name in given}
        outputs = dict(zip(model.outputs, arrays, strict=False))
        updates = dict(zip(model.updates, arrays[len(outputs) :], strict=False))
        pulled = dict(zip(found, arrays[len(wanted) :], strict=True))
        pulled |= {name: _zeros(graph, node, bound.dims) for name, node in zero.items()}
        result = {name: pulled[name] for name in gradients}

        def details() -> tuple[Arrays, Arrays]:
            return self._everything(model, graph, backward, fed, engine, seed, values)

        return Result(engine, seed, _own(outputs), _own(updates), of, _own(result), notes, details)

    def _backward(self, model: Model, of: str, wrt: tuple[str, ...]) -> tuple[Graph, Backward]:
        """Return the graph with the nodes of the backward pass; remembered."""
        key = (id(model), of, wrt)
        if key not in self._gradients:
            graph = model.graph.copy()
            nodes = [derivative.node_of(model, name) for name in wrt]
            backward = gradient(graph, derivative.node_of(model, of), nodes)
            self._gradients.setdefault(key, (graph, backward))  # another thread may have been faster
        return self._gradients[key]

    def _plan(self, graph: Graph, outputs: tuple[int, ...]) -> Plan:
        key = (id(graph), outputs)
        if key not in self._plans:
            self._plans.setdefault(key, schedule(graph, outputs))
        return self._plans[key]

    def _leaves(
        self, model: Model, plan: Plan, given: Mapping[str, Any], seed: int
    ) -> tuple[dict[int, np.ndarray], dict[str, int]]:
        """Return the array of every leaf of a plan, and the integer of every dim."""
        arrays, bound = self._bound(model, plan, given, seed, self._parameters.snapshot())
        return arrays, bound.dims

    def _bound(
        self, model: Model, plan: Plan, given: Mapping[str, Any], seed: int, values: Mapping[str, np.ndarray]
    ) -> tuple[dict[int, np.ndarray], feeds.Bound]:
        """Return the array of every leaf of a plan, and the checked feeds; ``values`` are the parameters' of now."""
        paths = feeds.leaf_paths(plan.graph, plan.leaves)
        bound = feeds.bind(model, given, paths.values())
        arrays: dict[int, np.ndarray] = {}
        for node in plan.leaves:
            op = plan.graph.ops[node]
            assert isinstance(op, Leaf)
            if op.role == "seed":
                arrays[node] = np.array([seed, 0], dtype=np.int64)
            elif op.role == "constant":
                arrays[node] = model.constants[op.path]
            elif op.path in bound.arrays:
                arrays[node] = bound.arrays[op.path]
            else:
                arrays[node] = self._parameters.value(model.parameters[op.path], seed, values)
        return arrays, bound

    def _everything(
        self,
        model: Model,
        graph: Graph,
        backward: Backward,
        given: dict[str, Any],
        engine: str,
        seed: int,
        values: Arrays,
    ) -> tuple[Arrays, Arrays]:
        """Return the value and the cotangent of every node; what needs an input that was not fed is left out."""
        missing = [item.node for path, item in model.inputs.items() if item.default is None and path not in given]
        sizes = set(feeds.bind(model, given, ()).dims)
        missing += [node for node, op in enumerate(graph.ops) if not op.dims() <= sizes]
        unknown = graph.descendants(missing)
        known = {path: node for path, node in model.graph.names.items() if not unknown[node]}
        listed = {p: n for p, n in known.items() if isinstance(graph.types[n], TensorType)}
        cts = {p: backward.cotangents[n].id for p, n in listed.items() if n in backward.cotangents}
        plan = self._plan(graph, (*listed.values(), *cts.values()))
        leaves, bound = self._bound(model, plan, given, seed, values)
        arrays = engine_named(engine)(plan, leaves, bound.dims)
        found = _own(dict(zip(listed, arrays, strict=False)))
        return found, _own(dict(zip(cts, arrays[len(listed) :], strict=True)))

    def apply(self, result: Result) -> None:
        """Write the updates of a run into the parameters and state."""
        self._parameters.assign(result.updates)

    # -- training; `Trainable` has the rest ----------------------------------------------------------------------------

    def training_program(self, **settings: Any) -> Program:
        """Return the training step as a program: forward, backward and the next value of every parameter and state.

        Raises:
            SpecError, NotDifferentiableError: there is nothing to train, or the section `train` is wrong.
        """
        from graphspec.loader import train_section
        from graphspec.train.step import training_step

        section = train_section(self.model.function, settings)
        step = training_step(self._models.with_attributes({"training": True}).first, section)
        return Program(Models.of(step.model), self._parameters.for_model(step.model))

    # -- the gradient as a program ----------------------------------------------------------------------------------

    def gradient(self, of: str | None = None, wrt: Sequence[str] | str | None = None) -> Program:
        """Return a program whose outputs ``d_NAME`` are the gradients; it can be printed, run and differentiated again.

        Raises:
            NotDifferentiableError: there is nothing to differentiate, or no gradient exists.
        """
        target, names = derivative.request(self.model, of, wrt)
        graph, backward = self._backward(self.model, target, names)
        derivative.judge(self.model, graph, backward, target, names, wrt is not None or self.model.wrt is not None)
        model = gradient_model(self.model, target, names)
        return Program(Models.of(model), self._parameters.for_model(model))

    def to_yaml(self) -> str:
        """Return the program as a flat spec: everything expanded, inferred and defaulted."""
        return writer.to_yaml(self.model)

    def __repr__(self) -> str:
        return f"<graphspec.Program {self.name}: {len(self.graph.names)} nodes>"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        from graphspec.view.text import summary_html, summary_text

        return {"text/plain": summary_text(self), "text/html": summary_html(self)}


def _merged(feeds: Mapping[str, Any] | None, inputs: dict[str, Any]) -> dict[str, Any]:
    if isinstance(inputs.get("feeds"), Mapping):  # the mapping given by keyword; no array is one
        feeds = {**(feeds or {}), **inputs.pop("feeds")}
    return {**(feeds or {}), **inputs}


def _own(arrays: Mapping[str, Any]) -> Arrays:
    """Return copies: what a caller holds is never changed by a later run."""
    return {name: np.array(array) for name, array in arrays.items()}


def _dims(graph: Graph, node: int) -> set[str]:
    found = graph.types[node]
    return dims_in(found.shape) if isinstance(found, TensorType) else set()


def _zeros(graph: Graph, node: int, dims: Mapping[str, int]) -> np.ndarray:
    found = graph.types[node]
    assert isinstance(found, TensorType)
    return np.zeros(evaluate_shape(found.shape, dims), dtype=found.dtype)


__all__ = ["Program", "load", "loads"]
