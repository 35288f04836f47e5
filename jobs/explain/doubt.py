"""The facts worth finding out about a portfolio, from the published file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from engine.scoring.portfolio_doubt import EVERY, SHOWN
from ground.words import MAIN_HORIZON, REGIMES
from jobs.errors import SettingsError
from jobs.explain.text import LABELS, amount, points, share
from jobs.marts import MAIN_REGIME
from jobs.places import code_of, importer_code
from jobs.ports import Reader
from jobs.suggest import did_you_mean
from jobs.tables import as_table

ALL = "all"
EXPOSURE = """
SELECT importer, mineral, traded_usd, expected_missing_usd, missing_usd_p10, missing_usd_p90
FROM mart.exposure
WHERE importer = $importer AND mineral = $mineral AND stage = '*' AND horizon_days = $horizon_days AND regime = $regime
"""
FACTS = """
SELECT fact_rank, kind, fact, fact_id, explained_share, total_share, width_usd, remaining_width_usd,
       width_points, remaining_width_points
FROM mart.doubt
WHERE importer = $importer AND mineral = $mineral AND horizon_days = $horizon_days AND regime = $regime
ORDER BY fact_rank
"""


@dataclass(frozen=True)
class Portfolio:
    """What the doubt is about: an importer or bloc, a mineral, or both `all`; at a horizon, in a regime."""

    importer: str = ALL
    mineral: str = ALL
    horizon_days: int = MAIN_HORIZON
    regime: str = MAIN_REGIME


def doubt(reader: Reader, portfolio: Portfolio) -> dict[str, Any]:
    """Collect what would narrow the range of a portfolio's money missing.

    Args:
        reader: The published file.
        portfolio: Names of countries and minerals are accepted beside codes.

    Returns:
        A dictionary of plain values: portfolio, run, exposure (None where nothing is traded), facts.

    Raises:
        SettingsError: A name is unknown, or the portfolio is not one of those that a run tells of.
    """
    asked = _resolved(reader, portfolio)
    exposure = reader.query(EXPOSURE, asked).to_dicts()
    run = reader.query("SELECT run_id, as_of, known_at, curbing_country FROM meta.run").row(0, named=True)
    return {
        "portfolio": asked,
        "run": run,
        "exposure": exposure[0] if exposure else None,
        "facts": reader.query(FACTS, asked).to_dicts(),
    }


def _resolved(reader: Reader, portfolio: Portfolio) -> dict[str, Any]:
    importer = mineral = EVERY
    if portfolio.importer.casefold() not in (ALL, EVERY):
        importer = importer_code(reader, portfolio.importer)
    if portfolio.mineral.casefold() not in (ALL, EVERY):
        names = reader.query("SELECT mineral AS code, name, symbol AS other FROM core.minerals ORDER BY ALL")
        mineral = code_of("mineral", portfolio.mineral, names.rows())
    if EVERY not in (importer, mineral):
        raise SettingsError(
            f"{mineral} of {importer}: doubts are told of an importer with all its minerals, or of a mineral with all its "
            f"importers. Leave one of the two out; for a lane, `curbline explain` says what would narrow it."
        )
    declared = reader.query("SELECT unnest(declared_importers) AS importer FROM meta.run")[
        "importer"
    ].to_list()
    if importer not in (EVERY, *declared):
        raise SettingsError(
            f"the run tells no doubts of {importer}, only of {', '.join(declared) or 'no importer'}. Add it to "
            "declared_importers in curbline.toml, or `curbline run --importer` it, and run again."
        )
    if portfolio.regime not in REGIMES:
        raise SettingsError(f"unknown regime '{portfolio.regime}'{did_you_mean(portfolio.regime, REGIMES)}")
    days = reader.query("SELECT DISTINCT horizon_days FROM mart.exposure ORDER BY 1")[
        "horizon_days"
    ].to_list()
    if portfolio.horizon_days not in days:
        raise SettingsError(
            f"no doubts at a horizon of {portfolio.horizon_days} days; there are {', '.join(map(str, days)) or 'none'}."
        )
    return {
        "importer": importer,
        "mineral": mineral,
        "horizon_days": portfolio.horizon_days,
        "regime": portfolio.regime,
    }


def as_text(found: dict[str, Any]) -> Group:
    """Lay out what `doubt` collected."""
    asked, run, facts = found["portfolio"], found["run"], found["facts"]
    who = "all importers" if asked["importer"] == EVERY else asked["importer"]
    what = "all minerals" if asked["mineral"] == EVERY else asked["mineral"]
    parts: list[RenderableType] = [
        Text(f"{who}, {what}, {asked['horizon_days']} days, {LABELS[asked['regime']]}", style="bold"),
        Text(
            f"as of {run['as_of']}, as known on {run['known_at']}, curbs of {run['curbing_country']}, run {run['run_id']}"
        ),
        Text(),
    ]
    money = found["exposure"]
    if money is None:
        return Group(*parts, Text("Nothing is traded, so nothing can be missing."))
    parts.append(
        Text(
            f"Expect {amount(money['expected_missing_usd'])} USD of {amount(money['traded_usd'])} to be missing; eight "
            f"chances in ten of {amount(money['missing_usd_p10'])} to {amount(money['missing_usd_p90'])}."
        )
    )
    if not facts:
        return Group(*parts, Text("No single fact can be told to narrow that range."))
    first = facts[0]
    parts += [
        Text(
            f"Best worth finding out: {first['fact']}. Known, it would narrow the range from "
            f"{amount(first['width_usd'])} to {amount(first['remaining_width_usd'])} USD on average."
        ),
        Text(),
        as_table(
            ("", "fact", "kind", "of the variance", "with others", "range, USD", "range, points"),
            [
                (
                    row["fact_rank"], row["fact"], row["kind"], share(row["explained_share"]), share(row["total_share"]),
                    f"{amount(row['width_usd'])} → {amount(row['remaining_width_usd'])}",
                    f"{points(row['width_points'])} → {points(row['remaining_width_points'])}",
                )
                for row in facts
            ],
        ),
        Text("Of the variance: explained by the fact alone; with others: also where it multiplies with one of them."),
        Text("Ranges are good to about a twentieth, so a fact that explains little may seem to narrow nothing, or to widen."),
    ]  # fmt: skip
    if len(facts) < SHOWN:
        parts.append(Text("What is not listed explains no more than chance does in so many draws."))
    return Group(*parts)
