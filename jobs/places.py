"""Countries and blocs as people write them: a code or a name in any case, and a bloc without its number of members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jobs.errors import SettingsError
from jobs.ports import Reader
from jobs.suggest import did_you_mean

_COUNTRIES = "SELECT country AS code, name, iso2 AS other FROM core.countries ORDER BY ALL"
# EU is what people call the EU27.
_BLOCS = (
    "SELECT DISTINCT bloc AS code, regexp_replace(bloc, '[0-9]+$', '') AS stem FROM core.blocs ORDER BY bloc"
)


def country_code(reader: Reader, what: str, written: str) -> str:
    """Return the code of a country.

    Args:
        reader: a published file.
        what: what the name is of, such as importer; the error says it.
        written: ISO 3166 alpha-2 or alpha-3, or a name, in any case.

    Raises:
        SettingsError: the name is unknown, or that of a bloc.
    """
    bloc = bloc_code(reader, written)
    if bloc is not None:
        raise SettingsError(
            f"{what} '{written}' is a bloc, and a route joins two countries. "
            f"Name a member, or ask for what {bloc} buys from everybody: exporter 'all', importer {bloc}."
        )
    return code_of(what, written, reader.query(_COUNTRIES).rows())


def importer_code(reader: Reader, written: str) -> str:
    """Return the code of an importer: a country or a bloc.

    Raises:
        SettingsError: the name is unknown.
    """
    return code_of("importer", written, [*reader.query(_BLOCS).rows(), *reader.query(_COUNTRIES).rows()])


def bloc_code(reader: Reader, written: str) -> str | None:
    """Return the code of a bloc, or None where the name is not one."""
    return _codes(reader.query(_BLOCS).rows()).get(written.casefold())


def code_of(what: str, written: str, known: Iterable[Sequence[str | None]]) -> str:
    """Return the code of a name, code or symbol, whatever its case; each row has code, name and aliases.

    Raises:
        SettingsError: the name is unknown; the nearest one is offered.
    """
    rows = list(known)
    codes = _codes(rows)
    wanted = written.casefold()
    for candidate in (wanted, wanted.replace(" ", "_").replace("-", "_")):
        if candidate in codes:
            return codes[candidate]
    raise SettingsError(
        f"unknown {what} '{written}'{did_you_mean(written, [name for row in rows for name in row[:2] if name])}"
    )


def _codes(known: Iterable[Sequence[str | None]]) -> dict[str, str]:
    return {alias.casefold(): str(row[0]) for row in known for alias in row if alias}
