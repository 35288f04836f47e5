"""The warehouse: everything DuckDB, and the facts.

Facts bundles come in through `Warehouse.load_bundles`, frames for the engine go out through `Inputs`, published files
through `build_snapshot`, and analysts' SQL runs in a `Sandbox`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from warehouse.hashing import facts_hash
    from warehouse.inputs import Inputs
    from warehouse.marts import publishable
    from warehouse.snapshot import build_snapshot
    from warehouse.state import Warehouse

# Each name is imported when it is first asked for: a question on the command line waits for nothing else.
_HOME = {
    "BundleError": "warehouse.errors",
    "DataError": "warehouse.errors",
    "Facts": "warehouse.bundle",
    "FileProblem": "warehouse.errors",
    "InputError": "warehouse.errors",
    "Inputs": "warehouse.inputs",
    "LoadReport": "warehouse.bundle",
    "MartError": "warehouse.errors",
    "QueryError": "warehouse.errors",
    "QueryTimeoutError": "warehouse.errors",
    "RejectedRow": "warehouse.bundle",
    "Sandbox": "warehouse.database",
    "SandboxError": "warehouse.errors",
    "SnapshotError": "warehouse.errors",
    "StateBusyError": "warehouse.errors",
    "StateError": "warehouse.errors",
    "StrictError": "warehouse.errors",
    "Warehouse": "warehouse.state",
    "build_snapshot": "warehouse.snapshot",
    "facts_hash": "warehouse.hashing",
    "publishable": "warehouse.marts",
    "read_bundles": "warehouse.bundle",
}

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


def __getattr__(name: str) -> Any:
    """A public name, out of the module that it lives in."""
    if name not in _HOME:
        message = f"module 'warehouse' has no attribute '{name}'"
        raise AttributeError(message)
    return getattr(import_module(_HOME[name]), name)
