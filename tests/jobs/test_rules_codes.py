"""`curbline rules check` looks codes up in the facts of the settings, and says where it cannot."""

import json
from datetime import date
from pathlib import Path

import pytest

from engine.language.vocabulary import Member
from jobs.cli import main
from jobs.rules.vocabulary import vocabulary_of
from tests.engine.rulebook import RULE, with_rule
from tests.jobs.bundle import TABLES, write_bundle

DAY = ["--as-of", "2026-11-27", "--max-reference-age", "900"]
LATER = "EU27,USA,2025-01-01,2026-01-01,src-a,2024-06-01\n"


@pytest.fixture
def facts(tmp_path: Path) -> str:
    group = "rare_earths,rare earths,,true,,src-a,2020-01-01\n"
    return str(
        write_bundle(tmp_path / "tiny", blocs=TABLES["blocs"] + LATER, minerals=TABLES["minerals"] + group)
    )


def rules(folder: Path, words: str, given: str = "mineral: gallium, importer: FRA, ") -> str:
    folder.mkdir()
    text = RULE.replace("applies_when: {", f"applies_when: {{{words}, ").replace(
        "given: {", f"given: {{{given}"
    )
    for name, content in with_rule(text).items():
        (folder / name).write_text(content, encoding="utf-8")
    return str(folder)


def test_the_codes_of_a_bundle(facts: str) -> None:
    found = vocabulary_of([Path(facts)])
    assert found.minerals["gallium"] == "gallium", "the bundle's own name goes before the embedded one"
    assert found.minerals["dysprosium"] == "dysprosium"
    assert found.groups == {"rare_earths": "rare earths"}
    assert found.countries["DEU"] == "Germany"
    assert found.minerals["terbium"] == "Terbium", (
        "tests of rules may name what a small bundle has no rows of"
    )
    assert found.stages == ("mined", "refined", "metal", "fabricated")
    since = date(1993, 11, 1)
    old = (Member("DEU", since), Member("FRA", since))
    assert found.blocs == {"EU27": (*old, Member("USA", date(2025, 1, 1), date(2026, 1, 1)))}
    assert vocabulary_of([Path(facts)], known_at=date(2024, 5, 31)).blocs == {"EU27": old}
    before = vocabulary_of([Path(facts)], known_at=date(2000, 1, 1))
    assert (before.blocs, before.minerals) == ({"EU27": ()}, found.minerals), (
        "a replay refuses no rule for its codes"
    )


def test_unknown_codes_are_found_with_their_mend(
    tmp_path: Path, facts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = rules(tmp_path / "own", "mineral: galium, importer: Germany")
    assert main(["rules", "check", folder, "--facts", facts, *DAY]) == 40
    said = capsys.readouterr().out
    assert "own/small.yml:18:16: R016: the facts know no mineral 'galium'; did you mean 'gallium'" in said
    assert (
        "own/small.yml:18:33: R016: the facts know no country 'Germany'; did you mean 'DEU' (Germany)?"
        in said
    )
    assert "2 problems, 0 warnings." in said


def test_a_bloc_stands_for_its_members_in_tests_too(
    tmp_path: Path, facts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "curbline.toml"
    settings.write_text(f'facts = ["{facts}"]\n', encoding="utf-8")
    asked = ["--settings", str(settings)]
    folder = rules(tmp_path / "own", "importer: EU27")
    assert main(["rules", "check", folder, *asked, *DAY]) == 0
    assert main(["rules", "test", folder, *asked]) == 0
    main(["rules", "fmt", "--check", "--rules", folder, *asked])
    assert "0 refused." in capsys.readouterr().out
    assert main(["rules", "show", "small", "--rules", folder, *asked, "--as-of", "2025-06-01"]) == 0
    assert "importer is EU27 (3 members)" in capsys.readouterr().out
    american = rules(tmp_path / "usa", "importer: EU27", "importer: USA, ")
    assert main(["rules", "test", american, *asked]) == 40
    failed = capsys.readouterr().out
    assert "test 'later' of small failed" in failed, "a member until 2026, and the test is of June 2026"
    assert "1 of 4 tests of the rules failed." in failed


def test_without_facts_it_is_said_that_codes_were_not_looked_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = rules(tmp_path / "own", "mineral: galium, importer: FRA")
    assert main(["rules", "check", folder, "--facts", str(tmp_path / "none"), *DAY]) == 10
    said = capsys.readouterr().out
    assert "0 problems, 0 warnings." in said
    assert "Codes of minerals, countries and blocs were not looked up: none: no such folder" in said


def test_schemas_list_the_codes_of_the_facts(
    tmp_path: Path, facts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "schema", "--facts", facts]) == 0
    codes = json.loads(capsys.readouterr().out)["rule.schema.json"]["$defs"]
    assert {"gallium", "antimony"} <= set(codes["mineral"]["enum"])
    assert "rare_earths" not in codes["mineral"]["enum"]
    assert {"DEU", "EU27"} <= set(codes["country_or_bloc"]["enum"])
    assert main(["rules", "schema", "--facts", str(tmp_path / "none"), "--out", str(tmp_path / "made")]) == 10
    assert "list no codes of minerals, countries and blocs: " in capsys.readouterr().err
    assert "$defs" not in json.loads((tmp_path / "made" / "rule.schema.json").read_text(encoding="utf-8"))
