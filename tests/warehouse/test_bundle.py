from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.warehouse.conftest import Rows, small_facts, write_bundle
from warehouse.asof.state import Warehouse
from warehouse.bundle import rows as bundle_rows
from warehouse.bundle.files import RawTable
from warehouse.bundle.reading import Facts, RejectedRow, read_bundles
from warehouse.errors import BundleError, StrictError
from warehouse.records.tables import columns

Write = Callable[[Any], Path]


def only(facts: Facts) -> RejectedRow:
    assert len(facts.report.rejected) == 1, facts.report.rejected
    return facts.report.rejected[0]


def problem(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        read_bundles([folder])
    return str(caught.value)


def test_a_good_bundle_loses_nothing(tiny: Path) -> None:
    facts = read_bundles([tiny], strict=True)
    assert facts.report.rejected == ()
    assert facts.report.row_counts["trade"] == 18
    assert facts.report.row_counts["statements"] == 0


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "reason"),
    [
        ("production", 0, "country", "CHIN", "is not written as it must be"),
        ("production", 0, "country", "CHM", "did you mean 'CHN'?"),
        ("production", 0, "mineral", "galium", "did you mean 'gallium'?"),
        ("production", 0, "stage", "refind", "did you mean 'refined'?"),
        ("production", 0, "source_id", "offical", "did you mean 'official'?"),
        ("production", 0, "source_id", "", "needs a value"),
        ("production", 0, "year", "2022.5", "is not a whole number"),
        ("production", 0, "production_t_low", "-1", "is below 0"),
        ("production", 0, "production_t_high", "9e15", "check the unit"),
        ("production", 0, "production_t_low", "700", "do not rise"),
        ("production", 0, "production_t_best", "", "lacks production_t_best"),
        ("production", 0, "production_t_best", "NaN", "is not finite"),
        ("production", 0, "production_t_best", "inf", "is not finite"),
        ("production", 0, "production_t_best", "1,200", "no separators"),
        ("production", 0, "known_from", "2023-02-30", "not a day of the calendar"),
        ("production", 0, "known_from", "31/01/2023", "write YYYY-MM-DD"),
        ("hs_codes", 0, "share_best", "1.5", "check the unit"),
        ("hs_codes", 0, "hs6", "81129", "is not written as it must be"),
        ("hs_codes", 3, "conversion_id", "dy-oxid", "did you mean 'dy-oxide'?"),
        ("hs_codes", 0, "trade_basis", "exakt", "did you mean 'exact'?"),
        ("measures", 0, "is_framework", "no", "must be true or false"),
        ("measure_states", 3, "valid_to", "2025-11-09", "is not after valid_from"),
        ("measure_states", 3, "measure_id", "46-2023", "is in no row of measures"),
        ("measure_states", 0, "state", "lapsed_unverified", "is not one of"),
        ("pledges", 0, "agreement_id", "acord", "did you mean 'accord'?"),
        ("pledges", 0, "beneficiary", "USA;EU28", "'EU28' is in no row of countries or blocs"),
        ("destination_classes", 1, "class_low", "dispute", "do not rise"),
        ("trade", 0, "exporter", "XYZ", "is in no row of countries"),
        ("trade", 0, "quantity_t", "-5", "is below 0"),
        ("trade", 0, "quantity_t", "NaN", "is not finite"),
        ("trade", 0, "quantity_t", "3e9", "check the unit"),
        ("trade", 0, "hs6", "8112", "is not written as it must be"),
        ("trade", 0, "hs_revision", "18", "is not written as it must be"),
        ("trade", 0, "is_complete", "TRUE", "must be true or false"),
        ("trade", 0, "known_from", "2023-13-01", "not a day of the calendar"),
        ("trade", 0, "year", "22", "is below 1900"),
    ],
)
def test_a_bad_cell_is_quarantined(
    facts: Rows, write: Write, table: str, row: int, column: str, value: str, reason: str
) -> None:
    facts[table][row][column] = value
    loaded = read_bundles([write(facts)])
    found = [r for r in loaded.report.rejected if (r.file, r.line) == (f"facts/{table}.csv", row + 2)]
    assert len(found) == 1
    assert found[0].column in {column, "production_t_low", "class_low"}
    assert reason in found[0].reason
    assert loaded.report.row_counts[table] == len(facts[table]) - 1


