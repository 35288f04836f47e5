"""Dated tests of a company's lines: covered origin, content of Chinese goods, named entities. No score moves by them."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from engine.scoring.inputs import Inputs
from jobs.errors import InputError
from jobs.resources import default_entities_file, default_rules_dir

YES, NO, UNCLEAR = "yes", "no", "cannot tell"
SCHEMA: Mapping[str, pl.DataType] = {
    "line_id": pl.String(), "check_id": pl.String(), "answer": pl.String(), "reason": pl.String(),
    "reference": pl.String(), "applies_from": pl.Date(), "is_in_force": pl.Boolean(), "entity": pl.String(), "match_score": pl.Float64(),
}  # fmt: skip
ENTITY_COLUMNS = ("name", "list", "reference")
SCREENED = ("supplier_name", "end_use")
_FILE = ("purchases", "checks.toml")


@cache
def rules() -> Mapping[str, Any]:
    """Return the tests as the rules hold them."""
    return tomllib.loads(_path().read_text(encoding="utf-8"))


def _path() -> Path:
    return default_rules_dir().joinpath(*_FILE)


def digest() -> bytes:
    """Return what a run's identity takes in of the tests and of the entities that come with Curbline."""
    return hashlib.sha256(_path().read_bytes() + default_entities_file().read_bytes()).digest()


def read_entities(path: Path) -> pl.DataFrame:
    """Return named entities out of a CSV with name, list and reference.

    Raises:
        InputError: it cannot be read, or an entity has no name or list.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise InputError(f"{path}: no table of entities can be read ({str(problem)[:120]}).") from problem
    lacking = [name for name in ENTITY_COLUMNS if name not in frame.columns]
    if lacking:
        raise InputError(f"{path}: lacks {', '.join(lacking)}; columns are {', '.join(ENTITY_COLUMNS)}.")
    empty = frame.with_row_index("row", offset=2).filter(pl.col("name").is_null() | pl.col("list").is_null())
    if empty.height:
        raise InputError(f"{path}:{empty['row'][0]}: an entity needs its name and the list that names it.")
    return frame.select(ENTITY_COLUMNS)


def check_frame(lines: pl.DataFrame, inputs: Inputs, entities: pl.DataFrame) -> pl.DataFrame:
    """Return a row per line and test that has something to say, and one per match of a name.

    Args:
        lines: with a unit where they have one, and its touched shares.
        inputs: the day's frames.
        entities: of the company, beside those that come with Curbline.
    """
    every = pl.concat([read_entities(default_entities_file()), entities]).unique(maintain_order=True)
    reached = inputs["measures"].filter(pl.col("measure_id") == rules()["content"]["measure_id"])
    goods = set(reached.select("mineral", "stage").iter_rows())
    states = sorted(set(reached["state"].drop_nulls()))
    rows: list[tuple[object, ...]] = []
    for line in lines.iter_rows(named=True):
        rows.append((line["line_id"], *_covered(line, inputs)))
        if (line["mineral"], line["stage"]) in goods:
            rows.append((line["line_id"], *_content(line, inputs, states)))
    rows += _matches(lines, every, inputs)
    return pl.DataFrame(rows, schema=dict(SCHEMA), orient="row").sort(
        "line_id", "check_id", "entity", nulls_last=False
    )


def _dated(rule: Mapping[str, Any], answer: str, reason: str, inputs: Inputs) -> tuple[object, ...]:
    return rule["id"], answer, reason, rule["reference"], rule["from"], rule["from"] <= inputs.as_of, "", None


def _covered(line: Mapping[str, Any], inputs: Inputs) -> tuple[object, ...]:
    """Answer whether covered material comes from a covered country at some stage."""
    rule = rules()["covered_origin"]
    good = f"{line['mineral']} {line['stage']}"
    if good not in rule["goods"]:
        return _dated(rule, NO, f"{good} is no covered material", inputs)
    if line["origin"] in rule["countries"]:
        return _dated(rule, YES, f"declared origin {line['origin']}", inputs)
    if line["origin"] is None:
        return _dated(
            rule, UNCLEAR, "no origin is declared; ask where it was mined, refined, melted and made", inputs
        )
    through = line["touched_share_best"]
    told = (
        ""
        if through is None
        else f"; {through:.0%} of this route's goods went through {inputs.curbing_country}"
    )
    return _dated(rule, UNCLEAR, f"made in {line['origin']}, earlier stages not declared{told}", inputs)


def _content(line: Mapping[str, Any], inputs: Inputs, states: list[str]) -> tuple[object, ...]:
    """Answer whether foreign-made goods hold so much of Chinese goods that a licence would reach them."""
    rule = rules()["content"]
    state = f" (the measure is {', '.join(states).replace('_', ' ')})" if states else ""
    if line["origin"] == inputs.curbing_country:
        return _dated(
            rule,
            NO,
            f"shipped from {inputs.curbing_country}: its own licence applies, not that on foreign goods",
            inputs,
        )
    low, high = line["touched_share_low"], line["touched_share_high"]
    if low is None or line["origin"] is None:
        return _dated(rule, UNCLEAR, f"no origin is declared, or none can be looked through{state}", inputs)
    if low >= rule["share"]:
        return _dated(
            rule,
            YES,
            f"at least {low:.1%} of the route's goods went through {inputs.curbing_country}{state}",
            inputs,
        )
    if high < rule["share"]:
        return _dated(
            rule,
            NO,
            f"at most {high:.2%} of the route's goods went through {inputs.curbing_country}{state}",
            inputs,
        )
    return _dated(
        rule,
        UNCLEAR,
        f"between {low:.0%} and {high:.0%} of the route's goods went through {inputs.curbing_country}{state}",
        inputs,
    )


def _matches(lines: pl.DataFrame, entities: pl.DataFrame, inputs: Inputs) -> Iterator[tuple[object, ...]]:
    """Yield names of a line that are like a named entity's, with their score: shown, and never decided in silence."""
    from rapidfuzz import fuzz, process, utils

    rule = rules()["screening"]
    choices = entities["name"].to_list()
    for column in SCREENED:
        for text in lines[column].drop_nulls().unique().sort():
            found = process.extract(
                text,
                choices,
                scorer=fuzz.token_set_ratio,
                processor=utils.default_process,
                score_cutoff=rule["least_score"],
                limit=None,
            )
            for name, score, place in found:
                entity = entities.row(place, named=True)
                says = f"{column.replace('_', ' ')} '{text}' is like '{name}' of {entity['list']}"
                same = sorted(utils.default_process(text).split()) == sorted(
                    utils.default_process(name).split()
                )
                answer = YES if same else UNCLEAR
                for line_id in lines.filter(pl.col(column) == text)["line_id"]:
                    yield (
                        line_id,
                        rule["id"],
                        answer,
                        says,
                        entity["reference"],
                        inputs.as_of,
                        True,
                        name,
                        float(score),
                    )
