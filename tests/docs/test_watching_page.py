"""The transcript of docs/watching.md: a notice planted on a local server is seen, drafted, accepted and scored.

`python -m tests.docs.test_watching_page` writes the transcript into the page.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest

from jobs.cli import main
from tests.jobs.web import Web, serving

PAGE = Path(__file__).resolve().parents[2] / "docs" / "watching.md"
BLOCK = re.compile(r"(<!-- transcript -->\n```console\n)(.*?)(```\n)", re.DOTALL)
NIGHT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
NOTICE = """<html><body><h1>Announcement No. 90 of 2026</h1>
<p>The Ministry of Commerce and the General Administration of Customs announce on November 20, 2026 that exporters of silicon
metal under HS code 2804.69 need a licence.</p><p>The announcement takes effect on December 1, 2026.</p></body></html>"""
FEEDS = '[[feed]]\nname = "ministry"\nurl = "{url}"\nkind = "feed"\npublisher = "MOFCOM"\ngrade = "A"\ncountry = "CHN"\n'
DRAFT = "inbox/2026-11-20-ministry-*.yml"
LONGEST = 46


def items(web: Web, *planted: str) -> bytes:
    entry = "<item><guid>{0}</guid><title>{1}</title><link>{2}</link><pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate></item>"
    titles = {
        "old": "Spokesperson's remarks",
        "new": "Announcement No. 90 of 2026 on export controls of silicon metal",
    }
    inner = "".join(entry.format(f"item-{name}", titles[name], web.url(f"/{name}")) for name in planted)
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{inner}</channel></rss>'.encode()


def transcript(folder: Path) -> str:
    """Run the commands in a folder, and return what a terminal would show."""
    with serving() as web:
        web.scripts["/news"] = lambda visit, _: visit.reply(200, items(web, "old"))
        web.scripts["/new"] = lambda visit, _: visit.reply(200, NOTICE.encode())
        (folder / "feeds.toml").write_text(FEEDS.format(url=web.url("/news")), encoding="utf-8")
        watching = "curbline facts watch --feeds feeds.toml --inbox inbox"
        lines = [*shown(watching, folder), "", "# In the night the ministry publishes a notice."]
        web.scripts["/news"] = lambda visit, _: visit.reply(200, items(web, "new", "old"))
        lines += shown(f"{watching} --force", folder)
        draft = next(folder.glob(DRAFT)).relative_to(folder).as_posix()
        lines += shown("curbline facts inbox --inbox inbox", folder)
        lines += [f"$ cat {draft}", *(folder / draft).read_text(encoding="utf-8").splitlines()[:LONGEST], "…"]
        lines += shown(f"curbline facts add {draft} --to facts-own --plan --as-of 2026-12-05 --top 3", folder)
        lines += shown(f"curbline facts add {draft} --to facts-own", folder)
        lines += shown("curbline facts history cn-90-2026 --own --facts embedded --facts facts-own", folder)
        text = "\n".join(lines) + "\n"
        return text.replace(web.url(""), "http://ministry.example").replace(f"{folder}/", "")


def shown(command: str, folder: Path) -> list[str]:
    sink = io.StringIO()
    with (
        contextlib.chdir(folder),
        patch("jobs.commands.facts_watch.now", lambda: NIGHT),
        contextlib.redirect_stdout(sink),
        contextlib.redirect_stderr(sink),
    ):
        main(shlex.split(command)[1:])
    return [f"$ {command}", *(line.rstrip() for line in sink.getvalue().splitlines())]


@pytest.mark.slow
def test_the_transcript_is_what_the_commands_print(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = BLOCK.search(page)
    assert found is not None
    again = "run `python -m tests.docs.test_watching_page` and read what it changes"
    assert transcript(tmp_path.resolve()) == found[2], again
    for words in (
        "ministry: new, 1 draft",
        "measure_items: 1 added.",
        "Scored with and without them: silicon",
    ):
        assert words in found[2]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        written = transcript(Path(place).resolve())
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda match: match[1] + written + match[3], page), encoding="utf-8")