def test_trade_without_value_and_tonnes(facts: Rows, write: Write) -> None:
    facts["trade"][0] |= {"value_usd": "", "quantity_t": ""}
    assert "neither value nor tonnes" in only(read_bundles([write(facts)])).reason


def test_trade_written_unusually_is_read_all_the_same(facts: Rows, write: Write) -> None:
    facts["trade"][0] |= {"value_usd": "+1.5E6", "quantity_t": ".5"}
    loaded = read_bundles([write(facts)], strict=True)
    assert loaded.tables["trade"].row(0, named=True)["value_usd"] == 1_500_000


def test_a_rejected_measure_takes_its_children_along(facts: Rows, write: Write) -> None:
    facts["measures"][0]["instrument"] = "export_lisence"
    report = read_bundles([write(facts)]).report
    assert "did you mean 'export_licence'?" in report.rejected[-1].reason or any(
        "did you mean 'export_licence'?" in r.reason for r in report.rejected
    )
    orphans = [r for r in report.rejected if "is in no row of measures" in r.reason]
    assert {r.file for r in orphans} == {
        "facts/measure_states.csv",
        "facts/measure_items.csv",
        "facts/measure_destinations.csv",
    }


def test_duplicate_keys_name_the_first(facts: Rows, write: Write) -> None:
    facts["measures"].append({**facts["measures"][0], "title": "again"})
    found = only(read_bundles([write(facts)]))
    assert found.line == len(facts["measures"]) + 1
    assert "repeats the key (measure_id) of facts/measures.csv:2" in found.reason


def test_duplicate_keys_across_bundles(tiny: Path, tmp_path: Path) -> None:
    more = write_bundle(tmp_path / "more", {"measures": small_facts()["measures"][:1]}, "more")
    found = only(read_bundles([tiny, more]))
    assert (found.file, found.line) == ("more/measures.csv", 2)


def test_a_second_bundle_may_refer_to_the_first(tiny: Path, tmp_path: Path) -> None:
    rows = [
        {
            **small_facts()["measure_states"][0],
            "state": "ended",
            "valid_from": "2026-12-01",
            "known_from": "2026-11-30",
        }
    ]
    more = write_bundle(tmp_path / "more", {"measure_states": rows}, "more")
    report = read_bundles([tiny, more], strict=True).report
    assert [m.name for m in report.bundles] == ["tiny", "more"]
    assert report.row_counts["measure_states"] == 11


def test_shares_above_the_whole(facts: Rows, write: Write) -> None:
    facts["hs_codes"].append(
        {**facts["hs_codes"][2], "mineral": "gallium", "share_low": 0.1, "share_best": 0.2, "share_high": 0.3}
    )
    report = read_bundles([write(facts)]).report
    assert [r.line for r in report.rejected] == [4, 7]
    assert "add up to 1.18, more than the whole" in report.rejected[0].reason


def test_one_good_counted_for_several_contents_takes_its_room_once(facts: Rows, write: Write) -> None:
    for mineral in ("holmium", "dysprosium"):
        facts["hs_codes"].append(
            {
                **facts["hs_codes"][0],
                "hs6": "850511",
                "mineral": mineral,
                "stage": "fabricated",
                "form": "magnet",
            }
            | {"share_low": 0.6, "share_best": 0.7, "share_high": 0.8}
        )
    read_bundles([write(facts)], strict=True)


def test_splits_above_the_whole(facts: Rows, write: Write) -> None:
    facts["element_splits"].append(
        {
            **facts["element_splits"][1],
            "split_id": "ho",
            "mineral": "holmium",
            "share_best": 0.99,
            "share_high": 0.99,
        }
    )
    report = read_bundles([write(facts)]).report
    assert {r.line for r in report.rejected} == {3, 4}


def test_strict_lists_everything(facts: Rows, write: Write) -> None:
    facts["production"][0]["stage"] = "refind"
    facts["reserves"][0]["country"] = "MYX"
    with pytest.raises(StrictError) as caught:
        read_bundles([write(facts)], strict=True)
    assert len(caught.value.problems) == 2
    assert "facts/production.csv:2: stage 'refind': is not one of" in str(caught.value)


