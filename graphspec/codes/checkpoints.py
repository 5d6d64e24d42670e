"""GS65x: checkpoints."""

from __future__ import annotations

from graphspec.codes.code import Code

CHECKPOINTS = {
    "GS650": Code(
        title="a checkpoint that cannot be saved",
        explanation=(
            "The system refused to write a file of the checkpoint, or there is something in it that a checkpoint "
            "cannot hold. The message names the file and the reason. The checkpoints before it are whole: one is "
            "written under a temporary name and gets its own when everything is on the disk."
        ),
        remedy="Make room or correct the permissions, and go on from the newest checkpoint with --resume.",
    ),
    "GS651": Code(
        title="no such checkpoint",
        explanation=(
            "The path is neither a checkpoint nor a folder with checkpoints in it, or the folder has none of that "
            "name. `latest` is the one written last, `best` the best so far, which exists only where a training "
            "compares them."
        ),
        remedy="Give the folder of `checkpoint:` in the spec, or one of the folders step-NNNNNNNNN in it.",
        example=(
            "graphspec: 1\ninputs: {x: 1}\nparameters: {w: 1}\nnodes: {loss: square(w * x - 1)}\noutputs: loss\n"
            "train: {minimize: loss}"
        ),
        command="graphspec train spec.yaml --weights runs/missing",
    ),
    "GS652": Code(
        title="a damaged checkpoint",
        explanation=(
            "A file of the checkpoint is missing, is a link, or is not what was written: its size or its SHA-256 is "
            "not that of the manifest, or the manifest itself was changed. Nothing of a damaged checkpoint is used."
        ),
        remedy="Use the whole checkpoint that the hint names, or restore the file from a copy.",
    ),
    "GS653": Code(
        title="a checkpoint that cannot be read",
        explanation="The system refused to read a file of the checkpoint. The message names the file and the reason.",
        remedy="Correct the permissions of the folder and its files.",
    ),
    "GS654": Code(
        title="a checkpoint of another format",
        explanation=(
            "The checkpoint is whole, but was written in a version of the format that this graphspec does not know."
        ),
        remedy="Use the version of graphspec that the message names.",
    ),
    "GS655": Code(
        title="weights that do not fit the spec",
        explanation=(
            "The parameters and state of the spec, or of the optimizer where a training is resumed, are not those "
            "that were saved: some are missing, some are not known to the spec, or have another shape or a dtype that "
            "is not converted without loss. Each difference has a line."
        ),
        remedy="Use the spec that was trained, which the manifest holds; or load the weights that fit with --partial.",
    ),
    "GS656": Code(
        title="an old checkpoint that cannot be removed",
        explanation=(
            "The new checkpoint is whole and `latest` names it. Of the older ones only as many are kept as `keep` "
            "says, and the system refused to remove one."
        ),
        remedy="Correct the permissions of the folder, or remove the checkpoint that the message names.",
    ),
}
