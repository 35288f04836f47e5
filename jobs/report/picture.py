"""One picture for a slide: the same charts as in the report, as SVG or PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ground.words import MAIN_HORIZON
from jobs.errors import InputError, PublishError, SettingsError
from jobs.explain.route import RouteQuestion, explain
from jobs.marts import UNKNOWN_BAND
from jobs.places import code_of, importer_code
from jobs.ports import Reader
from jobs.report import queries
from jobs.report.buyers import money_chart
from jobs.report.chain import origin_chart, producers
from jobs.report.charts import Chart, heat
from jobs.report.lanes import waterfall_chart
from jobs.report.law import chart_of, measures_of, periods
from jobs.report.night import EVERYBODY, Night, read_night
from jobs.suggest import did_you_mean

#: What each kind of picture is of, as the command line says it.
KINDS = {
    "money": "[IMPORTER]",
    "heat": "IMPORTER",
    "origin": "MINERAL",
    "timeline": "MINERAL",
    "waterfall": "MINERAL STAGE EXPORTER IMPORTER",
}
FORMATS = (".svg", ".png")


def refuse_unknown(kind: str, of: Sequence[str], target: Path) -> None:
    """Refuse a picture that cannot be drawn, before anything is read.

    Raises:
        SettingsError: No such kind, too many or too few names, or a file of another format.
    """
    if kind not in KINDS:
        raise SettingsError(f"unknown picture '{kind}'{did_you_mean(kind, list(KINDS))}")
    needed = KINDS[kind].split()
    least = sum(not name.startswith("[") for name in needed)
    if not least <= len(of) <= len(needed):
        raise SettingsError(
            f"a picture of kind {kind} is drawn with `curbline picture {kind} {KINDS[kind]} -o FILE`."
        )
    if target.suffix.lower() not in FORMATS:
        raise SettingsError(
            f"{target.name}: a picture is written as {' or '.join(FORMATS)}; name such a file with -o."
        )


def chart_for(reader: Reader, kind: str, of: Sequence[str]) -> Chart:
    """Return the chart of a kind.

    Raises:
        SettingsError: A name is unknown.
        InputError: There is nothing to draw: no trade, no producer, no measure, or no score.
    """
    if kind == "waterfall":
        mineral, stage, exporter, importer = of
        return _waterfall(reader, RouteQuestion(mineral, stage, exporter, importer))
    night = read_night(reader)
    if kind in ("money", "heat"):
        buyer = importer_code(reader, of[0]) if of else EVERYBODY
        found = money_chart(night, buyer) if kind == "money" else _heat(night, buyer)
        lacks = f"nothing is known to be missing of what {night.country(buyer)} buys"
    else:
        known = [(row["mineral"], row["name"], row["symbol"]) for row in night.minerals.values()]
        mineral = code_of("mineral", of[0], known)
        if kind == "origin":
            found, lacks = (
                origin_chart(night, producers(night), mineral),
                f"no producer of {mineral} is known",
            )
        else:
            measures = measures_of(night, mineral)
            found = chart_of(night, periods(night), measures, night.minerals[mineral]["name"])
            lacks = f"no measure names {mineral}"
    if found is None:
        raise InputError(f"{lacks}, so there is nothing to draw.")
    return found


def _waterfall(reader: Reader, question: RouteQuestion) -> Chart:
    found = explain(reader, question)
    if not found["waterfall"]:
        why = found["row"].get("unknown_reason") or "nothing on this route is hit"
        raise InputError(f"there are no points to draw: {why}. `curbline explain` tells more.")
    asked = found["question"]
    title = f"{asked['mineral'].replace('_', ' ')}, {asked['stage']}: {asked['exporter']} → {asked['importer']}, {MAIN_HORIZON} days"
    return waterfall_chart(found["waterfall"], title)


def _heat(night: Night, importer: str) -> Chart | None:
    asked = {"horizon": MAIN_HORIZON, "importers": [importer]}
    rows = night.reader.query(queries.MATRIX, asked)
    worth = rows.filter(pl.col("band").fill_null(UNKNOWN_BAND) != "minimal")["mineral"].unique()
    shown = rows.filter(pl.col("mineral").is_in(worth.implode()))
    chains = night.reader.query(queries.CHAINS).select("mineral", "stage", "stage_order")
    ordered = shown.join(chains, on=["mineral", "stage"], how="left").sort("mineral", "stage_order")
    title = f"Bands of what {night.country(importer)} buys, by mineral and stage"
    return None if ordered.is_empty() else heat(ordered.select("mineral", "stage", "band", "score"), title)


def write_picture(chart: Chart, target: Path) -> None:
    """Write a chart in the format that its name says.

    Raises:
        PublishError: The file cannot be written.
    """
    drawn = chart.png() if target.suffix.lower() == ".png" else chart.svg_alone().encode()
    try:
        target.write_bytes(drawn)
    except OSError as problem:
        raise PublishError(f"{target}: cannot be written ({problem.strerror}).") from problem
