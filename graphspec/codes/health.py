"""GS66x: what `graphspec doctor` finds."""

from __future__ import annotations

from graphspec.codes.code import Code

_HEAD = "graphspec: 1\ninputs: {x: {shape: [n, 2], value: [[1, 2], [-2, 1], [2, -1], [-1, 1]]}}\n"

HEALTH = {
    "GS661": Code(
        title="a gradient that vanishes or explodes",
        explanation=(
            "Along the way back from the loss the cotangents shrink to less than 1/10,000, or grow to more than 1,000 "
            "times, of what they are at the last layer; or a product makes its operand more than 30 times larger. "
            "Parameters there learn next to nothing, or are thrown about."
        ),
        remedy=(
            "Vanishing: relu for sigmoid, a normalisation, residual connections, first values that keep the size "
            "(`glorot_uniform`, `he_normal`). Exploding: smaller first values, a normalisation, a clipped gradient."
        ),
        example=_HEAD + "parameters: {w: {value: [[100, 50], [-50, 100]]}}\nnodes: {f: mean(x @ w)}\noutputs: f",
        command="graphspec doctor spec.yaml",
    ),
    "GS662": Code(
        title="units that do not answer",
        explanation=(
            "A relu is off for every row of the batch, so that no gradient comes through it; or a sigmoid or tanh is "
            "so far out that its derivative is below 1/1,000."
        ),
        remedy="Smaller first values or learning rate, inputs that are standardised, biases near 0, leaky_relu.",
        example=_HEAD + "parameters: {w: [1, 2]}\nnodes: {h: sigmoid(100 * x), f: mean(h * w)}\noutputs: f",
        command="graphspec doctor spec.yaml",
    ),
    "GS663": Code(
        title="a parameter that is not trained",
        explanation=(
            "The loss does not depend on a trainable parameter, or only through what has no slope, or its gradient is "
            "exactly zero on the whole batch."
        ),
        remedy="Use it, remove it, or declare it `trainable: false`.",
        example="graphspec: 1\nparameters: {w: 1, unused: [1, 2]}\nnodes: {f: w * w}\noutputs: f",
        command="graphspec doctor spec.yaml",
    ),
    "GS664": Code(
        title="a loss that nothing can change",
        explanation=(
            "The loss depends on no trainable parameter (where there are none: on no input), or only through ops "
            "without a slope such as stop_gradient, round or argmax. As a warning: it depends on no input."
        ),
        remedy="Look at what cuts it off; the diagnostic names the node.",
        example="graphspec: 1\nparameters: {w: 1}\nnodes: {f: square(stop_gradient(w))}\noutputs: f",
        command="graphspec doctor spec.yaml",
    ),
    "GS665": Code(
        title="an output that is the same for every row",
        explanation="An output does not vary over the batch, although the rows of the inputs differ.",
        remedy="Look for units that do not answer, or for first values that are all the same, before it.",
        example=(
            _HEAD + "parameters: {w: [1, -1]}\n"
            "nodes: {y: 0 * relu(x * w - 90) + w, f: mean(square(y))}\noutputs: [y, f]\ndifferentiate: f"
        ),
        command="graphspec doctor spec.yaml",
    ),
    "GS666": Code(
        title="numbers of an awkward size",
        explanation=(
            "An input is far from mean 0 and standard deviation 1, or its columns are of very different size, or one "
            "parameter is more than 1,000 times larger than another."
        ),
        remedy="Standardise the columns (`standardise: true` in `data`), or scale the first values.",
        example=(
            "graphspec: 1\ninputs: {x: {shape: [n], value: [900, 1000, 1100, 950, 970, 1030, 1010, 990]}}\n"
            "parameters: {w: 0.001}\nnodes: {f: mean(square(x * w - 1))}\noutputs: f"
        ),
        command="graphspec doctor spec.yaml",
    ),
}
