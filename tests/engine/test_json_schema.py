"""Editors get schemas that accept every default file and underline what is wrong."""

from datetime import date
from typing import Any

import jsonschema
import pytest

from engine.editor.json_schema import schemas
from engine.language.ruleset import check_ruleset, load_ruleset
from engine.language.vocabulary import Member, Vocabulary
from engine.language.yaml_subset import Leaf, Mapping, Node, require
from tests.engine.rulebook import RULE, default_ruleset, default_texts, texts_of, with_rule

SCHEMAS = schemas(default_ruleset().features, default_ruleset().scorecard)
RULE_FILES = sorted(name for name in default_texts() if "/" in name and not name.startswith("scenarios/"))


def plain(node: Node) -> Any:
    """The text as an editor sees it: keys are text, dates are text."""
    if isinstance(node, Leaf):
        return node.value.isoformat() if isinstance(node.value, date) else node.value
    if isinstance(node, Mapping):
        return {str(key.value): plain(value) for key, value in node.items}
    return [plain(item) for item in node.items]


def errors(name: str, text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(SCHEMAS[name])
    return [error.message for error in validator.iter_errors(plain(require(text, "file.yml")))]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("file", RULE_FILES)
def test_default_rules_are_valid(file: str) -> None:
    assert errors("rule", default_texts()[file]) == []


@pytest.mark.parametrize("file", sorted(texts_of("methods/geopolrisk")))
def test_the_files_of_another_method_are_valid_under_its_own_schemas(file: str) -> None:
    texts = texts_of("methods/geopolrisk")
    ruleset = load_ruleset(texts)
    name = file.removesuffix(".yml") if file in ("features.yml", "scorecard.yml") else "rule"
    validator = jsonschema.Draft202012Validator(schemas(ruleset.features, ruleset.scorecard)[name])
    said = [error.message for error in validator.iter_errors(plain(require(texts[file], file)))]
    assert said == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("combine: product", "combine: strongest"),
        ("combine: first", "combine: product"),
        ("of: [concentration,", "of: [concentratoin,"),
        ("by: [mineral", "by: [minral"),
        ("method: geopolrisk", "method: geopolrisk\nhorizons: [90]"),
        ("method: geopolrisk\n", ""),
    ],
)
def test_planted_defects_of_a_method_are_refused(old: str, new: str) -> None:
    texts = texts_of("methods/geopolrisk")
    ruleset = load_ruleset(texts)
    assert old in texts["scorecard.yml"]
    text = texts["scorecard.yml"].replace(old, new, 1)
    validator = jsonschema.Draft202012Validator(schemas(ruleset.features, ruleset.scorecard)["scorecard"])
    assert list(validator.iter_errors(plain(require(text, "scorecard.yml"))))


@pytest.mark.parametrize("name", ["features", "scorecard"])
def test_catalogue_and_scorecard_are_valid(name: str) -> None:
    assert errors(name, default_texts()[f"{name}.yml"]) == []


@pytest.mark.parametrize("horizons", ["[30, 365]", "[365, 365]", "[90, 1825]", "[]"])
def test_horizons_without_facts_are_refused(horizons: str) -> None:
    text = default_texts()["scorecard.yml"].replace("horizons: [90, 365, 1825]", f"horizons: {horizons}")
    assert errors("scorecard", text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner: tests\n", ""),
        ("owner: tests", "ownr: tests"),
        ("id: small", "id: Small One"),
        ("status: active", "status: activ"),
        ("version: 1", "version: one"),
        ("version: 1", "version: 0"),
        ("sets: withheld", "sets: witheld"),
        ("on: horizon_days", "on: horizn_days"),
        ("on: horizon_days", "on: switch_share"),  # of another grain
        ("{instrument: export_tax, destination_class: ordinary}\nscore", "{instrument: export_tx}\nscore"),
        ("{instrument: export_tax, destination_class: ordinary}\nscore", "{lane_share: {below: 0.1}}\nscore"),
        ("{instrument: export_tax, destination_class: ordinary}\nscore", "{is_entrepot: true}\nscore"),
        ("{90: 0.5,", "{91: 0.5,"),
        ("{90: 0.5,", "{90: [0.5, 1],"),
        ("{90: 0.5,", "{90: refused,"),
        ("shape: lookup", "shape: linear"),
        ("shape: lookup", "shape: lookup\n  value: 0.5"),
        ("unit: share", "unit: shares"),
        ("published: 2025-01-01, ", ""),
        ("effective: {from: 2020-12-01}", "effective: {from: '2020-12'}"),
        ("expect: 0.5", "expect: perhaps"),
        ("as_of: 2025-06-01, given: {instrument: export_ban", "as_of: 2025-06-01, given: {instrumnt: export_ban"),
    ],
)  # fmt: skip
def test_planted_defects_of_a_rule_are_refused(old: str, new: str) -> None:
    assert errors("rule", RULE) == []
    assert old in RULE
    assert errors("rule", RULE.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("features", "type: category", "type: categry"),
        ("features", "known: true", "known: maybe"),
        ("features", "grain: [measure_destination]", "grain: [measure]"),
        ("scorecard", "combine: strongest", "combine: strongst"),
        ("scorecard", "in_force: $in_force_weight", "in_force: $in_force_wait"),
        ("scorecard", "suspended: $paused_weight", "suspnded: $paused_weight"),
        ("scorecard", "full_stop: {}", "fullstop: {}"),
    ],
)
def test_planted_defects_of_the_other_files_are_refused(name: str, old: str, new: str) -> None:
    text = default_texts()[f"{name}.yml"]
    assert old in text
    assert errors(name, text.replace(old, new, 1))


