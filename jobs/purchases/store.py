"""The lines of a company below the output folder: added once, read by every run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from jobs.errors import InputError
from jobs.export.csv import write_csv
from jobs.export.tables import whole_folder
from jobs.purchases.checks import ENTITY_COLUMNS, read_entities
from jobs.purchases.checks import digest as checks_digest
from jobs.purchases.lines import LINE, REJECTED, Checked, Rate
from jobs.resources import default_demo_dir

#: The word that stands for the fictional company that comes with Curbline.
DEMO, DEMO_LINES, DEMO_RATES, DEMO_COSTS = "demo", "purchases.csv", "currencies.csv", "costs.csv"
LINES, REJECTIONS, ENTITIES, ABOUT = "lines.csv", "rejected.csv", "entities.csv", "portfolio.json"

NO_ENTITIES = pl.DataFrame(schema=dict.fromkeys(ENTITY_COLUMNS, pl.String))


@dataclass(frozen=True)
class Portfolio:
    """A company's lines as they were added.

    Attributes:
        lines: with the columns of `jobs.purchases.lines.LINE`.
        rejected: how many rows of the file were not taken.
        name: of the file.
        entities: named by the company, with name, list and reference.
        digest: SHA-256 of all that is kept and of the tests that come with Curbline; part of a run's identity.
    """

    lines: pl.DataFrame
    rejected: int
    name: str
    entities: pl.DataFrame
    digest: str


def demo_file(name: str = DEMO_LINES) -> Path:
    """Return a file of the fictional company that comes with Curbline."""
    return default_demo_dir() / name


def save(checked: Checked, name: str, folder: Path, entities: pl.DataFrame | None = None) -> Path:
    """Keep checked lines in place of earlier ones.

    Raises:
        InputError: no line can be taken.
        PublishError: the folder cannot be written.
    """
    if checked.lines.is_empty():
        raise InputError(f"{name}: no line can be taken; `curbline portfolio check` says why of each.")
    with whole_folder(folder) as built:
        write_csv([checked.lines.sort("line_id")], built / LINES)
        write_csv([checked.rejected], built / REJECTIONS)
        write_csv([NO_ENTITIES if entities is None else entities], built / ENTITIES)
        about = {"name": name, "lines": checked.lines.height, "rejected": checked.rejected.height}
        (built / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return folder / LINES


def load(folder: Path) -> Portfolio | None:
    """Return the lines that were added; None where there are none.

    Raises:
        InputError: the kept files are damaged.
    """
    path = folder / LINES
    if not path.is_file():
        return None
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        lines = pl.read_csv(path, schema=dict(LINE))
        named, rejected = str(about["name"]), int(about["rejected"])
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as problem:
        raise InputError(
            f"{folder}: the lines kept there cannot be read ({str(problem)[:200]}). Add the file again with `curbline portfolio add`."
        ) from problem
    named_file = folder / ENTITIES
    entities = read_entities(named_file) if named_file.is_file() else NO_ENTITIES
    kept = b"".join(one.read_bytes() for one in (path, folder / ABOUT, named_file) if one.is_file())
    digest = hashlib.sha256(kept + checks_digest()).hexdigest()
    texts = [name for name, kind in LINE.items() if kind == pl.String]
    # An apostrophe before what a spreadsheet would run is no part of the text.
    lines = lines.with_columns(pl.col(texts).str.replace(r"^'([=+\-@\t\r\n])", "$1"))
    return Portfolio(lines, rejected, named, entities, digest)


def write_rejected(checked: Checked, path: Path) -> None:
    """Write what was not taken, with its reason, beside the file."""
    write_csv([checked.rejected.cast(REJECTED)], path)  # type: ignore[arg-type]


def read_rates(path: Path | None) -> Mapping[str, Rate]:
    """Return rates by currency out of a CSV with currency, usd_per_unit, rate_date and source.

    Raises:
        InputError: the file or a row of it cannot be used.
    """
    rates = {"USD": Rate(1.0, None, "is the base currency")}
    if path is None:
        return rates
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise InputError(f"{path}: no table of currencies can be read ({str(problem)[:120]}).") from problem
    lacking = [
        name for name in ("currency", "usd_per_unit", "rate_date", "source") if name not in frame.columns
    ]
    if lacking:
        raise InputError(
            f"{path}: lacks {', '.join(lacking)}; columns are currency, usd_per_unit, rate_date, source."
        )
    for number, row in enumerate(frame.iter_rows(named=True), start=2):
        try:
            value, day = float(row["usd_per_unit"] or ""), date.fromisoformat(row["rate_date"] or "")
        except ValueError:
            value, day = 0.0, date.min
        code, source = (row["currency"] or "").strip().upper(), (row["source"] or "").strip()
        if not (len(code) == 3 and code.isalpha() and 0 < value < 1e6 and source and day > date.min):
            raise InputError(
                f"{path}:{number}: a rate needs a code of three letters, usd_per_unit above 0, rate_date as 2026-11-27, and its source."
            )
        rates[code] = Rate(value, day, source)
    return rates
