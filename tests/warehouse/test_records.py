from __future__ import annotations

import re
from collections import Counter
from datetime import date

import polars as pl
import pytest
from pydantic import ValidationError

from ground.words import ENDS, HORIZONS
from warehouse.records.law import Measure
from warehouse.records.numbers import Production
from warehouse.records.rows import SourcedRow
from warehouse.records.tables import TABLES, bundle_schema, columns, schema


def test_every_table_of_the_design_is_there() -> None:
    named = (
        "sources minerals chains countries blocs hs_codes conversions element_splits trade production reserves capacity "
        "prices measures measure_states measure_items measure_destinations agreements agreement_states pledges "
        "pledge_items destination_classes licence_practice substitution stocks lead_times governance import_shares spreads "
        "import_share_codes statements outcomes word_roles hs_spans trade_months observed_months national_codes"
    )
    assert set(TABLES) == set(named.split())


@pytest.mark.parametrize("name", list(TABLES))
def test_every_column_has_a_comment_and_every_row_a_source(name: str) -> None:
    assert TABLES[name].model.says
    found = columns(name)
    assert all(c.comment.endswith((".", "…")) for c in found)
    last = ["known_from"] if name == "sources" else ["source_id", "known_from"]
    assert [c.name for c in found][-len(last) :] == last
    assert all(c.required for c in found[-len(last) :])


@pytest.mark.parametrize(
    ("table", "pattern"), [("capacity", r"add_(\d+)_t"), ("substitution", r"switch_(\d+)_share")]
)
def test_horizons_are_those_that_the_facts_carry(table: str, pattern: str) -> None:
    found = [re.fullmatch(f"{pattern}_({'|'.join(ENDS)})", column.name) for column in columns(table)]
    carried = Counter(int(match[1]) for match in found if match)
    assert carried == dict.fromkeys(HORIZONS, len(ENDS))


@pytest.mark.parametrize("name", list(TABLES))
def test_keys_references_and_series_name_columns(name: str) -> None:
    own = {c.name for c in columns(name)}
    table = TABLES[name]
    assert set(table.key) <= own
    assert set(table.series) <= own
    for reference in table.references:
        assert reference.column in own
        for target, column in reference.targets:
            assert column in {c.name for c in columns(target)}
            assert list(TABLES).index(target) < list(TABLES).index(name)


def test_native_values_and_text_are_equal() -> None:
    text = {
        "mineral": "gallium",
        "stage": "refined",
        "country": "CHN",
        "year": "2022",
        "qualifier": "reported",
    }
    text |= {"production_t_low": "1", "production_t_best": "2.5", "production_t_high": "3e0"}
    text |= {"source_id": "s", "known_from": "2023-01-31"}
    native = {**text, "year": 2022, "production_t_low": 1.0, "production_t_best": 2.5, "production_t_high": 3}
    assert Production.model_validate(text) == Production.model_validate(
        {**native, "known_from": date(2023, 1, 31)}
    )


@pytest.mark.parametrize("value", ["1_000", "0x10", " 5", "five", True, "١٢"])
def test_numbers_are_written_plainly(value: object) -> None:
    row = {"mineral": "gallium", "stage": "refined", "country": "CHN", "year": 2022, "qualifier": "reported"}
    row |= {"production_t_low": value, "production_t_best": 2, "production_t_high": 3, "source_id": "s"}
    with pytest.raises(ValidationError):
        Production.model_validate({**row, "known_from": date(2023, 1, 31)})


def test_unknown_columns_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        SourcedRow.model_validate({"source_id": "s", "known_from": "2023-01-31", "colour": "red"})


def test_rows_are_frozen() -> None:
    row = SourcedRow.model_validate({"source_id": "s", "known_from": "2023-01-31"})
    with pytest.raises(ValidationError):
        row.source_id = "t"  # type: ignore[misc]


def test_schemas_feed_polars_and_json() -> None:
    assert schema("trade")["known_from"] == pl.Date
    assert schema("trade")["year"] == pl.Int64
    properties = Measure.model_json_schema()["properties"]
    assert "export_ban" in properties["instrument"]["enum"]


def test_the_published_schema_names_every_column() -> None:
    for name, found in bundle_schema().items():
        assert set(found["properties"]) == {c.name for c in columns(name)}
