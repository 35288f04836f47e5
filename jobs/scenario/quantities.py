"""Changes of rows: new ones, other values in those that there are, and plants that are shut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import ValidationError

from ground.counted import counted
from ground.words import ENDS
from jobs.scenario.reading import Place
from jobs.scenario.words import Rows, Shut
from jobs.suggest import did_you_mean
from warehouse.records.tables import TABLES, columns

if TYPE_CHECKING:
    from jobs.scenario.edits import Supposed

#: What "normal" is, and who says so, is no supposition.
FIXED = ("trade", "sources", "outcomes")
OPENED = tuple(name for name in TABLES if name not in FIXED)
_ADDS = tuple(f"add_{days}_t_{end}" for days in (90, 365, 1825) for end in ENDS)


def add(found: Supposed, place: Place, body: Mapping[str, Any]) -> None:
    """Add rows by table, as `curbline facts add` reads them; `source_id` and `known_from` may be left out."""
    for table, rows in body.items():
        at = (*place, table)
        if not found.known(at, "table of a scenario", table, OPENED):
            continue
        if not isinstance(rows, list) or not rows:
            found.refuse(at, f"{table} is a list of rows; start each with a dash")
            continue
        for number, row in enumerate(rows):
            if not isinstance(row, dict):
                found.refuse((*at, number), f"a row of {table} is a mapping; write column: value")
            elif (checked := _checked(found, table, (*at, number), row, {})) is not None:
                _add(found, table, (*at, number), checked)


def _add(found: Supposed, table: str, place: Place, row: dict[str, Any]) -> None:
    key = TABLES[table].key
    old = found.table(table).filter(*(pl.col(name).eq_missing(pl.lit(row[name])) for name in key))
    if old.height:
        shown = ", ".join(f"{name} {row[name]}" for name in key)
        found.refuse(
            place, f"there is a row of {table} with {shown} already; change it with set, or name another"
        )
        return
    for reference in TABLES[table].references:
        value = row[reference.column]
        names = set(reference.allowed)
        for target, column in reference.targets:
            names |= set(found.table(target)[column])
        names |= {"scenario"} if reference.column == "source_id" else set()
        for part in str(value).split(";") if reference.is_list and value is not None else [value]:
            if part is not None and not found.known(
                (*place, reference.column), reference.column, part, names
            ):
                return
    found.append(table, [row])
    found.minerals = None
    named = (
        row.get("title")
        or row.get("notice")
        or " ".join(str(row[name]) for name in key if row[name] is not None)
    )
    found.sentences.append(f"New in {table}: {named}.")


def set_rows(found: Supposed, place: Place, body: Rows) -> None:
    """Give the rows that answer to `where` other values."""
    if not found.known((*place, "table"), "table of a scenario", body.table, OPENED):
        return
    known = [column.name for column in columns(body.table)]
    named = [
        found.known((*place, "where", name), f"column of {body.table}", name, known) for name in body.where
    ]
    if not all(named):
        return
    frame = found.table(body.table)
    picked = frame
    for name, value in body.where.items():
        there = picked[name]
        picked = picked.filter(pl.col(name).cast(pl.String) == _written(value))
        if picked.is_empty():
            near = {str(one) for one in there.drop_nulls().unique()}
            found.refuse(
                (*place, "where", name),
                f"no row of {body.table} has {name} '{value}'{did_you_mean(str(value), near)}",
            )
            return
    values = _opened(body.to, known)
    rows = []
    for row in picked.iter_rows(named=True):
        checked = _checked(found, body.table, (*place, "to"), values, row)
        if checked is None:
            return
        rows.append(checked)
    key = TABLES[body.table].key
    for row in rows:
        for name in values:
            if not found.take(place, (body.table, *(str(row[part]) for part in key), name)):
                return
    rest = frame.join(picked.select(key), on=list(key), how="anti", nulls_equal=True)
    found.tables[body.table] = pl.concat([rest, pl.DataFrame(rows, schema=frame.schema, orient="row")])
    found.minerals = None
    where = ", ".join(f"{name} {value}" for name, value in body.where.items())
    to = ", ".join(f"{name} {value}" for name, value in body.to.items())
    found.sentences.append(f"{body.table} of {where} ({counted(len(rows), 'row')}): {to}.")


def shut(found: Supposed, place: Place, body: Shut) -> None:
    """Let plants add nothing within any horizon."""
    frame = found.table("capacity")
    for number, name in enumerate(body.capacity_id):
        at = (*place, "capacity_id", number)
        if found.known(at, "plant", name, frame["capacity_id"]) and found.take(at, ("capacity", name)):
            own = pl.col("capacity_id") == name
            found.tables["capacity"] = found.table("capacity").with_columns(
                pl.when(own & pl.col(column).is_not_null()).then(0.0).otherwise(column).alias(column)
                for column in _ADDS
            )
            found.sentences.append(f"The plant {name} adds nothing.")
            found.minerals = None


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _opened(values: Mapping[str, Any], known: list[str]) -> dict[str, Any]:
    """Open ranges into their three columns."""
    opened: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known and f"{name}_low" in known:
            three = value if isinstance(value, list) else [value] * len(ENDS)
            opened |= {f"{name}_{end}": one for end, one in zip(ENDS, three, strict=False)}
        else:
            opened[name] = ";".join(map(str, value)) if isinstance(value, list) else value
    return opened


def _checked(
    found: Supposed, table: str, place: Place, values: Mapping[str, Any], old: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return a row as its record reads it; None where it is refused."""
    known = [column.name for column in columns(table)]
    opened = _opened(values, known)
    stems = [name.removesuffix("_low") for name in known if name.endswith("_low")]
    columns_known = [
        found.known((*place, name), f"column of {table}", name, [*known, *stems]) for name in opened
    ]
    if not all(columns_known):
        return None
    given = {"source_id": "scenario", "known_from": found.question.known_at}
    filled = {name: given[name] for name in given if name in known} | {
        name: value for name, value in {**old, **opened}.items() if value is not None
    }
    # Cells of a bundle are text, and so the records read them.
    cells = {
        name: value.isoformat() if isinstance(value, date) else _written(value)
        for name, value in filled.items()
    }
    try:
        row = TABLES[table].model.model_validate(cells)
    except ValidationError as problem:
        for error in problem.errors(include_url=False):
            name = str(error["loc"][0]) if error["loc"] else ""
            message = "is empty; this column needs a value" if error["type"] == "missing" else error["msg"]
            words = f" '{cells[name]}'" if name in cells else ""
            stem = (
                name if name in values else next((one for one in stems if name.startswith(f"{one}_")), name)
            )
            vocabulary = next((one.vocabulary for one in columns(table) if one.name == name), ())
            if error["type"] == "literal_error":
                message = f"is not one of {', '.join(vocabulary)}{did_you_mean(cells[name], vocabulary)}"
            found.refuse((*place, stem), f"{table} {name}{words}: {message}")
        return None
    return dict(row.__dict__)
