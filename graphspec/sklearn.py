"""Estimators for scikit-learn (extra `sklearn`): a document that is trained with `fit` and used with `predict`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from graphspec.errors import FeedError, problem
from graphspec.extras import not_installed
from graphspec.loader import load_document, load_text
from graphspec.program import Program, loads
from graphspec.roles import Roles, is_probability, roles_of
from graphspec.source import Map
from graphspec.specialise import Models
from graphspec.types import TensorType, kind

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise not_installed("graphspec.sklearn", "scikit-learn", "sklearn", error) from None

_START = """\
graphspec: 1
attributes:
  features: {type: integer, default: 1, minimum: 1}
"""
_CLASSIFIER = """\
  classes: {type: integer, default: 2, minimum: 1}
inputs:
  x: {shape: [batch, features]}
  y: {shape: [batch], dtype: int64}
nodes:
HIDDEN  logits: linear(LAST, units=classes)
  loss: cross_entropy(logits, y)
  accuracy: accuracy(logits, y)
outputs: [logits, loss, accuracy]
train: {minimize: loss, optimizer: adam(learning_rate=0.01), epochs: 100, batch: 32, metrics: [loss, accuracy]}
"""
_REGRESSOR = """\
  outputs: {type: integer, default: 1, minimum: 1}
inputs:
  x: {shape: [batch, features]}
  y: {shape: [batch, outputs]}
nodes:
HIDDEN  prediction: linear(LAST, units=outputs)
  loss: mean_squared_error(prediction, y)
