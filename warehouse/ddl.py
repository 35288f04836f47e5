"""SQL text: tables of schema core out of the records, and the .sql files of this package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from warehouse.database import literal, quoted
from warehouse.records.tables import TABLES, columns

#: Schema of state.duckdb; raise it whenever a fact table is added or changed, or the ledger is.
#: 1: the first; 2: governance and import_shares; 3: import_share_codes and spreads; 4: cells with several names are
#: lists; 5: outcomes; 6: word_roles.
SCHEMA_VERSION = 6


@cache
def sql_text(name: str) -> str:
    """Text of a .sql file of this package, by its name relative to the package without the suffix."""
    return files("warehouse").joinpath(*f"{name}.sql".split("/")).read_text(encoding="utf-8")


def core_table(name: str) -> str:
    """Return statements that create one fact table with comments on it and on every column.

    No primary keys: the bundle checks keys before loading, and indexes have cost files their write-ahead log.
    """
    table = f"core.{quoted(name)}"
    body = ",\n    ".join(
        f"{quoted(c.name)} {c.sql_type}{' NOT NULL' if c.required else ''}" for c in columns(name)
    )
    says = TABLES[name].model.says
    lines = [
        f"CREATE OR REPLACE TABLE {table} (\n    {body}\n);",
        f"COMMENT ON TABLE {table} IS {literal(says)};",
    ]
    lines += [f"COMMENT ON COLUMN {table}.{quoted(c.name)} IS {literal(c.comment)};" for c in columns(name)]
    return "\n".join(lines)


def core_ddl() -> str:
    """Return statements that create every fact table."""
    return "\n".join(core_table(name) for name in TABLES)


#: One line for every macro; published as its comment and in the data dictionary.
MACRO_COMMENTS = {
    "holds_on": "Whether a day is within a period; an empty start means that it has always begun, an empty end that it never ends.",
    "members_at": "Countries of every bloc on as_of, as known on known_at.",
    "measure_state_at": "State of every clause and state destination on as_of, as known on known_at.",
    "measures_at": "Measures on as_of, as known on known_at: one row per clause, destination and scope.",
    "agreement_state_at": "State of every agreement on as_of, as known on known_at.",
    "pledges_at": "Pledges made by as_of, as known on known_at, with the state of their agreement.",
    "words_at": "Whether a word of a vocabulary has a role in the scores on as_of, as known on known_at.",
    "trade_at": "Trade rows known on known_at, one per year, lane and code.",
    "revision_year": "The year of a revision of the Harmonized System that is written with two digits.",
    "trade_in_revision": "Trade as known, by the revisions of the map: a code filed in another revision stands in for one that lacks a year.",
    "splits_at": "Element splits known on known_at, or the earliest, marked as hindsight.",
    "production_stated_at": "Production as stated, groups of minerals unsplit, as a range over all claims known on known_at.",
    "production_split_at": "How the production of a group is split into elements: a row per split that holds.",
    "production_at": "Production per mineral, stage, country and year as a range over all claims known on known_at.",
    "reserves_at": "Reserves and resources per mineral and country as a range over all claims known on known_at.",
}


#: Macros that give a value; the others give a table.
_SCALAR_MACROS = frozenset({"holds_on", "revision_year"})


def macro_ddl() -> str:
    """Return statements that create the macros with their comments."""
    comments = "\n".join(
        f"COMMENT ON MACRO {'' if name in _SCALAR_MACROS else 'TABLE '}{name} IS {literal(text)};"
        for name, text in MACRO_COMMENTS.items()
    )
    return f"{sql_text('asof/macros')}\n{comments}"
