"""Codes that facts know: minerals, stages, countries and blocs. Rules name them; only facts say which exist."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from string import digits
from typing import Final

from ground.nearest import nearest

EVERY: Final = "*"  # the importer in a row about every buyer
MINERAL, STAGE, COUNTRY = "mineral", "stage", "country"
#: What the value of a feature, or of a key of a scenario, is a code of.
KIND_OF: Final[Mapping[str, str]] = {
    "mineral": MINERAL,
    "stage": STAGE,
    "stages": STAGE,
    **dict.fromkeys(("exporter", "importer", "importers", "country", "curbing_country"), COUNTRY),
}


@dataclass(frozen=True)
class Member:
    """A country in a bloc, from its first day to the day after its last; None where that side is open."""

    country: str
    start: date | None = None
    end: date | None = None

    def belongs(self, on: date) -> bool:
        """Return whether it is a member on a day."""
        return (self.start is None or self.start <= on) and (self.end is None or on < self.end)


@dataclass(frozen=True)
class Vocabulary:
    """The codes of a set of facts.

    Attributes:
        minerals, countries: code to name.   groups: codes under which facts give figures of several minerals.
        blocs: code to members, over time.
    """

    minerals: Mapping[str, str]
    groups: Mapping[str, str]
    stages: tuple[str, ...]
    countries: Mapping[str, str]
    blocs: Mapping[str, tuple[Member, ...]]

    def codes(self, kind: str, *, takes_bloc: bool) -> dict[str, str]:
        """Return the codes of a kind that may be written, with their names.

        Args:
            kind: MINERAL, STAGE or COUNTRY.
            takes_bloc: whether a bloc may stand for the countries that are its members.
        """
        if kind == MINERAL:
            return dict(self.minerals)
        if kind == STAGE:
            return dict.fromkeys(self.stages, "")
        blocs = {bloc: _listed(members) for bloc, members in self.blocs.items()} if takes_bloc else {}
        return {**self.countries, **blocs, EVERY: "every buyer"}

    def fault(self, kind: str, code: str, *, takes_bloc: bool) -> tuple[str, str] | None:
        """Return what is wrong with a code, and its mend; None where the facts know it.

        Args:
            kind: MINERAL, STAGE or COUNTRY.
            code: as written.
            takes_bloc: whether a bloc may stand for the countries that are its members.
        """
        if code in self.codes(kind, takes_bloc=takes_bloc):
            return None
        named = {MINERAL: self.minerals, COUNTRY: self.countries}.get(kind, dict.fromkeys(self.stages, ""))
        if kind == MINERAL and code in self.groups:
            return (
                f"'{code}' is a group of minerals, and a row is about one",
                "list the minerals that are meant",
            )
        if kind == COUNTRY and code in self.blocs:
            some = _listed(self.blocs[code])
            return f"'{code}' is a bloc, where one country is wanted", f"write one of {some}"
        aliases = {alias: known for known, name in named.items() for alias in (known, name) if alias}
        if kind == COUNTRY and takes_bloc:
            # EU is what people call the EU27.
            aliases |= {alias: bloc for bloc in self.blocs for alias in (bloc, bloc.rstrip(digits))}
        close = nearest(code, aliases)
        if close is None:
            return f"the facts know no {kind} '{code}'", f"write a code of {_PLACES[kind]}"
        meant = aliases[close]
        name = f" ({named[meant]})" if named.get(meant) else ""
        return f"the facts know no {kind} '{code}'", f"did you mean '{meant}'{name}?"


def _listed(members: Iterable[Member]) -> str:
    return ", ".join(sorted({member.country for member in members}))


_PLACES: Final = {
    MINERAL: "minerals.csv, such as gallium",
    STAGE: "mined, refined, metal and fabricated",
    COUNTRY: "countries.csv (ISO 3166 alpha-3) or blocs.csv",
}
