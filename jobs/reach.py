"""How far back the facts reach, and which countries they have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from jobs.errors import InputError, SettingsError
from jobs.settings import ALL_COUNTRIES, DEFAULT_IMPORTERS, Settings
from jobs.suggest import did_you_mean
from warehouse.asof.state import Warehouse


def require_reach(state: Warehouse, settings: Settings, days: Mapping[str, date]) -> None:
    """Refuse a day before any trade was known, and a curbing country that the facts do not have.

    Args:
        state: the facts.
        settings: curbing country and declared importers.
        days: each day by the option that names it.

    Raises:
        InputError: the facts do not reach back so far. SettingsError: a country is unknown.
    """
    first: date | None = state.query("SELECT min(known_from) AS first FROM core.trade")["first"].item()
    if first is None:
        raise InputError(
            "the facts contain no trade, so there are no routes to score; add a `trade` table to a bundle."
        )
    for name, day in days.items():
        if day < first:
            raise InputError(
                f"{name} {day} is before {first}, the day on which the first trade year of these facts was known; "
                f"choose {first} or later."
            )
    country = settings.curbing_country
    if country != ALL_COUNTRIES:
        known = state.query("SELECT DISTINCT country FROM core.countries ORDER BY 1")["country"].to_list()
        if country not in known:
            raise SettingsError(f"unknown curbing country '{country}'{did_you_mean(country, known)}")
    # Facts of one's own may lack a default; what was asked for by name must be there.
    codes = state.query(
        "SELECT country AS code FROM core.countries UNION SELECT bloc FROM core.blocs ORDER BY 1"
    )["code"].to_list()
    for importer in settings.declared_importers:
        if importer not in (*codes, *DEFAULT_IMPORTERS):
            raise SettingsError(
                f"declared_importers: '{importer}' is neither a country nor a bloc of these facts{did_you_mean(importer, codes)}"
            )
