"""The text of a starter spec."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from shlex import quote
from textwrap import wrap
from typing import Any

from graphspec.starter.choice import Choice, Feature
from graphspec.view.table import one_line
from graphspec.yaml_text import flow, operand_scalar, scalar

_WIDTH = 112
_SMALL = 1e-4  # the part of a target that varies, below which float32 has too few digits
_LARGE = 1e30  # the size of a target that is near the end of float32


@dataclass(slots=True)
class Network:
    """The part of a document that depends on its kind: lines of its sections, and how it is trained."""

    doc: str
    attributes: list[str]
    nodes: list[tuple[str, str]]
    outputs: list[str]
    metrics: list[str]
    inputs: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    comments: dict[str, str] = field(default_factory=dict)  # above nodes
    dtype: str = "float32"
    steps: int = 2000
    train: list[str] = field(default_factory=list)


def document(choice: Choice, kind: str, file: str, spec: str) -> str:
    """Return the text of a starter.

    Args:
        choice: what it takes from the data.
        kind: one of `choice.KINDS`.
        file: the path of the data, relative to the spec's folder.
        spec: the name of the file that the text is for.
    """
    make = {"classifier": _classifier, "regressor": _regressor, "autoencoder": _autoencoder}
    network = make.get(kind, _language_model)(choice)
    network.inputs = [*_inputs(choice, network), *network.inputs]
    sections = [
        _head(choice, kind, file, spec, network),
        _section("Sizes that may be changed here, or with --attribute NAME=VALUE", "attributes", network.attributes),
        _section("What a row of the data feeds; the first dim counts the rows of a batch", "inputs", network.inputs),
        _section("Values that training changes, besides those of the layers", "parameters", network.parameters),
        _section("Numbers from the data", "constants", network.constants),
        _section(
            "Each node is an expression over inputs and other nodes, in any order; what can be called:  graphspec ops",
            "nodes",
            _nodes(network),
        ),
        f"# What a run reports, and what `graphspec predict` writes for each row\noutputs: {flow(network.outputs)}\n"
        "differentiate: loss",
        _data(choice, kind, file),
        _train(choice, network, spec),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(choice: Choice, kind: str, file: str, spec: str, network: Network) -> str:
    rows = f"{choice.rows:,} rows" if choice.table.rows is not None or choice.survey.whole else "its first rows"
    name, weights = quote(one_line(spec)), quote(f"{_stem(spec)}.safetensors")
    made = f"Written by `graphspec new {kind}` for {one_line(file)}, {rows}."
    lines = [
        "# yaml-language-server: $schema=graphspec.schema.json",
        "# Editors complete and check this file once the schema is next to it:",
        "#   graphspec schema > graphspec.schema.json",
        *_folded(f"{made} It trains as it stands; change what you like. Next:"),
        f"#   graphspec train {name} --save {weights}",
        f"#   graphspec predict {name} --weights {weights} --data FILE",
        "graphspec: 1",
        f"doc: {scalar(network.doc)}",
        f"dtype: {network.dtype}",
    ]
    return "\n".join(lines)


def _stem(spec: str) -> str:
    return one_line(spec.rpartition(".")[0] or spec)


def _section(comment: str, key: str, lines: Sequence[str]) -> str:
    return "\n".join([f"# {comment}", f"{key}:", *(f"  {line}" for line in lines)]) if lines else ""


def _inputs(choice: Choice, network: Network) -> list[str]:
    dtype = ", dtype: int64" if choice.features[0].input == "token" else ""
    return [
        f"{feature.input}: {{shape: [batch, {', '.join(map(str, feature.shape))}]{dtype}}}"
        for feature in choice.features
    ]


def _nodes(network: Network) -> list[str]:
    lines = []
    for name, expression in network.nodes:
        if name in network.comments:
            lines.append(f"# {network.comments[name]}")
        lines.append(f"{name}: {expression if expression.startswith('{') else operand_scalar(expression)}")
    return lines


# -- the kinds ------------------------------------------------------------------------------------------------------


def _joined(choice: Choice) -> tuple[str, list[tuple[str, str]]]:
    """Return the name of all features of a row side by side, and the node that it needs."""
    names = [feature.input for feature in choice.features]
    if len(names) == 1:
        return names[0], []
    return "features", [("features", f"concat({', '.join(names)}, axis=1)")]


def _hidden(choice: Choice) -> list[str]:
    size = 32 if choice.width <= 50 else 128
    return [f"hidden: {{type: integer, default: {size}, minimum: 1, doc: units of each hidden layer}}"]


def _body(choice: Choice) -> tuple[str, list[tuple[str, str]], list[str]]:
    """Return the last hidden layer, its nodes and the attributes: a perceptron; of images, convolutions."""
    if choice.image is not None:
        return _convolutions(choice.image)
    name, nodes = _joined(choice)
    nodes += [("h1", f"relu(linear({name}, units=hidden))"), ("h2", "relu(linear(h1, units=hidden))")]
    return "h2", nodes, _hidden(choice)


def _convolutions(image: Feature) -> tuple[str, list[tuple[str, str]], list[str]]:
    last, nodes = image.input, []
    shape = image.shape
    if shape[0] not in (1, 3, 4):
        nodes.append(("planes", f"permute_dims({last}, axis=[0, 3, 1, 2])"))
        last, shape = "planes", (shape[2], *shape[:2])
    side, units = min(shape[1:]), 16
    while side >= 4 and units <= 64:
        name = f"c{len([node for node in nodes if node[0] != 'planes']) + 1}"
        nodes.append((name, f"max_pool(relu(conv2d({last}, units={units}, window=3, padding=1)), window=2)"))
        last, side, units = name, side // 2, units * 2
    nodes.append(("h", f"relu(linear({'flatten' if side <= 8 else 'global_average_pool'}({last}), units=hidden))"))
    return "h", nodes, ["hidden: {type: integer, default: 64, minimum: 1, doc: units of the hidden layer}"]


def _classifier(choice: Choice) -> Network:
    assert choice.target is not None
    last, nodes, attributes = _body(choice)
    nodes += [
        ("logits", f"linear({last}, units={choice.target.count})"),
        ("probability", "softmax(logits)"),
        ("predicted", "argmax(logits, axis=-1)"),
        ("loss", "cross_entropy(logits, label)"),
        ("accuracy", "accuracy(logits, label)"),
    ]
    doc = f"Tells {choice.target.count} classes of {one_line(choice.target.column.name)} apart."
    made = Network(doc, attributes, nodes, ["probability", "predicted", "loss", "accuracy"], ["loss", "accuracy"])
    made.inputs = ["label: {shape: [batch], dtype: int64}"]
    made.comments["predicted"] = "the number of the likeliest class, from 0"
    return made


def _regressor(choice: Choice) -> Network:
    assert choice.target is not None
    column = choice.target.column
    last, nodes, attributes = _body(choice)
    nodes += [
        ("scaled", f"linear({last}, units=1)[:, 0]"),
        ("prediction", "centre + spread * scaled"),
        ("loss", "mean_squared_error(scaled, (target - centre) / spread)"),
        ("error", "mean_absolute_error(prediction, target)"),
        ("r2", "r2(prediction, target)"),
    ]
    doc = f"Predicts {one_line(column.name)}."
    made = Network(doc, attributes, nodes, ["prediction", "loss", "error", "r2"], ["loss", "error"])
    made.inputs = ["target: {shape: [batch]}"]
    made.constants = [
        f"centre: {column.mean:.6g}  # the mean of {one_line(column.name)}",
        f"spread: {column.spread:.6g}  # its standard deviation",
    ]
    made.comments["scaled"] = (
        "the network works with numbers of the order of 1; predictions are in the units of the file"
    )
    made.comments["error"] = (
        "the mean distance from the target; r2, the share of its variance that is explained, is about 1 - loss"
    )
    size = max(abs(column.low), abs(column.high))
    if column.spread < _SMALL * size or size > _LARGE:
        made.dtype = "float64"
    return made


def _autoencoder(choice: Choice) -> Network:
    name, nodes = _joined(choice)
    size = max(1, min(16, choice.width // 3))
    nodes += [
        ("h1", f"relu(linear({name}, units=hidden))"),
        ("code", "linear(h1, units=bottleneck)"),
        ("h2", "relu(linear(code, units=hidden))"),
        ("rebuilt", f"linear(h2, units={name}.shape[1])"),
        ("loss", f"mean_squared_error(rebuilt, {name})"),
        ("explained", f"r2(rebuilt, {name})"),
    ]
    attributes = [
        *_hidden(choice),
        f"bottleneck: {{type: integer, default: {size}, minimum: 1, doc: numbers that a row is reduced to}}",
    ]
    doc = f"Reduces {choice.width} numbers of a row to fewer, from which they are rebuilt."
    made = Network(doc, attributes, nodes, ["code", "rebuilt", "loss", "explained"], ["loss", "explained"])
    made.comments["explained"] = "the share of the variance that is rebuilt"
    return made


def _language_model(choice: Choice) -> Network:
    assert choice.target is not None
    window = choice.features[0].shape[0]
    count = choice.target.count
    attributes = [
        f"vocabulary: {{type: integer, default: {count}, minimum: 1, doc: tokens are from 0 to vocabulary - 1}}",
        "units: {type: integer, default: 32, minimum: 1, doc: numbers for each position; a multiple of heads}",
        "heads: {type: integer, default: 4, minimum: 1, doc: of attention}",
        "layers: {type: integer, default: 2, minimum: 0, doc: blocks of the transformer}",
    ]
    nodes = [
        ("seen", "token[:, :-1]"),
        ("following", "token[:, 1:]"),
        ("x", "embedding(seen, size=vocabulary, units=units) + places"),
        ("block", "{op: transformer_encoder, inputs: x, heads: $heads, causal: true, repeat: $layers}"),
        ("logits", "linear(layer_norm(block), units=vocabulary)"),
        ("predicted", "argmax(logits, axis=-1)"),
        ("loss", "cross_entropy(logits, following)"),
        ("perplexity", "perplexity(logits, following)"),
        ("accuracy", "accuracy(logits, following)"),
    ]
    doc = f"Predicts each token of a window of {window} from those before it."
    outputs, metrics = ["predicted", "loss", "perplexity", "accuracy"], ["loss", "perplexity", "accuracy"]
    made = Network(doc, attributes, nodes, outputs, metrics)
    made.parameters = [f"places: {{shape: [{window - 1}, units], init: normal(std=0.02)}}"]
    made.comments = {
        "seen": "the tokens that are seen, and the one that follows each",
        "block": "causal: a position sees only those up to its own",
        "perplexity": "how many tokens the prediction hesitates between",
    }
    made.steps = 800
    made.train = ["clip: clip_by_global_norm(max_norm=1.0)"]
    return made


# -- data and training ----------------------------------------------------------------------------------------------


def _data(choice: Choice, kind: str, file: str) -> str:
    lines = [*_folded("Which columns feed which inputs. Paths are relative to this file.")]
    if choice.left_out:
        lines += _folded(f"Left out: {'; '.join(choice.left_out)}.")
    if not choice.survey.whole:
        lines += _folded(f"By the first {choice.survey.rows:,} rows or so; what others hold was not looked at.")
    lines += ["data:", "  train:", f"    file: {scalar(file)}", "    inputs:"]
    for feature in choice.features:
        lines += [f"      {line}" for line in _folded(feature.comment)]
        lines += _input(feature.input, feature.columns, feature.single, dict(feature.transforms))
    if choice.target is not None and kind in ("classifier", "regressor"):
        target, name = choice.target, "label" if kind == "classifier" else "target"
        lines += [f"      {line}" for line in _folded(_about(choice, kind))]
        transforms = {"classes": list(target.classes)} if target.classes else {}
        lines += _input(name, (target.column.name,), True, transforms)
    lines += _bad_rows(choice)
    lines += [
        "  # Held out, to see how it does on rows that it was not trained with; `key: COLUMN` keeps rows together",
        "  split: {validation: 0.2, seed: 0}",
    ]
    return "\n".join(lines)


def _about(choice: Choice, kind: str) -> str:
    target = choice.target
    assert target is not None
    if kind == "regressor":
        return f"the target, {target.why}; --target NAME takes another column"
    listed = "each becomes its number in this list" if target.classes else f"numbers from 0 to {target.count - 1}"
    return f"{target.count} classes, {listed}; {target.why}, --target NAME takes another column"


def _bad_rows(choice: Choice) -> list[str]:
    broken = choice.survey.broken
    if not choice.skipped and not broken:
        return ["    # bad_rows: skip would leave out rows with empty cells, and count them"]
    why = [f"empty cells in {', '.join(map(repr, choice.skipped))}"] if choice.skipped else []
    why += [f"{broken} rows with the wrong number of cells"] if broken else []
    text = f"Rows that cannot be used are left out and counted ({'; '.join(why)}); without this they stop the training."
    return [*(f"    {line}" for line in _folded(text)), "    bad_rows: skip"]


def _input(name: str, columns: Sequence[str], single: bool, transforms: dict[str, Any]) -> list[str]:
    """Return the lines of what feeds an input; a list that is too long for one is folded."""
    value: Any = columns[0] if single else list(columns)
    line = f"      {name}: {flow({'columns': value, **transforms} if transforms else value)}"
    if not transforms and single:
        line = f"      {name}: {scalar(columns[0])}"
    if len(line) <= _WIDTH:
        return [line]
    if not transforms:
        return _list(6, name, columns)
    lines = [f"      {name}:"]
    lines += _list(8, "columns", columns) if not single else [f"        columns: {scalar(columns[0])}"]
    for key, item in transforms.items():
        lines += _list(8, key, item) if isinstance(item, list) else [f"        {key}: {flow(item)}"]
    return lines


def _list(indent: int, key: str, items: Iterable[Any]) -> list[str]:
    """Return a list in flow style that is folded between its items."""
    lines, line = [], f"{' ' * indent}{key}: ["
    rest = [flow(item) for item in items]
    for number, text in enumerate(rest, 1):
        text += "]" if number == len(rest) else ","
        if len(line) + len(text) + 1 > _WIDTH and not line.endswith("["):
            lines.append(line)
            line = " " * (indent + 2) + text
        else:
            line += text if line.endswith("[") else f" {text}"
    return [*lines, line]


def _folded(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(one_line(text), _WIDTH - 6, break_on_hyphens=False)]


def _train(choice: Choice, network: Network, spec: str) -> str:
    rows = max(1, choice.rows * 4 // 5)
    batch = 16 if rows < 500 else 32 if rows < 5000 else 128
    epochs = min(200, max(5, -(-network.steps * batch // rows)))
    rate = 0.01 if rows < 5000 and choice.image is None and network.steps > 1000 else 0.003
    lines = [
        "# How it is trained; an option such as --epochs 5 replaces what stands here",
        "train:",
        "  minimize: loss",
        f"  optimizer: adam(learning_rate={rate})",
        f"  epochs: {epochs}",
        f"  batch: {batch}",
        f"  metrics: {flow(network.metrics)}",
        "  seed: 0",
        *(f"  {line}" for line in network.train),
        "  # The weights with the best validation are kept; this ends the training when they have been so for long",
        f"  early_stopping: {{monitor: validation.loss, patience: {max(5, epochs // 5)}}}",
        f"  # checkpoint: runs/{_stem(spec)}   would keep the weights, and let --resume go on",
    ]
    return "\n".join(lines)


__all__ = ["document"]
