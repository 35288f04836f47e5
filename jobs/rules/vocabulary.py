"""The codes of a set of facts, for the checks of rules: the engine never reads facts itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import get_args

from engine.language.vocabulary import Member, Vocabulary
from jobs.resources import default_facts_dir

TABLES = ("minerals", "countries", "blocs")


def vocabulary_of(bundles: Sequence[Path], known_at: date | None = None) -> Vocabulary:
    """Read the codes of stacked bundles, and below them those of the embedded facts.

    Rules and their tests may name what a small bundle has no rows of; a bloc has the members that the bundles say.

    Args:
        bundles: Their folders, as the settings stack them.
        known_at: Leave out memberships that became known later, as `members_at` does; by default none.

    Raises:
        BundleError: A bundle cannot be read.
    """
    import polars as pl

    from warehouse.bundle.reading import read_tables
    from warehouse.records.fields import Stage

    own, below = read_tables(bundles, TABLES), read_tables([default_facts_dir()], TABLES)
    below["blocs"] = below["blocs"].join(own["blocs"], on="bloc", how="anti")
    minerals, countries, blocs = (pl.concat([below[name], own[name]]) for name in TABLES)
    groups = dict(minerals.select("mineral", "is_group").rows())
    names = dict(minerals.select("mineral", "name").rows())
    members: dict[str, set[Member]] = {bloc: set() for bloc in blocs["bloc"]}
    for bloc, known_from, *span in blocs.select(
        "bloc", "known_from", "country", "valid_from", "valid_to"
    ).rows():
        if known_at is None or known_from <= known_at:
            members[bloc].add(Member(*span))
    return Vocabulary(
        minerals={mineral: name for mineral, name in names.items() if not groups[mineral]},
        groups={mineral: name for mineral, name in names.items() if groups[mineral]},
        stages=get_args(Stage),
        countries=dict(countries.select("country", "name").rows()),
        blocs={
            bloc: tuple(sorted(found, key=lambda one: (one.country, one.start or date.min)))
            for bloc, found in sorted(members.items())
        },
    )


def vocabulary_or_why(bundles: Sequence[Path], known_at: date | None = None) -> tuple[Vocabulary | None, str]:
    """Return the codes of stacked bundles, or why there are none; a run says itself what is wrong with its facts."""
    from warehouse.errors import BundleError

    if not bundles:
        return None, "no facts are at hand"
    try:
        return vocabulary_of(bundles, known_at), ""
    except BundleError as problem:
        return None, str(problem).splitlines()[0]
