"""What is published has a key, and stands in one place."""

import pytest

from warehouse.errors import MartError
from warehouse.published.columns import MartTable, text
from warehouse.published.mart_columns import TABLES_OF_MART
from warehouse.published.marts import create_table
from warehouse.published.meta_columns import META
from warehouse.published.view_columns import VIEW_COLUMNS, VIEWS


@pytest.mark.parametrize(
    ("key", "said"), [((), "is empty"), (("b",), "names b, which it has not"), (("a", "c"), "names c")]
)
def test_a_table_without_a_key_cannot_be_made(key: tuple[str, ...], said: str) -> None:
    with pytest.raises(MartError, match=said):
        MartTable("Some rows.", key, (text("a", "Any."),))


def test_keys_are_columns() -> None:
    for name, table in {**TABLES_OF_MART, **META}.items():
        assert set(table.key) <= {column.name for column in table.own}, name
    for name, view in VIEWS.items():
        assert set(view.key) <= {*VIEW_COLUMNS}, name


def test_families_of_columns_keep_their_place() -> None:
    table = TABLES_OF_MART["importer_contribution_wide"]
    names = [column.name for column in table.laid_out(["s0", "s1", "t01", "t02", "stage"])]
    assert names.index("regime") < names.index("s0") < names.index("s1") < names.index("alternatives_rule_id")
    assert names[-2:] == ["t01", "t02"]
    assert '"s1" DOUBLE' in create_table("mart", "importer_contribution_wide", table, ["s0", "s1"])
