"""What drives the doubt about a route: the share of the variance of L that each named input explains.

First-order indices from the draws at hand: L is regressed on the first three Legendre polynomials of each input's
numbers, which are orthogonal by construction, so that an index is a sum of squared products.

Source: Sudret (2008), "Global sensitivity analysis using polynomial chaos expansions"; Plischke, Borgonovo and Smith
(2013) on given-data estimates.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np

from engine.scoring.draws import Numbers
from engine.scoring.ranges import Array
from engine.scoring.world import UNLISTED

Name = tuple[str, ...]
Draws = np.typing.NDArray[np.float32]

#: What a reader calls the inputs whose names begin so.
LABELS: Final = {
    "severity": "severity",
    "named buyers": "listed buyers",
    "coverage": "coverage",
    "state": "state of the law",
    "state of the law": "state of the law",
    "pledge": "pledges",
    "mixed stock": "extraterritorial reach",
    "origin": "trade and production",
    "trade": "trade and production",
    "production": "trade and production",
    "capacity": "alternatives",
    "substitution": "substitution",
    "stock": "stocks",
    "rebuilding of stocks": "stocks",
}
GROUPS: Final = tuple(dict.fromkeys(LABELS.values()))
BY_COUNTRY: Final = ("trade", "production", "stock", "named buyers")
DEGREE: Final = 3
EVERYBODY: Final = ""
#: What is unknown of an input, by its kind and how many parts its name has besides.
SENTENCES: Final = {
    ("severity", 1): "what rule {0} withholds in general",
    ("severity", 3): "what rule {0} withholds of {1} for {2}",
    ("named buyers", 2): "how much {0} listed firms in {1} buy",
    ("coverage", 1): "how much of its trade item {0} covers",
    ("state", 2): "whether {0} binds ({1})",
    ("state of the law", 0): "how likely unverified measures are to bind",
    ("pledge", 1): "how far pledge {0} is kept",
    ("mixed stock", 0): "whether re-export licences reach mixed stock",
    ("origin", 1): "where unexplained {0} comes from",
    ("trade", 3): "how much {1} {0} is shipped by {2}",
    ("production", 3): "how much {1} {0} is made by {2}",
    ("capacity", 2): "how much {1} {0} others can add",
    ("substitution", 1): "how far users of {0} can switch",
    ("stock", 2): "stocks of {0} in {1}",
    ("rebuilding of stocks", 0): "how fast stocks are rebuilt",
}


def is_of_country(name: Name) -> bool:
    """Return whether an input belongs to one country, which is then the last part of its name."""
    return name[0] in BY_COUNTRY or (name[0] == "severity" and len(name) > 2)


class Explainer:
    """Indices of one mineral's units, block by block; each input's polynomials are formed once.

    Args:
        numbers: of all inputs.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self._known: dict[Name, Draws] = {}
        self._together: dict[tuple[Name, ...], tuple[Draws, list[int], list[int]]] = {}

    def explained(
        self, missing: Draws, names: Collection[Name], exporters: Sequence[str], importers: Sequence[str]
    ) -> Array:
        """Return the share of the variance of L that each group of inputs explains by itself.

        Args:
            missing: (u, D) L.
            names: inputs of the chain, among them those of single countries.
            exporters: (u,) of the units.
            importers: (u,) of the units.

        Returns:
            (groups, u) in the order of ``GROUPS``; 0 where L does not vary. Sampling noise is taken off.
        """
        count, size = missing.shape
        centred = missing - missing.mean(axis=1, keepdims=True)
        variance = np.einsum("ud,ud->u", centred, centred) / size
        shares = np.zeros((len(GROUPS), count))
        at: dict[str, list[int]] = {}
        for unit, pair in enumerate(zip(exporters, importers, strict=True)):
            for country in dict.fromkeys(pair):
                at.setdefault(country, []).append(unit)
        at[EVERYBODY] = list(range(count))
        inputs: dict[str, list[Name]] = {}
        for name in names:
            country = name[-1] if is_of_country(name) else EVERYBODY
            if country in at:
                inputs.setdefault(country, []).append(name)
        for country, own in inputs.items():
            units = at[country]
            bases, groups, starts = self._bases(tuple(own))
            along = bases @ centred[units].T / size
            explains = (along**2).reshape(len(own), DEGREE, len(units)).sum(axis=1)
            spread = variance[units]
            share = explains / np.where(spread > 0, spread, 1.0) - DEGREE / size
            shares[np.ix_(groups, units)] += np.add.reduceat(np.clip(share, 0.0, 1.0), starts, axis=0)
        return np.where(variance > 1e-12, np.minimum(shares, 1.0), 0.0)

    def _bases(self, names: tuple[Name, ...]) -> tuple[Draws, list[int], list[int]]:
        """Return the polynomials (inputs x degree, D) of inputs by group, the groups, and where each begins."""
        if names not in self._together:
            group = {name: GROUPS.index(LABELS[name[0]]) for name in names}
            ordered = sorted(names, key=group.__getitem__)
            bases = np.concatenate([self._basis(name) for name in ordered])
            first: dict[int, int] = {}
            for place, name in enumerate(ordered):
                first.setdefault(group[name], place)
            self._together[names] = bases, list(first), list(first.values())
        return self._together[names]

    def _basis(self, name: Name) -> Draws:
        if name not in self._known:
            self._known[name] = legendre(self.numbers.of(*name)).T
        return self._known[name]


def basis(numbers: Numbers, name: Name) -> Draws:
    """Return (D, k) what an input is regressed on, each column of mean 0 and variance 1, the first one rising with it.

    A yes or no is one column, of what it turned out to be; all else three polynomials of its numbers.
    """
    if name in numbers.outcomes:
        return rising(numbers, name)[:, None]
    return legendre(numbers.of(*name))


def rising(numbers: Numbers, name: Name) -> "np.typing.NDArray[np.float32]":
    """Return (D,) the first column of the basis."""
    outcome = numbers.outcomes.get(name)
    if outcome is None:
        return np.asarray((2.0 * numbers.of(*name) - 1.0) * np.sqrt(3.0), dtype=np.float32)
    return np.asarray((outcome - outcome.mean()) / (float(outcome.std()) or 1.0), dtype=np.float32)


def legendre(u: Array) -> Draws:
    """Return (D, 3) Legendre polynomials of 2u - 1, of mean 0 and variance 1."""
    x = 2.0 * u - 1.0
    found = np.stack([x, (3 * x**2 - 1) / 2, (5 * x**3 - 3 * x) / 2], axis=1)
    return np.asarray(found * np.sqrt([3.0, 5.0, 7.0]), dtype=np.float32)


def in_words(name: Name, notices: Mapping[str, str]) -> str:
    """Return what a reader calls an input; ``notices`` by measure."""
    kind, *parts = name
    places = ["makers without a row" if part == UNLISTED else part for part in parts]
    if kind == "state":
        measure, clause = parts
        places[0] = notices.get(measure, measure)
        places[1] = measure if clause == "all" else f"{measure}, {clause}"
    return SENTENCES[kind, len(places)].format(*places)
