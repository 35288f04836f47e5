"""Asking UN Comtrade for the codes of the map: in portions that its limits allow, each kept in the cache.

The interface has no pages: an answer as long as the limit is cut off without a sign. So a call is halved until its
answer is shorter, and an answer at the limit is never used.
"""

from __future__ import annotations

import json
import time
import zipfile
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import polars as pl

from ground.counted import counted
from jobs.errors import InputError, SettingsError
from jobs.facts.fetch import Fetched, checksum, fetch
from jobs.facts.fetch_http import RefusedError, place_of
from jobs.suggest import did_you_mean
from warehouse.sources.comtrade_judge import REVISIONS

BASE_URL = "https://comtradeapi.un.org"
KEY_NAME = "COMTRADE_API_KEY"
_HEADER = "Ocp-Apim-Subscription-Key"
#: Partners that a reporter names for a code, as a rule: the first portions are cut by it.
_PARTNERS = 40
#: The server refuses addresses beyond 2,048 characters.
_LONGEST_URL = 1_800
#: Answers as young as this are not asked for again, so that a broken run goes on where it stopped.
_REUSED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one user may ask: records of one answer, calls of one run, seconds between calls."""

    records: int
    calls: int
    pause_s: float = 1.0


#: With a free key: 100,000 records a call and 500 calls a day. Without: the open preview of 500 records, for a look.
WITH_KEY = Limits(records=100_000, calls=500)
WITHOUT_KEY = Limits(records=500, calls=100)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: a year, a flow, and some codes of some reporters."""

    classification: str
    year: int
    flow: str
    codes: tuple[str, ...]
    reporters: tuple[str, ...]

    def halves(self) -> tuple[Call, ...]:
        """Return two smaller calls that ask the same; none where one code of one reporter is left."""
        if len(self.codes) > 1:
            at = len(self.codes) // 2
            return replace(self, codes=self.codes[:at]), replace(self, codes=self.codes[at:])
        if len(self.reporters) > 1:
            at = len(self.reporters) // 2
            return replace(self, reporters=self.reporters[:at]), replace(self, reporters=self.reporters[at:])
        return ()

    def url(self, base_url: str, path: str, records: int) -> str:
        """Return the address; totals only, since the parts of a total would count twice."""
        asked = {
            "reporterCode": ",".join(self.reporters),
            "period": self.year,
            "flowCode": self.flow,
            "cmdCode": ",".join(self.codes),
            "partner2Code": 0,
            "customsCode": "C00",
            "motCode": 0,
            "maxRecords": records,
            "includeDesc": "true",
        }
        return f"{base_url}/{path}/C/A/{self.classification}?{urlencode(asked, safe=',')}"


