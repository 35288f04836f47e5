"""Every public data set that can be imported, by the word that the command line knows it by."""

from __future__ import annotations

from warehouse.sources import baci, comtrade, iea, mapped, wgi
from warehouse.sources.parsed import Importer

_ALL = (baci.IMPORTER, comtrade.IMPORTER, iea.IMPORTER, mapped.IMPORTER, wgi.IMPORTER)

IMPORTERS: dict[str, Importer] = {importer.source.name: importer for importer in _ALL}
