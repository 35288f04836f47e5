"""The whole report: pages, pictures and the figures behind them, written whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree

import polars as pl

from ground.words import MAIN_HORIZON
from jobs.errors import JobError, PublishError, SettingsError
from jobs.marts import ROUTE
from jobs.output.layout import BUILD_PREFIX
from jobs.output.publish import folder_sentence
from jobs.ports import Reader
from jobs.report import queries
from jobs.report.buyers import importer_pages, tonight
from jobs.report.chain import mineral_pages
from jobs.report.charts import Chart
from jobs.report.lanes import route_pages, waterfalls
from jobs.report.law import measure_pages
from jobs.report.night import Night, grouped, read_night
from jobs.report.site import Page, drawn, write_data, write_pages
from jobs.report.words import slug
from warehouse.database import Database

#: Stands in every report, and nowhere else: a folder with it may be replaced by the next one.
MARK = ".curbline-report"
PICTURES = ("money", "origin", "timeline")
WATERFALL = (
    *ROUTE,
    "step",
    "step_name",
    "points",
    "start",
    "end",
    "rule_id",
    "measure_id",
    "sentence",
    "source_ids",
)


@dataclass(frozen=True)
class Report:
    """What was written."""

    folder: Path
    pages: int
    bytes: int
    routes: int
    routes_scored: int


def build_report(reader: Reader, target: Path) -> Report:
    """Write the report of a published file in the place of an earlier one.

    Args:
        reader: The published file.
        target: The report's folder; new, empty, or an earlier report.

    Raises:
        SettingsError: The folder holds something else.
        InputError: The run scored no routes.
        PublishError: The disk is full or the folder cannot be written; the earlier report stays.
    """
    refuse_foreign(target)
    built = target.parent / f"{BUILD_PREFIX}{target.name}"
    old = target.parent / f"{BUILD_PREFIX}old-{target.name}"
    try:
        for left in (built, old):
            rmtree(left, ignore_errors=True)
        built.mkdir(parents=True)
        night = read_night(reader)
        common = {
            "night": night,
            "run": night.run,
            "links": night.links,
            "horizon": MAIN_HORIZON,
            "pictures": dict.fromkeys(PICTURES),
        }
        pages = write_pages(built, _pages(night, built), common)
        (built / MARK).write_text(f"{night.run['run_id']}\n", encoding="utf-8")
        if target.exists():
            target.rename(old)
        built.rename(target)
        rmtree(old, ignore_errors=True)
    except BaseException as problem:
        rmtree(built, ignore_errors=True)
        if old.exists() and not target.exists():
            old.rename(target)
        sentence = folder_sentence(problem, target)
        if sentence is None:
            raise
        raise PublishError(sentence) from problem
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return Report(target, pages, size, night.routes.height, night.route_count)


def report_of_night(snapshot: Path, target: Path) -> list[str]:
    """Write the report of a run that is published already; what hinders it is a warning, and the earlier one stays."""
    try:
        with Database.open(snapshot, read_only=True) as reader:
            build_report(reader, target)
    except JobError as problem:
        return [f"The report was not written: {problem} `curbline report` writes it once that is mended."]
    return []


def refuse_foreign(target: Path) -> None:
    """Refuse to write over anything but an earlier report.

    Raises:
        SettingsError: It is not a folder, or has files in it and is no report.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise SettingsError(f"{target} is a file; name a folder with --to.")
    if any(target.iterdir()) and not (target / MARK).is_file():
        raise SettingsError(
            f"{target} has files in it and is not an earlier report (it lacks the {MARK} of one). "
            "Name a new or empty folder with --to."
        )


def _pages(night: Night, folder: Path) -> Iterator[Page]:
    page, charts = tonight(night)
    yield _with_pictures(page, charts, folder, "all")
    for page, charts in importer_pages(night):
        code = str(page.values["importer"])
        heat = [
            {"mineral": row["mineral"], **cell}
            for row in page.values["matrix"]
            for cell in row["cells"].values()
        ]
        path = (
            write_data(folder, f"heat-{slug(code)}", pl.DataFrame(heat, infer_schema_length=None))
            if heat
            else ""
        )
        yield _with_pictures(replace(page, values={**page.values, "heat_csv": path}), charts, folder, code)
    for page, charts in mineral_pages(night):
        yield _with_pictures(page, charts, folder, str(page.values["mineral"]["mineral"]))
    yield from measure_pages(night)
    terms = waterfalls(night)
    write_data(folder, "waterfalls", terms.select(WATERFALL))
    yield from route_pages(night, terms)
    yield _find(night)
    yield _method(night)
    yield Page("sources.html", "sources.html.j2", "Sources")


def _with_pictures(page: Page, charts: dict[str, Chart], folder: Path, what: str) -> Page:
    """Draw the pictures of a page, and write the figures of each beside it."""
    pictures = {}
    for name, chart in charts.items():
        label = f"{name}-{slug(what)}"
        pictures[name] = {
            "title": chart.title,
            "svg": drawn(chart.svg(label)),
            "csv": write_data(folder, label, chart.rows),
        }
    return replace(page, values={**page.values, "pictures": dict.fromkeys(PICTURES) | pictures})


def _find(night: Night) -> Page:
    measures = grouped(list(night.measures.values()), "curbing_country")
    own = night.run["curbing_country"]
    order = sorted(measures, key=lambda code: (code != own, night.country(code)))
    values = {"measures": {code: measures[code] for code in order}, "routes": night.routes.to_dicts()}
    return Page("find.html", "find.html.j2", "Find a mineral, notice or route", values)


def _method(night: Night) -> Page:
    checks = night.reader.query(queries.CHECKS).to_dicts()
    reasons = Counter(item["reason"] for items in night.items.values() for item in items if item["reason"])
    values = {
        "checks": checks,
        "failed": [one for one in checks if not one["passed"]],
        "rejected": night.reader.query(queries.REJECTED).to_dicts(),
        "grades": night.reader.query(queries.RECONCILIATION).to_dicts(),
        "unscored": reasons.most_common(),
        "rules": night.reader.query(queries.RULES).to_dicts(),
    }
    return Page("method.html", "method.html.j2", "Method and quality", values)
