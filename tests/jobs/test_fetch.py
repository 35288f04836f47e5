"""Fetching, against a server of our own that does what servers do on bad days."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.errors import BusyError, ExitCode, InputError, SettingsError
from jobs.facts.fetch import Fetched, default_cache, fetch, public_url
from jobs.facts.fetch_http import Patience
from jobs.output.lock import exclusive
from tests.jobs.web import Script, Visit, Web, serving

pytestmark = pytest.mark.usefixtures("only_this_machine")
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
QUICK = Patience(connect_s=1, read_s=0.2, total_s=5, tries=3, first_wait_s=0.01, longest_wait_s=3)
BODY = b"t,i,j,k,v,q\n" + b"2024,104,156,284690,1.5,2\n" * 4000
SUM = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between tries; nothing is waited."""
    asked: list[float] = []
    monkeypatch.setattr("jobs.facts.fetch_http.time.sleep", asked.append)
    return asked


def well(body: bytes = BODY, **headers: str) -> Script:
    return lambda visit, _: visit.reply(200, body, **headers)


def take(web: Web, cache: Path, path: str = "/f.csv", **more: object) -> Fetched:
    given: dict[str, object] = {"patience": QUICK, **more}
    return fetch(web.url(path), cache, AT, **given)  # type: ignore[arg-type]


def test_a_file_arrives_with_its_checksum_beside_it(web: Web, tmp_path: Path) -> None:
    web.scripts["/data/f.csv"] = well(ETag='"1"')
    done = fetch(web.url("/data/f.csv?year=2024"), tmp_path, AT, sha256=SUM.upper(), patience=QUICK)
    assert (done.path.read_bytes(), done.path.name) == (BODY, "f.csv")
    assert (done.sha256, done.size_bytes, done.from_cache, done.fetched_at) == (SUM, len(BODY), False, AT)
    note = json.loads((done.path.parent / ".fetched.json").read_text(encoding="utf-8"))
    assert (note["sha256"], note["url"]) == (SUM, web.url("/data/f.csv?year=2024"))
    assert web.asked[0][1]["User-Agent"].startswith("curbline/")
    assert sorted(p.name for p in done.path.parent.iterdir()) == [".fetched.json", ".lock", "f.csv"]


