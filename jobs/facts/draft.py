"""From the text of a notice to rows that a person checks: drafted by rules, held against the ledger, never added by itself."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from jobs.errors import InputError
from jobs.facts.statements import INSTRUMENTS, Names, Statement, statements

_MAX_BYTES = 5_000_000
_LONGEST = 300  # of a sentence in a draft
#: Further words for minerals and groups of ours; a group is not expanded here.
_WORDS = {
    "rare earth": "rare_earths",
    "rare earths": "rare_earths",
    "graphite": "natural_graphite",
    "magnets": "neodymium",
}
_PLACES = {
    "United States": "USA",
    "European Union": "EU27",
    "South Korea": "KOR",
    "Britain": "GBR",
    "Taiwan": "TWN",
}
_CHINA = re.compile(
    r"mofcom|ministry of commerce|general administration of customs|商务部|海关总署", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a text comes from.

    Attributes:
        source_id, publisher, title, url, grade: of the source row.
        published: day of publication.
    """

    source_id: str
    publisher: str
    title: str
    url: str
    grade: str
    published: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """A statement held against the ledger.

    Attributes:
        statement: what the text says.
        verdict: agrees, differs or not in the ledger; empty where the ledger has no such thing to compare.
        why: what the ledger has.
    """

    statement: Statement
    verdict: str
    why: str


def names_of(tables: Mapping[str, pl.DataFrame]) -> Names:
    """Return the names of minerals and countries to look for in a text.

    Args:
        tables: `minerals` and `countries`.
    """
    minerals = {
        row["name"].lower(): row["mineral"] for row in tables["minerals"].iter_rows(named=True)
    } | _WORDS
    countries = {row["name"]: row["country"] for row in tables["countries"].iter_rows(named=True)} | _PLACES
    countries.pop("China", None)
    longest = sorted(minerals.items(), key=lambda pair: -len(pair[0]))
    return Names(longest, sorted(countries.items(), key=lambda pair: -len(pair[0])))


def text_of(path: Path) -> str:
    """Read a text: plain, or a web page, of which what a reader sees is taken.

    Raises:
        InputError: It cannot be read, or is a PDF or another file without text.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path}: larger than {_MAX_BYTES:,} bytes; give the text of one notice.")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name the file with the text.") from None
    if content.startswith(b"%PDF"):
        raise InputError(f"{path}: is a PDF; save its text and give that. A PDF that is a picture has none.")
    try:
        written = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            written = content.decode("gb18030")
        except UnicodeDecodeError:
            raise InputError(f"{path}: is not UTF-8 or GB18030 text; save it as UTF-8.") from None
    found = seen(written) if re.search(r"<(html|body|p|div)\b", written[:5_000], re.IGNORECASE) else written
    if not found.strip():
        raise InputError(f"{path}: holds no text; save the text of the notice and give that.")
    return found


def seen(html: str) -> str:
    """Return what a reader sees of a web page, a paragraph a block."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html)
    for hidden in tree.css("script, style, noscript, nav, footer, header"):
        hidden.decompose()
    body = tree.body
    return re.sub(r"[ \t]*\n\s*", "\n\n", body.text(separator="\n", strip=True)) if body is not None else ""


def verdicts(found: Sequence[Statement], tables: Mapping[str, pl.DataFrame]) -> list[Verdict]:
    """Hold notices, days and pauses against the ledger.

    Args:
        found: statements of one text.
        tables: `measures` and `measure_states`.
    """
    measures = {
        row["notice"]: row["measure_id"] for row in tables["measures"].iter_rows(named=True) if row["notice"]
    }
    states = tables["measure_states"]
    told: list[Verdict] = []
    current: str | None = None
    for statement in found:
        if statement.kind == "notice":
            fits = [
                (notice, key)
                for notice, key in measures.items()
                if re.search(rf"\b{statement.value}\b", notice)
            ]
            current = fits[0][1] if len(fits) == 1 else None
            verdict = "agrees" if fits else "not in the ledger"
            why = ", ".join(f"{notice} ({key})" for notice, key in fits[:3])
            told.append(Verdict(statement, verdict, why))
        elif statement.kind in {"date_of_effect", "suspended", "ended"} and current is not None:
            told.append(_against(statement, current, states.filter(measure_id=current)))
        else:
            told.append(Verdict(statement, "", ""))
    return told


