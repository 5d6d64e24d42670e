"""The manifest of a checkpoint: what its files are and must be, and every fact about the training.

It is a JSON object, an entry per line. The first line is the SHA-256 of the whole text, with zeros in its own place,
so that a change of any byte shows; later versions of the format keep that line and the next, which is the version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphspec.exact_json import LIMIT, read_json, write_json
from graphspec.version import __version__

FORMAT = 1
WEIGHTS, TRAINING, MANIFEST = "weights.safetensors", "training.safetensors", "manifest.json"
OWN = ("sha256", "format", "graphspec", "step", "spec_sha256", "files", "arrays")
"""The entries that are no facts of the trainer."""

_HEAD, _ZEROS = b'{\n"sha256": "', b"0" * 64


class ManifestError(ValueError):
    """Why a text is no manifest."""


class OtherFormat(ManifestError):
    """A manifest of another version of the format."""


def file_facts(size: int, sha256: str) -> dict[str, Any]:
    """Return what the manifest says of a file."""
    return {"size": size, "sha256": sha256}


def array_facts(file: str, array: np.ndarray) -> dict[str, Any]:
    """Return what the manifest says of an array."""
    array = np.asarray(array)
    return {"file": file, "dtype": array.dtype.name, "shape": list(array.shape)}


def write_facts(facts: Mapping[str, Any], step: int) -> list[str]:
    """Return the first lines of a manifest, but for its digest: the format, the step and the facts of the trainer.

    Raises:
        TypeError, ValueError: a fact that JSON has no place for, or of a name that is taken.
    """
    taken = [name for name in facts if name in OWN]
    if taken:
        raise ValueError(f"'{taken[0]}' is an entry of the manifest's own")
    entries: dict[str, Any] = {"format": FORMAT, "graphspec": __version__, "step": step, **facts}
    if isinstance(facts.get("spec"), str):
        entries["spec_sha256"] = hashlib.sha256(facts["spec"].encode()).hexdigest()
    return [f"{write_json(name)}: {write_json(value)}" for name, value in entries.items()]


def write_manifest(lines: list[str], files: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """Return a manifest.

    Raises:
        ValueError: it is too long to be read again.
    """
    entries = [*lines, _table("files", files), _table("arrays", arrays)]
    rest = ('",\n' + ",\n".join(entries) + "\n}\n").encode()
    content = _HEAD + _digest(rest) + rest
    if len(content) > LIMIT:
        raise ValueError(f"the manifest has {len(content):,} bytes (limit: {LIMIT:,})")
    return content


def read_manifest(content: bytes) -> dict[str, Any]:
    """Return the entries of a manifest, checked.

    Raises:
        OtherFormat: it is of another version.
        ManifestError: it was changed, or is none.
    """
    start = len(_HEAD)
    digest, rest = content[start : start + 64], content[start + 64 :]
    if content[:start] != _HEAD or digest != _digest(rest):
        raise ManifestError("was changed: its SHA-256 is not the one in its first line")
    try:
        manifest = read_json(content)
    except ValueError as error:
        raise ManifestError(f"is no manifest: {error}") from None
    if manifest.get("format") != FORMAT:
        written = f"by graphspec {manifest.get('graphspec')} in format {manifest.get('format')}"
        raise OtherFormat(f"was written {written}; this is graphspec {__version__}, which reads format {FORMAT}")
    if not _is_complete(manifest):
        raise ManifestError("is no manifest: an entry is missing or of the wrong kind")
    return dict(manifest)


def _table(name: str, entries: Mapping[str, Any]) -> str:
    rows = [f"{write_json(key)}: {write_json(value)}" for key, value in entries.items()]
    return f"{write_json(name)}: {{" + ",".join(f"\n  {row}" for row in rows) + ("\n}" if rows else "}")


def _digest(rest: bytes) -> bytes:
    digest = hashlib.sha256(_HEAD + _ZEROS)
    digest.update(rest)
    return digest.hexdigest().encode()


def _is_complete(manifest: Mapping[str, Any]) -> bool:
    files, arrays = manifest.get("files"), manifest.get("arrays")
    return (
        type(manifest.get("step")) is int
        and isinstance(arrays, dict)
        and all(isinstance(facts, dict) and facts.get("file") in (WEIGHTS, TRAINING) for facts in arrays.values())
        and isinstance(files, dict)
        and files.keys() == {WEIGHTS, TRAINING}
        and all(
            isinstance(facts, dict) and type(facts.get("size")) is int and isinstance(facts.get("sha256"), str)
            for facts in files.values()
        )
    )
