"""Codes in rules, tests and scenarios are those that the facts know; a bloc stands for its members on the day."""

from dataclasses import replace
from datetime import date

import duckdb
import polars as pl
import pytest

from engine.language import oracle
from engine.language.errors import Problem
from engine.language.evaluation import evaluate, with_factor
from engine.language.ruleset import check_ruleset, load_ruleset
from engine.language.trace import trace_factor
from engine.language.vocabulary import Member, Vocabulary
from ground.words import ENDS
from tests.engine.rulebook import RULE, default_texts, with_rule
from tests.engine.test_check import written

LEFT, JOINED = date(2024, 2, 1), date(2026, 1, 1)
KNOWN = Vocabulary(
    minerals={"antimony": "Antimony", "gallium": "Gallium"},
    groups={"rare_earths": "Rare earths"},
    stages=("mined", "refined", "metal", "fabricated"),
    countries={"CHN": "China", "DEU": "Germany", "ECU": "Ecuador", "FRA": "France", "GBR": "United Kingdom", "USA": "United States"},
    blocs={"EU27": (Member("DEU"), Member("FRA", start=JOINED), Member("GBR", end=LEFT))},
)  # fmt: skip
ROW = {
    "instrument": "export_tax",
    "horizon_days": 90,
    **{f"destination_class_{end}": "ordinary" for end in ENDS},
}


def filtered(words: str, given: str = "mineral: gallium, importer: DEU, ") -> str:
    text = RULE.replace("applies_when: {", f"applies_when: {{{words}, ")
    return text.replace("given: {", f"given: {{{given}")


def found(text: str, vocabulary: Vocabulary | None = KNOWN) -> list[Problem]:
    return check_ruleset(with_rule(text), vocabulary)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("mineral: antimonny", "the facts know no mineral 'antimonny'; did you mean 'antimony' (Antimony)?"),
        ("mineral: Gallium", "the facts know no mineral 'Gallium'; did you mean 'gallium' (Gallium)?"),
        ("mineral: rare_earths", "'rare_earths' is a group of minerals, and a row is about one; list the minerals that are meant"),
        ("importer: Germany", "the facts know no country 'Germany'; did you mean 'DEU' (Germany)?"),
        ("importer: [USA, germny]", "the facts know no country 'germny'; did you mean 'DEU' (Germany)?"),
        ("importer: EU", "the facts know no country 'EU'; did you mean 'EU27'?"),
        ("exporter: XYZQ", "the facts know no country 'XYZQ'; write a code of countries.csv (ISO 3166 alpha-3) or blocs.csv"),
        ("curbing_country: China", "the facts know no country 'China'; did you mean 'CHN' (China)?"),
    ],
)  # fmt: skip
def test_a_filter_names_codes_of_the_facts(words: str, said: str) -> None:
    feature = words.split(":", maxsplit=1)[0]
    given = f"{feature}: gallium, " if feature == "mineral" else f"{feature}: DEU, "
    problems = [problem for problem in found(filtered(words, given)) if problem.code == "R016"]
    assert [f"{problem.message}; {problem.hint}" for problem in problems] == [said]
    assert (problems[0].location.file, problems[0].location.line) == ("small.yml", 18)


@pytest.mark.parametrize(
    "words", ["mineral: gallium", "importer: [USA, DEU]", "importer: EU27", 'importer: ["*", USA]']
)
def test_known_codes_pass(words: str) -> None:
    feature = words.split(":", maxsplit=1)[0]
    assert found(filtered(words, f"{feature}: {'gallium' if feature == 'mineral' else 'DEU'}, ")) == []


