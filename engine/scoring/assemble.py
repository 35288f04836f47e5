"""From frames to arrays: a mineral's chain, and the law on it.

The first-pass rules are evaluated here, once for the whole portfolio; their values are then laid out by item and
importer, ready for the matrices of `engine.scoring.chain_score`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from engine.language.evaluation import evaluate
from engine.language.rules import RuleSet
from engine.scoring.bundles import Bundled, Bundles
from engine.scoring.chain_score import Index
from engine.scoring.curbs import CurbItem, CurbSet
from engine.scoring.inputs import Inputs, ends, partition
from engine.scoring.ranges import POINTS, Array, three_points
from engine.scoring.world import Chain, StageFacts
from ground.words import ENDS

MEASURE_KEPT = (
    *(
        "mineral",
        "stage",
        "horizon_days",
        "is_extraterritorial",
        "importer",
        "item_id",
        "scope",
        "is_named_buyers",
        "measure_id",
    ),
    *("clause", "form", "instrument", "start_date", "state", "source_id", *ends("coverage_share")),
)


@dataclass(frozen=True)
class ChainFrames:
    """A chain with the routes that are scored on it.

    Attributes:
        chain: arrays.   flows: per stage, the frame of its routes, sorted.
        routes: per stage, places of exporters and importers, in the order of ``flows``.
    """

    chain: Chain
    flows: tuple[pl.DataFrame, ...]
    routes: tuple[tuple[Index, Index], ...]


def build_chains(inputs: Inputs) -> list[ChainFrames]:
    """Return one chain per mineral that has flows; a stage without flows is left out of its chain."""
    flows = inputs["flows"].sort("mineral", "stage", "exporter", "importer")
    bundles = Bundles.of(inputs)
    chains: list[ChainFrames] = []
    for (mineral,), stages in (
        inputs["chains"].sort("mineral", "stage_order").group_by("mineral", maintain_order=True)
    ):
        own = flows.filter(pl.col("mineral") == mineral)
        names = [s for s in stages["stage"] if own.filter(pl.col("stage") == s).height]
        if not names:
            continue
        output = inputs["production"].filter((pl.col("mineral") == mineral) & pl.col("stage").is_in(names))
        makers = output.filter(~pl.col("is_unlisted_total"))["country"]
        countries = tuple(sorted({*own["exporter"], *own["importer"], *makers, inputs.curbing_country}))
        place = {country: i for i, country in enumerate(countries)}
        per_stage = tuple(own.filter(pl.col("stage") == s) for s in names)
        facts = tuple(
            replace(
                _stage_facts(name, routes, output.filter(pl.col("stage") == name), place),
                bundled=_bundled(inputs, bundles, str(mineral), name, place),
            )
            for name, routes in zip(names, per_stage, strict=True)
        )
        chain = Chain(str(mineral), countries, facts, place[inputs.curbing_country])
        chains.append(ChainFrames(chain, per_stage, tuple(_places(f, place) for f in per_stage)))
    return chains


def _bundled(
    inputs: Inputs, bundles: Bundles, mineral: str, stage: str, place: Mapping[str, int]
) -> Bundled | None:
    trade = inputs.part("bundled_trade", mineral=mineral, stage=stage)
    production = inputs.part("bundled_production", mineral=mineral, stage=stage)
    if trade.is_empty() and production.is_empty():
        return None
    return Bundled.of(bundles, trade, production, place)


def _places(flows: pl.DataFrame, place: Mapping[str, int]) -> tuple[Index, Index]:
    exporters = np.array([place[c] for c in flows["exporter"]], dtype=np.intp)
    importers = np.array([place[c] for c in flows["importer"]], dtype=np.intp)
    return exporters, importers


def _stage_facts(
    name: str, flows: pl.DataFrame, production: pl.DataFrame, place: Mapping[str, int]
) -> StageFacts:
    n = len(place)
    trade = np.zeros((3, n, n))
    exporters, importers = _places(flows, place)
    for end, column in enumerate(ends("route_t")):
        trade[end, exporters, importers] = flows[column].fill_null(0.0).to_numpy()
    listed = production.filter(~pl.col("is_unlisted_total"))
    where = np.array([place[c] for c in listed["country"]], dtype=np.intp)
    made, unlisted, is_listed = np.zeros((3, n)), np.zeros(3), np.zeros(n, dtype=bool)
    others = production.filter(pl.col("is_unlisted_total"))
    for end, column in enumerate(ends("production_t")):
        made[end, where] = listed[column].to_numpy()
        unlisted[end] = others[column].sum()
    is_listed[where] = True
    return StageFacts(name, trade, made, unlisted, is_listed)


@dataclass(frozen=True)
class RuledMeasures:
    """The law of the curbing country with what the first-pass rules say.

    Attributes:
        measures: rows per item and importer, by (mineral, stage, horizon_days, is_extraterritorial).
        pledges: rows per pledge, importer and instrument that is relieved, by (mineral,).
        nothing: no row, with the columns of ``measures``.
    """

    measures: dict[tuple[object, ...], pl.DataFrame]
    pledges: dict[tuple[object, ...], pl.DataFrame]
    nothing: pl.DataFrame

    def only(self, minerals: Collection[str]) -> "RuledMeasures":
        """Return what is said of some minerals alone."""
        return replace(
            self,
            measures={key: rows for key, rows in self.measures.items() if key[0] in minerals},
            pledges={key: rows for key, rows in self.pledges.items() if key[0] in minerals},
        )


def measure_rows(inputs: Inputs, ruleset: RuleSet) -> pl.DataFrame:
    """Return the day's law with what first-pass rules read of it: a row per item, importer and horizon."""
    small = ruleset.parameter("small_lane_share", inputs.as_of).best
    lanes = (
        inputs["flows"]
        .filter(pl.col("exporter") == inputs.curbing_country)
        .select(
            "mineral",
            "stage",
            "importer",
            lane_share=pl.col("route_t_best") / pl.col("route_t_best").sum().over("mineral", "stage"),
        )
    )
    return (
        inputs["measures"]
        .join(lanes, on=["mineral", "stage", "importer"], how="left", maintain_order="left")
        .with_columns(
            exporter=pl.lit(inputs.curbing_country),
            curbing_country=pl.lit(inputs.curbing_country),
            is_small_lane=(pl.col("lane_share") < small).fill_null(value=True),
        )
        .join(_horizons(ruleset), how="cross", maintain_order="left_right")
    )


