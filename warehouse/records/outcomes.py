"""Records of what happened under a curb: the figures that a back-test is held against."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from warehouse.records.fields import (
    CountryCode,
    Day,
    DestinationCode,
    Flag,
    Key,
    MineralName,
    OutcomeKind,
    ProductionTonnes,
    Ratio,
    Stage,
    Text,
)
from warehouse.records.rows import SourcedRow, may, need


class Outcome(SourcedRow):
    """What was seen of trade or supply in a window under a curb, against a period before it."""

    says: ClassVar[str] = (
        "One observation under a curb: how much of the baseline still moved. Sources that contradict each other are "
        "rows of their own; the source's grade counts."
    )
    outcome_id: Key = need("Name of the observation.")
    measure_id: Key = need("Curb under which it was seen; see core.measures.")
    kind: OutcomeKind = need(
        "export_fall: exports of the curbing country, held against its withheld flow; supply_fall: an importer's whole "
        "supply, held against its gap."
    )
    mineral: MineralName = need("Mineral, or a group such as rare_earths.")
    stage: Stage | None = may("Stage; empty where the figure counts every stage.")
    form: Text | None = may(
        "Form as the measure's item names it, where the figure counts the listed goods alone; else empty."
    )
    exporter: CountryCode = need("Exporter, ISO 3166 alpha-3, the country that curbs.")
    importer: DestinationCode = need("Importer: ISO 3166 alpha-3, bloc, or WLD for all together.")
    window_from: Day = need("First day of the window that was seen.")
    window_to: Day = need("Day after its last.")
    baseline_from: Day | None = may("First day of the period that it is compared with; empty where unknown.")
    baseline_to: Day | None = may("Day after its last.")
    observed_figure: ProductionTonnes | None = may("Figure of the window, as published.")
    baseline_figure: ProductionTonnes | None = may(
        "Figure of the baseline, brought to the length of the window."
    )
    unit: Text | None = may("Unit of both figures.")
    observed_ratio_low: Ratio | None = may(
        "Window over baseline, low end of what rounding and wording allow; empty where no baseline is known."
    )
    observed_ratio_best: Ratio | None = may("Window over baseline, as published; 1 is no change.")
    observed_ratio_high: Ratio | None = may("Window over baseline, high end.")
    is_held_out: Flag = need("True where it is kept for an independent test: no estimation may read it.")

    @model_validator(mode="after")
    def _can_be_seen(self) -> Self:
        if self.known_from < self.window_to - timedelta(days=1):
            raise PydanticCustomError(
                "known_early",
                "known_from {known} is before the window ends on {last}; give the day of the publication",
                {
                    "column": "known_from",
                    "known": str(self.known_from),
                    "last": str(self.window_to - timedelta(days=1)),
                },
            )
        if (self.baseline_from is None) != (self.baseline_to is None):
            raise PydanticCustomError(
                "baseline",
                "the baseline has one end; give baseline_from and baseline_to, or neither where it is unknown",
                {"column": "baseline_from"},
            )
        if self.observed_ratio_high and self.baseline_from is None:
            raise PydanticCustomError(
                "baseline",
                "a ratio needs the period that it is compared with, unless nothing moved at all; give baseline_from "
                "and baseline_to, or leave the ratio empty",
                {"column": "observed_ratio_best"},
            )
        if self.baseline_to is not None and self.baseline_to > self.window_from:
            raise PydanticCustomError(
                "baseline",
                "the baseline ends on {end}, after the window begins on {start}; give a period before the window",
                {"column": "baseline_to", "end": str(self.baseline_to), "start": str(self.window_from)},
            )
        return self