def test_missing_and_unknown_columns(facts: Rows, write: Write) -> None:
    folder = write(facts)
    path = folder / "measures.csv"
    path.write_text(path.read_text("utf-8").replace("instrument", "instrumnt", 1), "utf-8")
    text = problem(folder)
    assert "facts/measures.csv:1: unknown column 'instrumnt'; did you mean 'instrument'?" in text
    assert "column 'instrument' is missing" in text


def test_a_hundred_thousand_columns_are_refused_at_once(facts: Rows, write: Write) -> None:
    folder = write(facts)
    names = ",".join(f"c{number}" for number in range(100_000))
    (folder / "countries.csv").write_text(names + "\n", encoding="utf-8")
    said = "facts/countries.csv:1: has 100,000 columns, of which 100,000 are unknown, such as 'c0'. The columns are: "
    assert said in problem(folder)


def test_a_file_in_another_encoding(facts: Rows, write: Write) -> None:
    folder = write(facts)
    path = folder / "countries.csv"
    path.write_bytes(path.read_bytes().replace(b"FRA,FRA", "FRA,Françe".encode("cp1252")))
    assert "facts/countries.csv:8: is not UTF-8: byte 0xE7; in Windows-1252 it would be 'ç'" in problem(
        folder
    )


def test_utf16_zero_bytes_and_an_empty_file(facts: Rows, write: Write) -> None:
    folder = write(facts)
    (folder / "countries.csv").write_text("country,name", encoding="utf-16")
    (folder / "blocs.csv").write_bytes(b"bloc,country\nEU27,D\x00\x00")
    (folder / "prices.csv").write_bytes(b"")
    text = problem(folder)
    assert "facts/countries.csv: is UTF-16; save it as CSV in UTF-8" in text
    assert "facts/blocs.csv:2: contains zero bytes" in text
    assert "facts/prices.csv: is empty" in text


def test_a_byte_order_mark_is_no_harm(facts: Rows, write: Write) -> None:
    folder = write(facts)
    path = folder / "countries.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    read_bundles([folder], strict=True)


@pytest.mark.parametrize("cut", [10, 25])
def test_a_half_written_csv(facts: Rows, write: Write, cut: int) -> None:
    folder = write(facts)
    path = folder / "measures.csv"
    path.write_bytes(path.read_bytes()[:-cut])
    assert "half-written: copy it again" in problem(folder)


def test_a_quote_that_never_ends(facts: Rows, write: Write) -> None:
    folder = write(facts)
    path = folder / "measures.csv"
    path.write_text(path.read_text("utf-8") + 'x,CHN,,"never ends', "utf-8")
    assert "facts/measures.csv:8: breaks off or is not CSV" in problem(folder)


def test_a_short_row_in_the_middle(facts: Rows, write: Write) -> None:
    folder = write(facts)
    path = folder / "countries.csv"
    lines = path.read_text("utf-8").splitlines()
    lines.insert(2, "ITA,Italy")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    found = only(read_bundles([folder]))
    assert (found.line, found.reason.split(";")[0]) == (3, "has 2 cells where the header has 8")


def test_a_half_written_parquet(facts: Rows, write: Write, tiny: Path) -> None:
    folder = write(facts)
    read_bundles([tiny]).tables["trade"].write_parquet(folder / "trade.parquet")
    (folder / "trade.csv").unlink()
    assert read_bundles([folder], strict=True).report.facts_hash == read_bundles([tiny]).report.facts_hash
    path = folder / "trade.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    assert "facts/trade.parquet: is not a complete Parquet file" in problem(folder)


def test_parquet_with_nan_and_wrong_types(facts: Rows, write: Write, tiny: Path) -> None:
    folder = write(facts)
    (folder / "trade.csv").unlink()
    trade = read_bundles([tiny]).tables["trade"]
    first = pl.int_range(pl.len()) == 0
    trade.with_columns(quantity_t=pl.when(first).then(float("nan")).otherwise("quantity_t")).write_parquet(
        folder / "trade.parquet"
    )
    found = only(read_bundles([folder]))
    assert (found.file, found.line, found.column) == ("facts/trade.parquet", 1, "quantity_t")
    trade.with_columns(pl.col("hs6").cast(pl.Int64)).write_parquet(folder / "trade.parquet")
    report = read_bundles([folder]).report
    assert report.row_counts["trade"] == 0
    assert {r.column for r in report.rejected} == {"hs6"}


