"""The section `data`: which rows there are, and which columns feed which inputs, as declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from graphspec.data_grammar import FORMATS
from graphspec.origin import Origin


@dataclass(frozen=True, slots=True)
class ImageDeclaration:
    """Cells that are encoded images; ``text`` says what a text in a cell is: "file" or "base64"."""

    mode: str
    text: str = "file"


@dataclass(frozen=True, slots=True)
class ColumnDeclaration:
    """What feeds one input: columns and transforms, which are applied in the order of the attributes.

    ``single`` is true for one column by name, which gives an array of [batch]; a list gives [batch, k]. The places
    in ``origins`` are those of the columns.
    """

    input: str
    origin: Origin = field(repr=False)
    columns: tuple[str, ...]
    origins: tuple[Origin, ...] = field(repr=False)
    single: bool = True
    image: ImageDeclaration | None = None
    classes: tuple[str | int | float | bool, ...] = ()
    cast: str | None = None
    scale: int | float | None = None
    shift: int | float | None = None
    standardise: bool = False
    one_hot: int | None = None
    reshape: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class GeneratedRows:
    """A call of a generator with all its arguments."""

    name: str
    arguments: Mapping[str, int | float]
    origin: Origin = field(repr=False)


@dataclass(frozen=True, slots=True)
class SourceDeclaration:
    """Rows: of ``files`` (paths with patterns), of ``arrays`` ({column: .npy file}), or generated.

    All paths are relative to the spec's folder. ``inputs`` are in the order in which they were written.
    """

    part: str
    origin: Origin = field(repr=False)
    files: tuple[str, ...] = ()
    arrays: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict, repr=False)
    generate: GeneratedRows | None = None
    format: str | None = None
    inputs: Mapping[str, ColumnDeclaration] = field(default_factory=dict)
    bad_rows: str = "stop"


@dataclass(frozen=True, slots=True)
class SplitDeclaration:
    """The shares of the train source that are held out; rows of one value of ``key`` stay together."""

    origin: Origin = field(repr=False)
    validation: float = 0.0
    test: float = 0.0
    seed: int = 0
    key: str | None = None
    key_origin: Origin | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DataSection:
    """The section `data` of a file: sources by part ("train", "validation", "test")."""

    origin: Origin = field(repr=False)
    sources: Mapping[str, SourceDeclaration]
    split: SplitDeclaration | None = None


def is_pattern(text: str) -> bool:
    """Tell whether a text stands for several columns or files."""
    return "*" in text or "?" in text


def format_of(file: str) -> str | None:
    """Return the format that the suffix of a file says, or None."""
    suffix = PurePosixPath(file).suffix.lower()
    return next((name for name, suffixes in FORMATS.items() if suffix in suffixes), None)


def class_name(value: object) -> str:
    """Return the text by which a value is compared with classes and keys: 3, 3.0 and "3" are one, true and "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
