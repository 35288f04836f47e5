"""A dossier as a page and as a Word document."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from typing import Any

from jobs.purchases.dossier import Dossier, Heading, Rows

_STYLE = """
body{font:15px/1.5 Calibri,Carlito,"Segoe UI",Arial,sans-serif;color:#222;max-width:60rem;margin:2.5rem auto;padding:0 1.5rem}
h1{font-size:1.9rem;color:#1F3A5F;margin:0 0 .2rem}h2{font-size:1.25rem;color:#1F3A5F;border-bottom:1px solid #1F3A5F;margin:2.2rem 0 .6rem}
.sub{color:#5F6B7A;margin:0 0 1rem}table{border-collapse:collapse;width:100%;margin:.4rem 0 1.2rem;font-size:13px}
caption{text-align:left;font-weight:bold;padding:.3rem 0}th{background:#1F3A5F;color:#fff;text-align:left;padding:.35rem .5rem;vertical-align:bottom}
td{padding:.3rem .5rem;border-bottom:1px solid #dde3ea;vertical-align:top;overflow-wrap:anywhere}.n{text-align:right;white-space:nowrap}
@media print{body{margin:0;max-width:none;font-size:11px}table{font-size:9.5px}h2{break-after:avoid}tr{break-inside:avoid}}
"""


def shown(value: Any) -> str:
    """Return a cell as a reader sees it; unknown is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.1f}"
    return str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_html(dossier: Dossier) -> str:
    """Return one page that needs nothing else; every text is escaped, so nothing of a company's file can run."""
    out = [
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">', f"<title>{escape(dossier.title)}</title>",
        f"<style>{_STYLE}</style></head><body>", f"<h1>{escape(dossier.title)}</h1>", f'<p class="sub">{escape(dossier.subtitle)}</p>',
    ]  # fmt: skip
    for part in dossier.parts:
        if isinstance(part, Heading):
            out.append(f"<h2>{escape(part.text)}</h2>")
        elif isinstance(part, Rows):
            out += _table(part)
        else:
            out.append(f"<p>{escape(part)}</p>")
    return "\n".join([*out, "</body></html>"]) + "\n"


def _table(part: Rows) -> list[str]:
    numeric = [any(_is_number(row[place]) for row in part.rows) for place in range(len(part.columns))]
    mark = ['"n"' if one else '""' for one in numeric]
    head = "".join(f"<th class={mark[place]}>{escape(name)}</th>" for place, name in enumerate(part.columns))
    body = [
        "<tr>"
        + "".join(f"<td class={mark[place]}>{escape(shown(value))}</td>" for place, value in enumerate(row))
        + "</tr>"
        for row in part.rows
    ]
    caption = [f"<caption>{escape(part.says)}</caption>"] if part.says else []
    return ["<table>", *caption, f"<thead><tr>{head}</tr></thead><tbody>", *body, "</tbody></table>"]


def write_docx(dossier: Dossier, day: date, path: Path) -> None:
    """Write the same as a Word document on A4."""
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(1.9)
    section.top_margin = section.bottom_margin = Cm(1.9)
    navy = RGBColor(0x1F, 0x3A, 0x5F)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(10.5)
    title = document.add_heading(dossier.title, 0)
    title.runs[0].font.color.rgb = navy
    document.add_paragraph(dossier.subtitle).runs[0].italic = True
    for part in dossier.parts:
        if isinstance(part, Heading):
            document.add_heading(part.text, part.level).runs[0].font.color.rgb = navy
        elif isinstance(part, str):
            document.add_paragraph(part)
        else:
            if part.says:
                document.add_paragraph().add_run(part.says).bold = True
            table = document.add_table(rows=1, cols=len(part.columns), style="Light Grid Accent 1")
            repeated = OxmlElement("w:tblHeader")
            repeated.set(qn("w:val"), "true")
            table.rows[0]._tr.get_or_add_trPr().append(repeated)
            for row, values in zip(
                (table.rows[0], *(table.add_row() for _ in part.rows)),
                (part.columns, *part.rows),
                strict=True,
            ):
                for cell, value in zip(row.cells, values, strict=True):
                    paragraph = cell.paragraphs[0]
                    paragraph.add_run(shown(value)).font.size = Pt(8.5)
                    if _is_number(value):
                        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            document.add_paragraph()
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    document.core_properties.author = "Curbline"
    document.core_properties.title = dossier.title
    document.core_properties.created = document.core_properties.modified = moment
    document.save(str(path))
