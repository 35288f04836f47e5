"""What the text of a notice or an article states, found by rules: each statement with the sentence that it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_MONTH = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)
_DAY = re.compile(
    rf"(?P<m1>{_MONTH})\.? (?P<d1>\d{{1,2}}),? (?P<y1>20\d{{2}})|(?P<d2>\d{{1,2}}) (?P<m2>{_MONTH})\.?,? (?P<y2>20\d{{2}})"
    r"|(?P<y3>20\d{2})-(?P<m3>\d{2})-(?P<d3>\d{2})|(?P<y4>20\d{2})年(?P<m4>\d{1,2})月(?P<d4>\d{1,2})日",
    re.IGNORECASE,
)
_NOTICE = re.compile(
    r"(?:announcement|notice|decree|order|decision)\s*(?:no\.?\s*)?(?P<n1>\d{1,4})\s*(?:of|/)\s*(?P<y1>20\d{2})"
    r"|(?:announcement|notice)\s*\(?(?P<y2>20\d{2})\)?\s*no\.?\s*(?P<n2>\d{1,4})|公告(?P<y3>20\d{2})年第(?P<n3>\d{1,4})号"
    r"|\bMOFCOM (?P<n4>\d{1,4})/(?P<y4>20\d{2})",
    re.IGNORECASE,
)
_HS = re.compile(r"(?<![\d.])(\d{4}\.\d{2}(?:\.\d{2,4})?|\d{6}|\d{8}|\d{10})(?![\d.]*\d)")
_HS_NEAR = re.compile(
    r"\b(hs|tariff|heading|headings|subheading|commodity code|customs code)\b|税则|商品编号", re.IGNORECASE
)
_CONTROL = re.compile(r"\b\d[A-E]\d{3}(?:\.[a-z0-9]+)*\b")
_STARTS = re.compile(
    r"effective|takes? effect|taking effect|come[s]? into (?:force|effect)|enters? into force|implemented (?:from|as of)|"
    r"as of|from|starting|起(?:正式)?实施|起施行",
    re.IGNORECASE,
)
_SUSPENDS = re.compile(r"\bsuspend|\bpaus(?:e|ed|es|ing)\b|stop(?:ped)? implementing|暂停实施", re.IGNORECASE)
_ENDS = re.compile(
    r"\brepeal|\blift(?:ed|s)?\b|\brevok|\bterminat|\bceases? to (?:apply|have effect)|废止", re.IGNORECASE
)
_UNTIL = re.compile(r"\buntil\b|\bthrough\b|\bto\b|至", re.IGNORECASE)
_AGREEMENT = re.compile(
    r"\b(agreement|memorandum of understanding|mou|accord|framework|treaty|pact)\b", re.IGNORECASE
)
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|per ?cent|percentage points)", re.IGNORECASE)
_TONNES = re.compile(
    r"(\d[\d,]*(?:\.\d+)?)\s*(million |thousand )?(tonnes?|tons?|metric tons?|kilograms?|kg|Mt)\b"
)
_SIZES = {"": 1.0, "million ": 1e6, "thousand ": 1e3}
#: Words that name an instrument, the strongest first.
INSTRUMENTS: Final = (
    ("export_ban", re.compile(r"\bban(?:s|ned|ning)?\b|\bprohibit|not be permitted|禁止出口", re.IGNORECASE)),
    ("quota", re.compile(r"\bquotas?\b|配额", re.IGNORECASE)),
    ("export_tax", re.compile(r"\bexport (?:tax|dut)", re.IGNORECASE)),
    ("export_licence", re.compile(r"\blicen[cs]|\bpermits?\b|export controls?|出口管制|许可", re.IGNORECASE)),
)
_STOP = re.compile(r"(?<=[.!?;])\s+(?=[A-Z\"“(\d])|(?<=[。！？；])|\n{2,}|\n(?=\s*[-*•\d])")
_SHORT = re.compile(r"\b(No|Art|Arts|Nos|Inc|Co|Mr|Ms|U\.S|cf|e\.g|i\.e)\.$")


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a text states.

    Attributes:
        kind: notice, date_of_effect, suspended, ended, instrument, hs_code, control_code, mineral, destination, agreement,
            share or tonnes.
        value: what it states, as text: `90/2026`, a day in ISO, a code, a name of ours, a number.
        sentence: where it stands.
    """

    kind: str
    value: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Names:
    """Names to look for.

    Attributes:
        minerals: name as written, in lower case, and ours.
        countries: name as written and code.
    """

    minerals: Sequence[tuple[str, str]]
    countries: Sequence[tuple[str, str]]


