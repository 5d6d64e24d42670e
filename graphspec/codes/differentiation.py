"""GS5xx: differentiation."""

from __future__ import annotations

from graphspec.codes.code import Code

DIFFERENTIATION = {
    "GS501": Code(
        title="not a scalar",
        explanation="A gradient is that of one number. What was named has dims.",
        remedy="Reduce it to a scalar: sum(x) or mean(x).",
        example="graphspec: 1\ninputs: {x: [1, 2]}\nnodes: {f: x * x}\noutputs: f\ndifferentiate: f",
    ),
    "GS502": Code(
        title="not a float",
        explanation=(
            "Integers and booleans have no gradients, neither as what is differentiated nor as what it is "
            "differentiated by."
        ),
        remedy="Leave it out of `wrt`, or make it a float.",
        example="graphspec: 1\ninputs: {x: [1, 2]}\nnodes: {f: argmax(x)}\noutputs: f\ndifferentiate: f",
    ),
    "GS503": Code(
        title="no gradient on the way",
        explanation=(
            "Every way from the value to the result leads through an op without gradient, such as a comparison, a "
            "cast to integers or argmax. As a note: the gradient of that value is taken as zero."
        ),
        remedy=(
            "Use a smooth op, or a function with a `gradient` of its own; stop_gradient(x) says that zero is meant."
        ),
        example=(
            "graphspec: 1\n"
            "inputs: {x: 1.5}\n"
            "nodes:\n"
            '  f: cast(x > 1, dtype="float64")\n'
            "outputs: f\n"
            "differentiate: {of: f, wrt: x}"
        ),
    ),
    "GS504": Code(
        title="nothing to differentiate",
        explanation=(
            "The name that was asked for does not exist, or none was given and the document has no `differentiate` "
            "and not exactly one scalar float output."
        ),
        remedy="Name it with --of and --wrt, in Python with of= and wrt=, or in the file with `differentiate:`.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes: {f: x * x}\noutputs: f",
        command="graphspec run spec.yaml --of g",
    ),
    "GS505": Code(
        title="a gradient that is zero",
        explanation=(
            "A note, not an error: the result does not depend on this value, or depends on it only through steps, "
            "such as floor, whose derivative is zero."
        ),
        remedy="Nothing needs to be done if that is what was meant; otherwise look for a value that is not used.",
        example="graphspec: 1\ninputs: {x: 1, y: 2}\nnodes: {f: x * x}\noutputs: f",
    ),
}