def test_a_test_gives_one_country_and_one_mineral() -> None:
    said = {p.message for p in found(filtered("importer: EU27", "mineral: galium, importer: EU27, "))}
    assert "the facts know no mineral 'galium' in test 'a quarter'" in said
    assert "'EU27' is a bloc, where one country is wanted in test 'a quarter'" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{mineral: gallium, stages", "{mineral: galium, stages", "no mineral 'galium'"),
        ("importer: USA, route_t", "importer: U.S.A, route_t", "no country 'U.S.A'"),
        ("importers: [USA]", "importers: [EU27]", "'EU27' is a bloc"),
        ("country: CHN, production_t", "country: CHINA, production_t", "no country 'CHINA'"),
        ("[gallium, refined, CHN, USA], horizon_days: 365, regime: active", "[gallium, refined, CN, USA], horizon_days: 365, regime: active", "no country 'CN'"),
        ("as_of:", "curbing_country: Chnia\nas_of:", "no country 'Chnia'"),
    ],
)  # fmt: skip
def test_a_scenario_names_codes_of_the_facts(old: str, new: str, said: str) -> None:
    name = "scenarios/lapsed-unverified.yml"
    texts = {key: text for key, text in default_texts().items() if not key.startswith("scenarios/")}
    scenario = default_texts()[name]
    assert old in scenario
    assert check_ruleset({**texts, name: scenario}, KNOWN) == []
    (problem,) = check_ruleset({**texts, name: scenario.replace(old, new, 1)}, KNOWN)
    assert (problem.code, problem.location.file) == ("R016", name)
    assert said in problem.message


def test_without_facts_what_may_be_a_bloc_is_refused() -> None:
    (problem,) = found(filtered("importer: EU27"), None)
    assert (problem.code, problem.hint) == (
        "R016",
        "write the code of a country, or check the rules with facts",
    )
    assert found(filtered("importer: XYZ, mineral: antimonny"), None) == []


@pytest.mark.parametrize(
    ("day", "members"),
    [
        (date(2024, 1, 31), {"DEU", "GBR"}),
        (LEFT, {"DEU"}),
        (date(2025, 12, 31), {"DEU"}),
        (JOINED, {"DEU", "FRA"}),
    ],
)
def test_a_bloc_is_its_members_on_the_day_in_every_engine(day: date, members: set[str]) -> None:
    ruleset = load_ruleset(with_rule(filtered("importer: EU27")), KNOWN)
    countries = [*KNOWN.countries, "EU27", None]
    frame = pl.DataFrame([ROW | {"importer": country} for country in countries])
    on_polars = evaluate(ruleset, "withheld", frame, on=day)["value_best"].to_list()
    asked = [oracle.evaluate(ruleset, "withheld", row, day)[1] for row in frame.iter_rows(named=True)]
    told = [trace_factor(ruleset, "withheld", row, day)[0].applies for row in frame.iter_rows(named=True)]
    relation = with_factor(ruleset, "withheld", duckdb.from_arrow(frame.to_arrow()), on=day).pl()
    on_duckdb = dict(relation.select("importer", "value_best").rows())
    assert {
        country for country, value in zip(countries, on_polars, strict=True) if value is not None
    } == members
    assert on_polars == asked == [on_duckdb[country] for country in countries]
    assert told == [value is not None for value in on_polars]


def test_a_bloc_without_members_on_the_day_is_nobody() -> None:
    empty = replace(KNOWN, blocs={"OLD": (Member("DEU", end=LEFT),)})
    ruleset = load_ruleset(with_rule(filtered("importer: OLD")), empty)
    frame = pl.DataFrame([ROW | {"importer": "DEU"}, ROW | {"importer": "OLD"}])
    assert evaluate(ruleset, "withheld", frame, on=JOINED)["value_best"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("other", "meet"),
    [("DEU", True), ("USA", False), ("FRA", True), ("GBR", False), ("EU27", True), ("[USA, ECU]", False)],
)
def test_rules_meet_in_a_bloc_on_a_day_when_its_members_do(other: str, *, meet: bool) -> None:
    """The other rule begins in June 2025: Britain has left by then, and France is still to come."""
    texts = with_rule(written("small", "{from: 2020-12-01}", "importer: EU27"))
    texts["other.yml"] = written("other", "{from: 2025-06-01}", f"importer: {other}")
    problems = [problem for problem in check_ruleset(texts, KNOWN) if problem.code == "R051"]
    assert bool(problems) is meet
