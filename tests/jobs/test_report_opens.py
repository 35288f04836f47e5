"""Chromium opens the report from disk; it is skipped, and counted, where there is no Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from jobs.report.build import Report, build_report
from tests.jobs.test_report import prepared
from warehouse.database import Database

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="Chromium is not installed (no `chromium` and `chromedriver` on the path)",
    ),
]
KINDS = (
    "index.html", "importer/JPN.html", "importer/USA.html", "mineral/gallium.html", "measure/mofcom-23-2023.html",
    "route/gallium-refined-CHN-USA.html", "route/dysprosium-fabricated-JPN-DEU.html", "find.html", "method.html", "sources.html",
)  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, marts: dict[str, pl.DataFrame]) -> Report:
    folder = tmp_path_factory.mktemp("opened")
    with Database.open(prepared(folder, marts), read_only=True) as reader:
        return build_report(reader, folder / "latest")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.mark.parametrize("page", KINDS)
@pytest.mark.parametrize("width", [390, 1200])
def test_a_page_fits_and_says_what_it_is(
    browser: webdriver.Chrome, report: Report, page: str, width: int
) -> None:
    browser.set_window_size(max(width, 500), 900)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get((report.folder / page).as_uri())
    assert browser.title.endswith("· Curbline 2026-11-23")
    assert len(browser.find_elements(By.TAG_NAME, "h1")) == 1
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width, "nothing but tables and pictures in their own frames goes beyond the screen"
    logged = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert [entry["message"] for entry in logged] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(browser: webdriver.Chrome, report: Report, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get((report.folder / "mineral" / "gallium.html").as_uri())
    ink, paper = (
        browser.execute_script(f"return getComputedStyle(document.body).{name}")
        for name in ("color", "backgroundColor")
    )
    drawn = browser.execute_script("return getComputedStyle(document.querySelector('svg text')).fill")
    assert drawn == ink
    assert _contrast(ink, paper) > 7


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""

    def light(colour: str) -> float:
        parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dim, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dim + 0.05)


def test_a_reader_gets_from_the_first_page_to_a_reason_and_its_source(
    browser: webdriver.Chrome, report: Report
) -> None:
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get((report.folder / "index.html").as_uri())
    browser.find_element(By.PARTIAL_LINK_TEXT, "China → United States").click()
    assert Path(browser.current_url).name == "gallium-refined-CHN-USA.html"
    lead = browser.find_element(By.CLASS_NAME, "lead").text
    published = report.folder.parent / "night.duckdb"
    with Database.open(published, read_only=True) as reader:
        usd = reader.query(
            "SELECT expected_missing_usd FROM mart.route_missing WHERE (mineral, stage, exporter, importer, horizon_days, regime)"
            " = ('gallium', 'refined', 'CHN', 'USA', 365, 'active')"
        ).item()
    assert f"{usd / 1000:.0f} thousand USD expected to be missing within a year" in lead
    browser.find_element(By.LINK_TEXT, "MOFCOM 23/2023").click()
    assert Path(browser.current_url).name == "mofcom-23-2023.html"
    browser.find_element(By.LINK_TEXT, "MOFCOM").click()
    assert browser.current_url.endswith("sources.html#src-a")
    address = browser.find_element(By.CSS_SELECTOR, "#src-a a").get_attribute("href")
    assert address == "https://example.org/a"
