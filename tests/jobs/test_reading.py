"""A published file of another version is named as such; a fault of this one stays a fault."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs.commands.options import reading
from jobs.errors import InputError
from jobs.output.identity import code_version
from jobs.settings import load_settings
from warehouse.database import Database
from warehouse.errors import LackingError


@pytest.mark.parametrize(("version", "kind"), [("0.0.1", InputError), (None, LackingError)])
def test_what_a_file_lacks_is_told_by_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, kind: type[Exception]
) -> None:
    path = tmp_path / "curbline-2026-11-01-abc.duckdb"
    with Database.open(path, read_only=False) as made:
        made.execute("CREATE SCHEMA meta; CREATE TABLE meta.run (code_version VARCHAR)")
        made.execute("INSERT INTO meta.run VALUES ($version)", {"version": version or code_version()})
    snapshot = SimpleNamespace(path=path, as_of=date(2026, 11, 1))
    monkeypatch.setattr("jobs.commands.options.published", lambda _settings, _run: snapshot)
    with pytest.raises(kind) as told, reading(load_settings(), None) as reader:
        reader.query("SELECT is_unverified FROM meta.run")
    assert ("curbline run --as-of 2026-11-01" in str(told.value)) == (kind is InputError)
