"""Names that the jobs rely on: mart tables, their keys, horizons, regimes and bands."""

from __future__ import annotations

from warehouse.published.mart_columns import TABLES_OF_MART
from warehouse.published.view_columns import VIEWS

MAIN_REGIME = "active"
UNKNOWN_BAND = "unknown"
#: What `mart.route_score.listing` says of a lane.
LISTED, SMALL, REST, OWN, UNLISTED = "listed", "small", "rest", "own", "unknown"
ENDS = ("low", "", "high")  # of a published range; "" is the value itself

ROUTE = ("mineral", "stage", "exporter", "importer")
KEYS = {name: table.key for name, table in TABLES_OF_MART.items()}
VIEW_KEYS = {name: view.key for name, view in VIEWS.items()}


def range_columns(name: str) -> list[str]:
    """Return the columns of a published range from low to high, `name` itself between them."""
    return [f"{name}_{end}" if end else name for end in ENDS]