def pledge_rows(inputs: Inputs, ruleset: RuleSet) -> pl.DataFrame:
    """Return the day's pledges by instrument of the law: a row per pledge, importer, instrument and horizon."""
    instruments = inputs["measures"].select("instrument").unique().sort("instrument")
    return (
        inputs["pledges"]
        .with_columns(exporter=pl.lit(inputs.curbing_country))
        .join(instruments, how="cross", maintain_order="left_right")
        .join(_horizons(ruleset), how="cross", maintain_order="left_right")
    )


def _horizons(ruleset: RuleSet) -> pl.DataFrame:
    return pl.DataFrame({"horizon_days": list(ruleset.scorecard.horizons)}, schema={"horizon_days": pl.Int64})


def rule_measures(inputs: Inputs, ruleset: RuleSet) -> RuledMeasures:
    """Evaluate withheld, extraterritorial, reroute and mitigation on the day's law."""
    frame = measure_rows(inputs, ruleset)
    named = [
        evaluate(ruleset, factor, frame, on=inputs.as_of).rename(
            {f"value_{end}": f"{factor}_{end}" for end in ENDS} | {"rule_id": f"{factor}_rule_id"}
        )
        for factor in ("withheld", "extraterritorial", "reroute")
    ]
    ruled = pl.concat([frame.select(MEASURE_KEPT), *named], how="horizontal")
    pledges = pledge_rows(inputs, ruleset)
    credit = evaluate(ruleset, "mitigation", pledges, on=inputs.as_of)
    credited = pl.concat([pledges, credit], how="horizontal").filter(pl.col("value_best").is_not_null())
    return RuledMeasures(
        partition(ruled, "mineral", "stage", "horizon_days", "is_extraterritorial"),
        partition(credited, "mineral"),
        ruled.clear(),
    )


@dataclass(frozen=True)
class StageMeasures:
    """Items on one stage at one horizon, laid out by importer, with the state of each.

    Attributes:
        curbs: m items.   state: (m, n) the state's name, empty where the item does not reach the importer.
    """

    curbs: CurbSet
    state: "np.typing.NDArray[np.str_]"


