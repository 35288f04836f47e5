"""Alerts: each once, to a server of this machine and to a command; nothing in quiet hours; no address on the way."""

import json
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from jobs import cli
from jobs.alerts.check import Checked, alerting, check
from jobs.alerts.found import Alert
from jobs.alerts.send import URLS_VARIABLE, Channel, channels_of, message
from jobs.errors import BusyError, CheckError, PublishError, SettingsError
from jobs.nightly.phases import Phases
from jobs.nightly.telling import Telling
from jobs.operating import AlertSettings
from jobs.output.layout import Layout
from jobs.output.lock import exclusive
from jobs.settings import build_settings
from tests.jobs.conftest import DAY
from tests.jobs.web import Web
from warehouse.database import Database

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOOK = "import os; print(os.environ['CURBLINE_ALERT_TITLE'], os.environ.get('CURBLINE_ALERT_URLS'), file=open('told', 'a'))"
ROUTE = "gallium refined CHN USA"
Publish = Callable[..., None]


class Mailbox:
    """A channel that keeps what it takes, and takes nothing while it is shut."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.shut = False
        self.channel = Channel("box", self.send)

    def send(self, title: str, text: str) -> str | None:
        if self.shut:
            return "is shut"
        self.got.append((title, text))
        return None


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(URLS_VARIABLE, raising=False)
    made = Layout(tmp_path / "out")
    made.snapshots.mkdir(parents=True)
    healthy(made)
    return made


@pytest.fixture
def publish(layout: Layout, small_root: Path) -> Publish:
    """Publish a small night with another run's id, and change its tables."""
    original = Layout(small_root).resolve_published().path

    def put(number: int, *changes: str) -> None:
        path = layout.snapshot_path(DAY, f"{number:016x}")
        shutil.copyfile(original, path)
        path.chmod(0o600)
        with Database.open(path) as night:
            night.execute("UPDATE mart.calendar SET state_before = 'suspended'")
            night.execute("ALTER TABLE meta.run ADD COLUMN since_run_id VARCHAR")
            night.execute(
                "CREATE TABLE mart.score_change (mineral VARCHAR, stage VARCHAR, exporter VARCHAR, importer VARCHAR, "
                "horizon_days BIGINT, regime VARCHAR, cause VARCHAR)"
            )
            for change in changes:
                night.execute(change)
            night.execute("CHECKPOINT")
        layout.text_pointer.write_text(f"snapshots/{path.name}\n")

    return put


def healthy(layout: Layout, **other: object) -> None:
    told = {
        "healthy": True,
        "as_of": str(DAY),
        "exit_code": 0,
        "message": None,
        "last_success_at": NOW.isoformat(),
    }
    layout.health.write_text(json.dumps(told | other))


def look(layout: Layout, box: Mailbox, hours: float = 0, **settings: object) -> Checked:
    chosen = AlertSettings.model_validate({"suspension_days": (), **settings})
    return check(layout, chosen, [box.channel], NOW + timedelta(hours=hours))


def keys(done: Checked) -> list[str]:
    return [alert.key.split(":")[0] for alert in done.new]


def test_a_failure_is_told_once_until_it_has_passed(layout: Layout, box: Mailbox) -> None:
    healthy(layout, healthy=False, exit_code=20, message="three checks failed")
    assert keys(look(layout, box)) == ["failure"]
    healthy(layout, healthy=False, exit_code=30, message="facts are gone")
    assert keys(look(layout, box)) == []
    healthy(layout)
    assert keys(look(layout, box)) == []
    healthy(layout, healthy=False, exit_code=20, message="again")
    assert keys(look(layout, box)) == ["failure"]
    assert [title for title, _ in box.got] == ["Curbline: the nightly run failed"] * 2
    assert "ended with 20: three checks failed\n  Look closer: curbline status --out" in box.got[0][1]
    assert keys(look(layout, box, failure=False)) == []