outputs: [prediction, loss]
train: {minimize: loss, optimizer: adam(learning_rate=0.01), epochs: 100, batch: 32, metrics: loss}
"""


class _Estimator(BaseEstimator):
    """What both estimators share. ``_text`` is the document that stands for ``spec=None``."""

    _text: ClassVar[str]

    def __init__(
        self,
        spec: str | os.PathLike[str] | None = None,
        *,
        hidden: tuple[int, ...] = (32,),
        activation: str = "relu",
        attributes: Mapping[str, Any] | None = None,
        input: str | None = None,
        target: str | None = None,
        output: str | None = None,
        epochs: int | None = None,
        batch: int | None = None,
        optimizer: str | None = None,
        random_state: Any = None,
        engine: str = "numpy",
        verbose: bool = False,
        settings: Mapping[str, Any] | None = None,
    ):
        self.spec = spec
        self.hidden = hidden
        self.activation = activation
        self.attributes = attributes
        self.input = input
        self.target = target
        self.output = output
        self.epochs = epochs
        self.batch = batch
        self.optimizer = optimizer
        self.random_state = random_state
        self.engine = engine
        self.verbose = verbose
        self.settings = settings

    # -- the document -----------------------------------------------------------------------------------------------

    def _build(self, **sizes: int) -> tuple[Program, Roles]:
        """Return a new program, with the attributes set that the document declares among ``sizes``."""
        document = self._document()
        # every fit would write to the same folder, also those of a search that run at the same time
        if isinstance(document.data.get("train"), Map):
            document.data["train"].pop("checkpoint", None)
        attributes = {name: size for name, size in sizes.items() if name in document.attributes}
        self._attributes = {**attributes, **(self.attributes or {})}
        program = Program(Models(document, self._attributes))
        return program, roles_of(program.model, self.input, self.target, self.output)

    def _document(self) -> Any:
        if self.spec is None:
            return load_text(self._default())
        text = os.fspath(self.spec)
        return load_text(text) if "\n" in text or text.lstrip().startswith("{") else load_document(text)

    def _default(self) -> str:
        """Return the document for ``spec=None``: a perceptron with the hidden layers that are asked for."""
        layers = ["x", *(f"h{number}" for number, _ in enumerate(self.hidden, 1))]
        pairs = zip(layers, layers[1:], self.hidden, strict=False)
        lines = [f"  {name}: {self.activation}(linear({before}, units={size}))\n" for before, name, size in pairs]
        return _START + self._text.replace("HIDDEN", "".join(lines)).replace("LAST", layers[-1])

    # -- training and what comes after ------------------------------------------------------------------------------

    def _train(self, program: Program, roles: Roles, X: np.ndarray, y: np.ndarray) -> None:
        own = {"epochs": self.epochs, "batch": self.batch, "optimizer": self.optimizer, "seed": self._seed()}
        settings = {**(self.settings or {}), **{key: value for key, value in own.items() if value is not None}}
        data = {roles.input: self._rows(program, roles, X), roles.target: y}
        self.history_ = program.train(data, engine=self.engine, callbacks=self._callbacks(), **settings)
        self.program_, self._roles = program, roles

    def _seed(self) -> int | None:
        """Return the seed of the training; without ``random_state``, the document's."""
        if self.random_state is None or isinstance(self.random_state, int | np.integer):
            return None if self.random_state is None else int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _callbacks(self) -> list[Any]:
        if not self.verbose:
            return []
        from graphspec.view.progress import progress

        return [progress()]

    def _rows(self, program: Program, roles: Roles, X: np.ndarray) -> np.ndarray:
        """Return rows in the shape of the input: those of images are written one after another in X."""
        shape = program.inputs[roles.input].shape[1:]
        sizes = [dim for dim in shape if isinstance(dim, int)]
        fits = len(shape) > 1 and len(sizes) == len(shape) and np.prod(sizes) == X.shape[1]
        return X.reshape((len(X), *sizes)) if fits else X

    def _predict(self, X: Any) -> np.ndarray:
        """Return the output for every row."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        rows = {self._roles.input: self._rows(self.program_, self._roles, X)}
        return self.program_.predict(rows, [self._roles.output], engine=self.engine)[self._roles.output]

    # -- pickling: the text, the attributes and arrays, and no graph --------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        if "program_" in state:
            program = state["program_"]
            function = program.model.function
            state["program_"] = {
                "text": function.source.text,
                "folder": None if function.folder is None else str(function.folder),
                "attributes": self._attributes,
                "values": {**program.parameters, **program.state},
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        kept = state.get("program_")
        if kept is not None:
            folder = None if kept["folder"] is None else Path(kept["folder"])
            program = loads(kept["text"], attributes=kept["attributes"], folder=folder)
            for values in (program.parameters, program.state):
                values.assign({path: kept["values"][path] for path in values})
            state = {**state, "program_": program}
        super().__setstate__(state)


class GraphClassifier(ClassifierMixin, _Estimator):
    """A classifier that is a document.

    The attributes `features` and `classes` of a document, where it declares them, are set to what the data has. Which
    input is X, which one y and which output has the logits is found as `graphspec.roles.roles_of` says. The target
    gets the number of the class in ``classes_``; where it is float32 or float64, a one for the class among zeros, or,
    if there is one number for each row, 0 or 1. An output that is a call of softmax or sigmoid, or is called
    `probability`, has probabilities; any other has logits. Transforms of the section `data` are not applied, and
    `checkpoint` is not either.

    Args:
        spec: a path, or the text of a spec; None: a perceptron with layers of ``hidden`` units.
        hidden, activation: the perceptron for ``spec=None``.
        attributes: values that override the document's attributes.
        input, target, output: the names of the input for X, of that for y, and of the node with the logits.
        epochs, batch, optimizer: keys of the section `train` that replace the document's.
        random_state: an integer is the seed of first values, order and random ops; None: the document's.
        engine: "numpy" or "jax".
        verbose: whether progress is shown on stderr.
        settings: further keys of the section `train`.

    Attributes:
        classes_: the labels in the order of the logits.
        n_features_in_, feature_names_in_: what X had.
        program_: the trained `Program`.
        history_: what happened in training.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> bool(GraphClassifier(hidden=(16,), epochs=30).fit(X, y).score(X, y) > 0.9)
        True
    """

    _text = _CLASSIFIER

    def fit(self, X: Any, y: Any) -> GraphClassifier:
        """Train on X, floats of [rows, features], and y, labels of [rows].

        Raises:
            ValueError: the data or the document does not fit; errors of graphspec are among them.
        """
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        self.classes_, numbers = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        program, roles = self._build(features=X.shape[1], classes=len(self.classes_))
        self._check(program, roles)
        self._train(program, roles, X, self._targets(program.inputs[roles.target], numbers))
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the logits, [rows, classes]; of two classes, the log-odds of the second, [rows]."""
        scores = self._scores(X)
        found: np.ndarray = scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores
        return found

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities of [rows, classes]."""
        scores = self._scores(X)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        found: np.ndarray = shares / shares.sum(axis=1, keepdims=True)
        return found

    def predict(self, X: Any) -> np.ndarray:
        """Return labels, [rows]."""
        scores = self._scores(X)
        labels: np.ndarray = self.classes_[scores.argmax(axis=1)]
        return labels

    def _check(self, program: Program, roles: Roles) -> None:
        """Check that there is a number for each class."""
        node, count = program.model.find(roles.output), len(self.classes_)
        found = program.graph.types[node] if node is not None else None
        width = found.shape[-1] if isinstance(found, TensorType) and found.rank == 2 else 1
        if count > 2 if width == 1 else isinstance(width, int) and width < count:
            message = f"y has {count} classes, and '{roles.output}' is {found}"
            raise FeedError(problem("GS646", message, hint="an attribute `classes` is set to their number"))

    def _targets(self, type: TensorType, numbers: np.ndarray) -> np.ndarray:
        """Return the numbers of classes as the target holds them."""
        if kind(type.dtype) == "integer" or type.rank < 2 or type.shape[-1] == 1:
            return numbers.reshape((-1, 1)) if type.rank == 2 else numbers
        width = type.shape[-1]
        return np.eye(width if isinstance(width, int) else len(self.classes_))[numbers]

    def _scores(self, X: Any) -> np.ndarray:
        """Return the logits of all classes, [rows, classes]; what a row has in common does not matter."""
        found, count = self._predict(X), len(self.classes_)
        values = found.astype(np.float64).reshape((len(found), -1))
        both = values.shape[1] == 1 and count == 2  # one number, which speaks of the second class
        if is_probability(self.program_.model, self._roles.output):
            values = np.clip(values, np.finfo(np.float64).tiny, 1.0)
            values = np.log(values) - np.log1p(-np.minimum(values, 1 - 1e-16)) if both else np.log(values)
        return np.hstack([np.zeros_like(values), values]) if both else values[:, :count]


class GraphRegressor(RegressorMixin, _Estimator):
    """A regressor that is a document.

    The attributes `features` and `outputs` of a document, where it declares them, are set to the numbers of columns of
    X and y. For the rest see `GraphClassifier`; the output is the prediction.

    Attributes:
        n_features_in_, feature_names_in_: what X had.
        program_: the trained `Program`.
        history_: what happened in training.

    Example:
        >>> import numpy as np
        >>> X = np.linspace(-2, 2, 100)[:, np.newaxis]
        >>> bool(GraphRegressor(epochs=50).fit(X, np.sin(X[:, 0])).score(X, np.sin(X[:, 0])) > 0.9)
        True
    """

    _text = _REGRESSOR

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> GraphRegressor:
        """Train on X, floats of [rows, features], and y, numbers of [rows] or [rows, outputs].

        Raises:
            ValueError: the data or the document does not fit; errors of graphspec are among them.
        """
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], multi_output=True, y_numeric=True)
        self._flat = y.ndim == 1
        program, roles = self._build(features=X.shape[1], outputs=1 if self._flat else y.shape[1])
        rank = program.inputs[roles.target].rank
        if rank == 1 and not self._flat:
            y = column_or_1d(y, warn=True)
        self._train(program, roles, X, y.reshape((-1, 1)) if rank == 2 and self._flat else y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return numbers of [rows], or of [rows, outputs] where y was so."""
        found = self._predict(X)
        return found.reshape(-1) if self._flat else found.reshape((len(found), -1))


__all__ = ["GraphClassifier", "GraphRegressor"]
