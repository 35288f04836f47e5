"""Prose of generated pages in lines that a diff can show."""

import re
import textwrap
from typing import Final

WIDTH: Final = 119
_MARK: Final = re.compile(r"(- |> )?")


def wrapped(page: str) -> str:
    """Return a Markdown page with its paragraphs, items and quotations wrapped; tables, code and headings as given."""
    lines: list[str] = []
    in_code = False
    for line in page.split("\n"):
        in_code ^= line.startswith("```")
        if in_code or len(line) <= WIDTH or line.startswith(("```", "|", "#")):
            lines.append(line)
            continue
        mark = _MARK.match(line)
        sign = mark[0] if mark else ""
        lines += textwrap.wrap(
            line,
            WIDTH,
            subsequent_indent="  " if sign == "- " else sign,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)