def test_no_success_for_so_many_hours(layout: Layout, box: Mailbox) -> None:
    assert keys(look(layout, box, 36)) == []
    assert keys(look(layout, box, 36.1)) == ["no_success"]
    assert keys(look(layout, box, 60)) == []
    assert "for 36 hours; the last one was at 2026-11-23 12:00 UTC" in box.got[0][1]
    layout.health.write_text("not json")  # unknown is no success
    assert keys(look(layout, box)) == ["no_success"]
    assert "none is on record" in box.got[1][1]


def test_a_suspension_is_told_at_each_of_the_days_once(
    layout: Layout, box: Mailbox, publish: Publish
) -> None:
    publish(1)  # it ends on 2026-11-28, in five days
    days: dict[str, Any] = {"suspension_days": (30, 7, 1), "no_success_hours": None}
    found = [
        keys(look(layout, box, hours, **days))
        for hours in (-24 * 20, -24 * 19, 0, 1, 24 * 4, 24 * 4.2, 24 * 6)
    ]
    assert found == [["suspension"], [], ["suspension"], [], ["suspension"], [], []]
    assert "ends in 25 days, on 2026-11-28: suspension ends" in box.got[0][1]
    assert "ends tomorrow" in box.got[2][1]


def test_a_damaged_file_is_told_once_and_brings_no_suspension_back(
    layout: Layout, box: Mailbox, publish: Publish
) -> None:
    publish(1)
    assert keys(look(layout, box, suspension_days=(7,))) == ["suspension"]
    pointed = layout.pointed()
    assert pointed is not None
    whole = pointed.path.read_bytes()
    pointed.path.write_bytes(b"garbage")
    assert keys(look(layout, box, suspension_days=(7,))) == ["damage"]
    assert keys(look(layout, box, suspension_days=(7,))) == []
    pointed.path.write_bytes(whole)
    assert keys(look(layout, box, suspension_days=(7,))) == []


def test_watched_bands(layout: Layout, box: Mailbox, publish: Publish) -> None:
    watched: dict[str, Any] = {"routes": (ROUTE,), "importers": ("JPN",)}
    publish(1)
    first = look(layout, box, **watched)
    assert keys(first) == []  # the first look has nothing to compare with
    publish(2, "UPDATE mart.route_score SET active_band = 'critical' WHERE importer = 'USA'",
            "UPDATE mart.route_score SET active_band = 'low' WHERE importer = 'DEU'")  # fmt: skip
    assert [alert.reason for alert in look(layout, box, **watched).new] == [
        f"{ROUTE}: the band is critical, it was moderate (as of 2026-11-23)."
    ]
    assert keys(look(layout, box, **watched)) == []
    publish(3, "UPDATE mart.route_score SET active_band = NULL WHERE importer = 'USA'")
    assert "the band is unknown, it was critical" in look(layout, box, **watched).new[0].reason
    assert f"curbline explain {ROUTE} --out" in box.got[-1][1]


def test_a_watched_importer(layout: Layout, box: Mailbox, publish: Publish) -> None:
    publish(1)
    look(layout, box, importers=("USA",))
    publish(2, "UPDATE mart.importer_score SET active_band = 'critical'")
    (alert,) = look(layout, box, importers=("USA",)).new
    assert alert.reason.startswith("gallium refined all USA: the band is critical")


def test_what_is_watched_and_not_there_is_named(layout: Layout, box: Mailbox, publish: Publish) -> None:
    publish(1)
    notes = look(layout, box, routes=("gallium refined CHN XXX",), importers=("ZZZ",)).notes
    assert [note.split("'")[1] for note in notes] == ["gallium refined CHN XXX", "ZZZ"]


def test_a_slow_rise_of_money_missing_is_told_in_the_end(
    layout: Layout, box: Mailbox, publish: Publish
) -> None:
    found = []
    for number, usd in enumerate((160, 220, 150, 249, 251, 300, 352)):
        publish(number, f"UPDATE mart.exposure SET expected_missing_usd = {usd} WHERE importer = '*'")
        found.append(keys(look(layout, box, missing_usd_up=100)))
    assert found == [[], [], [], [], ["missing_usd"], [], ["missing_usd"]]
    assert "251 USD are expected to be missing over 365 days, 101 more" in box.got[0][1]


