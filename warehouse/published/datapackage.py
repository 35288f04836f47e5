"""The description of a folder of exported tables as a Frictionless Data Package (version 1).

Names, types and descriptions of fields are the comments of the published file, so that they cannot drift from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from warehouse.bundle.reading import Manifest
from warehouse.database import Database
from warehouse.published.mart_columns import TABLES_OF_MART

FILE = "datapackage.json"

_FIELD_TYPES = {
    "VARCHAR": "string",
    "VARCHAR[]": "array",
    "DOUBLE": "number",
    "BIGINT": "integer",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}
_CSV: dict[str, Any] = {
    "profile": "tabular-data-resource",
    "format": "csv",
    "mediatype": "text/csv",
    "encoding": "utf-8",
    "dialect": {"delimiter": ",", "header": True},
}
# The standard's tabular profile is for text; a Parquet file is a plain resource that carries the same schema.
_PARQUET: dict[str, Any] = {
    "profile": "data-resource",
    "format": "parquet",
    "mediatype": "application/vnd.apache.parquet",
}
_KINDS = {".csv": _CSV, ".parquet": _PARQUET}
#: Words of a bundle's licence line, the standard's name for the licence, and its text.
_LICENCES = (
    ("CC BY 4.0", "CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
    ("Etalab Open Licence 2.0", "etalab-2.0", "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"),
    ("public domain", "other-pd", None),
)
_UNNAMED = "notspecified"
_ABOUT = (
    "Scores, waterfalls, coverage and quality of critical-mineral supply routes under export curbs of {country}, "
    "for the law of {as_of} as known on {known_at}. An empty cell is unknown, never 0. In CSV, an apostrophe "
    "precedes text that a spreadsheet would run as a formula."
)


def data_package(
    database: Database,
    folder: Path,
    bundles: Sequence[Manifest],
) -> dict[str, Any]:
    """Describe the exported tables of a folder.

    Args:
        database: the published file that the tables were exported from.
        folder: holds `<table>.csv` and `<table>.parquet` of tables of schema mart; other files are passed over.
        bundles: the bundles of facts behind the run; their licences are those of the package.

    Returns:
        The descriptor. It holds no clock: equal files of one run give an equal descriptor.
    """
    run = database.query(
        "SELECT run_id, as_of::VARCHAR AS as_of, known_at::VARCHAR AS known_at, curbing_country, facts_hash, "
        "rules_hash, code_version FROM meta.run"
    ).row(0, named=True)
    says = dict(
        database.query(
            "SELECT table_name, comment FROM duckdb_tables() "
            "WHERE database_name = current_database() AND schema_name = 'mart'"
        ).iter_rows()
    )
    fields = _fields(database)
    resources = [
        _resource(path, says[path.stem], fields[path.stem], TABLES_OF_MART[path.stem].key)
        for path in sorted(folder.iterdir())
        if path.suffix in _KINDS and path.stem in says
    ]
    return {
        "profile": "data-package",
        "name": f"curbline-{run['as_of']}-{run['run_id']}",
        "id": run["run_id"],
        "title": f"Curbline: exposure to export curbs of {run['curbing_country']} on {run['as_of']}",
        "description": _ABOUT.format(
            country=run["curbing_country"], as_of=run["as_of"], known_at=run["known_at"]
        ),
        "version": run["code_version"],
        "licenses": _licences(bundles),
        "sources": _sources(database),
        "curbline": {**run, "bundles": [f"{bundle.name} {bundle.version}" for bundle in bundles]},
        "resources": resources,
    }


def write_data_package(
    database: Database,
    folder: Path,
    bundles: Sequence[Manifest],
) -> Path:
    """Write `datapackage.json` beside the exported tables; the same run gives the same bytes.

    Args:
        database: see `data_package`.
        folder: see `data_package`.
        bundles: see `data_package`.
    """
    path = folder / FILE
    text = json.dumps(data_package(database, folder, bundles), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _fields(database: Database) -> dict[str, list[dict[str, str]]]:
    """Fields of every table of schema mart, in the order of its columns."""
    found: dict[str, list[dict[str, str]]] = {}
    rows = database.query(
        "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = 'mart' ORDER BY table_name, column_index"
    ).iter_rows()
    for table, name, data_type, comment in rows:
        found.setdefault(table, []).append(
            {"name": name, "type": _FIELD_TYPES[data_type], "description": comment or ""}
        )
    return found


def _resource(path: Path, says: str, fields: list[dict[str, str]], key: Sequence[str]) -> dict[str, Any]:
    if path.suffix == ".csv":
        fields = [_in_one_cell(field) if field["type"] == "array" else field for field in fields]
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""], "primaryKey": list(key)}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "name": path.stem if path.suffix == ".csv" else f"{path.stem}-parquet",
        "path": path.name,
        **_KINDS[path.suffix],
        "title": f"mart.{path.stem}",
        "description": says,
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
        "schema": schema,
    }


def _in_one_cell(field: dict[str, str]) -> dict[str, str]:
    """Return a list in CSV, where it is text."""
    return {
        **field,
        "type": "string",
        "description": f"{field['description']} A list, such as [AUS, MYS].",
    }


def _licences(bundles: Sequence[Manifest]) -> list[dict[str, str]]:
    """Return one entry for every part of a bundle's licence line; the part itself is the title."""
    found: list[dict[str, str]] = []
    for bundle in bundles:
        for part in filter(None, (words.strip() for words in (bundle.licence or "").split(";"))):
            name, path = next(((n, p) for words, n, p in _LICENCES if words in part), (_UNNAMED, None))
            entry = {"name": name, "title": part, **({"path": path} if path else {})}
            if entry not in found:
                found.append(entry)
    return found or [{"name": _UNNAMED, "title": "The bundles of facts state no licence."}]


def _sources(database: Database) -> list[dict[str, str]]:
    rows = database.query(
        "SELECT source_id, concat_ws(': ', publisher, title) AS title, url AS path, licence, grade "
        "FROM core.sources ORDER BY source_id"
    ).iter_rows(named=True)
    return [{name: value for name, value in row.items() if value is not None} for row in rows]
