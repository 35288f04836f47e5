"""Random feature rows for a rule set: nulls everywhere, and numbers on, beside and far from every edge of the rules."""

import numpy as np
import polars as pl

from engine.language.examples import column_type
from engine.language.rules import Range, RuleSet

FAR = (0.0, -0.0, 1.0, -1.0, 5e-324, -1e-300, 1e9, -1e9, 1.7e308, -1.7e308, np.inf, -np.inf)


def edges(ruleset: RuleSet, name: str) -> list[float]:
    """Every number at which a rule's shape or filter turns on a feature, and its two neighbours."""
    found: set[float] = set()
    for rule in ruleset.rules:
        if rule.score.on == name and rule.score.shape in ("bands", "linear"):
            found |= {float(key) for key, _ in rule.score.points}
        ends = [end for c in rule.conditions if c.feature == name for end in (c.at_least, c.below)]
        found |= {end.best for end in ends if isinstance(end, Range)}
    at = np.array(sorted(found))
    return [float(x) for x in np.concatenate([at, np.nextafter(at, np.inf), np.nextafter(at, -np.inf)])]


def random_rows(ruleset: RuleSet, count: int, seed: int, gone_share: float = 0.1) -> pl.DataFrame:
    """Rows with every feature's columns; three tenths are null, of what is known ``gone_share``, since a backend must not care.

    The ends of a range of numbers are in order; those of a range of categories are whatever they are.
    """
    rng = np.random.default_rng(seed)
    columns: dict[str, pl.Series] = {}
    for feature in ruleset.features.values():
        width = len(feature.columns)
        if feature.type in ("category", "bool"):
            values = pl.Series(list(feature.values or (True, False)), dtype=column_type(feature))
            drawn = [values.gather(rng.integers(0, len(values), count)) for _ in range(width)]
        elif feature.type == "number":
            special = np.array([*FAR, *edges(ruleset, feature.name)])
            numbers = np.where(
                rng.random((width, count)) < 0.3,
                rng.choice(special, (width, count)),
                rng.normal(0.5, 1.0, (width, count)),
            )
            drawn = [pl.Series(row) for row in np.sort(numbers, axis=0)]
        else:
            drawn = [pl.Series(["x", "y"]).gather(rng.integers(0, 2, count)) for _ in range(width)]
        gone = pl.Series(rng.random(count) < (gone_share if feature.is_known else 0.3))
        for name, series in zip(feature.columns, drawn, strict=True):
            end_gone = gone | pl.Series(rng.random(count) < (gone_share / 5 if width > 1 else 0.0))
            columns[name] = series.alias(name).set(end_gone, None)
    return pl.DataFrame(columns)