def _against(statement: Statement, measure: str, states: pl.DataFrame) -> Verdict:
    if statement.kind == "date_of_effect":
        held = states.filter(state="in_force")["valid_from"].cast(pl.String).to_list()
        fits = statement.value in held
    elif statement.kind == "suspended":
        held = states.filter(state="suspended")["valid_to"].cast(pl.String).to_list()
        day = statement.value.removeprefix("until ")
        fits = bool(held) and (
            day in {str(end) for end in held} or any(_day_before(end) == day for end in held)
        )
    else:
        held = states.filter(state="ended")["valid_from"].cast(pl.String).to_list()
        fits = statement.value in held
    said = f"{measure}: {', '.join(str(day) for day in held if day) or 'no such state'}"
    return Verdict(statement, "agrees" if fits else "differs" if held else "not in the ledger", said)


def _day_before(end: str | None) -> str:
    return str(date.fromordinal(date.fromisoformat(end).toordinal() - 1)) if end else ""


def draft(found: Sequence[Statement], origin: Origin, tables: Mapping[str, pl.DataFrame]) -> str:
    """Return a facts file for a person to check and give to `facts add`.

    Rows of a measure are drafted where the text names one notice of China's authorities and an instrument; what the rules do
    not find stays out, and each row says from which sentence it comes.

    Args:
        found: statements of the text.
        origin: its source.
        tables: `hs_codes`, for the stage of codes and minerals.
    """
    lines = [
        f"# Drafted by rules from: {_plain(origin.title)}",
        "# Check every row against the text, correct or remove it, then: curbline facts add THIS_FILE --plan",
        f"source_id: {origin.source_id}",
        f"known_from: {origin.published}",
        "",
        "sources:",
        f"  - source_id: {origin.source_id}",
        f"    publisher: {_quoted(origin.publisher)}",
        f"    title: {_quoted(origin.title)}",
        *([f"    url: {_quoted(origin.url)}"] if origin.url else []),
        f"    published: {origin.published}",
        "    licence: facts only; own words",
        f"    grade: {origin.grade}",
    ]
    lines += _measure(found, origin, tables)
    lines += ["", "# Every statement that was found:"]
    lines += [f"# {s.kind}: {s.value} | {_plain(s.sentence)[:_LONGEST]}" for s in found]
    return "\n".join(lines) + "\n"


def _measure(found: Sequence[Statement], origin: Origin, tables: Mapping[str, pl.DataFrame]) -> list[str]:
    notices = Counter(s.value for s in found if s.kind == "notice")
    instruments = {s.value for s in found if s.kind == "instrument"}
    is_china = any(_CHINA.search(s.sentence) for s in found) or bool(_CHINA.search(origin.publisher))
    if not notices or not instruments or not is_china:
        return [
            "",
            "# No rows of a measure: the text names no notice of China's authorities, or no instrument.",
        ]
    notice = notices.most_common(1)[0][0]
    number, year = notice.split("/")
    key = f"cn-{int(number)}-{year}"
    instrument = next(name for name, _ in INSTRUMENTS if name in instruments)
    first = next(s for s in found if s.kind == "notice" and s.value == notice)
    starts = [s for s in found if s.kind == "date_of_effect"]
    pauses = [s for s in found if s.kind == "suspended" and s.value.startswith("until ")]
    lines = [
        "",
        f"# from: {_plain(first.sentence)[:_LONGEST]}",
        "measures:",
        f"  - measure_id: {key}",
        "    curbing_country: CHN",
    ]
    lines += ["    authority: MOFCOM", f"    notice: MOFCOM {notice}", f"    title: {_quoted(origin.title)}"]
    lines += [
        f"    instrument: {instrument}",
        f"    date_announced: {origin.published}",
        "    is_framework: false",
        "",
    ]
    lines += ["measure_states:"]
    state = f'  - {{measure_id: {key}, clause: all, destination: "*", state: '
    start = starts[0].value if starts else str(origin.published)
    if start > str(origin.published):
        lines += [f"{state}announced, valid_from: {origin.published}, valid_to: {start}}}"]
    if starts:
        lines += [f"  # from: {_plain(starts[0].sentence)[:_LONGEST]}"]
    lines += [
        f"{state}in_force, valid_from: {start}, basis: {_quoted('start that the notice states' if starts else 'publication')}}}"
    ]
    if pauses:
        lines += [f"  # from: {_plain(pauses[0].sentence)[:_LONGEST]}"]
        lines += [
            f"  # {state.strip(' -')}suspended, valid_from: {origin.published}, valid_to: the day after {pauses[0].value[6:]}}}"
        ]
    lines += _items(found, key, tables)
    lines += ["", "measure_destinations:"]
    named = [s for s in found if s.kind == "destination"]
    lines += [f'  - {{measure_id: {key}, clause: all, destination: "*", scope: all, is_excluded: false}}']
    lines += [f"  # names {s.value}: {_plain(s.sentence)[:_LONGEST]}" for s in named]
    return lines


