"""What is told of a night, on files, to hooks and to a server of this machine."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from jobs.errors import BusyError, CheckError
from jobs.nightly.phases import Phases
from jobs.nightly.telling import PING_VARIABLE, Telling
from jobs.operating import TellSettings
from jobs.output.layout import Layout
from tests.jobs.web import Web

DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
HOOK = "import os; print({k: v for k, v in os.environ.items() if k.startswith('CURBLINE_')}, file=open('told', 'a'))"


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.delenv(PING_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    return Layout(tmp_path)


@pytest.fixture
def night(layout: Layout) -> Callable[..., None]:
    def run(problem: Exception | None = None, *, moved: bool = True) -> None:
        phases = Phases(Console(stderr=True), run_id="4f0c")
        hook = (sys.executable, "-c", HOOK)
        settings = TellSettings(on_success=(*hook, "good"), on_failure=(*hook, "bad"))
        with Telling(layout, settings, phases, DAY, lambda: NOW) as telling:
            with phases.phase("facts"):
                pass
            if problem is not None:
                raise problem
            telling.code, telling.pointer_moved, telling.found = 10, moved, {"high": 3}

    return run


def health(layout: Layout) -> dict[str, object]:
    found: dict[str, object] = json.loads(layout.health.read_text())
    return found


def metrics(layout: Layout) -> dict[str, float]:
    families = text_string_to_metric_families(layout.metrics.read_text())
    return {
        "/".join([sample.name, *sample.labels.values()]): sample.value
        for one in families
        for sample in one.samples
    }


def test_a_good_night(layout: Layout, night: Callable[..., None]) -> None:
    night()
    told = health(layout)
    assert (told["healthy"], told["exit_code"], told["run_id"]) == (True, 10, "4f0c")
    assert told["last_success_at"] == NOW.isoformat()
    assert list(told["phases"]) == ["facts"]  # type: ignore[call-overload]
    figures = metrics(layout)
    assert figures["curbline_last_run_exit_code"] == 10
    assert figures["curbline_last_success_timestamp_seconds"] == NOW.timestamp()
    assert figures["curbline_routes/high"] == 3
    assert "curbline_phase_seconds/facts" in figures
    assert "curbline_nights_left" not in figures  # nothing is published, so that a night's size is unknown
    lines = [json.loads(line) for line in layout.log.read_text().splitlines()]
    assert [(line["event"], line["run_id"]) for line in lines] == [
        ("started", "4f0c"), ("phase", "4f0c"), ("ended", "4f0c"),
    ]  # fmt: skip
    assert "'CURBLINE_EXIT_CODE': '10'" in Path("told").read_text()


def test_failures_are_counted_and_the_last_success_stays(layout: Layout, night: Callable[..., None]) -> None:
    night()
    for _ in range(2):
        with pytest.raises(CheckError):
            night(CheckError("three checks failed"))
    told = health(layout)
    assert (told["healthy"], told["exit_code"], told["failures_since"]) == (False, 20, 2)
    assert (told["message"], told["last_success_at"]) == ("three checks failed", NOW.isoformat())
    assert metrics(layout)["curbline_failures_since_success"] == 2
    assert "'CURBLINE_MESSAGE': 'three checks failed'" in Path("told").read_text().splitlines()[-1]


def test_a_second_start_and_a_replay_say_nothing_of_the_nights(
    layout: Layout, night: Callable[..., None]
) -> None:
    with pytest.raises(BusyError):
        night(BusyError("another run is under way"))
    night(moved=False)
    assert not layout.health.exists()
    assert not Path("told").exists()
    assert [json.loads(line)["exit_code"] for line in layout.log.read_text().splitlines() if "exit_code" in line] == [75, 10]  # fmt: skip


def test_a_ping_is_sent_and_its_address_is_never_written(
    layout: Layout,
    night: Callable[..., None],
    web: Web,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(PING_VARIABLE, web.url("/secret"))
    night()
    with pytest.raises(CheckError):
        night(CheckError("x"))
    assert [path for path, _ in web.asked] == ["/secret", "/secret/fail"]
    monkeypatch.setenv(PING_VARIABLE, "http://127.0.0.1:9/secret")
    night()
    monkeypatch.setenv(PING_VARIABLE, "file:///etc/secret")
    night()
    assert "the ping could not be told of this night" in caplog.text
    assert "is no address of http or https" in caplog.text
    assert "secret" not in caplog.text + layout.log.read_text() + layout.health.read_text()


def test_a_hook_that_fails_or_is_missing_changes_nothing(
    layout: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    for command in ([sys.executable, "-c", "raise SystemExit(3)"], ["/nowhere/hook"]):
        phases = Phases(Console(stderr=True))
        with Telling(layout, TellSettings(on_success=tuple(command)), phases, DAY, lambda: NOW):
            pass
    assert "ended with exit code 3" in caplog.text
    assert "the hook could not be told of this night (FileNotFoundError)" in caplog.text
    assert health(layout)["healthy"] is True