def test_many_moves(layout: Layout, box: Mailbox, publish: Publish) -> None:
    rows = [f"('gallium', 'refined', 'CHN', '{to}', 365, 'active', '{cause}')"
            for to, cause in (("USA", "facts"), ("USA", "law"), ("DEU", "facts"))]  # fmt: skip
    rows += ["('gallium', 'refined', '*', 'FRA', 365, 'active', 'facts')"]
    changes = (
        f"INSERT INTO mart.score_change VALUES {', '.join(rows)}",
        "UPDATE meta.run SET since_run_id = '4f0c'",
    )
    publish(1, *changes)
    assert keys(look(layout, box, moved_share=0.4)) == []  # two of five
    publish(2, *changes)
    (alert,) = look(layout, box, moved_share=0.39).new
    assert alert.reason.startswith("2 of 5 routes moved (40.0%)")
    assert alert.command.startswith(f"curbline diff 4f0c {2:016x} --out")
    assert keys(look(layout, box, moved_share=0.39)) == []


def test_quiet_hours_keep_what_lasts_and_drop_what_has_passed(
    layout: Layout, box: Mailbox, publish: Publish
) -> None:
    quiet: dict[str, Any] = {
        "quiet": "22:00-06:00",
        "zone": "Europe/Berlin",
        "no_success_hours": None,
        "routes": (ROUTE,),
    }
    publish(1)
    look(layout, box, **quiet)
    publish(2, "UPDATE mart.route_score SET active_band = 'critical' WHERE importer = 'USA'")
    healthy(layout, healthy=False, exit_code=50, message="full")
    held = look(layout, box, 9, **quiet)  # 21:00 UTC is 22:00 in Berlin
    assert (keys(held), held.sent, held.waiting, box.got) == (["failure", "band"], 0, 2, [])
    healthy(layout)
    assert look(layout, box, 16.9, **quiet).waiting == 1
    done = look(layout, box, 17, **quiet)  # 06:00 in Berlin
    assert (keys(done), done.sent, done.waiting) == ([], 1, 0)
    assert [title for title, _ in box.got] == ["Curbline: a band changed"]


def test_what_one_channel_does_not_take_is_sent_to_it_again(layout: Layout, box: Mailbox) -> None:
    other = Mailbox()
    other.channel = Channel("other", other.send)
    other.shut = True
    healthy(layout, healthy=False, exit_code=50, message="full")
    for shut, faults in ((True, ["other: is shut"]), (True, ["other: is shut"]), (False, []), (False, [])):
        other.shut = shut
        done = check(layout, AlertSettings(), [box.channel, other.channel], NOW)
        assert done.faults == faults
    assert (len(box.got), len(other.got)) == (1, 1)