def far(kind: pl.DataType) -> pl.Expr:
    return pl.lit(2**31 - 1 if kind == pl.Date else 2**62).cast(kind)


UNFIT = {
    "a list": (pl.concat_list("known_from"), "column 'known_from' has values of type List(Date)"),
    "a struct": (pl.struct("known_from"), "column 'known_from' has values of type Struct"),
    "bytes": (pl.lit(b"x"), "column 'known_from' has values of type Binary"),
    "a duration": (pl.lit(1).cast(pl.Duration()), "column 'known_from' has values of type Duration"),
}


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize("table", ["trade", "countries"])
def test_parquet_columns_that_are_no_cells(
    facts: Rows, write: Write, tiny: Path, table: str, name: str
) -> None:
    folder = write(facts)
    (folder / f"{table}.csv").unlink()
    values, said = UNFIT[name]
    rows = read_bundles([tiny]).tables[table]
    rows.with_columns(values.alias("known_from")).write_parquet(folder / f"{table}.parquet")
    assert f"facts/{table}.parquet: {said}" in problem(folder)


@pytest.mark.parametrize("kind", [pl.Date(), pl.Datetime("us"), pl.Datetime("ms"), pl.Datetime("ms", "UTC")])
@pytest.mark.parametrize("table", ["trade", "countries"])
def test_parquet_days_that_no_calendar_has(
    facts: Rows, write: Write, tiny: Path, table: str, kind: pl.DataType
) -> None:
    folder = write(facts)
    (folder / f"{table}.csv").unlink()
    rows = read_bundles([tiny]).tables[table]
    day = pl.when(pl.int_range(pl.len()) == 1).then(far(kind)).otherwise(pl.col("known_from").cast(kind))
    rows.with_columns(day.alias("known_from")).write_parquet(folder / f"{table}.parquet")
    report = read_bundles([folder]).report
    found = [r for r in report.rejected if "years 1 to 9999" in r.reason]
    assert [(r.file, r.line, r.column) for r in found] == [(f"facts/{table}.parquet", 2, "known_from")]


def put_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def put_broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.csv")


@pytest.mark.parametrize("name", ["trade.csv", "bundle.toml"])
@pytest.mark.parametrize(
    ("put", "said"),
    [
        (put_pipe, "is a pipe, not a file"),
        (put_folder, "is a folder, not a file"),
        (put_broken_link, "is a symbolic link that leads nowhere"),
    ],
)
def test_what_stands_in_the_place_of_a_file_is_named(
    facts: Rows, write: Write, name: str, put: Callable[[Path], None], said: str
) -> None:
    folder = write(facts)
    put(folder / name)
    assert f"facts/{name}: {said}" in problem(folder)


def test_a_deeply_nested_manifest(facts: Rows, write: Write) -> None:
    folder = write(facts)
    (folder / "bundle.toml").write_text("name = " + "[" * 100_000, "utf-8")
    assert "facts/bundle.toml: is nested too deeply" in problem(folder)


def test_files_that_do_not_belong(facts: Rows, write: Write) -> None:
    folder = write(facts)
    (folder / "measurs.csv").write_text("a\n1\n", "utf-8")
    (folder / "trade.xlsx").write_bytes(b"x")
    text = problem(folder)
    assert "'measurs' is not a table of a bundle; did you mean 'measures'?" in text
    assert "facts/trade.xlsx: is neither .csv nor .parquet" in text


def test_a_table_twice(facts: Rows, write: Write, tiny: Path) -> None:
    folder = write(facts)
    read_bundles([tiny]).tables["trade"].write_parquet(folder / "trade.parquet")
    assert "is here twice" in problem(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is missing; write name, version and licence"),
        ('name = "x"\nversion = "1"\n', "lacks licence"),
        ('name = "x"\nversion = "1"\nlicense = "CC0"\n', "did you mean 'licence'?"),
        ("name = ", "is not TOML in UTF-8"),
    ],
)
def test_a_bad_manifest(facts: Rows, write: Write, text: str | None, said: str) -> None:
    folder = write(facts)
    if text is None:
        (folder / "bundle.toml").unlink()
    else:
        (folder / "bundle.toml").write_text(text, "utf-8")
    assert said in problem(folder)


