"""IEA explorer: quirks, refusals, the real file, and two hundred damaged ones."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from jobs.facts.importing import import_file
from warehouse.bundle.reading import read_bundles
from warehouse.errors import BundleError
from warehouse.sources import iea
from warehouse.sources.parsed import ParsedFile, Reading

SHARED = Path(__file__).parents[3].parent / "shared"
REAL = SHARED / "data" / "iea" / "iea_critical_minerals_explorer_2025.json"
FACTS = Path(__file__).parents[3] / "warehouse" / "facts"
READING = Reading(
    {"countries": pl.read_csv(FACTS / "countries.csv", infer_schema=False)}, release="2025", any_size=True
)


def supply(**countries: Any) -> dict[str, Any]:
    return {"supply": {"Cobalt": {"refining": {"countries": countries, "total": {"2024": 250.0}}}}}


def read(folder: Path, content: dict[str, Any]) -> ParsedFile:
    path = folder / "iea.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return iea.parse(path, READING)


def tonnes(parsed: ParsedFile) -> dict[str, float]:
    return dict(parsed.tables["production"].select("country", "production_t_best").iter_rows())


def test_thousand_tonnes_become_tonnes_and_projections_no_facts(tmp_path: Path) -> None:
    parsed = read(tmp_path, supply(China={"2024": 196.1, "2030": 250.0}, **{"Rest of world": {"2024": 53.9}}))
    assert tonnes(parsed) == pytest.approx({"CHN": 196_100.0, "OTH": 53_900.0, "WLD": 250_000.0})
    assert parsed.outside == {"another year than 2024: a projection": 1}
    row = parsed.tables["production"].filter(country="CHN").row(0, named=True)
    assert (row["stage"], row["qualifier"], row["known_from"]) == ("refined", "estimated", date(2025, 5, 31))


def test_footnotes_among_the_countries_are_no_countries(tmp_path: Path) -> None:
    notes = {"Notes: projections are built from projects.": None, "“Base case” is assessed by status.": None}
    parsed = read(tmp_path, supply(China={"2024": 1.0}, **notes))
    assert not parsed.rejected
    assert parsed.outside == {"footnotes and empty entries": 2}


def test_a_footnote_with_figures_is_none_either(tmp_path: Path) -> None:
    parsed = read(tmp_path, supply(**{"Notes: see the annex": {"2024": 3.0}}))
    assert tonnes(parsed) == {"WLD": 250_000.0}
    assert parsed.outside == {"footnotes and empty entries": 1}


def test_what_counts_another_content_stays_outside(tmp_path: Path) -> None:
    content = {"supply": {"Graphite": {"refining": {"countries": {"China": {"2024": 1794.8}}}}}}
    parsed = read(tmp_path, content)
    assert (parsed.stored, parsed.outside) == (0, {"graphite refining: natural and synthetic together": 1})


@pytest.mark.parametrize("value", [None, "196.1", -1.0, True, [1.0]])
def test_what_is_no_amount_is_rejected_and_never_zero(tmp_path: Path, value: Any) -> None:
    parsed = read(tmp_path, supply(China={"2024": value}, Japan={"2024": 5.0}, Finland={"2024": 20.0}))
    assert set(tonnes(parsed)) == {"JPN", "FIN", "WLD"}
    assert [fault.column for fault in parsed.rejected] == ["supply.Cobalt.refining.China.2024"]


def test_unknown_names_are_rejected(tmp_path: Path) -> None:
    content = supply(Atlantis={"2024": 1.0}, China={"2024": 2.0}, Japan={"2024": 3.0})
    content["supply"]["Unobtainium"] = {"mining": {"countries": {"China": {"2024": 1.0}}}}
    assert {fault.value for fault in read(tmp_path, content).rejected} == {"Atlantis", "Unobtainium"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html>", "not complete JSON"),
        ('{"supply": {"Cobalt": {"mining"', "not complete JSON"),
        ('{"supply": {"A": {}, "A": {}}}', "'A' occurs twice"),
        ('{"supply": {"Cobalt": {"mining": {"total": {"2024": NaN}}}}}', "NaN is not a number"),
        ("[" * 100_000, "not complete JSON"),
        ("{}", "contains no 'supply'"),
        ("[1]", "contains no 'supply'"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "iea.json"
    path.write_text(text)
    with pytest.raises(BundleError, match=message):
        iea.parse(path, READING)


def leaves(node: Any) -> int:
    return sum(map(leaves, node.values())) if isinstance(node, dict) else 1


def damaged(text: str, seed: int) -> tuple[str, bytes]:
    draw = random.Random(seed)
    kinds = ("cut off", "bytes changed", "re-encoded", "keys renamed", "members doubled", "numbers with commas",
             "figures as text", "lines shifted")  # fmt: skip
    kind = kinds[seed % len(kinds)]
    at = draw.randrange(1, len(text) - 1)
    lines = text.splitlines()
    if kind == "cut off":
        text = text[:at]
    elif kind == "bytes changed":
        raw = bytearray(text.encode())
        for _ in range(draw.randrange(1, 6)):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        return kind, bytes(raw)
    elif kind == "re-encoded":
        return kind, text.encode(draw.choice(["utf-16", "utf-32", "utf-8-sig"]))
    elif kind == "keys renamed":
        word = draw.choice(["China", "Japan", "supply", "countries", "2024", "Cobalt", "refining", "total"])
        text = text.replace(word, draw.choice([word.upper(), word + " ", "x" + word, "Notes: " + word]))
    elif kind == "members doubled":
        row = draw.randrange(1, len(lines) - 1)
        text = "\n".join([*lines[:row], lines[row], *lines[row:]])
    elif kind == "numbers with commas":
        text = text.replace(".", ",", draw.randrange(1, 5))
    elif kind == "figures as text":
        text = text.replace("5.0", '"5.0"').replace("20.0", draw.choice(['"1,000"', "null", "-20.0", "true"]))
    else:
        row = draw.randrange(1, len(lines) - 2)
        lines[row], lines[row + 1] = lines[row + 1], lines[row]
        text = "\n".join(lines)
    return kind, text.encode()


def test_two_hundred_damaged_files(tmp_path: Path) -> None:
    content = supply(China={"2024": 196.1, "2030": 2.5}, Japan={"2024": 5.0}, Finland={"2024": 20.0})
    text = json.dumps(content, indent=1)
    path = tmp_path / "iea.json"
    outcomes: Counter[tuple[str, str]] = Counter()
    for seed in range(208):
        kind, raw = damaged(text, seed)
        path.write_bytes(raw)
        try:
            parsed = iea.parse(path, READING)
        except BundleError:
            outcomes[kind, "refused"] += 1
            continue
        assert parsed.rows_in + sum(parsed.outside.values()) == leaves(json.loads(raw)["supply"])
        assert parsed.stored == parsed.tables["production"].height
        outcomes[kind, "rejected" if parsed.rejected else "read"] += 1
    for (kind, outcome), count in sorted(outcomes.items()):
        print(f"{kind:22} {outcome:9} {count}")
    assert sum(outcomes.values()) == 208


@pytest.mark.skipif(not REAL.exists(), reason="../shared is not here")
def test_the_real_file_is_accounted_for(tmp_path: Path) -> None:
    done = import_file("iea", REAL, tmp_path / "iea", release="2025")
    assert (done.rows_in, done.stored, len(done.rejected)) == (65, 65, 0)
    content = json.loads(REAL.read_text())["supply"]
    assert done.rows_in + sum(done.outside.values()) == leaves(content)
    facts = read_bundles([FACTS, tmp_path / "iea"], strict=True).tables["production"]
    cobalt = facts.filter(source_id="iea-2025-import", mineral="cobalt", stage="refined", country="CHN")
    assert cobalt["production_t_best"].to_list() == pytest.approx([196_143.36], abs=0.01)
