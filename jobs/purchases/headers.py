"""Names of columns as companies write them: matched leniently, and shown before anything is taken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_WORDS = re.compile(r"[^a-z0-9]+")
#: Units and currencies that a header may carry: `Quantity (kg)`, `Spend EUR`.
_CARRIED = re.compile(
    r"[(\[]\s*(?P<in>[^)\]]+?)\s*[)\]]\s*$|\b(?P<end>kg|t|tonnes|lb|g|usd|eur|gbp|jpy|cny|chf)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Headers:
    """The fields of a table and what companies call them.

    Attributes:
        names: field, and the headers that mean it, as plain words.
        needed: groups of fields; a table has at least one of each.
    """

    names: Mapping[str, Sequence[str]]
    needed: Sequence[Sequence[str]]

    @property
    def needed_words(self) -> str:
        """Return what a table must have, in words."""
        return "; ".join(" or ".join(group) for group in self.needed)

    def is_enough(self, fields: Iterable[str]) -> bool:
        """Return whether a table with these fields can be read."""
        there = set(fields)
        return all(there & set(group) for group in self.needed)

    def fields_of(self, header: Sequence[str]) -> tuple[dict[int, str], list[str]]:
        """Return the field of each column that has one, and notes on columns that mean the same."""
        known = {plain(name): field for field, names in self.names.items() for name in (field, *names)}
        fields: dict[int, str] = {}
        notes = []
        for place, cell in enumerate(header):
            field = known.get(plain(cell)) or known.get(plain(_CARRIED.sub("", cell)))
            if field is None:
                continue
            if field in fields.values():
                first = next(at for at, name in fields.items() if name == field)
                notes.append(f"column '{cell}' means {field} as '{header[first]}' does, and is not read")
            else:
                fields[place] = field
        return fields, notes


def plain(text: str) -> str:
    """Return a header as plain words: no case, accents, signs or spaces matter."""
    bare = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return _WORDS.sub(" ", bare.casefold()).strip()


def carried(header: str) -> str:
    """Return the unit or currency that a header carries; empty where it carries none."""
    found = _CARRIED.search(header.strip())
    return (found["in"] or found["end"] or "") if found else ""


PURCHASES = Headers(
    {
        "line_id": ("line", "line no", "id", "row key", "position"),
        "supplier_id": ("vendor id", "vendor", "vendor number", "vendor no", "supplier no", "supplier number", "lieferantennummer", "kreditor"),
        "supplier_name": ("supplier", "vendor name", "lieferant", "name of supplier", "fournisseur", "manufacturer"),
        "supplier_country": ("site country", "supplier site country", "country", "vendor country", "supplier country", "land", "lieferland", "country of supplier", "ship from country"),
        "part": ("part number", "part no", "item", "item number", "material number", "materialnummer", "sku", "article", "artikel", "artikelnummer", "product"),
        "mineral": ("metal", "material", "element", "commodity", "raw material", "rohstoff", "werkstoff", "substance"),
        "stage": ("processing stage", "form", "product stage", "stufe"),
        "hs6": ("hs", "hs code", "hs 6", "tariff code", "customs code", "zolltarifnummer", "hts", "commodity code"),
        "cn8": ("cn", "cn code", "cn 8", "taric", "warennummer"),
        "quantity": ("kg", "qty", "annual quantity", "menge", "jahresmenge", "quantite", "annual volume", "volume", "weight", "tonnes"),
        "unit": ("uom", "unit of measure", "einheit", "me", "unite"),
        "annual_spend": ("usd", "spend", "value", "annual value", "spend p a", "ausgaben", "umsatz", "jahresumsatz", "einkaufsvolumen", "wert", "net value", "purchase value"),
        "currency": ("curr", "wahrung", "waehrung", "devise", "ccy"),
        "incoterm": ("incoterms", "delivery terms", "lieferbedingung"),
        "stock_days": ("stock cover days", "stock cover", "stock", "days of stock", "cover days", "bestandsreichweite", "reichweite", "inventory days", "stock days"),
        "owner": ("buyer", "responsible", "category manager", "einkaufer", "einkaeufer", "verantwortlich"),
        "end_use": ("use", "application", "end user", "endverwendung", "verwendung"),
        "destination": ("destination site", "plant", "destination country", "site", "ship to country", "werk", "empfangsland"),
        "origin": ("declared origin", "country of origin", "ursprung", "ursprungsland", "origin country", "coo"),
        "year": ("fiscal year", "fy", "jahr", "annee"),
    },
    (("mineral", "hs6", "cn8", "part"), ("quantity", "annual_spend")),
)  # fmt: skip
