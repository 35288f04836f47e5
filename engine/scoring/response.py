"""How much of a loss other suppliers could make good: alternatives (method section 5).

Tonnes are of contained mineral a year, with three ends ``low, best, high`` on the first axis, by country.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.scoring.ranges import Array, three_points

ROUNDING_T: Final = 1e-9  # a loss below a milligram is the rounding of a sum of pools


@dataclass(frozen=True)
class Supply:
    """What countries outside the curbing one could add at one stage within one horizon.

    Attributes:
        added_t: (3, n) plant that can be restarted or built, tonnes a year.
        feed_t: (3, n) ore that could feed it, from mines that exist (1825 days), or None where the mineral is a
            by-product or the horizon is too short for mines to answer.
        feed_used_t: (3,) what plants outside the curbing country use already.
        access_share: (3, n, n) what exporter o's own bans and pledges leave open to importer i for this stage.
        feed_access_share: (3, n, n) the same for ore.
        is_known: whether any capacity is on record at all; where none is, what others could add is unknown.
    """

    added_t: Array
    feed_t: Array | None
    feed_used_t: Array
    access_share: Array
    feed_access_share: Array
    is_known: bool = True


def reachable_t(supply: Supply) -> Array:
    """Return (3, n) tonnes a year that importer i could draw on, were it alone: min(plant, free feed)."""
    plant: Array = np.einsum("eo,eoi->ei", supply.added_t, supply.access_share)
    if supply.feed_t is None:
        return plant
    feed = np.einsum("eo,eoi->ei", supply.feed_t, supply.feed_access_share)
    free = np.maximum(0.0, feed - supply.feed_used_t[::-1, None])
    return np.asarray(np.minimum(plant, free))


def replacement_t(supply: Supply) -> Array:
    """Return (3, n) tonnes a year of new plant by its country, cut to the ore that could feed it.

    Used upstream of a stage: a plant works at home, so no access share applies to it.
    """
    if supply.feed_t is None:
        return supply.added_t
    free = np.maximum(0.0, supply.feed_t.sum(axis=1) - supply.feed_used_t[::-1])
    total = supply.added_t.sum(axis=1)
    limited: Array = supply.added_t * (np.minimum(total, free) / np.where(total > 0, total, 1.0))[:, None]
    return limited


def share_of_loss(reachable: Array, lost: Array) -> Array:
    """Return min(1, reachable / lost) of tonnes that broadcast; 0 where nothing is lost, where it does not matter."""
    is_lost = lost > ROUNDING_T
    return np.asarray(np.minimum(reachable, lost) * is_lost / np.where(is_lost, lost, 1.0))


def alternative_share(reachable: Array, lost: Array) -> Array:
    """Return (3, n) share of importer i's loss that others can replace, min(1, reachable / lost).

    All importers draw in proportion to their loss, so their draws together never exceed what is reachable. The
    low end pairs little spare capacity with a large loss, and the other way round (method section 5).

    Args:
        reachable: (3, n) tonnes.
        lost: (3,) tonnes that final users go short of, low to high. Where nothing is lost the share is 0: it
            does not matter.
    """
    return share_of_loss(three_points(*reachable), lost[::-1, None])
