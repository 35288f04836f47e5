"""`curbline init DIR`: a project of one's own, with settings, a copy of the rules, and an empty facts bundle."""

from __future__ import annotations

import shutil
from pathlib import Path

from jobs.errors import SettingsError
from jobs.resources import default_rules_dir
from jobs.settings import FILE_NAME
from warehouse.records.tables import TABLES, columns

SETTINGS = """\
# Settings of a Curbline project. Unknown keys are refused; relative paths start at this file.

# Facts, stacked in this order. "embedded" is the bundle that comes with Curbline; "facts" is your own.
facts = ["embedded", "facts"]

# Your copy of the default rules. "embedded" instead follows Curbline's own with every release.
rules = "rules"

# Where the tables go: snapshots, the pointer curbline.duckdb, exports, and the state of the jobs.
out = "curbline-data"

# Whose curbs: an ISO 3166 alpha-3 code, or "all". The pointer moves for CHN only.
curbing_country = "CHN"

# The importers that a run's summary leads with and whose doubts it tells (ISO 3166 alpha-3, or a bloc of the facts).
declared_importers = ["USA", "EU27", "JPN", "KOR", "GBR", "IND"]

# Any row of the facts that does not validate stops the run, instead of being set aside and listed.
strict = false

# Refuse to use production or reserves that were published after the day of knowledge.
strict_knowledge = false

# How many published files are kept besides month-ends, where [retention] would keep more.
# keep_snapshots = 30

# How many joint draws the ranges rest on, a power of two up to 4096. More cost time and memory and smooth the tails.
draws = 256

# How many processes score minerals side by side, each with some 800 MB; by default one a processor and one for every
# 2 GB of memory, at most four. It changes no figure.
# processes = 2

# `curbline status` returns 30 when the published day is older than this.
stale_after_days = 2

[schedule]
# When `curbline schedule` starts the run: minute, hour, day, month, weekday (by name), on the clocks of the zone.
cron = "30 2 * * *"
zone = "UTC"

# After missed nights: "newest" makes up for the last one alone, "each" for all of the last catch_up_days days.
catch_up = "newest"
catch_up_days = 35

# A run that takes longer is stopped; one that failed for a reason that may pass is tried again, after a pause that
# doubles each time.
timeout_minutes = 180
retries = 2
retry_after_minutes = 5

# After SIGTERM, a run under way has this long to end.
grace_minutes = 30

# Further jobs, each a command of curbline with its own cron, zone, timeout_minutes, retries, retry_after_minutes.
# [schedule.jobs.weekly-csv]
# command = ["export", "--format", "csv"]
# cron = "0 5 * * sun"

[checks]
# How far a night may move from the last one before it waits for `curbline run --accept`, as shares: rows of a table that
# come or go, the rise of the share of routes without a score, what the routes are worth, routes that change their band.
row_change_share = 0.2
unknown_rise_share = 0.05
value_change_share = 0.3
band_move_share = 0.1

[tell]
# Commands started when a run has ended, word by word, with CURBLINE_EXIT_CODE, CURBLINE_MESSAGE, CURBLINE_RUN_ID,
# CURBLINE_AS_OF, CURBLINE_PUBLISHED and CURBLINE_HEALTH (a file) in their environment.
on_success = []
on_failure = []

# Uncomment the table to be woken: each alert once, to the addresses in CURBLINE_ALERT_URLS (mailto://… and others that
# apprise reads; they are secrets, so that they are not settings), and to the command. `curbline alerts test` tries it.
# [alerts]
# failure = true
# no_success_hours = 36
# suspension_days = [30, 7, 1]
# routes = ["gallium refined CHN USA"]
# importers = ["USA"]
# missing_usd_up = 50e6
# moved_share = 0.05
# quiet = "22:00-06:00"
# zone = "Europe/Berlin"
# command = []

[retention]
# Nights older than this are removed with their exports, but the last night of every month and the one behind the pointer
# stay. Exports go earlier: `curbline export --run RUN` writes them again.
days = 90
month_ends = true
export_days = 30

[export]
# A workbook for each of these importers (ISO 3166 alpha-3, or a bloc such as EU27), and one of the top routes.
importers = []
top = 50
# Whether each night that moves the pointer also writes the pages of report/latest, in a quarter of a minute or so.
report = false
"""

BUNDLE = """\
# A facts bundle of your own. Fill the tables that you need and leave the others as they are or remove them.
# `curbline facts check facts` tells what is wrong, line by line.
name = "own-facts"
version = "0.1.0"
licence = "private"
"""


def init_project(folder: Path) -> list[Path]:
    """Write a new project.

    Args:
        folder: A folder that does not exist yet, or holds none of the three things written.

    Returns:
        What was written.

    Raises:
        SettingsError: One of them is there already; nothing is overwritten.
    """
    settings, rules, facts = folder / FILE_NAME, folder / "rules", folder / "facts"
    for path in (settings, rules, facts):
        if path.exists():
            raise SettingsError(f"{path}: already exists, and nothing is overwritten. Name a new folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(default_rules_dir(), rules)
        facts.mkdir()
        (facts / "bundle.toml").write_text(BUNDLE, encoding="utf-8")
        for name in TABLES:
            header = ",".join(column.name for column in columns(name))
            (facts / f"{name}.csv").write_text(header + "\n", encoding="utf-8")
        # Last: with the settings in place the project is whole.
        settings.write_text(SETTINGS, encoding="utf-8")
    except OSError as problem:
        raise SettingsError(f"{folder}: cannot be written ({problem.strerror}).") from problem
    return [settings, rules, facts]
