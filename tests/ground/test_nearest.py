from __future__ import annotations

import pytest

from ground.nearest import nearest
from ground.words import REGIMES
from warehouse.published.route_columns import REGIMES as REGIME_WORDS

KNOWN = ("gallium", "germanium", "EU27")


@pytest.mark.parametrize(
    ("word", "close"),
    [("galium", "gallium"), ("GALLIUM", "gallium"), ("eu27", "EU27"), ("unobtainium", None), ("", None)],
)
def test_the_known_word_that_is_most_alike(word: str, close: str | None) -> None:
    assert nearest(word, KNOWN) == close


def test_nothing_is_like_a_word_where_nothing_is_known() -> None:
    assert nearest("gallium", []) is None


def test_the_published_tables_explain_every_regime() -> None:
    assert tuple(REGIME_WORDS) == REGIMES
