"""What is to be expected: L in every draw, and what is published of it (method section 1, "Ranges").

Sums over lanes are made inside a draw, so that totals have honest tails.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.blocks import Block
from engine.scoring.doubt import GROUPS, Draws, Explainer
from engine.scoring.draws import Numbers, by_kind, quantile
from engine.scoring.evidence import Evidence, evidence_since
from engine.scoring.exposure import DAYS_A_YEAR, QUANTILES, Exposure, Sums, row_quantile
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio_doubt import names_of
from engine.scoring.ranges import BEST, Array
from engine.scoring.responses import Responses
from engine.scoring.score import band_index, priority, score
from ground.words import REGIMES


class Expectations:
    """L of all units in every draw, block by block; nothing of a block is kept but its columns and sums.

    Args:
        numbers: of all inputs, shared by all chains.
        inputs: the day's frames.
        ruleset: checked rules: from which share missing on there is a shortage.
        shown_importers: importers and blocs whose doubts are told; those that nobody trades with are left out.
        evidence: what trade taught, where it is known already.
        seen: is given each block with a regime and its L in every draw (u, D), which is not kept here.
        gaps: is given the same of what is missing before stocks.
    """

    def __init__(
        self,
        numbers: Numbers,
        inputs: Inputs,
        ruleset: RuleSet,
        shown_importers: Sequence[str] = (),
        *,
        evidence: Evidence | None = None,
        seen: Callable[[Block, str, Draws], None] | None = None,
        gaps: Callable[[Block, str, Array], None] | None = None,
    ) -> None:
        self.numbers, self.question = numbers, inputs.question
        self.evidence = evidence or evidence_since(inputs, ruleset, numbers)
        self._seen, self._gaps = seen, gaps
        self.strong = ruleset.parameter("evidence_strong_from", inputs.as_of).best
        self.weak = ruleset.parameter("evidence_weak_from", inputs.as_of).best
        self.shortage = ruleset.parameter("shortage_from_share", inputs.as_of).best
        self.firm = ruleset.parameter("firm_from_chance", inputs.as_of).best
        self.leaning = ruleset.parameter("leaning_from_chance", inputs.as_of).best
        self.bands = [band.name for band in ruleset.scorecard.bands]
        self.edges = [(band.start / 100.0) ** 2 for band in ruleset.scorecard.bands]
        rebuild = ruleset.parameter("stock_rebuilt_a_year_share", inputs.as_of)
        ends = np.array([rebuild.low, rebuild.best, rebuild.high])
        self.ruleset = ruleset
        drawn = quantile(ends, numbers.of("rebuilding of stocks"), ruleset.scorecard.spread)
        self.rebuilding = drawn[None]
        self._explainer = Explainer(numbers)
        self._sums = Exposure(numbers, inputs, shown_importers)

    def columns(self, blocks: Sequence[Block], responses: Responses, binding_days: Array) -> pl.DataFrame:
        """Return columns of `mart.route_score` and `mart.importer_score`, one row a unit in the order of the blocks.

        Args:
            blocks: in order.
            responses: what the second-pass rules say.
            binding_days: (u,) how long measures have withheld the unit's goods; 0 where none is in force.
        """
        parts: dict[str, list[Array]] = {}
        start, mineral = 0, ""
        for block in blocks:
            at = slice(start, start + block.units.height)
            start = at.stop
            if block.mineral != mineral:
                self._sums.close()
                mineral, self._explainer = block.mineral, Explainer(self.numbers)
            for name, values in self._block(block, responses, at, binding_days[at]):
                parts.setdefault(name, []).append(values)
        self._sums.close()
        return pl.DataFrame({name: np.concatenate(values) for name, values in parts.items()}).with_columns(
            pl.col("narrowed_by").replace("", None),
            pl.col("narrowed_by_share", "^.*_time_to_shortage_days_p..$", "^.*_trade_share_p..$").fill_nan(
                None
            ),
        )

    def _block(
        self,
        block: Block,
        responses: Responses,
        at: slice,
        binding_days: Array,
    ) -> Iterator[tuple[str, Array]]:
        switched, stocked, decided = self._held(block, responses, at)
        stock = stocked
        lanes = None if block.is_importer else self._sums.enter(block)
        for regime in REGIMES:
            own = block.regimes[regime]
            given = responses.alternatives[regime][:, at]

            def gap(before: Array, known: Array, given: Array = given) -> Array:
                if not before.any():
                    return before
                kept = (1.0 - self._replaced(block, responses, known, given, decided)) * switched
                return np.multiply(before, kept)

            short = gap(own.drawn_missing, own.drawn_alternatives)
            if regime == "active":
                stock = self._left(stocked, short, binding_days)
            left = short - stock / block.horizon_days if short.any() else short
            lost = np.maximum(0.0, left)
            missing: Draws = lost.astype(np.float32)
            expected = lost.mean(axis=1)
            if self._seen is not None:
                self._seen(block, regime, missing)
            if self._gaps is not None:
                self._gaps(block, regime, short)
            yield f"{regime}_gap_share", short.mean(axis=1)
            yield f"{regime}_expected_missing_share", expected
            published = dict(self._published(regime, missing))
            yield from published.items()
            transit = responses.transit_days[BEST, at]
            yield from self._first_days(regime, missing, short, stock, transit)
            if regime == "active":
                prior = expected
                if block.prior is not None:
                    before = gap(*block.prior)
                    held = self._left(stocked, before, binding_days) / block.horizon_days
                    prior = np.maximum(0.0, before - held).mean(axis=1)
                yield "prior_expected_missing_share", prior
                told = [block.told >= self.strong, block.told >= self.weak]
                yield "evidence", np.select(told, ["strong", "weak"], "none")
                spread = published["active_missing_share_p90"] - published["active_missing_share_p10"]
                yield from self._doubt(block, missing, spread)
                later = [gap(before, others) for before, others in block.to_come]
                yield from self._scheduled(block, expected, later, stock)
            yield from self._of_trade(block, regime, missing)
            if lanes is not None:
                self._sums.add(block, regime, missing, lanes)

    def under(
        self, block: Block, responses: Responses, at: slice, binding_days: Array
    ) -> Callable[[Array, Array], Array]:
        """Return what gives L (sets, D) of one unit from its H and the share that others could replace, (sets or 1, D).

        Stocks are those that the law of the day has left.

        Args:
            block: of the unit alone.
            responses: what the second-pass rules say.
            at: its place in them.
            binding_days: (1,) how long measures have withheld its goods.
        """
        switched, stocked, decided = self._held(block, responses, at)
        own, given = block.regimes["active"], responses.alternatives["active"][:, at]

        def gap(before: Array, known: Array) -> Array:
            every = replace(block, buyer=np.arange(len(known)))
            return before * (1.0 - self._replaced(every, responses, known, given, decided)) * switched

        today = gap(own.drawn_missing, own.drawn_alternatives[block.buyer])
        stock = self._left(stocked, today, binding_days)

        def missing(before: Array, known: Array) -> Array:
            return np.maximum(0.0, gap(before, known) - stock / block.horizon_days)

        return missing

    def _held(self, block: Block, responses: Responses, at: slice) -> tuple[Array, Array, pl.Series]:
        """Return the share of use that cannot switch and the days of stock, (u or 1, D), and who decides on alternatives."""
        names, everyone = ("substitution", block.mineral), [""] * block.units.height
        rule_ids = responses.rule_ids
        switched = self._per_unit(
            responses.substitution[:, at], names, everyone, rule_ids["substitution"][at]
        )
        importers = block.units["importer"].to_list()
        stock = self._per_unit(
            responses.stock_days[:, at], ("stock", block.mineral), importers, rule_ids["stock_days"][at]
        )
        return 1.0 - switched, stock, rule_ids["alternatives"][at]

    def _replaced(
        self, block: Block, responses: Responses, known: Array, given: Array, decided: pl.Series
    ) -> Array:
        """Return (u, D) share of the loss that others replace: by the rules, from the share that the engine knows.

        Args:
            block: the units.
            responses: the rules' answers.
            known: (n + 1, D) share of each importer's loss that others could replace; all NaN where unknown.
            given: (3, u) what the rules say where it is not known.
            decided: (u,) the rule that does.
        """
        if not np.isnan(known).all():
            said = responses.alternatives_at(block.mineral, block.stage, block.horizon_days, known)
            return np.take(said, block.buyer, axis=0)
        names = ("capacity", block.mineral, block.stage)
        return self._per_unit(given, names, [""] * block.units.height, decided)

    def _scheduled(
        self, block: Block, today: Array, gaps: Sequence[Array], stock: Array
    ) -> Iterator[tuple[str, Array]]:
        """Yield L weighted by time over the states of the law that are known to come.

        Args:
            block: with the days on which they begin.
            today: (u,) mean of L under the law of the day.
            gaps: (u, D) what is missing before stocks under each state after it.
            stock: (u, D) days that are left.
        """
        ends = [*block.schedule[1:], block.horizon_days]
        share = today * (ends[0] / block.horizon_days)
        for gap, first, last in zip(gaps, block.schedule[1:], ends[1:], strict=True):
            missing = np.maximum(0.0, gap - stock / block.horizon_days)
            share = share + missing.mean(axis=1) * ((last - first) / block.horizon_days)
        yield "scheduled_missing_share", share
        yield "scheduled", score(share)

    def _left(self, stock: Array, gap: Array, binding_days: Array) -> Array:
        """Return (u, D) days of stock that are left: a stock covers the first days of a shortage, once.

        Under measures in force it has been drained at the rate of the gap, and rebuilt at the rate that the
        scorecard states (method section 4 of the joint draws).
        """
        days = binding_days[:, None]
        rebuilt = 1.0 + self.rebuilding * days / DAYS_A_YEAR
        return np.asarray(np.clip(stock * rebuilt - gap * days, 0.0, stock))

    def _published(self, regime: str, missing: Draws) -> Iterator[tuple[str, Array]]:
        ordered = np.sort(missing, axis=1)
        for name, share in QUANTILES.items():
            yield f"{regime}_missing_share_{name}", row_quantile(ordered, share)
        reached = np.stack([self._chance(missing, edge) for edge in self.edges])
        chances = reached - np.concatenate([reached[1:], np.zeros((1, len(missing)))])
        for name, chance in zip(self.bands, chances, strict=True):
            yield f"{regime}_chance_{name}", chance
        most = chances.max(axis=0)
        yield (
            f"{regime}_confidence",
            np.select([most >= self.firm, most >= self.leaning], ["firm", "leaning"], "open"),
        )
        yield f"{regime}_least", ordered[:, 0].astype(np.float64)
        yield f"{regime}_most", ordered[:, -1].astype(np.float64)
        yield f"{regime}_chance_of_shortage", self._chance(missing, self.shortage)

    def _of_trade(self, block: Block, regime: str, missing: Draws) -> Iterator[tuple[str, Array]]:
        """Yield quantiles of what is missing of a year's trade at best, where the mineral's part of it is uncertain."""
        found = np.full((2, len(missing)), np.nan)
        if block.parts is not None:
            ordered = np.sort(block.parts.of(missing), axis=1)
            found[:, block.parts.at] = [row_quantile(ordered, QUANTILES[name]) for name in ("p10", "p90")]
        for name, values in zip(("p10", "p90"), found, strict=True):
            yield f"{regime}_missing_trade_share_{name}", values

    def _first_days(
        self, regime: str, missing: Draws, gap: Array, stock: Array, transit: Array
    ) -> Iterator[tuple[str, Array]]:
        """Yield quantiles of the days until goods run short; NaN where stocks outlast the horizon in such a draw."""
        places = [int(np.ceil(share * self.numbers.draws)) - 1 for share in QUANTILES.values()]
        found = np.full((len(places), len(missing)), np.nan)
        often = np.flatnonzero(np.count_nonzero(missing, axis=1) > places[0])
        if len(often):
            days = np.full((len(often), self.numbers.draws), np.inf, dtype=np.float32)
            held = np.broadcast_to(stock, gap.shape)[often]
            np.divide(held, gap[often], out=days, where=missing[often] > 0)
            days.sort(axis=1)
            first = days[:, places].T.astype(np.float64)
            found[:, often] = np.where(np.isfinite(first), first + transit[often], np.nan)
        for name, values in zip(QUANTILES, found, strict=True):
            yield f"{regime}_time_to_shortage_days_{name}", values

    def _chance(self, missing: Draws, edge: float) -> Array:
        """Return (u,) share of the draws in which at least so much is missing."""
        return np.asarray(np.count_nonzero(missing >= edge, axis=1) / self.numbers.draws)

    def _doubt(self, block: Block, missing: Draws, spread: Array) -> Iterator[tuple[str, Array]]:
        """Yield the group of inputs that explains most of the variance, and how much; empty where little varies.

        Args:
            block: the units.
            missing: (u, D) L.
            spread: (u,) its p90 - p10.
        """
        units = block.units
        importers = units["importer"].to_list()
        exporters = importers if block.is_importer else units["exporter"].to_list()
        shown = np.flatnonzero(spread >= self.shortage)
        shares = self._explainer.explained(
            missing[shown],
            names_of(block),
            [exporters[unit] for unit in shown],
            [importers[unit] for unit in shown],
        )
        most = np.full(len(spread), np.nan)
        most[shown] = shares.max(axis=0)
        first = np.zeros(len(spread), dtype=np.intp)
        first[shown] = shares.argmax(axis=0)
        yield "narrowed_by", np.where(most > 0, np.array(GROUPS)[first], "")
        yield "narrowed_by_share", np.where(most > 0, most, np.nan)

    def _per_unit(self, ends: Array, name: tuple[str, ...], owners: Sequence[str], rules: pl.Series) -> Array:
        """Return (u, D) an input of each unit: one number for each owner, which all units of that owner share.

        Where it is the same for all units it is (1, D).

        Args:
            ends: (3, u) of its range.
            name: of the input, without its owner.
            owners: (u,) of the units; empty for everybody.
            rules: (u,) the rule that gave the range, which says how it is drawn.
        """
        places: dict[tuple[float, float, float, str, str | None], int] = {}
        back = [
            places.setdefault(key, len(places))
            for key in zip(*ends.tolist(), owners, rules.to_list(), strict=True)
        ]
        distinct = list(places)
        drawn = np.empty((len(distinct), self.numbers.draws))
        for kind, own in by_kind([self.ruleset.spread_of(rule or "") for *_, rule in distinct]):
            ranges = np.array([distinct[place][:3] for place in own]).T[:, :, None]
            who = [distinct[place][3] for place in own]
            u = [self.numbers.of(*name, one) if one else self.numbers.of(*name) for one in who]
            drawn[own] = quantile(ranges, np.stack(u), kind)
        return drawn if len(distinct) == 1 else np.take(drawn, back, axis=0)

    def drain(self) -> Sums:
        """Return the sums of what has been scored since the last time, and forget them."""
        return self._sums.drain()

    def take(self, sums: Sums) -> None:
        """Take in drained sums, here or from another process, with the minerals in their order."""
        self._sums.take(sums)

    def doubt(self) -> pl.DataFrame:
        """Return `mart.doubt`: the facts worth finding out about importers, minerals and everything."""
        return self._dated(self._sums.doubt())

    def exposure(self) -> pl.DataFrame:
        """Return `mart.exposure`: money missing by importer or bloc, mineral and stage, with ``*`` for all of them."""
        return self._dated(self._sums.frame())

    def _dated(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            curbing_country=pl.lit(self.question.curbing_country),
            as_of=pl.lit(self.question.as_of),
            known_at=pl.lit(self.question.known_at),
        )


def answered(scored: pl.DataFrame, ruleset: RuleSet) -> pl.DataFrame:
    """Return the scores out of the means, with their bands and priorities, and bounds that have every draw inside.

    Where tonnes are uncertain the bounds are an envelope over what was tried.
    """
    edges = [band.start for band in ruleset.scorecard.bands]
    names = np.array([band.name for band in ruleset.scorecard.bands])
    dependence = scored["dependence_share"].to_numpy()
    for regime in REGIMES:
        low, high = f"{regime}_missing_share_low", f"{regime}_missing_share_high"
        scored = scored.with_columns(
            pl.min_horizontal(low, f"{regime}_least").alias(low),
            pl.max_horizontal(high, f"{regime}_most").alias(high),
        ).with_columns(
            pl.min_horizontal(f"{regime}_low", 100.0 * pl.col(low).sqrt()).alias(f"{regime}_low"),
            pl.max_horizontal(f"{regime}_high", 100.0 * pl.col(high).sqrt()).alias(f"{regime}_high"),
        )
        mean = scored[f"{regime}_expected_missing_share"].to_numpy()
        scored = scored.with_columns(
            pl.Series(regime, score(mean)),
            pl.Series(f"{regime}_band", names[band_index(score(mean), edges)]),
            pl.Series(f"{regime}_priority", priority(dependence, mean)),
        )
    highest = np.stack([scored[regime].to_numpy() for regime in REGIMES]).argmax(axis=0)
    return scored.with_columns(pl.Series("worst_regime", np.array(REGIMES)[highest])).drop(
        [f"{regime}_{end}" for regime in REGIMES for end in ("least", "most")]
    )
