"""Factors made of other factors: product, sums of rows, unknowns that stay unknown, and what the checks refuse."""

from datetime import date

import polars as pl
import pytest

from engine.language import oracle
from engine.language.describe import describe_rule
from engine.language.evaluation import MissingFeatureError, evaluate, total
from engine.language.examples import run_examples
from engine.language.rules import RuleSet
from engine.language.ruleset import check_ruleset, load_ruleset
from tests.engine.rulebook import texts_of

ON = date(2024, 12, 31)


def geopolrisk(file: str = "", old: str = "", new: str = "") -> dict[str, str]:
    texts = dict(texts_of("methods/geopolrisk"))
    if file:
        assert old in texts[file]
        texts[file] = texts[file].replace(old, new, 1)
    return texts


def ruleset() -> RuleSet:
    return load_ruleset(geopolrisk())


def lanes(**changes: object) -> pl.DataFrame:
    row: dict[str, object] = {
        "mineral": "gallium", "stage": "refined", "exporter": "CHN", "importer": "JPN",
        "production_hhi": 0.8, "political_stability": 0.5, "supply_share": 0.25,
    } | changes  # fmt: skip
    for name in ("production_hhi", "supply_share"):
        row |= {f"{name}_{end}": row[name] for end in ("low", "best", "high")}
    kinds = {c: pl.Float64 for c in row if c not in ("mineral", "stage", "exporter", "importer")}
    return pl.DataFrame([row], schema_overrides=kinds)


def test_a_product_multiplies_its_parts_and_a_sum_adds_its_rows() -> None:
    frame = pl.concat([lanes(), lanes(exporter="DEU", political_stability=-2.5, supply_share=0.5)])
    rows = evaluate(ruleset(), "route_score", frame, on=ON)
    assert rows["value_best"].to_list() == pytest.approx([0.8 * 0.4 * 0.25, 0.8 * 1 * 0.5], abs=1e-15)
    (whole,) = total(ruleset(), "importer_score", frame, on=ON).rows(named=True)
    assert (whole["mineral"], whole["importer"]) == ("gallium", "JPN")
    assert whole["value_best"] == pytest.approx(0.08 + 0.4, abs=1e-15)
    (asked,) = oracle.total(ruleset(), "importer_score", frame.rows(named=True), ON).values()
    assert [whole["value_low"], whole["value_best"], whole["value_high"]] == pytest.approx(asked, abs=1e-15)


@pytest.mark.parametrize("name", ["production_hhi", "supply_share"])
def test_an_unknown_part_leaves_the_product_and_the_sum_unknown(name: str) -> None:
    frame = pl.concat([lanes(), lanes(exporter="DEU", **{name: None})])
    assert evaluate(ruleset(), "route_score", frame, on=ON)["value_best"].to_list() == [
        pytest.approx(0.08, abs=1e-15),
        None,
    ]
    assert total(ruleset(), "importer_score", frame, on=ON)["value_best"].to_list() == [None]
    assert oracle.total(ruleset(), "importer_score", frame.rows(named=True), ON) == {
        ("gallium", "refined", "JPN"): [None, None, None]
    }


def test_a_factor_that_sums_no_rows_has_no_total() -> None:
    with pytest.raises(MissingFeatureError, match="'route_score' sums no rows"):
        total(ruleset(), "route_score", lanes(), on=ON)
    with pytest.raises(MissingFeatureError, match="'importer_score' sums rows"):
        evaluate(ruleset(), "importer_score", lanes(), on=ON)


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "said"),
    [
        ("scorecard.yml", "of: [concentration,", "of: [concentratoin,", "R014", "did you mean 'concentration'"),
        ("scorecard.yml", "combine: product", "combine: strongest", "R009", "cannot put them together"),
        ("scorecard.yml", "combine: first", "combine: product", "R008", "names no factors"),
        ("scorecard.yml", "combine: product, unit: share", "combine: product, unit: t", "R015", "in no t"),
        ("scorecard.yml", "{grain: lane, pass: 1, combine: first, unit: share}", "{grain: lane, pass: 1, combine: first, unit: t}", "R015", "'concentration' is in t"),
        ("scorecard.yml", "by: [mineral", "by: [minral", "R010", "did you mean 'mineral'"),
        ("scorecard.yml", "by: [mineral", "by: [exporter", "R013", "not of the grain importer"),
        ("scorecard.yml", "by: [mineral", "by: [political_stability, mineral", "R012", "may be unknown"),
        ("scorecard.yml", ", by: [mineral, stage, importer]", "", "R013", "of another grain"),
        ("scorecard.yml", "method: geopolrisk", "horizons: [90]", "R008", "no key 'regimes'"),
        ("scorecard.yml", "method: geopolrisk", "method: geopolrisk\nhorizons: [90]", "R007", "unknown key 'horizons'"),
        ("supply-dependence.yml", "sets: dependence", "sets: route_score", "R014", "made of concentration"),
        ("supply-dependence.yml", "sets: dependence", "sets: concentration", "R051", "may stay unknown"),
        ("scorecard.yml", "concentration, instability, dependence]", "instability, dependence]", "R034", "'concentration' cannot stay unknown"),
        ("supply-dependence.yml", "if_unknown: unknown\n", "", "R034", "may be unknown"),
        ("supply-dependence.yml", "expect: unknown", "expect: not_applicable", "R050", "'unknown'"),
    ],
)  # fmt: skip
def test_what_the_checks_say(file: str, old: str, new: str, code: str, said: str) -> None:
    found = [p for p in check_ruleset(geopolrisk(file, old, new)) if p.code == code]
    assert found, check_ruleset(geopolrisk(file, old, new))
    assert any(said in str(problem) for problem in found), found


def test_an_inline_test_tells_unknown_from_not_applicable() -> None:
    name = "supply-dependence.yml"
    texts = geopolrisk(name, "score:\n", "applies_when: {stage: mined}\nscore:\n")
    texts[name] = texts[name].replace("given: {", "given: {stage: mined, ").rstrip()

    def with_tests(*tests: str) -> list[str]:
        written = "".join(f"\n  - {{name: t{i}, as_of: 2024-12-31, {t}}}" for i, t in enumerate(tests))
        return [
            p.message for p in run_examples(load_ruleset({**texts, name: texts[name] + written})).problems
        ]

    elsewhere = "given: {stage: metal, supply_share: unknown}, expect: not_applicable"
    assert with_tests(elsewhere) == []
    (known,) = with_tests(elsewhere, "given: {stage: mined, supply_share: 0.5}, expect: unknown")
    assert "want unknown, got [0.5, 0.5, 0.5]" in known
    (absent,) = with_tests(elsewhere, "given: {stage: metal, supply_share: unknown}, expect: unknown")
    assert "want unknown, got not applicable" in absent


def test_a_rule_says_what_its_factor_goes_into() -> None:
    rule = next(rule for rule in ruleset().rules if rule.id == "supply-dependence")
    lines = describe_rule(ruleset(), rule, ON)
    assert "  goes into route_score, the product of concentration, instability, dependence" in lines
    assert "    unknown: stays unknown" in lines
