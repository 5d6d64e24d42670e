"""GS64x: training."""

from __future__ import annotations

from graphspec.codes.code import Code

_DATA = "data: {train: {generate: two_moons(rows=40), inputs: {x: [x0, x1], y: label}}}"
_MODEL = """\
graphspec: 1
inputs: {x: {shape: [batch, 2]}, y: {shape: [batch], dtype: int64}}
nodes: {logits: 'linear(x, units=2)', loss: 'cross_entropy(logits, y)'}
outputs: [logits, loss]
"""
_TRAIN = "graphspec train spec.yaml"

TRAINING = {
    "GS640": Code(
        title="nothing to train",
        explanation="No parameter is a trainable float that the patterns of `frozen` and `groups` leave to be trained.",
        remedy="Declare `parameters`, or call a layer such as `linear`, and freeze less.",
        example=f"{_MODEL}{_DATA}\ntrain: {{frozen: '*'}}",
        command=_TRAIN,
    ),
    "GS641": Code(
        title="a metric that is no number",
        explanation="What `metrics` names, or what is to be evaluated, is no scalar of the model.",
        remedy="Name a node that is one, such as the mean of what was named.",
        example=f"{_MODEL}{_DATA}\ntrain: {{metrics: logits}}",
        command=_TRAIN,
    ),
    "GS642": Code(
        title="an input without a dim for rows",
        explanation=(
            "Data comes in batches of rows. So the first dim of every input that data feeds is a name, and the same "
            "one for all of them."
        ),
        remedy="Declare the shape with a first dim such as `batch`.",
        example=(
            "graphspec: 1\ninputs: {x: {shape: [40]}, y: {shape: [40], dtype: int64}}\n"
            "parameters: {w: 1}\nnodes: {loss: mean(w * x)}\noutputs: loss\n"
            "data: {train: {generate: two_moons(rows=40), inputs: {x: x0, y: label}}}"
        ),
        command=_TRAIN,
    ),
    "GS643": Code(
        title="no data",
        explanation=(
            "There is no section `data` with what was asked for, such as `train` or `validation`, or it has no rows."
        ),
        remedy="Add `data:` to the spec, give rows from Python, or name a file with --data.",
        example=_MODEL,
        command=_TRAIN,
    ),
    "GS644": Code(
        title="a watched column that is never recorded",
        explanation="`monitor` names a column of the log: a metric, or `validation.` and a metric.",
        remedy="Name one of them, add the metric to `metrics`, or add validation data.",
        example=f"{_MODEL}{_DATA}\ntrain: {{early_stopping: {{monitor: validation.loss}}}}",
        command=_TRAIN,
    ),
    "GS645": Code(
        title="a prediction without rows",
        explanation="A prediction has a value for each row of data: the first dim of its node is that of the inputs.",
        remedy="Name nodes that have rows, with --outputs or in Python.",
    ),
    "GS646": Code(
        title="a document that an estimator cannot use",
        explanation=(
            "An estimator of graphspec.sklearn feeds X to one input and y to another, and takes the prediction from an "
            "output with a float, or several, for each row. The document has none of these, or several; or a "
            "classifier has fewer logits than there are classes."
        ),
        remedy="Name them with input=, target= and output=; declare an attribute `classes` and use it as the units.",
    ),
    "GS649": Code(
        title="a value that is not finite",
        explanation=(
            "A loss, a gradient or an output is nan or infinite. The diagnostic names the node that bore it: the first "
            "in topological order that was given finite operands, or whose nan is new, and from which a way of values "
            "that are not finite leads to the result. Of a gradient it names the forward node whose gradient rule gave "
            "it. The lines below tell the range of each operand. A feed or a parameter that is not finite itself is "
            "named as such."
        ),
        remedy=(
            "Follow the hint. Where an operand grew from step to step, lower the learning rate or clip the gradient; "
            "`graphspec doctor SPEC` looks at one batch."
        ),
        example="graphspec: 1\nparameters: {w: 0}\nnodes: {f: log(w)}\noutputs: f",
        command="graphspec doctor spec.yaml",
    ),
}
