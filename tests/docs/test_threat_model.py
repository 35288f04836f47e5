"""The promises of docs/threat-model.md each name a test that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")


def test_every_promise_names_its_test_and_every_test_is_there() -> None:
    table = PAGE[PAGE.index("## What is promised") : PAGE.index("## What is not promised")]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 12
    for row in rows:
        *_, test, _ = row.split("|")
        assert "tests/" in test or "same" in test, row
    named = set(re.findall(r"`(tests/[\w/.]+)`", PAGE))
    assert len(named) >= 12
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_number_of_attempts_is_what_the_page_says() -> None:
    from tests.warehouse.test_sandbox_bounds import LOOSENING, READING, WRITING

    (said,) = re.findall(r"\((\d+) attempts\)", PAGE)
    assert len({*READING, *WRITING, *LOOSENING}) >= int(said)


def test_no_setting_is_a_secret() -> None:
    from jobs.settings import Settings

    def keys(schema: object) -> set[str]:
        if isinstance(schema, dict):
            own = set(schema.get("properties", {}))
            return own.union(*(keys(value) for value in schema.values()))
        return set().union(*(keys(value) for value in schema)) if isinstance(schema, list) else set()

    found = keys(Settings.model_json_schema())
    assert "schedule" in found
    assert not [key for key in found if re.search(r"password|secret|token|api_key|ping_url", key)]