def stage_measures(
    ruled: RuledMeasures, chain: Chain, stage: str, horizon: int, *, reach: bool
) -> StageMeasures:
    """Lay out the items of one stage: those that withhold the curbing country's flows, or (``reach``) foreign ones."""
    factor = "extraterritorial" if reach else "withheld"
    found = ruled.measures.get((chain.mineral, stage, horizon, reach), ruled.nothing)
    rows = found.filter(pl.col(f"{factor}_best").is_not_null() & pl.col("importer").is_in(chain.countries))
    if not rows.height:
        return _no_measures(_pledge_ids(ruled, chain), len(chain.countries))
    place = {country: i for i, country in enumerate(chain.countries)}
    heads = rows.unique(["item_id", "scope"], keep="first", maintain_order=True).sort(
        "start_date", "measure_id", "clause", "item_id", "scope"
    )
    items = tuple(
        CurbItem(
            row["item_id"],
            row["measure_id"],
            row["clause"],
            row["form"] or "",
            row["scope"],
            row["is_named_buyers"],
            str(row["start_date"]),
            row["source_id"],
        )
        for row in heads.iter_rows(named=True)
    )
    index = {key: m for m, key in enumerate(heads.select("item_id", "scope").iter_rows())}
    m, n = len(items), len(chain.countries)
    at_item = np.array([index[key] for key in rows.select("item_id", "scope").iter_rows()], dtype=np.intp)
    at_place = np.array([place[c] for c in rows["importer"]], dtype=np.intp)
    withheld = np.zeros((m, POINTS, n))
    state, rule_ids = np.full((m, n), "", dtype="<U24"), np.full((m, n), "", dtype="<U80")
    value = _points(rows, factor)
    reroute = _points(rows, "reroute")[::-1]  # what goes round a ban relieves it
    withheld[at_item, :, at_place] = (value * (1.0 - reroute)).T
    state[at_item, at_place] = rows["state"].to_numpy()
    rule_ids[at_item, at_place] = rows[f"{factor}_rule_id"].fill_null("").to_numpy()
    coverage = _points(heads, "coverage_share", unknown=1.0).T
    pledge_ids, mitigation = _mitigation(
        ruled, chain, stage, horizon, rows, at_item, at_place, withheld.shape
    )
    pledge_rules = tuple(pledge_ids.values())
    return StageMeasures(
        CurbSet(items, withheld, coverage, rule_ids, tuple(pledge_ids), pledge_rules, mitigation), state
    )


def _no_measures(pledges: Mapping[str, str], n: int) -> StageMeasures:
    """Return a stage without items, as most stages of most minerals are; its pledges relieve nothing."""
    nothing, names = np.zeros((0, POINTS, n)), np.full((0, n), "")
    curbs = CurbSet(
        (),
        nothing,
        np.zeros((0, POINTS)),
        names,
        tuple(pledges),
        tuple(pledges.values()),
        np.zeros((len(pledges), *nothing.shape)),
    )
    return StageMeasures(curbs, names)


def _pledge_ids(ruled: RuledMeasures, chain: Chain) -> dict[str, str]:
    """Return pledges in order, each with the rule that says most of it."""
    own = ruled.pledges.get((chain.mineral,))
    if own is None:
        return {}
    most = own.sort("pledge_id", "value_best", "rule_id", descending=[False, True, False])
    return dict(
        most.unique("pledge_id", keep="first", maintain_order=True).select("pledge_id", "rule_id").iter_rows()
    )


def _points(frame: pl.DataFrame, name: str, unknown: float = 0.0) -> Array:
    """Return (3, rows) of a range; null means ``unknown``: no rule, or an item that names the whole stage."""
    points = frame.select(pl.col(ends(name)).cast(pl.Float64).fill_null(unknown)).to_numpy()
    return np.ascontiguousarray(points.T)


def _mitigation(
    ruled: RuledMeasures,
    chain: Chain,
    stage: str,
    horizon: int,
    rows: pl.DataFrame,
    at_item: Index,
    at_place: Index,
    shape: tuple[int, ...],
) -> tuple[dict[str, str], Array]:
    """Return pledges with their rules, the same at all stages, and (q, m, 3, n) what each takes off each item."""
    ids = _pledge_ids(ruled, chain)
    values = np.zeros((len(ids), *shape))
    if not ids:
        return ids, values
    own = ruled.pledges[(chain.mineral,)]
    here = own.filter((pl.col("stage") == stage) & (pl.col("horizon_days") == horizon))
    for q, pledge_id in enumerate(ids):
        # Of several lines of a pledge the one that gives most counts: it comes last.
        credit = {
            (row["importer"], row["instrument"]): three_points(
                *(np.array(row[f"value_{end}"]) for end in ENDS)
            )
            for row in here.filter(pl.col("pledge_id") == pledge_id)
            .sort("value_best", maintain_order=True)
            .iter_rows(named=True)
        }
        if not credit:
            continue
        relieved = rows.select("importer", "instrument").iter_rows()
        for item, where, (importer, instrument) in zip(at_item, at_place, relieved, strict=True):
            points = credit.get((importer, instrument), credit.get(("*", instrument)))
            if points is not None:
                values[q, item, :, where] = points
    return ids, values


def state_weights(ruleset: RuleSet, regime: str, state: "np.typing.NDArray[np.str_]", on: date) -> Array:
    """Return (m, 3, n) weight of each item's state in a regime, by the scorecard; 0 for a state it omits."""
    weights = np.zeros((state.shape[0], POINTS, state.shape[1]))
    for name in np.unique(state):
        span = ruleset.state_weight(regime, str(name), on) if name else None
        if span is not None:
            points = three_points(np.array(span.low), np.array(span.best), np.array(span.high))
            weights += (state == name)[:, None, :] * points[None, :, None]
    return weights
