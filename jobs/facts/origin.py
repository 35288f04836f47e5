"""Where the file of an import comes from: the disk, an address, or the interface of UN Comtrade."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jobs.errors import InputError, SettingsError
from jobs.facts.comtrade_api import BASE_URL, KEY_NAME, gather
from jobs.facts.fetch import Fetched, check_written, checksum, compare, default_cache, fetch
from jobs.facts.importing import read_map


@dataclass(frozen=True, slots=True)
class Origin:
    """What the user named; empty where it was left out.

    Attributes:
        file: file on the disk.
        url: address of the file.
        sha256: checksum that it must have.
        cache: folder of fetched files; the user's cache folder where it is not named.
        offline: take what is in the cache, without the network.
        years: years to ask UN Comtrade for.
        reporters: countries to ask for.
        base_url: where the interface of UN Comtrade is.
    """

    file: Path | None = None
    url: str = ""
    sha256: str = ""
    cache: Path | None = None
    offline: bool = False
    years: tuple[int, ...] = ()
    reporters: tuple[str, ...] = ()
    base_url: str = ""


def obtain(
    source: str, origin: Origin, at: datetime, say: Callable[[str], None]
) -> tuple[Path, Fetched | None]:
    """Return the file, and where it came from if it was fetched.

    Raises:
        SettingsError: Not exactly one origin is named, or an option that does not go with it.
        InputError: The file cannot be had, or has another checksum.
    """
    _check(source, origin)
    cache = origin.cache or default_cache()
    if origin.url:
        found = fetch(origin.url, cache, at, sha256=origin.sha256, offline=origin.offline, say=say)
        return found.path, found
    if origin.years:
        asked = gather(
            origin.years,
            origin.reporters,
            read_map(),
            cache,
            at,
            key=os.environ.get(KEY_NAME, "").strip(),
            base_url=(origin.base_url or BASE_URL).rstrip("/"),
            offline=origin.offline,
            say=say,
        )
        return asked.path, asked
    if origin.file is None:
        raise AssertionError
    if origin.sha256:
        try:
            compare(origin.file.name, checksum(origin.file)[0], origin.sha256)
        except OSError as error:
            raise InputError(
                f"{origin.file.name}: cannot be read: {error.strerror}; check the file."
            ) from None
    return origin.file, None


def _check(source: str, origin: Origin) -> None:
    check_written(origin.sha256)
    ways = {"--file": origin.file is not None, "--url": bool(origin.url), "--year": bool(origin.years)}
    given = [way for way, is_given in ways.items() if is_given]
    if len(given) != 1:
        said = f"{' and '.join(given)} are given" if given else "no file is named"
        raise SettingsError(
            f"facts import: {said}; give one of --file PATH, --url URL and, for comtrade, --year YEAR."
        )
    if origin.years and source != "comtrade":
        raise SettingsError(f"--year: goes with comtrade, not with {source}; give --file or --url.")
    goes_with = {
        "--sha256": (bool(origin.sha256), ("--file", "--url")),
        "--cache": (origin.cache is not None, ("--url", "--year")),
        "--offline": (origin.offline, ("--url", "--year")),
        "--reporter": (bool(origin.reporters), ("--year",)),
        "--base-url": (bool(origin.base_url), ("--year",)),
    }
    for option, (is_given, partners) in goes_with.items():
        if is_given and given[0] not in partners:
            raise SettingsError(
                f"{option}: goes with {' or '.join(partners)}, not with {given[0]}; leave one out."
            )
