"""From rule values to the withheld share of a flow (method section 4, "Withheld share c").

Measures on the same form: the strongest governs. Disjoint forms add. Lists of firms and of military users overlap
unless shown to be disjoint, so the strongest list governs, and combines with the rest by complement. Everything is
done at the three points of the range; what relieves runs against them.
"""

from dataclasses import dataclass

import numpy as np

from engine.scoring.ranges import BEST, POINTS, Array

Mask = np.typing.NDArray[np.bool_]


@dataclass(frozen=True)
class CurbItem:
    """One form that one clause of one measure names at one stage."""

    item_id: str
    measure_id: str
    clause: str
    form: str
    scope: str
    is_named_buyers: bool
    start_date: str
    source_id: str


@dataclass(frozen=True)
class CurbSet:
    """All items of the curbing country's measures on one mineral and stage, at one horizon.

    Attributes:
        items: m items, in order of (start, measure, clause, item).
        withheld: (m, 3, n) withheld share by the rules, re-routing taken off.
        coverage: (m, 3) share of the stage's tonnes that the item names.
        rule_ids: (m, n) the rule that governs at best; empty where none applies.
        pledge_ids: q pledges, in order.   pledge_rule_ids: the rule that says most of each.
        mitigation: (q, m, 3, n) by the rules, low to high.
    """

    items: tuple[CurbItem, ...]
    withheld: Array
    coverage: Array
    rule_ids: "np.typing.NDArray[np.str_]"
    pledge_ids: tuple[str, ...]
    pledge_rule_ids: tuple[str, ...]
    mitigation: Array

    @property
    def size(self) -> int:
        """How many items there are."""
        return len(self.items)

    def governing(self, weight: Array) -> "np.typing.NDArray[np.intp]":
        """Return (n,) index of the item that withholds most of a flow at best before mitigation; -1 where none does.

        Args:
            weight: (m, 3, n) of the item's state in the regime.
        """
        if not self.size:
            return np.full(self.withheld.shape[2], -1, dtype=np.intp)
        strength = (self.coverage[:, :, None] * weight * self.withheld)[:, BEST]
        return np.where(strength.max(axis=0) > 0, strength.argmax(axis=0), -1)

    def item_shares(self, weight: Array, pledges: int | None = None) -> Array:
        """Return (m, 3, n) coverage x state weight x withheld x (1 - mitigation), item by item.

        Args:
            weight: (m, 3, n) of the item's state in the regime.
            pledges: how many pledges, from the first, mitigate; None for all.
        """
        kept = np.ones_like(self.withheld)
        for values in self.mitigation[:pledges]:
            kept *= 1.0 - values[:, ::-1]  # what relieves runs against the loss
        return self.coverage[:, :, None] * weight * self.withheld * kept


def combine(items: tuple[CurbItem, ...], shares: Array, chosen: Mask | None = None) -> Array:
    """Return (3, n) c out of the items' shares (m, 3, n); ``chosen`` (m,) leaves the others out.

    Within a form the strongest item governs; forms add, at most 1. Of the lists of named buyers the strongest governs:
    five lists do not withhold a tenth of a country's graphite five times over. It combines with the rest by complement.
    """
    total = np.zeros(shares.shape[1:])
    on = np.ones(len(items), dtype=bool) if chosen is None else chosen
    forms: dict[str, Array] = {}
    listed = np.zeros_like(total)
    for place, item in enumerate(items):
        if not on[place]:
            continue
        if item.is_named_buyers:
            listed = np.maximum(listed, shares[place])
        else:
            strongest = forms.get(item.form)
            forms[item.form] = shares[place] if strongest is None else np.maximum(strongest, shares[place])
    for share in forms.values():
        total = total + share
    return 1.0 - (1.0 - np.minimum(total, 1.0)) * (1.0 - listed)


def strongest(shares: Array, n: int, chosen: Mask | None = None) -> Array:
    """Return (3, n) the strongest of (m, 3, n); zero where there is none. Used for extraterritorial severity."""
    picked = shares if chosen is None else shares[chosen]
    return np.max(picked, axis=0) if len(picked) else np.zeros((POINTS, n))
