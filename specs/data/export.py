"""Write the data of the specs that train into `specs/networks/data/`: `python specs/data/export.py`.

iris, breast cancer, diabetes and digits come with scikit-learn; the text is the LICENSE of this repository. Of each, a
fifth is held out in a file of its own: NAME_train and NAME_test. Which rows it is depends on nothing but this file.

Sources: Fisher, The use of multiple measurements in taxonomic problems (1936); Street, Wolberg and Mangasarian, Nuclear
feature extraction for breast tumor diagnosis (1993); Efron et al., Least angle regression (2004); Alpaydin and Kaynak,
Optical recognition of handwritten digits, UCI machine learning repository (1998).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "specs" / "networks" / "data"
SEED = 0
WINDOW = 65  # characters of a row of text: 64 to read and the one that follows
STRIDE = 16  # characters from one row of text to the next
SECTION = 325  # characters: the text is held out in sections, which share no row


def main(folder: Path = FOLDER) -> None:
    """Write all files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (columns, rows, classes) in tables().items():
        held_out = fifth(classes)
        for part, chosen in (("train", ~held_out), ("test", held_out)):
            write(folder / f"{name}_{part}.csv", columns, [row for row, here in zip(rows, chosen, strict=True) if here])
    for part, windows in text().items():
        np.save(folder / f"text_{part}.npy", windows)


def tables() -> dict[str, tuple[list[str], list[list[Any]], np.ndarray]]:
    """Return the columns and the rows of each data set, and the class of each row."""
    from sklearn import datasets

    iris, cancer = datasets.load_iris(), datasets.load_breast_cancer()
    diabetes, digits = datasets.load_diabetes(scaled=False), datasets.load_digits()
    measures = [name.removesuffix(" (cm)").replace(" ", "_") for name in iris.feature_names]
    species = iris.target_names[iris.target]
    nuclei = [name.replace(" ", "_") for name in cancer.feature_names]
    diagnosis = cancer.target_names[cancer.target]
    pixels = [f"pixel_{i}" for i in range(64)]
    return {
        "iris": ([*measures, "species"], joined(iris.data, species), iris.target),
        "breast_cancer": ([*nuclei, "diagnosis"], joined(cancer.data, diagnosis), cancer.target),
        "diabetes": (
            [*diabetes.feature_names, "progression"],
            joined(diabetes.data, diabetes.target),
            np.zeros(len(diabetes.target), int),
        ),
        "digits": ([*pixels, "digit"], joined(digits.data, digits.target), digits.target),
    }


def joined(numbers: np.ndarray, last: np.ndarray) -> list[list[Any]]:
    """Return rows of plain values, whole numbers as integers."""
    rows = [[*row, end] for row, end in zip(numbers.tolist(), last.tolist(), strict=True)]
    return [[int(x) if isinstance(x, float) and x.is_integer() else x for x in row] for row in rows]


def fifth(classes: np.ndarray) -> np.ndarray:
    """Return which rows are held out: a fifth of each class, drawn at random."""
    random = np.random.RandomState(SEED)  # its numbers are the same in every version of NumPy
    held_out = np.zeros(len(classes), bool)
    for label in np.unique(classes):
        rows = random.permutation(np.flatnonzero(classes == label))
        held_out[rows[: round(len(rows) / 5)]] = True
    return held_out


def text() -> dict[str, np.ndarray]:
    """Return the LICENSE as rows of overlapping windows, uint8[rows, 65]; every fifth section is held out."""
    words = (ROOT / "LICENSE").read_text(encoding="ascii").split()
    codes = np.frombuffer(" ".join(words).encode(), np.uint8)
    sections = [codes[i : i + SECTION] for i in range(0, len(codes), SECTION)]
    parts = {"train": [s for i, s in enumerate(sections) if i % 5 != 4], "test": sections[4::5]}
    return {part: np.array([*windows(found)]) for part, found in parts.items()}


def windows(sections: Sequence[np.ndarray]) -> Iterable[np.ndarray]:
    for section in sections:
        for start in range(0, len(section) - WINDOW + 1, STRIDE):
            yield section[start : start + WINDOW]


def write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
