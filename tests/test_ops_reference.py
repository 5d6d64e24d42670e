"""docs/ops.md is what the declarations say, and its tables of names are true."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphspec.callee import resolve_catalogue
from graphspec.view.reference import NOT_OPS, TABLES, names, ops_markdown

PAGE = Path(__file__).parent.parent / "docs" / "ops.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == ops_markdown()


@pytest.mark.parametrize(("title", "text"), TABLES, ids=[title for title, _ in TABLES])
def test_the_names_exist(title: str, text: str) -> None:
    known = resolve_catalogue()
    pairs = names(text)
    assert [ours for _, ours in pairs if ours is not None and ours not in known and ours not in NOT_OPS] == []
    assert len({theirs for theirs, _ in pairs}) == len(pairs)


@pytest.mark.parametrize(("title", "text"), TABLES, ids=[title for title, _ in TABLES])
def test_what_is_called_missing_is_missing(title: str, text: str) -> None:
    known = resolve_catalogue()
    assert [theirs for theirs, ours in names(text) if ours is None and theirs.lower() in known] == []
