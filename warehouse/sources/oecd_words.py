"""Words of the OECD inventory: its columns, its kinds of measure, and countries by the names that the OECD writes.

No file of the inventory was at hand. The words come from what the OECD prints about it:

* the methodological note of 1 December 2020 (docslib.org/download/9131495), of which the list of contents could be
  read and table 3, which lists the variables, could not: "countries and products researched" (annex 1), "HS2007 code
  and product name used in the inventory" (annex 2), "measures restricting exports" (table 1), "unit value of measures"
  (table 2);
* the abstract of OECD Trade Policy Paper 140 (Fliess and Mård 2012): "types of measures", applied "since 2009";
* the report of 2025: 489 products by "HS6" code;
* the legend of the OECD's map "Compare your country: export restrictions", for the kinds and what they take in;
* chapter 1 of "Export Restrictions in Raw Materials Trade" (OECD 2014), for captive mining and clearance points.

Taken without having been seen in a text of the OECD: "licensing requirement", "VAT rebate withdrawal", "other export
measures" and the singular "no restriction". A kind that is written otherwise is rejected by name.
"""

from __future__ import annotations

import re

from warehouse.sources.parsed import refused
from warehouse.suggest import did_you_mean

#: What a column means here, and what it may be called. Case, blanks and underscores do not count.
COLUMNS = {
    "country": ("Country",),
    "hs6": ("HS2007 code", "HS2007", "HS6"),
    "measure": ("Measure", "Type of measure"),
    "year": ("Year",),
    "rate": ("Unit value",),
}
#: A measure without its rate is a measure all the same.
MAY_LACK = frozenset({"rate"})

NOT_RESEARCHED = "not researched"
INSTRUMENTS = {
    "export tax": "export_tax",
    "fiscal tax on exports": "export_tax",
    "export surtax": "export_tax",
    "export quota": "quota",
    "licensing requirement": "export_licence",
    "non-automatic licensing": "export_licence",
    "export prohibition": "export_ban",
}
#: Kinds for which we have no instrument, and rows that restrict nothing: outside, by what they say.
WITHOUT_INSTRUMENT = (
    "minimum export price",
    "vat tax rebate reduction or withdrawal",
    "vat rebate withdrawal",
    "captive mining",
    "domestic market obligation",
    "dual pricing scheme",
    "qualified exporters list",
    "restriction on customs clearance points",
    "other measures",
    "other export measures",
)
OUTSIDE = {
    "no restriction": "no restriction",
    "no restrictions": "no restriction",
    NOT_RESEARCHED: NOT_RESEARCHED,
    **{kind: f"no instrument corresponds to it: {kind}" for kind in WITHOUT_INSTRUMENT},
}
COUNTRY_NAMES = {
    "China (People's Republic of)": "CHN",
    "Hong Kong, China": "HKG",
    "Chinese Taipei": "TWN",
    "Korea": "KOR",
    "Viet Nam": "VNM",
    "Congo (DRC)": "COD",
    "Democratic Republic of the Congo": "COD",
    "Democratic Republic of Congo": "COD",
    "Republic of the Congo": "COG",
    "Russian Federation": "RUS",
    "Lao PDR": "LAO",
    "Lao People's Democratic Republic": "LAO",
    "Bolivia (Plurinational State of)": "BOL",
    "Venezuela (Bolivarian Republic of)": "VEN",
    "Iran (Islamic Republic of)": "IRN",
    "Syrian Arab Republic": "SYR",
    "United Republic of Tanzania": "TZA",
    "Republic of Moldova": "MDA",
    "Kyrgyz Republic": "KGZ",
    "Slovak Republic": "SVK",
    "Czech Republic": "CZE",
    "Turkey": "TUR",
    "Brunei Darussalam": "BRN",
}


def folded(text: str) -> str:
    """Return a word as it is compared: small letters, single blanks, straight apostrophes."""
    return re.sub(r"\s+", " ", text.replace("’", "'")).strip().casefold()


def columns_of(place: str, header: list[str]) -> dict[str, str]:
    """Return the file's column for each of ours; a column that may lack is left out where it does.

    Raises:
        BundleError: One is missing, or two mean the same.
    """
    plain = {folded(name.replace("_", " ")): name for name in header}
    found: dict[str, str] = {}
    faults = []
    for ours, spelt in COLUMNS.items():
        held = [plain[folded(name)] for name in spelt if folded(name) in plain]
        if len(held) > 1:
            faults.append(f"columns {' and '.join(repr(name) for name in held)} mean the same; keep one")
        elif held:
            found[ours] = held[0]
        elif ours not in MAY_LACK:
            either = " or ".join(repr(name) for name in spelt)
            faults.append(f"column {either} is missing{did_you_mean(spelt[0], header)}")
    if faults:
        shown = ", ".join(repr(name[:40]) for name in header[:30])
        raise refused(
            place,
            f"{'; '.join(faults)}. It has {shown}. If a column means the same, rename it in the header; "
            "docs/import.md says what each means",
            1,
        )
    return found
