"""What each term of the waterfall stands for: its rule, its sources, and the sentence that explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from engine.scoring.steps import BY_NAME, UPSTREAM_SENTENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.scoring.inputs import Inputs

LAW_TERM = ["mineral", "measure_id", "clause", "term_stage"]


def term_frame(marts: Mapping[str, pl.DataFrame], inputs: Inputs) -> pl.DataFrame:
    """Complete the engine's terms with rule, sources and sentence.

    The rule of a law term differs by buyer (ordinary, in dispute, small lane): this is the one most buyers meet;
    `mart.contribution` gives the route's own.

    Args:
        marts: contribution_term and flow_measure as the engine gives them.
        inputs: the day's frames.
    """
    rules = (
        marts["flow_measure"]
        .group_by("mineral", "measure_id", "clause", term_stage="flow_stage")
        .agg(rule_id=pl.col("rule_id").mode().sort().first())
    )
    law = (
        inputs["measures"]
        .group_by("measure_id", "clause")
        .agg(law_sources=pl.col("source_id").unique().sort(), notice=pl.col("notice").first())
        .with_columns(notice=_cited())
    )
    pledges = inputs["pledges"].group_by("pledge_id").agg(pledge_sources=pl.col("source_id").unique().sort())
    frame = (
        marts["contribution_term"]
        .join(rules, on=LAW_TERM, how="left", maintain_order="left")
        .join(law, on=["measure_id", "clause"], how="left", maintain_order="left")
        .join(pledges, on="pledge_id", how="left", maintain_order="left")
    )
    sentences = [_sentence(row, inputs.curbing_country) for row in frame.iter_rows(named=True)]
    return frame.select(
        "mineral",
        "term",
        "step",
        "step_name",
        pl.coalesce("rule_id", "pledge_rule_id").alias("rule_id"),
        "measure_id",
        "clause",
        "term_stage",
        flow_exporter=pl.when(pl.col("measure_id").is_not_null()).then(pl.lit(inputs.curbing_country)),
        pledge_id="pledge_id",
        sort_order="sort_order",
        source_ids=pl.coalesce("law_sources", "pledge_sources"),
        explain=pl.Series(sentences, dtype=pl.String),
        notice="notice",
    )


def _cited() -> pl.Expr:
    """Return the notice and its clause, unless the clause is all of it or the notice names it already."""
    notice, clause = pl.col("notice"), pl.col("clause")
    is_said = (clause == "all") | notice.str.ends_with(clause)
    return pl.when(is_said).then(notice).otherwise(pl.format("{} ({})", notice, clause))


def _sentence(row: dict[str, object], curbing_country: str) -> str:
    """Return a sentence with places for the route's own names; all else is filled in here."""
    if row["measure_id"]:
        is_foreign = BY_NAME[str(row["step"])].is_extraterritorial
        # The stage tells apart two terms of one clause, which would read alike without it.
        goods = "foreign {} goods with its content" if is_foreign else "its {} {{mineral}}"
        reach = goods.format(row["term_stage"])
        return f"{row['notice']} holds back {curbing_country}'s share in {reach}: {{points}}."
    if row["pledge_id"]:
        return f"Pledge {row['pledge_id']} eases the law: {{points}}."
    own = UPSTREAM_SENTENCE if row["term_stage"] == "upstream" else BY_NAME[str(row["step"])].sentence
    return own.replace("{curbing_country}", curbing_country)