def test_features_tell_their_meaning_on_hover() -> None:
    filters = SCHEMAS["rule"]["properties"]["applies_when"]["properties"]
    assert filters["instrument"]["description"] == default_ruleset().features["instrument"].meaning
    assert all("description" in key for key in SCHEMAS["rule"]["properties"].values())


def keys(schema: Any, path: str = "") -> dict[str, Any]:
    """Every key that a schema knows, at any depth, by its path; conditions only narrow keys and are left out."""
    found: dict[str, Any] = {}
    if isinstance(schema, list):
        for item in schema:
            found |= keys(item, path)
    elif isinstance(schema, dict):
        for name, one in schema.get("properties", {}).items():
            found |= {f"{path}/{name}": one} | keys(one, f"{path}/{name}")
        for word in ("items", "additionalProperties", "anyOf"):
            found |= keys(schema.get(word), f"{path}/{word}")
    return found


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_key_has_its_meaning_on_hover(name: str) -> None:
    found = keys(SCHEMAS[name])
    assert len(found) > 10
    assert [path for path, schema in found.items() if not schema.get("description")] == []


@pytest.mark.parametrize(
    ("name", "path", "some"),
    [
        ("rule", "/status", "retired"),
        ("rule", "/sets", "stock_days"),
        ("rule", "/score/shape", "linear"),
        ("rule", "/parameters/additionalProperties/unit", "usd"),
        ("features", "/features/additionalProperties/type", "category"),
        ("features", "/features/additionalProperties/from", "engine"),
        ("scorecard", "/factors/additionalProperties/combine", "first"),
    ],
)
def test_closed_lists_are_completed(name: str, path: str, some: str) -> None:
    assert some in keys(SCHEMAS[name])[path]["enum"]


def test_categories_and_features_are_completed() -> None:
    filters = keys(SCHEMAS["rule"])["/applies_when/instrument"]["anyOf"]
    assert "export_ban" in filters[0]["enum"]
    assert "export_ban" in filters[1]["items"]["enum"]
    named = SCHEMAS["rule"]["properties"]["score"]["properties"]["on"]["anyOf"]
    assert {one["const"] for one in named} >= {"horizon_days", "quota_share"}


VOCABULARY = Vocabulary(
    minerals={"gallium": "gallium", "dysprosium": "dysprosium"},
    groups={"rare_earths": "rare earths"},
    stages=("mined", "refined", "metal", "fabricated"),
    countries={"CHN": "China", "FRA": "France", "JPN": "Japan", "USA": "United States"},
    blocs={"EU27": (Member("FRA"),)},
)
GIVEN = "given: {instrument: export_tax, "


def with_codes(text: str) -> list[str]:
    schema = schemas(default_ruleset().features, default_ruleset().scorecard, VOCABULARY)["rule"]
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(plain(require(text, "file.yml")))]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("applies_when: {", "applies_when: {mineral: gallium, "),
        ("applies_when: {", "applies_when: {mineral: [gallium, dysprosium], importer: EU27, "),
        ("applies_when: {", "applies_when: {importer: [FRA, EU27], curbing_country: CHN, "),
        (GIVEN, f"{GIVEN}mineral: gallium, importer: FRA, "),
        (GIVEN, f'{GIVEN}importer: "*", '),
    ],
)
def test_codes_that_the_facts_know_are_valid(old: str, new: str) -> None:
    assert with_codes(RULE.replace(old, new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("applies_when: {", "applies_when: {mineral: antimonny, "),
        ("applies_when: {", "applies_when: {mineral: rare_earths, "),
        ("applies_when: {", "applies_when: {importer: Germany, "),
        ("applies_when: {", "applies_when: {importer: [FRA, EU], "),
        (GIVEN, f"{GIVEN}mineral: galium, "),
        (GIVEN, f"{GIVEN}importer: EU27, "),
    ],
)
def test_codes_that_rules_check_refuses_are_underlined(old: str, new: str) -> None:
    text = RULE.replace(old, new)
    assert text != RULE
    assert with_codes(text)
    assert errors("rule", text) == [], "without facts an editor cannot know"
    folder = {**with_rule(text)}
    assert "R016" in {problem.code for problem in check_ruleset(folder, VOCABULARY)}


def test_an_editor_shows_the_name_beside_the_code() -> None:
    made = schemas(default_ruleset().features, default_ruleset().scorecard, VOCABULARY)["rule"]["$defs"]
    told = dict(
        zip(made["country_or_bloc"]["enum"], made["country_or_bloc"]["enumDescriptions"], strict=True)
    )
    assert (told["JPN"], told["EU27"]) == ("Japan", "FRA")
    assert "EU27" not in made["country"]["enum"]