def sentences(text: str) -> list[str]:
    """Part a text into sentences, keeping abbreviations whole."""
    found: list[str] = []
    for part in _STOP.split(text):
        plain = " ".join(part.split())
        if not plain:
            continue
        if found and _SHORT.search(found[-1]):
            found[-1] = f"{found[-1]} {plain}"
        else:
            found.append(plain)
    return found


def days(sentence: str) -> list[tuple[int, date]]:
    """Return the days that a sentence names, each with its place."""
    found = []
    for match in _DAY.finditer(sentence):
        parts = {name[0]: value for name, value in match.groupdict().items() if value}
        month = parts["m"]
        number = int(month) if month.isdigit() else next(
            place for place, name in enumerate(_MONTHS, start=1) if name.startswith(month.lower()[:3])
        )  # fmt: skip
        try:
            found.append((match.start(), date(int(parts["y"]), number, int(parts["d"]))))
        except ValueError:
            continue
    return found


def statements(text: str, names: Names) -> list[Statement]:
    """Return what a text states, in its order; nothing twice from one sentence."""
    found: dict[Statement, None] = {}
    for sentence in sentences(text):
        for kind, value in _of(sentence, names):
            found.setdefault(Statement(kind, value, sentence))
    return list(found)


def _of(sentence: str, names: Names) -> Iterator[tuple[str, str]]:
    for match in _NOTICE.finditer(sentence):
        parts = {name[0]: value for name, value in match.groupdict().items() if value}
        yield "notice", f"{int(parts['n'])}/{parts['y']}"
    yield from _law(sentence)
    if _HS_NEAR.search(sentence):
        yield from (("hs_code", code.replace(".", "")) for code in _HS.findall(sentence))
    yield from (("control_code", code) for code in _CONTROL.findall(sentence))
    lower = sentence.lower()
    for written, ours in names.minerals:
        if re.search(rf"\b{re.escape(written)}\b", lower):
            yield "mineral", ours
    for written, code in names.countries:
        if re.search(rf"\b{re.escape(written)}\b", sentence):
            yield "destination", code
    if found := _AGREEMENT.search(sentence):
        yield "agreement", found[1].lower()
    yield from (("share", str(float(number) / 100)) for number in _SHARE.findall(sentence))
    for number, size, unit in _TONNES.findall(sentence):
        factor = _SIZES[size] * (0.001 if unit.startswith("k") else 1e6 if unit == "Mt" else 1.0)
        yield "tonnes", f"{float(number.replace(',', '')) * factor:g}"


def _law(sentence: str) -> Iterator[tuple[str, str]]:
    """Say what instrument a sentence names, and from when, until when, and whether it pauses or ends."""
    for instrument, words in INSTRUMENTS:
        if words.search(sentence):
            yield "instrument", instrument
            break
    named = days(sentence)
    if _SUSPENDS.search(sentence):
        ends = [day for place, day in named if _UNTIL.search(sentence[max(0, place - 12) : place])]
        yield "suspended", f"until {ends[-1]}" if ends else "no end stated"
    if _ENDS.search(sentence):
        yield "ended", str(named[0][1]) if named else "no day stated"
    for place, day in named:
        near = sentence[max(0, place - 40) : place + 30]
        if _STARTS.search(near) and not _UNTIL.search(sentence[max(0, place - 7) : place]):
            yield "date_of_effect", str(day)
