"""A tiny bundle of facts, built in a temporary folder: two chains, three countries and the notices of the issue."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from warehouse.asof.state import Warehouse
from warehouse.records.tables import TABLES, columns

TODAY = date(2026, 11, 23)
Row = Mapping[str, Any]
Rows = dict[str, list[dict[str, Any]]]


def _sourced(
    rows: Sequence[Row], known: str = "2020-01-31", source: str = "official"
) -> list[dict[str, Any]]:
    return [{"source_id": source, "known_from": known, **row} for row in rows]


def _state(
    measure: str, state: str, start: str, known: str, end: str = "", clause: str = "all"
) -> dict[str, Any]:
    return {
        "measure_id": measure,
        "clause": clause,
        "destination": "*",
        "state": state,
        "valid_from": start,
        "valid_to": end,
        "source_id": "official",
        "known_from": known,
    }


def _measure(
    measure: str, notice: str, instrument: str, announced: str, country: str = "CHN"
) -> dict[str, Any]:
    return {
        "measure_id": measure,
        "curbing_country": country,
        "notice": notice,
        "title": notice,
        "instrument": instrument,
        "date_announced": announced,
        "is_framework": "false",
        "source_id": "official",
        "known_from": announced,
    }


def _item(item: str, measure: str, mineral: str, stage: str, **more: Any) -> dict[str, Any]:
    return {
        "item_id": item,
        "measure_id": measure,
        "clause": "all",
        "mineral": mineral,
        "stage": stage,
        "form": "metal",
        "coverage_share_low": 0.8,
        "coverage_share_best": 0.9,
        "coverage_share_high": 1,
        "is_extraterritorial": "false",
        "source_id": "official",
        "known_from": "2023-07-03",
        **more,
    }


def _to(measure: str, destination: str, scope: str = "all", **more: Any) -> dict[str, Any]:
    return {
        "measure_id": measure,
        "clause": "all",
        "destination": destination,
        "scope": scope,
        "is_excluded": "false",
        "source_id": "official",
        "known_from": "2023-07-03",
        **more,
    }


WORD_ROLES = {
    "counts_as_cover": {"cover_days": "true"},
    "ends_normal_trade": {
        **dict.fromkeys(("export_licence", "export_ban", "processing_stage_ban"), "true"),
        **dict.fromkeys(("enforcement_campaign", "licence_facilitation"), "false"),
    },
    "names_buyers": {"all": "false", "country": "false"},
    "reaches_every_stage": {"export_licence": "true"},
}


def small_facts() -> Rows:
    """Rows of every table of the tiny bundle; a test may change them before writing."""
    trade = [
        {"year": year, "exporter": exporter, "importer": importer, "hs6": code, "hs_revision": "17"}
        | {"value_usd": usd, "quantity_t": tonnes, "is_complete": complete, "known_from": f"{year + 2}-01-31"}
        for year in (2021, 2022, 2023)
        for exporter, importer, code, usd, tonnes, complete in (
            ("CHN", "USA", "811292", 1_000_000, 100, "true"),
            ("CHN", "DEU", "811292", 3_000_000, 200, "false"),
            ("DEU", "USA", "811292", 9_000_000, 10, "true"),
            ("CHN", "JPN", "811292", 500_000, "", "false"),
            ("CHN", "JPN", "284690", 4_000_000, 1_000, "true"),
            ("MMR", "CHN", "284690", 2_000_000, 5_000, "true"),
        )
    ]
    code = {"hs_revision": "17", "form": "metal", "exporter": "*", "importer": "*", "share_of": "weight"}
    return {
        "spreads": _sourced(
            [
                {"spread": "value_share_for_weight", "factor": 2},
                {"spread": "unit_value_for_weight", "factor": 2},
            ]
        ),
        "word_roles": [
            {"role": role, "word": word, "applies": applies, "valid_from": "2000-01-01"}
            | {"source_id": "official", "known_from": "2000-01-01"}
            for role, words in WORD_ROLES.items()
            for word, applies in words.items()
        ],
        "sources": [
            {
                "source_id": "official",
                "publisher": "Ministry",
                "title": "Notices",
                "grade": "A",
                "known_from": "2000-01-01",
            },
            {
                "source_id": "press",
                "publisher": "Paper",
                "title": "News",
                "grade": "C",
                "known_from": "2000-01-01",
            },
        ],
        "minerals": _sourced(
            [
                {"mineral": name, "name": name.title(), "is_group": str(name == "rare_earths").lower()}
                for name in ("gallium", "hafnium", "dysprosium", "rare_earths", "holmium")
            ]
        ),
        "chains": _sourced(
            [
                {"mineral": "gallium", "stage_order": 1, "stage": "refined"},
                {"mineral": "dysprosium", "stage_order": 1, "stage": "mined"},
                {"mineral": "dysprosium", "stage_order": 2, "stage": "refined"},
            ]
        ),
        "countries": _sourced(
            [
                {"country": name, "name": name, "is_entrepot": "false"}
                for name in ("CHN", "USA", "DEU", "JPN", "MMR", "MYS", "FRA")
            ]
        ),
        "blocs": _sourced(
            [
                {"bloc": "EU27", "country": "DEU", "valid_from": "1958-01-01"},
                {"bloc": "EU27", "country": "FRA", "valid_from": "1958-01-01", "valid_to": "2026-06-01"},
            ]
        ),
        "conversions": _sourced(
            [
                {"conversion_id": "dy-oxide", "mineral": "dysprosium", "content_share_low": 0.8}
                | {"content_share_best": 0.87, "content_share_high": 0.88}
            ]
        ),
        "hs_codes": _sourced(
            [
                {**code, "hs6": "811292", "mineral": "gallium", "stage": "refined", "trade_basis": "bundle"}
                | {"share_low": 0.02, "share_best": 0.05, "share_high": 0.1},
                {**code, "hs6": "811292", "mineral": "gallium", "stage": "refined", "trade_basis": "bundle"}
                | {"exporter": "CHN", "share_low": 0.1, "share_best": 0.2, "share_high": 0.3},
                {**code, "hs6": "811292", "mineral": "hafnium", "stage": "refined", "trade_basis": "bundle"}
                | {
                    "exporter": "DEU",
                    "importer": "USA",
                    "share_low": 0.9,
                    "share_best": 0.98,
                    "share_high": 1,
                },
                {
                    **code,
                    "hs6": "284690",
                    "mineral": "dysprosium",
                    "stage": "refined",
                    "trade_basis": "bundle",
                }
                | {"form": "oxide", "share_low": 0.01, "share_best": 0.02, "share_high": 0.03}
                | {"conversion_id": "dy-oxide"},
                {
                    **code,
                    "hs6": "284690",
                    "mineral": "dysprosium",
                    "stage": "mined",
                    "trade_basis": "dominant",
                }
                | {
                    "exporter": "MMR",
                    "form": "concentrate",
                    "share_low": 0.03,
                    "share_best": 0.04,
                    "share_high": 0.05,
                },
            ]
        ),
        "element_splits": _sourced(
            [
                {
                    "split_id": "any",
                    "group_mineral": "rare_earths",
                    "mineral": "dysprosium",
                    "country": "*",
                    "stage": "*",
                }
                | {"share_low": 0.001, "share_best": 0.005, "share_high": 0.01},
                {"split_id": "mmr", "group_mineral": "rare_earths", "mineral": "dysprosium", "country": "MMR"}
                | {"stage": "mined", "share_low": 0.03, "share_best": 0.04, "share_high": 0.05},
            ]
        ),
        "trade": _sourced(trade),
        "production": _sourced(
            [
                {
                    "mineral": "gallium",
                    "stage": "refined",
                    "country": "CHN",
                    "year": 2022,
                    "qualifier": "reported",
                }
                | dict.fromkeys(("production_t_low", "production_t_best", "production_t_high"), 600)
                | {"known_from": "2023-01-31", "vintage": "2023"},
                {
                    "mineral": "gallium",
                    "stage": "refined",
                    "country": "CHN",
                    "year": 2022,
                    "qualifier": "reported",
                }
                | dict.fromkeys(("production_t_low", "production_t_best", "production_t_high"), 610)
                | {"known_from": "2024-01-31", "vintage": "2024"},
                {
                    "mineral": "gallium",
                    "stage": "refined",
                    "country": "CHN",
                    "year": 2022,
                    "qualifier": "claim",
                }
                | {"production_t_low": 400, "production_t_best": 500, "production_t_high": 900}
                | {"known_from": "2025-01-31", "source_id": "press"},
                {
                    "mineral": "gallium",
                    "stage": "refined",
                    "country": "OTH",
                    "year": 2022,
                    "qualifier": "unlisted",
                }
                | {"production_t_low": 0, "production_t_best": 8, "production_t_high": 40},
                {
                    "mineral": "gallium",
                    "stage": "refined",
                    "country": "WLD",
                    "year": 2022,
                    "qualifier": "world_estimate",
                }
                | dict.fromkeys(("production_t_low", "production_t_best", "production_t_high"), 700),
                {
                    "mineral": "gallium",
                    "stage": "refined",
                    "country": "DEU",
                    "year": 2022,
                    "qualifier": "withheld",
                },
                {
                    "mineral": "rare_earths",
                    "stage": "mined",
                    "country": "MMR",
                    "year": 2023,
                    "qualifier": "estimated",
                }
                | {"production_t_low": 30_000, "production_t_best": 40_000, "production_t_high": 50_000}
                | {"known_from": "2024-01-31"},
                {
                    "mineral": "rare_earths",
                    "stage": "mined",
                    "country": "CHN",
                    "year": 2023,
                    "qualifier": "reported",
                }
                | dict.fromkeys(("production_t_low", "production_t_best", "production_t_high"), 240_000)
                | {"known_from": "2024-01-31"},
            ],
        ),
        "reserves": _sourced(
            [
                {
                    "mineral": "rare_earths",
                    "country": "MYS",
                    "year": 2025,
                    "reserves_t": 710_000,
                    "claim_kind": "reserve",
                }
                | {"qualifier": "reported", "known_from": "2026-01-31"},
                {"mineral": "rare_earths", "country": "MYS", "year": 2025, "reserves_t": 16_100_000}
                | {
                    "claim_kind": "resource",
                    "qualifier": "claim",
                    "source_id": "press",
                    "known_from": "2025-10-27",
                },
            ]
        ),
        "prices": _sourced(
            [
                {"price_id": "ga", "mineral": "gallium", "form": "metal", "valid_from": "2019-01-01"}
                | {"usd_per_t_low": 200_000, "usd_per_t_best": 250_000, "usd_per_t_high": 500_000}
            ]
        ),
        "measures": [
            _measure("23-2023", "MOFCOM 23/2023", "export_licence", "2023-07-03"),
            _measure("46-2024", "MOFCOM 46/2024", "export_ban", "2024-12-03"),
            _measure("57-2025", "MOFCOM 57/2025", "export_licence", "2025-10-09"),
            _measure("campaign", "Special campaign", "enforcement_campaign", "2025-05-09"),
            _measure("easing", "General licence", "licence_facilitation", "2025-12-01"),
            _measure("mys-ban", "Raw ban", "processing_stage_ban", "2024-01-01", "MYS"),
        ],
        "measure_states": [
            _state("23-2023", "announced", "2023-07-03", "2023-07-03"),
            _state("23-2023", "in_force", "2023-08-01", "2023-07-03"),
            _state("46-2024", "in_force", "2024-12-03", "2024-12-03", clause="art. 2"),
            _state("46-2024", "suspended", "2025-11-09", "2025-11-09", "2026-11-28", clause="art. 2"),
            _state("57-2025", "announced", "2025-10-09", "2025-10-09"),
            _state("57-2025", "in_force", "2025-11-08", "2025-10-09"),
            _state("57-2025", "suspended", "2025-11-07", "2025-11-07", "2026-11-11"),
            _state("campaign", "in_force", "2025-05-09", "2025-05-09"),
            _state("easing", "in_force", "2025-12-01", "2025-12-01"),
            _state("mys-ban", "in_force", "2024-01-01", "2024-01-01"),
        ],
        "measure_items": [
            _item("ga-licence", "23-2023", "gallium", "refined"),
            _item("ga-ban", "46-2024", "gallium", "refined", clause="art. 2", known_from="2024-12-03"),
            _item("ho", "57-2025", "holmium", "refined", known_from="2025-10-09"),
            _item("ga-campaign", "campaign", "gallium", "refined", known_from="2025-05-09"),
            _item("ga-easing", "easing", "gallium", "refined", known_from="2025-12-01"),
            _item("ree-raw", "mys-ban", "rare_earths", "mined", known_from="2024-01-01"),
        ],
        "measure_destinations": [
            _to("23-2023", "*"),
            _to("46-2024", "USA", "country", clause="art. 2", known_from="2024-12-03"),
            _to("57-2025", "*", known_from="2025-10-09"),
            _to("easing", "EU27", known_from="2025-12-01"),
        ],
        "agreements": _sourced(
            [
                {
                    "agreement_id": "accord",
                    "title": "Accord",
                    "parties": "USA;MYS",
                    "date_signed": "2025-10-26",
                }
            ],
            "2025-10-26",
        ),
        "agreement_states": _sourced(
            [{"agreement_id": "accord", "state": "signed_not_in_force", "valid_from": "2025-10-26"}],
            "2025-10-26",
        ),
        "pledges": _sourced(
            [
                {
                    "pledge_id": "no-ban",
                    "agreement_id": "accord",
                    "pledging_party": "MYS",
                    "beneficiary": "USA",
                }
                | {
                    "kind": "no_export_ban_or_quota",
                    "legal_strength": "conditional",
                    "backing": "third_country",
                }
                | {
                    "description": "no bans or quotas",
                    "in_article_2025_10_27": "true",
                    "valid_from": "2025-10-26",
                },
                {
                    "pledge_id": "pause",
                    "agreement_id": "accord",
                    "pledging_party": "CHN",
                    "beneficiary": "USA;EU27",
                }
                | {"kind": "licence_liberalisation", "legal_strength": "best_effort", "backing": "announced"}
                | {
                    "description": "general licences",
                    "in_article_2025_10_27": "false",
                    "valid_from": "2025-11-01",
                }
                | {"valid_to": "2026-11-11", "known_from": "2025-11-01"},
            ],
            "2025-10-26",
        ),
        "pledge_items": _sourced(
            [
                {"pledge_id": "no-ban", "mineral": "rare_earths", "stage": "mined", "coverage": "contested"}
                | {"exporter": "MYS", "importer": "USA"},
                {"pledge_id": "pause", "mineral": "gallium", "stage": "refined", "coverage": "covered"}
                | {"exporter": "*", "importer": "*"},
            ],
            "2025-10-26",
        ),
        "destination_classes": _sourced(
            [
                {
                    "class_id": "any",
                    "curbing_country": "CHN",
                    "destination": "*",
                    "mineral": "*",
                    "valid_from": "2010-01-01",
                }
                | {
                    "class_low": "ordinary",
                    "class_best": "ordinary",
                    "class_high": "ordinary",
                    "reason": "default",
                },
                {
                    "class_id": "eu",
                    "curbing_country": "CHN",
                    "destination": "EU27",
                    "mineral": "*",
                    "valid_from": "2024-01-01",
                }
                | {
                    "class_low": "favoured",
                    "class_best": "ordinary",
                    "class_high": "dispute",
                    "reason": "talks",
                },
                {
                    "class_id": "usa",
                    "curbing_country": "CHN",
                    "destination": "USA",
                    "mineral": "*",
                    "valid_from": "2024-12-03",
                }
                | {
                    "class_low": "dispute",
                    "class_best": "dispute",
                    "class_high": "dispute",
                    "reason": "order",
                },
            ]
        ),
        "stocks": _sourced(
            [
                {
                    "stock_id": "jp",
                    "mineral": "gallium",
                    "holder": "JPN",
                    "metric": "cover_days",
                    "stock_days_low": 0,
                }
                | {
                    "stock_days_best": 60,
                    "stock_days_high": 180,
                    "valid_from": "2024-01-01",
                    "known_from": "2025-01-01",
                },
            ]
        ),
    }


def write_bundle(folder: Path, facts: Mapping[str, Sequence[Row]], name: str = "tiny") -> Path:
    """Write a bundle folder with a CSV per table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bundle.toml").write_text(
        f'name = "{name}"\nversion = "1"\nlicence = "CC0"\n', encoding="utf-8"
    )
    for table, rows in facts.items():
        header = [c.name for c in columns(table)]
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return folder


@pytest.fixture
def facts() -> Rows:
    found = small_facts()
    assert set(found) <= set(TABLES)
    return found


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, Sequence[Row]]], Path]:
    def to_folder(facts: Mapping[str, Sequence[Row]]) -> Path:
        return write_bundle(tmp_path / "facts", facts)

    return to_folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("bundle") / "facts", small_facts())


@pytest.fixture(scope="module")
def warehouse(tiny: Path) -> Iterator[Warehouse]:
    with Warehouse.open_memory() as found:
        found.load_bundles([tiny], strict=True)
        yield found
