"""Checking a bundle of facts: read as a run would read it, with every row that would be set aside."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.resources import default_facts_dir
from warehouse.bundle.reading import RejectedRow, read_bundles


@dataclass(frozen=True)
class FactsCheck:
    """What a bundle holds.

    Attributes:
        bundle: its name and version.
        tables: accepted rows per table, of this bundle only, tables without rows left out.
        rejected: one entry per fault, with file, line, column, value and reason.
    """

    bundle: str
    tables: dict[str, int]
    rejected: tuple[RejectedRow, ...]

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return {
            "bundle": self.bundle,
            "tables": self.tables,
            "rejected": [asdict(row) for row in self.rejected],
        }


def check_facts(folder: Path, *, alone: bool, strict: bool) -> FactsCheck:
    """Read a bundle, by itself or stacked on the embedded facts whose minerals and sources it may name.

    Raises:
        BundleError: A file cannot be used at all, or strict and a row is at fault.
    """
    below = default_facts_dir()
    stacked = not alone and folder.resolve() != below.resolve()
    report = read_bundles([below, folder] if stacked else [folder], strict=strict).report
    counts = dict(report.row_counts)
    if stacked:
        base = read_bundles([below]).report.row_counts
        counts = {name: count - base.get(name, 0) for name, count in counts.items()}
    own = report.bundles[-1]
    prefix = f"{folder.resolve().name}/"
    rejected = tuple(row for row in report.rejected if not stacked or row.file.startswith(prefix))
    return FactsCheck(
        f"{own.name} {own.version}", {name: count for name, count in counts.items() if count}, rejected
    )