def test_no_folder_at_all(tmp_path: Path) -> None:
    assert "nowhere: no such folder" in problem(tmp_path / "nowhere")
    with pytest.raises(BundleError, match="name at least one folder"):
        read_bundles([])


def test_an_empty_bundle_is_allowed(tmp_path: Path) -> None:
    assert (
        sum(read_bundles([write_bundle(tmp_path / "empty", {})], strict=True).report.row_counts.values()) == 0
    )


def test_the_hash_does_not_depend_on_order_or_stacking(tiny: Path, tmp_path: Path) -> None:
    facts = small_facts()
    backwards = write_bundle(tmp_path / "facts", {name: rows[::-1] for name, rows in facts.items()})
    law = {
        name: facts.pop(name)
        for name in ("measures", "measure_states", "measure_items", "measure_destinations")
    }
    numbers = write_bundle(tmp_path / "numbers", facts)
    apart = write_bundle(tmp_path / "law", law)
    expected = read_bundles([tiny]).report.facts_hash
    assert read_bundles([backwards]).report.facts_hash == expected
    assert read_bundles([numbers, apart]).report.facts_hash == expected
    law["measures"][0]["title"] = "another"
    assert read_bundles([numbers, write_bundle(apart, law)]).report.facts_hash != expected


def test_loading_replaces_and_keeps_rejected_rows(facts: Rows, write: Write, tmp_path: Path) -> None:
    facts["production"][0]["stage"] = "refind"
    folder = write(facts)
    with Warehouse.open_state(tmp_path / "state.duckdb") as state:
        state.load_bundles([folder])
        state.load_bundles([folder])
        assert state.query("SELECT count(*) FROM core.trade").item() == 18
        assert state.query('SELECT file, line, "column", value FROM meta.rejected_row').rows() == [
            ("facts/production.csv", 2, "stage", "refind")
        ]
    with Warehouse.open_state(tmp_path / "state.duckdb") as state:
        assert state.query("SELECT bundles FROM meta.facts").item() == "tiny 1"


def test_a_bad_bundle_leaves_the_facts_alone(tiny: Path, tmp_path: Path) -> None:
    with Warehouse.open_memory() as state:
        state.load_bundles([tiny])
        with pytest.raises(BundleError):
            state.load_bundles([tmp_path / "nowhere"])
        assert state.query("SELECT count(*) FROM core.trade").item() == 18


ODD = (
    "",
    "0",
    "-0",
    "1",
    "+1",
    "1.",
    ".5",
    "1e3",
    "1E400",
    "nan",
    " 1",
    "abc",
    "2022",
    "22",
    "CHN",
    "chn",
    "284690",
)
ODD_DAYS = ("2022-01-31", "2022-1-31", "2022-02-30", "20220131", "1850-01-01", "2022-01-31T00:00")


@pytest.mark.parametrize("column", [c.name for c in columns("trade")])
def test_trade_in_columns_and_row_by_row_agree(column: str) -> None:
    good = {"year": "2022", "exporter": "CHN", "importer": "USA", "hs6": "284690", "hs_revision": "17"}
    good |= {
        "value_usd": "5",
        "quantity_t": "7",
        "is_complete": "true",
        "source_id": "s",
        "known_from": "2024-01-31",
    }
    odd = [*ODD, *ODD_DAYS, "true", "TRUE", "92", "s s", None]
    rows = [{"__line": n + 2, **good, column: value or None} for n, value in enumerate(odd)]
    types = {"__line": pl.Int64, **dict.fromkeys(good, pl.String)}
    raw = RawTable("trade", "facts/trade.csv", pl.DataFrame(rows, schema=types))
    at_once, rejected = bundle_rows._typed_trade(raw, raw.frame)
    one_by_one, expected = bundle_rows._by_row(raw, raw.frame)
    assert at_once.equals(one_by_one.select(at_once.columns))
    assert rejected == expected
