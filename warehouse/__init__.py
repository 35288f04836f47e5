"""The warehouse: everything DuckDB, and the facts.

Facts bundles come in through `Warehouse.load_bundles`, frames for the engine go out through `Inputs`, published files
through `build_snapshot`, and analysts' SQL runs in a `Sandbox`.
"""

from warehouse.bundle import Facts, LoadReport, RejectedRow, read_bundles
from warehouse.database import Sandbox
from warehouse.errors import (
    BundleError,
    DataError,
    FileProblem,
    InputError,
    MartError,
    QueryError,
    QueryTimeoutError,
    SandboxError,
    SnapshotError,
    StateBusyError,
    StateError,
    StrictError,
)
from warehouse.facts_hash import facts_hash
from warehouse.inputs import Inputs
from warehouse.marts import publishable
from warehouse.snapshot import build_snapshot
from warehouse.state import Warehouse

__all__ = [
    "BundleError",
    "DataError",
    "Facts",
    "FileProblem",
    "InputError",
    "Inputs",
    "LoadReport",
    "MartError",
    "QueryError",
    "QueryTimeoutError",
    "RejectedRow",
    "Sandbox",
    "SandboxError",
    "SnapshotError",
    "StateBusyError",
    "StateError",
    "StrictError",
    "Warehouse",
    "build_snapshot",
    "facts_hash",
    "publishable",
    "read_bundles",
]