def _items(found: Sequence[Statement], key: str, tables: Mapping[str, pl.DataFrame]) -> list[str]:
    """Draft a row for each mineral and stage that the codes or the names of the text mean."""
    mapped = tables["hs_codes"].filter(pl.col("stage").is_not_null() & (pl.col("mineral") != "other"))
    codes = {s.value[:6] for s in found if s.kind == "hs_code"}
    minerals = list(dict.fromkeys(s.value for s in found if s.kind == "mineral"))
    lines = ["", "measure_items:"]
    pairs: dict[tuple[str, str], list[str]] = {}
    of_codes = (
        mapped.filter(pl.col("hs6").is_in(sorted(codes)))
        .select("mineral", "stage", "hs6")
        .unique(maintain_order=True)
    )
    for mineral, stage, hs6 in of_codes.sort("mineral", "stage", "hs6").iter_rows():
        if not minerals or mineral in minerals:
            pairs.setdefault((mineral, stage), []).append(hs6)
    for mineral in minerals:
        if all(mineral != known for known, _ in pairs):
            # Without a code the first processed stage stands in, for a person to correct.
            stages = mapped.filter(mineral=mineral)["stage"].unique().to_list()
            stage = next((s for s in ("refined", "metal", "fabricated", "mined") if s in stages), "refined")
            pairs[mineral, stage] = []
    if not pairs:
        return ["", "# No items: the text names no mineral or code that the facts know."]
    for (mineral, stage), hs6 in pairs.items():
        sentence = next((s.sentence for s in found if s.value == mineral or s.value[:6] in hs6), "")
        lines += [
            f"  # from: {_plain(sentence)[:_LONGEST]}",
            f"  - item_id: {key}-{mineral.replace('_', '-')}-{stage}",
        ]
        lines += [
            f"    measure_id: {key}",
            "    clause: all",
            f"    mineral: {mineral}",
            f"    stage: {stage}",
        ]
        if hs6:
            lines += [f"    hs6: {json.dumps(sorted(set(hs6)))}", "    hs6_basis: announcement text"]
        lines += ["    is_extraterritorial: false"]
    return lines


def _plain(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    """Return a text as a double-quoted YAML scalar; JSON's is one."""
    return json.dumps(_plain(text), ensure_ascii=False)


def drafted(text: str, origin: Origin, tables: Mapping[str, pl.DataFrame]) -> tuple[str, list[Verdict]]:
    """Return the draft of a text, and its statements held against the ledger.

    Args:
        text: plain text.
        origin: its source.
        tables: `minerals`, `countries`, `hs_codes`, `measures` and `measure_states`.
    """
    found = statements(text, names_of(tables))
    return draft(found, origin, tables), verdicts(found, tables)
