"""The files that a company opens: `risk/latest` under fixed names, and `risk/archive/<as_of>`, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile

from jobs.export.csv import write_csv
from jobs.export.tables import NIGHTLY_SKIP, TableFormat, whole_folder, write_manifest
from jobs.output.layout import Layout
from jobs.purchases.actions import file_name, read_actions, write_template
from jobs.purchases.book import load_risk_book
from jobs.purchases.workbook import write_risk_book
from jobs.settings import AudienceSettings
from warehouse.bundle.files import Manifest
from warehouse.database import Database
from warehouse.published.datapackage import write_data_package
from warehouse.published.purchase_columns import PURCHASE_TABLES

LATEST, ARCHIVE = "latest", "archive"


def deliver(
    reader: Database, layout: Layout, audiences: Sequence[AudienceSettings], bundles: Sequence[Manifest]
) -> tuple[list[Path], list[str]]:
    """Write the workbooks of every audience and the tables of purchases, twice: archived by day, and as the latest.

    Args:
        reader: the published file.
        layout: of the output folder.
        audiences: whose workbooks.
        bundles: of the facts, for the description.

    Returns:
        The latest workbooks, and what a reader should be warned of.

    Raises:
        InputError: the file holds no purchases.
        PublishError: the folder cannot be written.
    """
    notes: list[str] = []
    layout.risk.mkdir(parents=True, exist_ok=True)
    books = []
    for audience in audiences:
        kept = layout.risk / file_name(audience.name)
        actions, told = read_actions(kept)
        book = load_risk_book(reader, audience, actions)
        write_template(book, kept)
        books.append(book)
        notes += told
    if not books:
        return [], notes
    archive, latest = layout.risk / ARCHIVE / books[0].question.as_of.isoformat(), layout.risk / LATEST
    with whole_folder(archive) as folder:
        for book in books:
            write_risk_book(book, folder / book.file_name)
        for name, table in PURCHASE_TABLES.items():
            frame = reader.query(f"SELECT * FROM mart.{name} ORDER BY {', '.join(table.key)}")
            if (name, TableFormat.CSV) not in NIGHTLY_SKIP:
                write_csv([frame], folder / f"{name}.csv")
            frame.write_parquet(folder / f"{name}.parquet")
        write_data_package(reader, folder, bundles)
        write_manifest(folder)
    fixed = {book.file_name: f"risk_{book.audience.name}.xlsx" for book in books}
    with whole_folder(latest) as folder:
        for path in sorted(archive.iterdir()):
            if path.name in fixed or path.suffix in {".csv", ".parquet", ".json"}:
                copyfile(path, folder / fixed.get(path.name, path.name))
        write_manifest(folder)
    return [latest / name for name in fixed.values()], notes
