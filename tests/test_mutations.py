"""Whatever is wrong with a spec, it is told in diagnostics with a place: no other exception, no endless work."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphspec.errors import Diagnostic, GraphSpecError
from graphspec.program import loads
from graphspec.source import read_file

EVERYTHING = Path(__file__).resolve().parent / "specs" / "everything.yaml"
KEYS = ["x", "shape", "value", "init", "file", "dtype", "optional", "variadic", "trainable", "repeat", "share"]
KEYS += ["op", "inputs", "units", "by", "of", "wrt", "key", "doc"]
TEXTS = [
    *("", "x", "s", "f", "n", "ct", "null", "units", "training", "dtype", "mode", "act", "dense", "t", "t.a", "t.c"),
    *(
        "$units",
        "$(units * 2)",
        "$",
        "$$a",
        "'x -> z'",
        "x -> z",
        "a.b.c",
        "h.w",
        "h.y.matmul",
        "x.shape",
        "-1",
        "1e400",
    ),
    *("x @", "x[", "x[9]", "x[...]", "x.shape[5]", "x if flag else s", "x if s else x", "[1, 2]", "given(s)", "act(s)"),
    *("exp(x, x)", "sum(x, axis=5)", "x + v", "1 / 0", "units // 0", "2 ** units", "exp", "float16", "int8", "bool"),
    *("normal", "uniform(1, 2)", "orthogonal", "square(x)", "stop_gradient(x)", "x ** 1e400", "1:30", "gradient"),
]
VALUES: list[Any] = [
    *(None, True, 0, 1, -1, 2, 1.5, 1e300, 10**30, [], [1], [[1, 2], [3]], ["x"], [None], [True], {}),
    *({"a": 1}, {"op": "add"}, {"op": "exp", "inputs": "x"}, {"over": {}}, {"of": "f"}, {"shape": [2]}),
    *TEXTS,
]


def paths(data: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside data."""
    stack: list[tuple[tuple[Any, ...], Any]] = [((), data)]
    while stack:
        path, item = stack.pop()
        if path:
            yield path
        keys = item if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        stack.extend(((*path, key), item[key]) for key in keys)


def mutate(data: Any, rng: random.Random) -> None:
    """Replace, remove, add or rename one thing."""
    path = rng.choice(sorted(paths(data), key=str))
    parent = data
    for key in path[:-1]:
        parent = parent[key]
    how = rng.random()
    if how < 0.6:
        parent[path[-1]] = copy.deepcopy(rng.choice(VALUES))
    elif how < 0.75:
        del parent[path[-1]]
    elif isinstance(parent, dict):
        parent[rng.choice(KEYS)] = copy.deepcopy(rng.choice(VALUES)) if how < 0.9 else parent.pop(path[-1])


def plain(data: Any) -> Any:
    return json.loads(json.dumps(data))


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    """Load, run and write a spec; return what is wrong with it."""
    try:
        program = loads(text)
        program.backprop() if program.model.of else program.run()
        program.to_yaml()
    except GraphSpecError as error:
        return error.diagnostics
    return ()


def test_the_spec_itself_is_valid() -> None:
    program = loads(json.dumps(read_file(EVERYTHING).data))
    assert program.backprop().gradients.keys() == {"s", "p", "z"}
    assert loads(program.to_yaml()).run().outputs.keys() == program.outputs.keys()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_only_our_errors(seed: int) -> None:
    rng = random.Random(seed)
    whole = plain(read_file(EVERYTHING).data)
    for _ in range(60):
        data = copy.deepcopy(whole)
        for _ in range(rng.choice([1, 1, 2, 3])):
            mutate(data, rng)
        for found in diagnostics(json.dumps(data)):
            assert found.where is not None or found.code >= "GS504", found
            assert str(found)