def test_what_cannot_be_remembered_is_not_sent(
    layout: Layout, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    healthy(layout, healthy=False, exit_code=50, message="full")
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(PublishError, match=r"alerts\.json: cannot be written \(No space left"):
        look(layout, box)
    assert box.got == []


def test_a_second_check_waits(layout: Layout, box: Mailbox) -> None:
    with exclusive(layout.alerts_lock, since=NOW), pytest.raises(BusyError):
        look(layout, box)


def test_a_broken_memory_is_named_and_starts_anew(layout: Layout, box: Mailbox) -> None:
    layout.alerts.write_text('{"told": 3}')
    assert "starts anew" in look(layout, box).notes[0]
    assert "starts anew" not in "".join(look(layout, box).notes)


def test_many_alerts_are_one_message() -> None:
    alerts = [Alert(f"k{n}", "a band changed", f"route {n}", "curbline status") for n in range(23)]
    title, text = message(alerts)
    assert title == "Curbline: a band changed"
    assert text.count("Look closer") == 1
    assert text.endswith("… and 3 more.")


def test_services_through_apprise(
    layout: Layout, web: Web, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{web.server_port}"
    monkeypatch.setenv(URLS_VARIABLE, f"json://{address}/hidden-good json://{address}/hidden-bad")
    web.scripts["/hidden-good"] = lambda visit, _: visit.reply(200)
    web.scripts["/hidden-bad"] = lambda visit, count: visit.reply(200 if count else 500)
    healthy(layout, healthy=False, exit_code=20, message="three checks failed", last_success_at=None)
    arguments = ["alerts", "check", "--out", str(layout.root)]
    assert [cli.main(arguments) for _ in range(3)] == [50, 10, 10]  # 10: nothing is published
    assert [path for path, _ in web.asked] == ["/hidden-good", "/hidden-bad", "/hidden-bad"]
    sent = json.loads(web.bodies[0])
    assert sent["title"] == "Curbline: the nightly run failed, no successful run"
    assert "three checks failed" in sent["message"]
    told = capfd.readouterr()
    assert "Not sent to service 2: did not take the message; the next check tries again." in told.err
    assert "hidden" not in told.out + told.err + layout.alerts.read_text()


def test_the_test_goes_to_everybody(
    layout: Layout, web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(URLS_VARIABLE, f"json://127.0.0.1:{web.server_port}/a")
    web.scripts["/a"] = lambda visit, _: visit.reply(200)
    hook = json.dumps([sys.executable, "-c", HOOK])
    Path("curbline.toml").write_text(f'[alerts]\nquiet = "00:00-23:59"\ncommand = {hook}\n')
    assert cli.main(["alerts", "test"]) == 0
    assert capsys.readouterr().out == "service 1: sent\ncommand: sent\n"
    assert "Nothing is wrong" in json.loads(web.bodies[0])["message"]
    assert Path("told").read_text() == "Curbline: test None\n"  # the command is not given the addresses
    Path("curbline.toml").write_text('[alerts]\ncommand = ["no-such-program"]\n')
    assert cli.main(["alerts", "test"]) == 50
    assert "no-such-program could not be started (No such file or directory)" in capsys.readouterr().out
    assert not layout.alerts.exists()


def test_addresses_that_are_none_are_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="alerts go nowhere: set CURBLINE_ALERT_URLS"):
        channels_of(AlertSettings(), {})
    with pytest.raises(SettingsError, match="address 2 is of no service") as refused:
        channels_of(AlertSettings(), {URLS_VARIABLE: "json://127.0.0.1/x nope://secret"})
    assert "secret" not in str(refused.value)
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(SettingsError, match=r"pip install 'curbline\[alerts\]'"):
        channels_of(AlertSettings(), {URLS_VARIABLE: "json://127.0.0.1/x"})


@pytest.mark.parametrize(("declared", "told"), [(True, True), (False, False)])
def test_a_night_that_fails_is_told_where_the_settings_declare_alerts(
    layout: Layout, declared: bool, told: bool
) -> None:
    values = {"alerts": {"command": [sys.executable, "-c", HOOK]}} if declared else {}
    settings = build_settings({**values, "out": str(layout.root)}, base=Path.cwd(), origin=None, text="")
    phases = Phases(Console(stderr=True))
    with (
        pytest.raises(CheckError),
        alerting(settings, layout, lambda: NOW),
        Telling(layout, settings.tell, phases, DAY, lambda: NOW),
    ):
        raise CheckError("three checks failed")
    assert Path("told").exists() is told
    if told:
        assert Path("told").read_text() == "Curbline: the nightly run failed None\n"


def test_a_night_ends_as_it_ends_where_alerts_go_nowhere(
    layout: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    settings = build_settings({"alerts": {}, "out": str(layout.root)}, base=Path.cwd(), origin=None, text="")
    with alerting(settings, layout, lambda: NOW):
        pass
    assert "alerts were not checked: alerts go nowhere" in caplog.text


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("quiet", "22h-06h", "two times with a hyphen"),
        ("quiet", "06:00-06:00", "begin when they end"),
        ("routes", ["gallium"], "'gallium' is no route; write mineral, stage"),
        ("zone", "Mars", "no such time zone"),
        ("urls", ["x"], "unknown key 'alerts.urls'"),
    ],
)
def test_wrong_settings_are_named(key: str, value: object, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        build_settings({"alerts": {key: value}}, base=Path.cwd(), origin=None, text="")