def gather(
    years: Sequence[int],
    reporters: Sequence[str],
    tables: Mapping[str, pl.DataFrame],
    cache: Path,
    at: datetime,
    *,
    key: str,
    base_url: str = BASE_URL,
    offline: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Fetched:
    """Ask for imports and exports of the map's codes, and return the answers as one archive.

    Args:
        years: calendar years.
        reporters: alpha-3 codes; all countries of the map where there are none.
        tables: `countries` and `hs_codes`.
        cache: folder of answers and archive.
        at: now.
        key: subscription key; empty for the open preview.
        base_url: where the interface is.
        offline: take answers of any age from the cache, without the network.
        say: told what is being asked.

    Raises:
        SettingsError: A year or reporter is not one, or all countries are asked for without a key.
        InputError: The interface refuses, or the limits are reached; what was answered is kept.
    """
    limits = WITH_KEY if key else WITHOUT_KEY
    _check(years, reporters, base_url, at, key)
    numbers = _numbers(reporters, tables["countries"])
    queue = deque(_calls(years, numbers, tables["hs_codes"], limits))
    if not key and not offline and len(queue) > limits.calls:
        raise SettingsError(_needs_key(counted(len(queue), "call")))
    path = "data/v1/get" if key else "public/v1/preview"
    answers: list[Fetched] = []
    calls = 0
    while queue:
        call = queue.popleft()
        url = call.url(base_url, path, limits.records)
        if len(url) > _LONGEST_URL:
            queue.extendleft(reversed(call.halves()))
            continue
        if calls >= limits.calls and not offline:
            raise InputError(
                f"{place_of(base_url)}: {counted(calls, 'call')} made and {len(queue) + 1} left, more than a day "
                "allows; what was answered is kept, so run it again tomorrow."
            )
        answer = _answer(url, cache, at, key, say, offline=offline)
        if not answer.from_cache:
            calls += 1
            time.sleep(limits.pause_s)
        count, is_whole = _size(answer, url)
        say(
            f"{call.year} {call.flow} {call.classification}, codes {len(call.codes)}, reporters "
            f"{len(call.reporters)}: {counted(count, 'record')}; {counted(len(queue), 'call')} left."
        )
        if is_whole and count < limits.records:
            answers.append(answer)
        elif halves := call.halves():
            queue.extendleft(reversed(halves))
        else:
            raise InputError(
                f"{place_of(url)}: one code of one reporter has {count:,} records, which is the limit or more, "
                f"so that some are missing; {'ask the UN for a wider key' if key else f'set {KEY_NAME}'}, or give the bulk file "
                "with --file."
            )
    name = f"comtrade-{'-'.join(map(str, years))}-{'-'.join(reporters).lower()[:60] or 'all'}"
    return _archive(cache / "comtrade", name, answers, f"{base_url}/{path}/C/A", is_cached=calls == 0)


def _numbers(reporters: Sequence[str], countries: pl.DataFrame) -> tuple[str, ...]:
    known: dict[str, str] = dict(countries.drop_nulls("baci_code").select("country", "baci_code").iter_rows())
    for reporter in reporters:
        if reporter not in known:
            raise SettingsError(
                f"--reporter '{reporter}' is not a country with a number in the facts{did_you_mean(reporter, known)}; write "
                "an ISO 3166 alpha-3 code such as JPN."
            )
    return tuple(known[reporter] for reporter in reporters or sorted(known))


def _check(years: Collection[int], reporters: Collection[str], base_url: str, at: datetime, key: str) -> None:
    for year in years:
        if not 1988 <= year <= at.year:
            raise SettingsError(
                f"--year {year} is not a year of UN Comtrade; write one from 1988 to {at.year}."
            )
    if len(set(years)) < len(years) or len(set(reporters)) < len(reporters):
        raise SettingsError("--year or --reporter: the same one is given twice; remove one.")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SettingsError(f"{KEY_NAME}: is not a valid key; copy it again, without blanks or line ends.")
    split = urlsplit(base_url)
    if key and split.scheme != "https" and split.hostname not in {"127.0.0.1", "localhost"}:
        raise SettingsError(f"--base-url: the key in {KEY_NAME} is only sent over https; write https://host.")
    if not key and not reporters:
        raise SettingsError(_needs_key("all countries"))


def _needs_key(asked: str) -> str:
    return (
        f"{KEY_NAME}: is not set, and without a key UN Comtrade answers for a few countries only; this would be {asked}. "
        "A free key comes from https://comtradedeveloper.un.org/; or name a few countries with --reporter, or download "
        "a file and give it with --file."
    )


def _calls(
    years: Sequence[int], reporters: tuple[str, ...], hs_codes: pl.DataFrame, limits: Limits
) -> list[Call]:
    """Return first calls whose answers should be short enough."""
    of_call = max(1, limits.records // _PARTNERS)
    found = []
    for classification, revision in REVISIONS.items():
        mapped = (
            hs_codes.filter(pl.col("hs_revision") == revision).get_column("hs6").unique().sort().to_list()
        )
        for some in _portions(reporters, of_call):
            for codes in _portions(tuple(mapped), max(1, of_call // len(some))):
                found += [Call(classification, year, flow, codes, some) for year in years for flow in "MX"]
    return found


def _portions(whole: tuple[str, ...], size: int) -> list[tuple[str, ...]]:
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def _answer(
    url: str, cache: Path, at: datetime, key: str, say: Callable[[str], None], *, offline: bool
) -> Fetched:
    headers = {_HEADER: key} if key else {}
    try:
        return fetch(url, cache, at, offline=offline, headers=headers, reuse_since=at - _REUSED, say=say)
    except RefusedError as refusal:
        if refusal.status == 401:
            raise InputError(
                f"{place_of(url)}: does not accept the key in {KEY_NAME} (401); look it up in your profile at "
                "https://comtradedeveloper.un.org/."
            ) from None
        if refusal.status == 403 and "quota" in refusal.said.lower():
            raise InputError(
                f"{place_of(url)}: the day's calls are used up ({refusal.said.rstrip('.')}); what was answered is "
                "kept, so run it again then."
            ) from None
        raise


def _size(answer: Fetched, url: str) -> tuple[int, bool]:
    """Return how many records there are, and whether the answer holds them all; an invalid answer leaves the cache."""
    try:
        content = json.loads(answer.path.read_bytes())
        data, said = content["data"], str(content.get("error") or "")
        if isinstance(data, list) and not said:
            count = int(content.get("count", len(data)))
            return max(count, len(data)), count <= len(data)
    except (ValueError, TypeError, KeyError, AttributeError):
        said = ""
    answer.path.unlink()
    raise InputError(
        f"{place_of(url)}: is not a valid answer ({said[:160] or 'no JSON with a list of data'}); run it again later, or give a "
        "file with --file."
    )


def _archive(folder: Path, name: str, answers: Sequence[Fetched], url: str, *, is_cached: bool) -> Fetched:
    """Pack the answers into one file, whose name states the day of the newest: then all of it could be known."""
    newest = max(answer.fetched_at for answer in answers)
    path = folder / f"{name}[{newest:%Y-%m-%d}].zip"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        building = path.with_suffix(".part")
        with zipfile.ZipFile(building, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, answer in enumerate(answers, start=1):
                page = zipfile.ZipInfo(f"{number:04}.json")
                page.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(page, answer.path.read_bytes())
        building.replace(path)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); free some space, or name another folder with --cache."
        ) from None
    digest, size_bytes = checksum(path)
    return Fetched(path, url, digest, size_bytes, newest, is_cached, is_length_known=True)
