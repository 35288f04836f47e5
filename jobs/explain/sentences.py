"""The sentence of each step of a waterfall, made when it is read from the rule, the measure and the route at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from engine.language.sentence import fill, placeholders
from jobs.ports import Reader

STEP_SENTENCES = {
    "S0": "Every shipment of {curbing_country} ceases, nothing replaces it and no stock bridges it.",
    "S1": "What the law withholds, instead of everything.",
    "S2": "Pledge {pledge_id} lets part of it through.",
    "S3": "The law reaches foreign goods with {curbing_country} content.",
    "S4": "Other suppliers replace part of it within {horizon_days} days.",
    "S5": "Users can do without part of it within {horizon_days} days.",
    "S6": "Stocks bridge part of it.",
}
BEFORE_THE_LAW = "Count again from nothing withheld: the notices of this step then add what they hold back."
UPSTREAM = "New supply of an earlier stage reaches this one within {horizon_days} days."
PLAIN = "{notice} is expected to withhold {withheld:percent} of {stage} {mineral} on the way from {exporter} to {importer}."
SHARES = (
    "withheld",
    "extraterritorial",
    "reroute",
)  # names by which rules call the share that a measure holds back

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Book:
    """What sentences are made of: rule templates by rule id, and the curbing country."""

    templates: Mapping[str, str]
    curbing_country: str


def load_book(reader: Reader) -> Book:
    """Read the templates of a published file."""
    templates = dict(reader.query("SELECT rule_id, sentence FROM meta.rule ORDER BY rule_id").rows())
    country = reader.query("SELECT curbing_country FROM meta.run")["curbing_country"].item()
    return Book(templates, country)


def with_templates(reader: Reader, points: pl.DataFrame) -> pl.DataFrame:
    """Add to rows of a contribution view the sentence that was published for their term, as `explain`."""
    terms = reader.query("SELECT * FROM mart.contribution_term")
    on = [name for name in ("mineral", "term") if name in terms.columns]
    return points.join(terms.select(*on, "explain"), on=on, how="left", maintain_order="left")


def with_sentences(terms: Iterable[Row], measures: Iterable[Row], book: Book) -> list[dict[str, Any]]:
    """Add `sentence` to the terms of waterfalls.

    Args:
        terms: rows of `mart.contribution` or `mart.importer_contribution`.
        measures: rows of `mart.route_measure` with `notice`, for the same routes and regime.
        book: templates of the rules.

    Returns:
        The terms in the same order.
    """
    strongest: dict[tuple[Any, ...], Row] = {}
    for measure in measures:
        for stage in (measure["flow_stage"], None):
            key = (*_route(measure), measure["measure_id"], measure["clause"], stage)
            if key not in strongest or measure["withheld_share_best"] > strongest[key]["withheld_share_best"]:
                strongest[key] = measure
    made = []
    for term in terms:
        hit = strongest.get((*_route(term), term["measure_id"], term["clause"], term["term_stage"]))
        made.append({**term, "sentence": _sentence(term, hit, book)})
    return made


def _route(row: Row) -> tuple[Any, ...]:
    return (row["mineral"], row["stage"], row.get("exporter"), row["importer"])


def _sentence(term: Row, hit: Row | None, book: Book) -> str:
    """From the measure and its rule where there is one, else what was published for the term, else the step's own."""
    values: dict[str, Any] = {
        **term,
        "curbing_country": book.curbing_country,
        "points": f"{term['points']:+.1f}",
    }
    if hit is not None:
        share = hit["withheld_share_best"]
        values |= dict.fromkeys(SHARES, share)
        values |= {"notice": hit["notice"] or hit["measure_id"], "stage": hit["flow_stage"]}
        values |= {"exporter": hit["flow_exporter"], "importer": hit["flow_importer"]}
        template = book.templates.get(str(hit["rule_id"]), PLAIN)
        made = fill(template if _can_fill(template, values) else PLAIN, values)
        return f"{made.removesuffix('.')} ({_flow(hit)})." if _is_upstream(term, hit) else made
    if term["step"] == "S1" and term["measure_id"] is None and term["points"] < 0:
        return BEFORE_THE_LAW
    published = term.get("explain")
    if published and _can_fill(published, values):
        return fill(published, values)
    own = (
        UPSTREAM
        if term["step"] == "S4" and term["term_stage"] == "upstream"
        else STEP_SENTENCES.get(term["step"], "")
    )
    if not _can_fill(own, values):
        own = term["step_name"]
    return fill(own, values)


def _is_upstream(term: Row, hit: Row) -> bool:
    """Whether the flow that the measure hits is another than the route itself."""
    flow = (hit["flow_stage"], hit["flow_exporter"], hit["flow_importer"])
    return flow != (term["stage"], term.get("exporter"), term["importer"])


def _flow(hit: Row) -> str:
    return f"at the {hit['flow_stage']} stage, {hit['flow_exporter']} → {hit['flow_importer']}"


def _can_fill(template: str, values: Mapping[str, Any]) -> bool:
    """Whether every name of the template has a value: a sentence that says `unknown` twice says nothing."""
    return all(values.get(name) is not None for name, _ in placeholders(template))
