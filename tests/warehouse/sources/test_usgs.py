"""The summaries of the United States Geological Survey: every quirk of the files of 2025 and 2026, small and real."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from jobs.facts.importing import Imported, import_file
from tests.warehouse.sources.mutate import torture
from warehouse.bundle.files import read_table
from warehouse.bundle.reading import read_bundles
from warehouse.errors import BundleError
from warehouse.sources import usgs_2025, usgs_2026
from warehouse.sources.parsed import ParsedFile, Reading
from warehouse.sources.usgs_names import UNITS, corrections, series
from warehouse.sources.usgs_values import Absent, Figure, parse_value

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
FACTS = Path(__file__).parents[3] / "warehouse" / "facts"
NAME_26, NAME_25 = "MCS2026_Commodities_Data.csv", "MCS2025_World_Data.csv"
REAL_26, REAL_25 = SHARED / "usgs_mcs2026" / NAME_26, SHARED / "usgs_mcs2025" / NAME_25
HEAD_26 = (
    "MCS chapter", "Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Unit", "Year", "Value",
    "Notes", "Is critical mineral 2025", "Other notes",
)  # fmt: skip
HEAD_25 = (
    "SOURCE", "COMMODITY", "COUNTRY", "TYPE", "UNIT_MEAS", "PROD_2023", "PROD_EST_ 2024", "PROD_NOTES", "CAP_2023",
    "CAP_EST_ 2024", "CAP_NOTES", "RESERVES_2024", "RESERVE_NOTES",
)  # fmt: skip
READING = Reading({"countries": read_table(FACTS / "countries.csv", "countries.csv").frame}, any_size=True)
Row = dict[str, Any]


def row26(commodity: str, country: str, value: str, **more: str) -> list[str]:
    given = {
        "MCS chapter": commodity.upper(),
        "Section": "World Mine Production and Reserves",
        "Commodity": commodity,
        "Country": country,
        "Statistics": "Production",
        "Statistics_detail": "Mine production",
        "Unit": "metric tons",
        "Year": "2024",
        "Value": value,
        "Notes": "",
        **more,
    }
    return [given.get(name, "") for name in HEAD_26]


def row25(commodity: str, country: str, kind: str, **more: str) -> list[str]:
    given = {
        "SOURCE": "MCS2025",
        "COMMODITY": commodity,
        "COUNTRY": country,
        "TYPE": kind,
        "UNIT_MEAS": "metric tons",
    }
    return [{**given, **more}.get(name.replace(" ", ""), "") for name in HEAD_25]


def text_of(head: tuple[str, ...], *rows: list[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([head, *rows])
    return out.getvalue()


def parse26(folder: Path, *rows: list[str]) -> ParsedFile:
    path = folder / NAME_26
    path.write_bytes(text_of(HEAD_26, *rows).encode("cp1252"))
    return usgs_2026.parse(path, READING)


def parse25(folder: Path, *rows: list[str]) -> ParsedFile:
    path = folder / NAME_25
    path.write_bytes(text_of(HEAD_25, *rows).encode("utf-8-sig"))
    return usgs_2025.parse(path, READING)


def only(parsed: ParsedFile, table: str) -> Row:
    assert not parsed.rejected
    assert parsed.tables[table].height == 1
    return parsed.tables[table].row(0, named=True)


@pytest.mark.parametrize(
    ("text", "note", "ends"),
    [
        ("270,000", "", (270_000, 270_000, 270_000)),
        ("0.5", "", (0.5, 0.5, 0.5)),
        ("—", "", (0, 0, 0)),
        ("W", "", (None, None, None)),
        ("s", "Less than ½ unit.", (0, 0.25, 0.5)),
        ("s", "Included with ilmenite.", (None, None, None)),
        ("Less than 1/2 unit", "", (0, 0.25, 0.5)),
        (">99", "", (99, 99, 99)),
        ("<1", "", (0, 1, 1)),
        ("10,000 - 15,000", "", (10_000, 12_500, 15_000)),
    ],
)
def test_a_value_has_a_range(text: str, note: str, ends: tuple[float | None, ...]) -> None:
    found = parse_value(text, note)
    assert isinstance(found, Figure)
    assert (found.low, found.best, found.high) == ends
    assert found.is_withheld == (ends[1] is None)


@pytest.mark.parametrize("text", ["NA", "XX", "E", "Large", "Moderate to large", "Very small"])
def test_no_value_has_a_reason(text: str) -> None:
    assert isinstance(parse_value(text), Absent)


@pytest.mark.parametrize(
    "text", ["", "1.234", "1.234,5", "12,34", "-5", "nan", "1e9", "15 - 10", "w", "many", "?"]
)
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_value(text)


def test_zero_unknown_and_withheld_differ(tmp_path: Path) -> None:
    parsed = parse26(
        tmp_path,
        row26("Tungsten", "Rwanda", "—"),
        row26("Tungsten", "Spain", "NA"),
        row26("Tungsten", "Austria", "W"),
    )
    rows = {r["country"]: r for r in parsed.tables["production"].iter_rows(named=True)}
    assert (rows["RWA"]["production_t_best"], rows["RWA"]["qualifier"]) == (0, "reported")
    assert (rows["AUT"]["production_t_best"], rows["AUT"]["qualifier"]) == (None, "withheld")
    assert parsed.outside == {"no figure: not published": 1}
    assert (parsed.rows_in, parsed.stored) == (2, 2)


def test_an_estimate_is_a_range(tmp_path: Path) -> None:
    row = only(parse26(tmp_path, row26("Tungsten", "China", "67,000", Notes="Estimated.")), "production")
    assert (row["production_t_low"], row["production_t_best"], row["production_t_high"]) == (
        60_300,
        67_000,
        73_700,
    )
    assert (row["qualifier"], row["vintage"]) == ("estimated", "MCS2026")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Burma", "MMR"),
        ("Congo (Kinshasa)", "COD"),
        ("Korea, Republic of", "KOR"),
        ("Côte d’Ivoire", "CIV"),
        ("Turkey", "TUR"),
        ("World total", "WLD"),
        ("Other countries", "OTH"),
        ("Russia ", "RUS"),
    ],
)
def test_countries_by_their_american_names(tmp_path: Path, name: str, code: str) -> None:
    assert only(parse26(tmp_path, row26("Cobalt", name, "5")), "production")["country"] == code


def test_a_curly_dash_and_quote_in_windows_1252_or_utf_8(tmp_path: Path) -> None:
    rows = [row26("Manganese", "Côte d’Ivoire", "—", Unit="thousand metric tons")]
    for encoding in ("cp1252", "utf-8", "utf-8-sig"):
        path = tmp_path / NAME_26
        path.write_bytes(text_of(HEAD_26, *rows).encode(encoding))
        row = only(usgs_2026.parse(path, READING), "production")
        assert (row["country"], row["production_t_best"]) == ("CIV", 0)


def test_every_unit_becomes_tonnes(tmp_path: Path) -> None:
    assert UNITS["million carats"] == pytest.approx(0.2)
    found = [
        only(parse26(tmp_path, row26("Cobalt", "Cuba", "2", Unit=unit)), "production")["production_t_best"]
        for unit in ("metric tons", "thousand metric tons", "million metric tons", "kilograms")
    ]
    assert found == [2, 2_000, 2_000_000, 0.002]
    more = [row26("Cobalt", "Cuba", "2"), row26("Cobalt", "Chile", "2", Unit="bags")]
    assert parse26(tmp_path, *more).rejected[0].column == "unit"


def test_bauxite_and_alumina_count_their_aluminium(tmp_path: Path) -> None:
    given = {"Statistics_detail": "Bauxite, mine production", "Unit": "thousand metric dry tons"}
    row = only(parse26(tmp_path, row26("Bauxite", "Guinea", "142,000", **given)), "production")
    assert row["production_t_best"] == pytest.approx(34_080_000)
    assert row["form"] == "bauxite"
    assert "content" in row["note"]


RESERVES = {"Statistics": "Reserves", "Statistics_detail": "Reserves", "Year": "2025"}


def test_vanadium_reserves_say_tonnes_and_are_thousands(tmp_path: Path) -> None:
    row = only(parse26(tmp_path, row26("Vanadium", "China", "5,800", **RESERVES)), "reserves")
    assert row["reserves_t"] == 5_800_000
    assert row["note"].startswith("corrected on 2026-11-23")
    # Production of the same mineral is as stated, and so is a file whose unit was mended.
    assert (
        only(parse26(tmp_path, row26("Vanadium", "China", "70,000")), "production")["production_t_best"]
        == 70_000
    )
    mended = row26("Vanadium", "China", "5,800", **RESERVES, Unit="thousand metric tons")
    assert only(parse26(tmp_path, mended), "reserves")["reserves_t"] == 5_800_000
    # Figures mended and the unit left: nothing is multiplied again in silence.
    twice = [row26("Vanadium", "China", "5,800,000", **RESERVES), mended]
    twice[1][3] = "Russia"
    refused = parse26(tmp_path, *twice).rejected
    assert "corrected" in refused[0].reason


def test_reserves_as_bounds_and_words(tmp_path: Path) -> None:
    parsed = parse26(
        tmp_path,
        row26(
            "Antimony", "World total", ">2,000,000", **{**RESERVES, "Statistics_detail": "Reserves: rounded"}
        ),
        row26("Antimony", "China", "Large", **RESERVES),
    )
    row = only(parsed, "reserves")
    assert (row["country"], row["reserves_t"], row["qualifier"]) == ("WLD", 2_000_000, "world_estimate")
    assert row["note"].startswith("lower bound")
    assert parsed.outside == {"no figure: stated in words only": 1}


IMPORTS = {
    "Section": "Import Sources", "Statistics": "Import sources 2021-2024", "Unit": "percent", "Year": "2021–24",
}  # fmt: skip


def test_import_sources_keep_their_bounds(tmp_path: Path) -> None:
    parsed = parse26(
        tmp_path,
        row26("Strontium", "Mexico", ">99", **IMPORTS, Statistics_detail="Celestite"),
        row26("Strontium", "Other countries", "<1", **IMPORTS, Statistics_detail="Celestite"),
        row26("Rubidium", "China, Germany, and Russia", "100", **IMPORTS, Statistics_detail="All"),
    )
    rows = parsed.tables["import_shares"].sort("exporter").rows(named=True)
    assert [(r["exporter"], r["import_share"], r["note"][:11]) for r in rows] == [
        ("MEX", 0.99, "lower bound"),
        ("OTH", 0.01, "upper bound"),
    ]
    assert {(r["year_from"], r["year_to"], r["importer"], r["form"]) for r in rows} == {
        (2021, 2024, "USA", "Celestite")
    }
    assert parsed.outside == {"one figure for several countries together": 1}


def test_capacity_has_a_name_that_stays(tmp_path: Path) -> None:
    given = {
        "Statistics": "Capacity",
        "Statistics_detail": "Production capacity",
        "Unit": "kilograms",
        "Year": "2025",
    }
    parsed = parse26(
        tmp_path, row26("Gallium", "Japan", "10,000", **given), row26("Gallium", "World total", "1", **given)
    )
    row = only(parsed, "capacity")
    assert row["capacity_id"] == "usgs-mcs-2026-import-gallium-refined-jpn-2025"
    assert (row["capacity_t_best"], row["add_90_t_best"]) == (10, None)
    assert sum(parsed.outside.values()) == 1


def test_what_is_not_ours_is_counted(tmp_path: Path) -> None:
    parsed = parse26(
        tmp_path,
        row26("Cement", "China", "1", Statistics_detail="Cement production"),
        row26("Tungsten", "United States", "1", Section="Salient Statistics—United States"),
        row26(
            "Titanium Mineral Concentrates",
            "World total",
            "9",
            Statistics_detail="Mine production: ilmenite and rutile, rounded",
        ),
    )
    assert parsed.rows_in == 0
    assert sum(parsed.outside.values()) == 3
    assert len(parsed.outside) == 3


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"Statistics_detail": "Mine production, new wording"}, "Production"),
        ({"Section": "Page 4"}, "Section"),
        ({"Year": "2031"}, "Year"),
        ({"Year": "2024e"}, "Year"),
        ({"Country": "1Includes Hong Kong"}, "country"),
        ({"Value": "1.234"}, "Value"),
        ({"Statistics": "Price"}, "Statistics"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line(tmp_path: Path, change: dict[str, str], column: str) -> None:
    good = [row26("Tungsten", name, "1") for name in ("China", "Spain")]
    parsed = parse26(tmp_path, *good, row26("Tungsten", **{"country": "Russia", "value": "1", **change}))
    assert [(r.file, r.line, r.column) for r in parsed.rejected] == [(NAME_26, 4, column)]
    assert (parsed.rows_in, parsed.stored) == (3, 2)


def test_a_repeated_row_is_rejected(tmp_path: Path) -> None:
    rows = [row26("Tungsten", name, "1") for name in ("China", "Spain", "China")]
    parsed = parse26(tmp_path, *rows)
    assert [(r.line, r.reason[:7]) for r in parsed.rejected] == [(4, "repeats")]
    assert "line 2" in parsed.rejected[0].reason


def test_2025_names_with_blanks_and_misprints(tmp_path: Path) -> None:
    parsed = parse25(
        tmp_path,
        row25("Gallium ", "China", "Primary production", UNIT_MEAS="kilograms", PROD_2023="621000", PROD_EST_2024="750000", CAP_EST_2024="1000000"),
        row25("Gemanium", "China", "Primary and secondary refinery production", UNIT_MEAS="kilograms", PROD_NOTES="NA"),
    )  # fmt: skip
    rows = parsed.tables["production"].sort("year").rows(named=True)
    assert [(r["year"], r["production_t_best"], r["qualifier"]) for r in rows] == [
        (2023, 621, "reported"),
        (2024, 750, "estimated"),
    ]
    assert parsed.tables["capacity"].get_column("capacity_t_best").to_list() == [1_000]
    assert (parsed.rows_in, parsed.outside) == (3, {"row without a figure": 1})


def test_2025_withheld_is_a_blank_with_a_note(tmp_path: Path) -> None:
    kind = "Sponge Metal Production"
    parsed = parse25(
        tmp_path,
        row25(
            "Titanium & titanium dioxide", "United States", kind, PROD_NOTES="W for 23-24", CAP_EST_2024="500"
        ),
    )
    rows = parsed.tables["production"].rows(named=True)
    assert [(r["production_t_best"], r["qualifier"]) for r in rows] == [(None, "withheld")] * 2
    assert (parsed.rows_in, parsed.stored) == (3, 3)


@pytest.mark.parametrize(
    ("row", "table", "mineral", "tonnes"),
    [
        (row25("Vanadium", "China", "Mine production, vanadium content", RESERVES_2024="4100"), "reserves", "vanadium", 4_100_000),
        (row25("Molybdenum ", "Chile", "Mine production, molybdenum content", RESERVES_2024="1400"), "reserves", "molybdenum", 1_400_000),
        (row25("Titanium Mineral Concentrates", "China", "Mine production, ilmentite, titanium dioxide (TiO2) content", PROD_2023="3250"), "production", "titanium", 3_250_000),
        (row25("Titanium Mineral Concentrates", "Sierra Leone", "Mine production, rutile, titanium dioxide (TiO2) content", UNIT_MEAS="", RESERVES_2024="2900"), "reserves", "titanium", 2_900_000),
        (row25("Indium", "China", "Refinery production", RESERVES_2024="1100"), "capacity", "indium", 1_100),
        (row25("Platinum-Group metals", "Russia", "Mine production, Palladium content", UNIT_MEAS="kilograms", RESERVES_2024="16000000"), "reserves", "platinum_group", 16_000),
    ],
)  # fmt: skip
def test_2025_errors_are_corrected_in_sight(
    tmp_path: Path, row: list[str], table: str, mineral: str, tonnes: float
) -> None:
    found = only(parse25(tmp_path, row), table)
    figure = found["reserves_t"] if table == "reserves" else found[f"{table}_t_best"]
    assert (found["mineral"], figure) == (mineral, tonnes)
    assert "corrected on 2026-11-23" in found["note"]


def test_2025_magnesium_capacity_stands_in_its_own_column_too(tmp_path: Path) -> None:
    row = row25(
        "Magnesium metal",
        "Israel",
        "Magnesium smelter production",
        UNIT_MEAS="thousand metric tons",
        CAP_EST_2024="34",
        RESERVES_2024="34",
    )
    parsed = parse25(tmp_path, row)
    assert only(parsed, "capacity")["capacity_t_best"] == 34_000
    assert "reserves" not in parsed.tables
    assert parsed.outside == {"repeats the capacity of its own row": 1}


def test_every_series_has_a_home_and_every_correction_a_reason() -> None:
    minerals = set(pl.read_csv(FACTS / "minerals.csv", infer_schema=False).get_column("mineral"))
    for edition in ("2025", "2026"):
        for rows in series(edition).values():
            for row in rows:
                assert row.mineral in minerals or (row.table == "outside" and row.reason), row
        for correction in corrections(edition):
            assert len(correction.reason) > 40
            assert correction.true_unit in UNITS


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html>\n", "web page"),
        ("a,b\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n1,2\n", "lacks column"),
        (b'Section,"Value\n', "not CSV"),
        (text_of(HEAD_26).encode()[:-1], "ends within a row"),
        (text_of(HEAD_26, row26("Tungsten", "\u0081", "1")).encode("latin-1"), "neither UTF-8"),
    ],
)
def test_bad_files_are_refused_with_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / NAME_26
    path.write_bytes(content)
    with pytest.raises(BundleError, match=says):
        usgs_2026.parse(path, READING)


def test_another_edition_and_half_a_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME_26
    path.write_text(text_of(HEAD_26, row26("Tungsten", "China", "1")), encoding="cp1252")
    with pytest.raises(BundleError, match="edition of 2026"):
        usgs_2026.parse(path, Reading(READING.tables, release="2027"))
    with pytest.raises(BundleError, match="outside 1,800"):
        usgs_2026.parse(path, Reading(READING.tables))


def sample26() -> str:
    names = ("China", "Russia", "Spain", "Burma", "Congo (Kinshasa)", "Côte d’Ivoire", "World total")
    values = ("270,000", "1,500", "W", "—", "12", "4.5", ">300,000")
    rows = [
        row26(c, n, v, Notes="Estimated.")
        for c in ("Tungsten", "Cobalt")
        for n, v in zip(names, values, strict=True)
    ]
    rows += [row26("Antimony", n, "1,200", **RESERVES) for n in names]
    rows += [row26("Bismuth", n, "20", **IMPORTS, Statistics_detail="All") for n in names[:5]]
    return text_of(HEAD_26, *rows)


def sample25() -> str:
    names = (
        "China",
        "Russia ",
        "Spain",
        "Burma",
        "Congo (Kinshasa)",
        "Côte d'Ivoire",
        "World total (rounded)",
    )
    kinds = {"Tungsten ": "Mine production, tungsten content", "Tin": "Mine production, tin content"}
    rows = [
        row25(c, n, k, PROD_2023="1000", PROD_EST_2024="1500", RESERVES_2024="250000")
        for c, k in kinds.items()
        for n in names
    ]
    return text_of(HEAD_25, *rows)


@pytest.mark.parametrize(
    ("name", "parse", "text", "encoding"),
    [
        (NAME_26, usgs_2026.parse, sample26(), "cp1252"),
        (NAME_25, usgs_2025.parse, sample25(), "utf-8-sig"),
    ],
    ids=["2026", "2025"],
)
def test_damaged_files_lose_nothing_in_silence(
    tmp_path: Path, name: str, parse: Callable[[Path, Reading], ParsedFile], text: str, encoding: str
) -> None:
    found = torture(lambda path: parse(path, READING), tmp_path / name, text, encoding=encoding)
    print(f"\n{name}\n{found.table()}")
    assert not found.broken


def imported(name: str, path: Path, folder: Path) -> tuple[Imported, Callable[..., Row]]:
    done = import_file(name, path, folder / "bundle")
    tables = {table: pl.read_parquet(folder / "bundle" / f"{table}.parquet") for table in done.tables}
    print(done.as_dict())

    def at(table: str, **key: Any) -> Row:
        return (
            tables[table]
            .filter(*(pl.col(column) == value for column, value in key.items()))
            .row(0, named=True)
        )

    return done, at


@pytest.mark.skipif(not REAL_26.is_file(), reason="needs ../shared/data/usgs_mcs2026")
def test_the_real_file_of_2026(tmp_path: Path) -> None:
    done, at = imported("usgs-mcs-2026", REAL_26, tmp_path)
    assert done.tables == {"production": 1329, "reserves": 400, "capacity": 90, "import_shares": 501}
    assert (done.rows_in, done.stored, len(done.rejected)) == (2320, 2320, 0)
    assert done.rows_in + sum(done.outside.values()) == 8886
    assert done.outside["salient statistics of the United States"] == 4863
    assert at("production", mineral="rare_earths", country="CHN", year=2024)["production_t_best"] == 270_000
    assert at("reserves", mineral="rare_earths", country="MYS")["reserves_t"] == 710_000
    assert at("reserves", mineral="vanadium", country="CHN")["reserves_t"] == 5_800_000
    assert at("production", mineral="gallium", country="CHN", year=2024)["production_t_best"] == 839
    assert (
        at("import_shares", mineral="copper", form="Copper content of ore and concentrate", exporter="CAN")[
            "import_share"
        ]
        == 0.99
    )
    report = read_bundles([FACTS, tmp_path / "bundle"], strict=True).report
    assert not report.rejected


@pytest.mark.skipif(not REAL_25.is_file(), reason="needs ../shared/data/usgs_mcs2025")
def test_the_real_file_of_2025(tmp_path: Path) -> None:
    done, at = imported("usgs-mcs-2025", REAL_25, tmp_path)
    assert done.tables == {"production": 1257, "reserves": 394, "capacity": 58}
    assert (done.rows_in, done.stored, len(done.rejected)) == (1709, 1709, 0)
    with REAL_25.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [
        name for name in rows[0] if name.startswith(("PROD_", "CAP_", "RESERVES_")) and "NOTES" not in name
    ]
    figures = sum(1 for row in rows for name in names if row[name].strip())
    blanks = done.outside["row without a figure"]
    # Fourteen rows say W and one says less than half a unit, for both years of production.
    withheld = 30
    assert done.rows_in + sum(done.outside.values()) == figures + blanks + withheld
    assert at("production", mineral="gallium", country="CHN", year=2024)["production_t_best"] == 750
    assert at("reserves", mineral="vanadium", country="CHN")["reserves_t"] == 4_100_000
    assert at("reserves", mineral="titanium", country="SLE", form="rutile")["reserves_t"] == 2_900_000
    assert at("capacity", mineral="indium", country="CHN")["capacity_t_best"] == 1_100
    assert not read_bundles([FACTS, tmp_path / "bundle"], strict=True).report.rejected


@pytest.mark.skipif(
    not (REAL_26.is_file() and REAL_25.is_file()), reason="needs ../shared/data/usgs_mcs2026 and 2025"
)
@pytest.mark.parametrize("edition", ["2026", "2025"])
def test_the_embedded_facts_say_the_same(tmp_path: Path, edition: str) -> None:
    import_file(f"usgs-mcs-{edition}", REAL_26 if edition == "2026" else REAL_25, tmp_path / "bundle")
    for table, key, figure, heights in (
        (
            "production",
            ["mineral", "stage", "country", "year"],
            "production_t_best",
            {"2026": 885, "2025": 804},
        ),
        ("reserves", ["mineral", "country", "year"], "reserves_t", {"2026": 352, "2025": 348}),
    ):
        best = pl.col(figure).sum()
        embedded = (
            pl.read_csv(FACTS / f"{table}.csv", infer_schema=False)
            .filter(pl.col("source_id") == f"usgs-mcs-{edition}", pl.col("vintage") == f"MCS{edition}")
            .drop_nulls(figure)
            .with_columns(pl.col("year").cast(pl.Int64), pl.col(figure).cast(pl.Float64))
        )
        ours = pl.read_parquet(tmp_path / "bundle" / f"{table}.parquet").group_by(key).agg(best.alias("ours"))
        both = embedded.group_by(key).agg(best).join(ours, on=key)
        differ = both.filter((pl.col(figure) - pl.col("ours")).abs() > 1e-5 * pl.col("ours"))
        assert both.height >= heights[edition] - 10
        assert differ.is_empty(), differ