def test_a_long_wait_is_told_about(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.facts.fetch_http._TOLD_BYTES", 50_000)
    web.scripts["/f.csv"] = well()
    said: list[str] = []
    take(web, tmp_path, say=said.append)
    assert len(said) == len(BODY) // 50_000 == 2
    assert said[0].startswith(f"127.0.0.1:{web.server_port}/f.csv: ")


def test_the_server_names_the_file(web: Web, tmp_path: Path) -> None:
    web.scripts["/get"] = well(Content_Disposition='attachment; filename="../x/BACI HS92.csv"')
    assert take(web, tmp_path, "/get").path.name == "BACI HS92.csv"


def test_a_second_time_nothing_is_taken_where_nothing_changed(web: Web, tmp_path: Path) -> None:
    def script(visit: Visit, _: int) -> None:
        if visit.headers["If-None-Match"] == '"1"' and visit.headers["If-Modified-Since"]:
            visit.reply(304)
        else:
            visit.reply(200, BODY, ETag='"1"', Last_Modified="Fri, 30 Jan 2026 10:00:00 GMT")

    web.scripts["/f.csv"] = script
    first = take(web, tmp_path)
    again = fetch(web.url("/f.csv"), tmp_path, AT + timedelta(days=9), patience=QUICK)
    assert again == replace(first, from_cache=True), "the day is that on which the content came"
    first.path.write_bytes(BODY[:-1])  # rot on the disk
    assert not take(web, tmp_path).from_cache
    assert len(web.asked) == 3


def test_offline_asks_nobody(web: Web, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not in the cache"):
        take(web, tmp_path, offline=True)
    assert not web.asked
    web.scripts["/f.csv"] = well()
    take(web, tmp_path)
    assert take(web, tmp_path, offline=True).from_cache
    assert take(web, tmp_path, reuse_since=AT).from_cache
    assert len(web.asked) == 1
    assert not take(web, tmp_path, reuse_since=AT + timedelta(seconds=1)).from_cache
    with pytest.raises(InputError, match="checksum"):
        take(web, tmp_path, offline=True, sha256="0" * 64)


def test_an_older_copy_stays_when_the_new_one_cannot_be_had(web: Web, tmp_path: Path) -> None:
    web.scripts["/f.csv"] = well()
    take(web, tmp_path)
    web.scripts["/f.csv"] = lambda visit, _: visit.cut(BODY, 10)
    with pytest.raises(InputError, match="breaks off"):
        take(web, tmp_path)
    assert take(web, tmp_path, offline=True).sha256 == SUM


def ranged(visit: Visit, count: int, *, etag: str = '"1"') -> None:
    """Hang up half-way the first time, then send the rest that is asked for."""
    start = int(visit.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
    if count == 0:
        visit.cut(BODY, 60_000, ETag=etag)
    elif start and visit.headers["If-Range"] == etag:
        rest = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
        visit.reply(206, BODY[start:], ETag=etag, Content_Range=rest)
    else:
        visit.reply(200, BODY, ETag=etag)


def test_a_body_cut_off_is_resumed(web: Web, tmp_path: Path) -> None:
    web.scripts["/f.csv"] = ranged
    assert take(web, tmp_path).sha256 == SUM
    assert web.asked[1][1]["Range"] == "bytes=60000-"


def test_a_part_outlives_the_process(web: Web, tmp_path: Path) -> None:
    web.scripts["/f.csv"] = ranged
    with pytest.raises(InputError, match="breaks off before the end, at the last of 1 tries"):
        take(web, tmp_path, patience=replace(QUICK, tries=1))
    assert take(web, tmp_path).sha256 == SUM
    assert web.asked[1][1]["Range"] == "bytes=60000-"


def test_a_file_that_changed_meanwhile_is_taken_anew(web: Web, tmp_path: Path) -> None:
    new = BODY.replace(b"1.5", b"2.5")

    def script(visit: Visit, count: int) -> None:
        if count == 0:
            visit.cut(BODY, 60_000, ETag='"1"')
        else:
            assert visit.headers["If-Range"] == '"1"'
            visit.reply(200, new, ETag='"2"')

    web.scripts["/f.csv"] = script
    assert take(web, tmp_path).path.read_bytes() == new


@pytest.mark.parametrize("mark", [{}, {"ETag": 'W/"1"'}])
def test_without_a_strong_mark_nothing_is_pieced_together(
    web: Web, tmp_path: Path, mark: dict[str, str]
) -> None:
    def script(visit: Visit, count: int) -> None:
        if count == 0:
            visit.cut(BODY, 60_000, **mark)
        else:
            assert "Range" not in visit.headers
            visit.reply(200, BODY, **mark)

    web.scripts["/f.csv"] = script
    assert take(web, tmp_path).sha256 == SUM


@pytest.mark.parametrize("status", [206, 416])
def test_a_wrong_rest_is_not_appended(web: Web, tmp_path: Path, status: int) -> None:
    def script(visit: Visit, count: int) -> None:
        if count == 0:
            visit.cut(BODY, 60_000, ETag='"1"')
        elif count == 1:
            visit.reply(status, BODY[5:], Content_Range=f"bytes 5-{len(BODY) - 1}/{len(BODY)}")
        else:
            visit.reply(200, BODY)

    web.scripts["/f.csv"] = script
    assert take(web, tmp_path).sha256 == SUM


def test_a_redirect_is_followed_and_a_key_stays_with_its_host(web: Web, tmp_path: Path) -> None:
    with serving() as other:
        other.scripts["/new/f.csv"] = well()
        web.scripts["/f.csv"] = lambda visit, _: visit.reply(302, Location="/moved")
        web.scripts["/moved"] = lambda visit, _: visit.reply(307, Location=other.url("/new/f.csv"))
        assert take(web, tmp_path, headers={"Ocp-Apim-Subscription-Key": "secret"}).sha256 == SUM
        assert web.asked[1][1]["Ocp-Apim-Subscription-Key"] == "secret"
        assert "Ocp-Apim-Subscription-Key" not in other.asked[0][1]


def test_waits_as_long_as_the_server_asks(web: Web, tmp_path: Path, waits: list[float]) -> None:
    def script(visit: Visit, count: int) -> None:
        if count == 0:
            visit.reply(429, b'{"message": "Rate limit is exceeded."}', Retry_After="2")
        elif count == 1:
            visit.reply(503)
        else:
            visit.reply(200, BODY)

    said: list[str] = []
    web.scripts["/f.csv"] = script
    assert take(web, tmp_path, say=said.append).sha256 == SUM
    assert waits == [2, 0.02]
    assert "answers 429 (Too Many Requests); trying again in 2 s." in said[0]


def test_gzip_for_the_journey_is_taken_off(web: Web, tmp_path: Path) -> None:
    web.scripts["/f.csv"] = well(gzip.compress(BODY), Content_Encoding="gzip", Content_Type="text/csv")
    assert take(web, tmp_path, sha256=SUM).path.read_bytes() == BODY


def test_a_length_that_nobody_told(web: Web, tmp_path: Path) -> None:
    def script(visit: Visit, count: int) -> None:
        visit.protocol_version = "HTTP/1.0"
        visit.send_response(200)
        visit.end_headers()
        visit.wfile.write(BODY)
        visit.close_connection = True

    def chunked(visit: Visit, count: int) -> None:
        size = BODY if count else BODY[:1000]
        frame = b"%x\r\n%b\r\n" % (len(size), size)
        visit.reply(200, frame + (b"0\r\n\r\n" if count else b""), Transfer_Encoding="chunked")
        visit.close_connection = True

    web.scripts["/f.csv"] = script
    done = take(web, tmp_path)
    assert (done.sha256, done.is_length_known) == (SUM, False)
    web.scripts["/chunked.csv"] = chunked
    done = take(web, tmp_path, "/chunked.csv")
    assert (done.sha256, done.is_length_known) == (SUM, True)


def stalls(visit: Visit, _: int) -> None:
    visit.reply(200, BODY[:100], Content_Length=str(len(BODY)))
    visit.server.let_go.wait(5)


def trickles(visit: Visit, _: int) -> None:
    visit.reply(200, b"", Content_Length=str(len(BODY)))
    for at in range(len(BODY)):
        visit.wfile.write(BODY[at : at + 1])
        time.sleep(0.02)


FAULTS: dict[str, tuple[Script, str]] = {
    "stall": (stalls, "sent nothing for 0.2 s, at the last of 3 tries"),
    "cut": (lambda v, _: v.cut(BODY, 100), "breaks off before the end, at the last of 3 tries"),
    "loop": (lambda v, _: v.reply(302, Location="/f.csv"), "leads on to other addresses more than 5 times"),
    "scheme": (lambda v, _: v.reply(302, Location="file:///etc/hosts"), "leads on from http to 'file'"),
    "no address": (lambda v, _: v.reply(302, Location="http://[1/f.csv"), "is not an address, or leads on to none"),
    "throttle": (lambda v, _: v.reply(429, Retry_After="3600"), "asks to wait 3,600 s"),
    "until": (lambda v, _: v.reply(503, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT"), "asks to wait"),
    "down": (lambda v, _: v.reply(503), r"answers 503 \(Service Unavailable\), at the last of 3 tries"),
    "forbidden": (lambda v, _: v.reply(403, b"<html>no</html>"), r"answers 403 \(Forbidden\); it may require a login"),
    "missing": (lambda v, _: v.reply(404), r"answers 404 \(Not Found\); the file is not there"),
    "page": (well(b"\n<!DOCTYPE html><html></html>", Content_Type="text/csv"), "is a web page"),
    "packed": (well(BODY, Content_Encoding="br"), "is compressed as 'br'"),
    "broken gzip": (well(gzip.compress(BODY)[:-9], Content_Encoding="gzip"), "gzip compression is broken"),
    "large": (well(BODY * 3), "is larger than 200,000 bytes"),
    "bomb": (well(gzip.compress(BODY * 3), Content_Encoding="gzip"), "is larger than 200,000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_sentence(web: Web, tmp_path: Path, fault: str) -> None:
    script, says = FAULTS[fault]
    web.scripts["/f.csv"] = script
    started = time.monotonic()
    with pytest.raises(InputError, match=says) as caught:
        fetch(web.url("/f.csv?token=abc"), tmp_path, AT, patience=replace(QUICK, max_bytes=200_000))
    assert time.monotonic() - started < 2
    assert caught.value.code == ExitCode.INPUT
    assert str(caught.value).startswith(f"127.0.0.1:{web.server_port}/f.csv: ")
    assert "abc" not in str(caught.value)
    assert not list(tmp_path.rglob("f.csv"))


def test_a_trickle_ends_too(web: Web, tmp_path: Path) -> None:
    web.scripts["/f.csv"] = trickles
    with pytest.raises(InputError, match=r"is not there after 0\.3 s"):
        take(web, tmp_path, patience=replace(QUICK, total_s=0.3))


def test_https_never_becomes_http(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A server with a certificate would need one; the wire is replaced, the rule is not.
    import urllib3

    heads = urllib3.HTTPHeaderDict({"Location": "http://127.0.0.1/f.csv"})
    moved = urllib3.HTTPResponse(status=301, headers=heads, preload_content=False)
    monkeypatch.setattr(urllib3.PoolManager, "request", lambda *_, **__: moved)
    with pytest.raises(InputError, match="leads on from https to 'http'"):
        fetch("https://127.0.0.1/f.csv", tmp_path, AT, patience=QUICK)


def test_another_file_than_the_checksum_says(web: Web, tmp_path: Path) -> None:
    web.scripts["/f.csv"] = well()
    with pytest.raises(InputError, match=f"has the checksum {SUM}, not {'0' * 64}"):
        take(web, tmp_path, sha256="0" * 64)
    assert not list(tmp_path.rglob("f.csv"))


def test_nobody_there(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match="cannot be reached, at the last of 3 tries"):
        fetch(f"http://127.0.0.1:{port}/f.csv", tmp_path, AT, patience=QUICK)
    with pytest.raises(InputError, match="name of the host is not known"):
        fetch("http://nowhere.invalid/f.csv", tmp_path, AT, patience=QUICK)


def test_a_certificate_that_nobody_trusts(web: Web, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no safe connection"):
        fetch(web.url("/f.csv").replace("http:", "https:"), tmp_path, AT, patience=QUICK)


def test_the_proxy_of_the_environment(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", web.url("").replace("//", "//me:secret@"))
    web.scripts["http://data.invalid/f.csv"] = well()
    assert fetch("http://data.invalid/f.csv", tmp_path, AT, patience=QUICK).sha256 == SUM
    assert web.asked[0][1]["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    "url",
    ["ftp://h/f.csv", "file:///etc/hosts", "f.csv", "http:///f", "http://h:99999/f", "http://h/a b", ""],
)
def test_only_web_addresses(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="is not an address"):
        fetch(url, tmp_path, AT)


def test_secrets_stay_out_of_messages_and_notes(web: Web, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="password") as caught:
        fetch("http://me:hunter2@h/f.csv", tmp_path, AT)
    assert "hunter2" not in str(caught.value)
    assert public_url("https://h/f?id=7&subscription-key=abc#x") == "https://h/f?id=7&subscription-key="
    web.scripts["/f.csv"] = well()
    done = fetch(web.url("/f.csv?token=abc"), tmp_path, AT, headers={"X-Key": "xyz"}, patience=QUICK)
    written = [p.read_text(encoding="utf-8") for p in done.path.parent.iterdir()]
    assert not any("abc" in text or "xyz" in text for text in written)


def test_other_wrong_settings(web: Web, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="64 hexadecimal digits"):
        take(web, tmp_path, sha256="12")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="--cache"):
        take(web, tmp_path / "file")


def test_two_at_once_do_not_mix(web: Web, tmp_path: Path) -> None:
    web.scripts["/f.csv"] = well()
    folder = take(web, tmp_path).path.parent
    with exclusive(folder / ".lock", since=AT), pytest.raises(BusyError, match="--cache"):
        take(web, tmp_path)


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "curbline"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == Path.home() / ".cache" / "curbline"
