"""GS63x: data for training, evaluation and prediction."""

from __future__ import annotations

from graphspec.codes.code import Code


def _spec(data: str, inputs: str = "{x: {shape: [batch]}}") -> str:
    """Return a spec that is trained on some data."""
    lines = ["graphspec: 1", f"inputs: {inputs}", "parameters: {w: 1}", "nodes: {f: mean(w * x)}", "outputs: f"]
    return "\n".join([*lines, f"data: {{{data}}}"])


DATA = {
    "GS630": Code(
        title="a data file that cannot be read",
        explanation=(
            "A file of the section `data` does not exist, no file matches a pattern, or the file may not be read. A "
            "spec loads without its data, so this is found when the data is needed."
        ),
        remedy="Paths are relative to the spec's folder and stay inside it.",
        example=_spec("train: {file: missing.csv}"),
        command="graphspec train spec.yaml",
    ),
    "GS631": Code(
        title="a column that a file does not have",
        explanation=(
            "The file has no column of that name, no column matches the pattern, or two patterns take one column. "
            "Every file of a source needs the columns."
        ),
        remedy="Correct the name under `inputs`; the hint lists the columns of the file.",
        example=_spec("train: {file: spec.yaml, format: csv}"),
        command="graphspec train spec.yaml",
    ),
    "GS632": Code(
        title="a file that is not of its format",
        explanation=(
            "The file is empty, damaged, not UTF-8, or of another format than its suffix or `format` says; or its "
            "header has an empty name or one name twice. Arrays of Python objects are refused, since reading them "
            "would run code from the file."
        ),
        remedy="Look at the file, or say its `format`.",
        example=_spec("train: {file: spec.yaml, format: npz}"),
        command="graphspec train spec.yaml",
    ),
    "GS633": Code(
        title="columns that do not fit an input",
        explanation=(
            "What the columns hold does not have the type of the input. A column gives an array of [batch], a list of "
            "k columns [batch, k], and transforms change that: `one_hot` adds a dim, `reshape` gives another one."
        ),
        remedy="Take other columns, write a list where a dim is missing, or reshape them.",
        example=_spec("train: {generate: sine}", "{x: {shape: [batch, 3]}}"),
        command="graphspec train spec.yaml",
    ),
    "GS634": Code(
        title="a row that cannot be used",
        explanation=(
            "A cell is empty, no number, not finite, no member of `classes`, or nothing that the dtype of the input "
            "can hold without loss; or a row has too many or too few cells. The place is the line of a text file, or "
            "the row and the column of another one."
        ),
        remedy="Correct the row, or write `bad_rows: skip`, which leaves such rows out and counts them.",
        example=_spec("train: {file: spec.yaml, format: csv, inputs: {x: 'graphspec: 1'}}"),
        command="graphspec train spec.yaml",
    ),
    "GS635": Code(
        title="no rows",
        explanation=(
            "A file has only a header, a part of the split is empty, all rows were bad and skipped, or an iterable "
            "gave no batch."
        ),
        remedy="Give more rows, or a larger share of the split.",
        example=_spec("train: {generate: sine(rows=1)}, split: {test: 0.9}"),
        command="graphspec train spec.yaml",
    ),
    "GS637": Code(
        title="data that does not go together",
        explanation=(
            "The arrays of a source have different numbers of rows, none of its columns feeds an input, or what was "
            "given from Python is neither a mapping of arrays nor an iterable of such mappings. An iterator can be "
            "gone through once: for several epochs give a list, or a function that returns a new iterator."
        ),
        remedy="Give arrays whose first axis counts the same rows, such as {'x': array, 'label': array}.",
    ),
    "GS638": Code(
        title="statistics that are missing",
        explanation=(
            "An input is standardised by the mean and the standard deviation of the training part, which are saved "
            "with the model. The saved ones have none for this input."
        ),
        remedy="Use the weights of a training of this spec, or train it again.",
    ),
    "GS639": Code(
        title="data that no starter can be fitted to",
        explanation=(
            "`graphspec new KIND --data FILE` looks at the columns of the file. A classifier needs a column with a few "
            "different values, a regressor one with numbers, both something to tell it by, an autoencoder several "
            "numbers for each row, and a language model windows of tokens: integers of [rows, window]."
        ),
        remedy="Name another column with --target, take another kind, or bring the file into the form of the hint.",
    ),
}
