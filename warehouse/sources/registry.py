"""Every public data set that can be imported, by the word that the command line knows it by."""

from __future__ import annotations

from warehouse.sources import (
    baci,
    comtrade,
    comtrade_months,
    gacc,
    iea,
    mapped,
    oecd,
    usgs_2025,
    usgs_2026,
    wgi,
)
from warehouse.sources.parsed import Importer

_ALL = (
    baci.IMPORTER,
    comtrade.IMPORTER,
    comtrade_months.IMPORTER,
    gacc.IMPORTER,
    iea.IMPORTER,
    mapped.IMPORTER,
    oecd.IMPORTER,
    usgs_2026.IMPORTER,
    usgs_2025.IMPORTER,
    wgi.IMPORTER,
)

IMPORTERS: dict[str, Importer] = {importer.source.name: importer for importer in _ALL}
