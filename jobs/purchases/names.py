"""What a company calls minerals, stages and countries, as the facts call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from jobs.purchases.cells import CellError
from jobs.purchases.headers import plain
from jobs.suggest import did_you_mean

#: Goods named by what they are made into; the mineral is the one whose curb governs them.
GOODS = {
    "ndfeb": ("neodymium", "fabricated"), "ndfeb magnet": ("neodymium", "fabricated"),
    "ndfeb magnets": ("neodymium", "fabricated"), "neodymium magnet": ("neodymium", "fabricated"),
    "neodymium magnets": ("neodymium", "fabricated"), "rare earth magnet": ("neodymium", "fabricated"),
    "rare earth magnets": ("neodymium", "fabricated"), "smco": ("samarium", "fabricated"),
    "smco magnet": ("samarium", "fabricated"), "smco magnets": ("samarium", "fabricated"),
    "ferrovanadium": ("vanadium", "metal"), "ferroniobium": ("niobium", "metal"),
    "graphite": ("natural_graphite", ""), "natural flake graphite": ("natural_graphite", "mined"),
    "polysilicon": ("silicon", "refined"), "fluorite": ("fluorspar", "mined"),
}  # fmt: skip
#: Names in other languages and spellings.
MINERAL_WORDS = {
    "aluminum": "aluminium", "aluminio": "aluminium", "wolfram": "tungsten", "kobalt": "cobalt", "kupfer": "copper",
    "antimon": "antimony", "wismut": "bismuth", "zinn": "tin", "blei": "lead", "zink": "zinc", "silber": "silver",
    "seltenerdmagnet": "neodymium", "graphit": "natural_graphite", "magnesit": "magnesium_compounds",
    "neodym": "neodymium", "praseodym": "praseodymium", "lanthan": "lanthanum", "mangan": "manganese",
    "titan": "titanium", "chrom": "chromium", "niob": "niobium", "tantal": "tantalum", "silizium": "silicon",
    "cer": "cerium", "galium": "gallium",
}  # fmt: skip
STAGE_WORDS = {
    "mined": ("ore", "concentrate", "mine", "ores", "concentrates", "raw", "erz", "konzentrat"),
    "refined": ("oxide", "refining", "compound", "salt", "carbonate", "oxid", "powder", "unwrought", "chemical", "raffiniert"),
    "metal": ("alloy", "ingot", "metals", "legierung", "metall", "ferroalloy"),
    "fabricated": ("magnet", "magnets", "part", "component", "wafer", "semi finished", "fabrication"),
}  # fmt: skip
#: Where no stage is given, the one most companies buy.
STAGES = ("refined", "metal", "mined", "fabricated")


@dataclass(frozen=True)
class Names:
    """The names of the facts.

    Attributes:
        minerals, countries: plain word to code.   stages: of each mineral that has trade.
        codes: HS6 to its minerals and stages.
    """

    minerals: Mapping[str, str]
    countries: Mapping[str, str]
    stages: Mapping[str, frozenset[str]]
    codes: Mapping[str, tuple[tuple[str, str], ...]]

    @classmethod
    def of(cls, tables: Mapping[str, pl.DataFrame]) -> Names:
        """Return the names that facts hold."""
        hs = tables["hs_codes"].select("hs6", "mineral", "stage").unique().sort("hs6", "mineral", "stage")
        codes: dict[str, list[tuple[str, str]]] = {}
        stages: dict[str, set[str]] = {}
        for code, mineral, stage in hs.iter_rows():
            codes.setdefault(code, []).append((mineral, stage))
            stages.setdefault(mineral, set()).add(stage)
        minerals: dict[str, str] = {}
        for mineral, name, symbol in tables["minerals"].select("mineral", "name", "symbol").iter_rows():
            minerals |= {plain(word): mineral for word in (mineral, name, symbol) if word}
        minerals |= {word: mineral for word, mineral in MINERAL_WORDS.items() if mineral in stages}
        countries = dict(COUNTRY_WORDS)
        for code, name, iso2 in tables["countries"].select("country", "name", "iso2").iter_rows():
            countries |= {plain(word): code for word in (code, name, iso2) if word}
        return cls(
            minerals,
            countries,
            {mineral: frozenset(found) for mineral, found in stages.items()},
            {code: tuple(found) for code, found in codes.items()},
        )

    def country(self, text: str) -> str:
        """Return the code of a country.

        Raises:
            CellError: it is unknown.
        """
        code = self.countries.get(plain(text))
        if code is None:
            raise CellError(f"is no country that is known{did_you_mean(text, self.countries.values())}")
        return code

    def good(self, mineral: str, stage: str, code: str) -> tuple[str, str, str | None]:
        """Return mineral and stage of a line, and a note where one was assumed.

        Args:
            mineral: as written; may be empty.
            stage: likewise.
            code: HS6, or empty.

        Raises:
            CellError: they are unknown, contradict each other, or leave it open.
        """
        word, of_good = plain(mineral), GOODS.get(plain(mineral), ("", ""))
        named = of_good[0] or self.minerals.get(word, "")
        if mineral and not named:
            raise CellError(f"mineral '{mineral}' is not known{did_you_mean(mineral, self.stages)}")
        pairs = self._under(code)
        if code and not pairs and not named:
            raise CellError(f"code {code} holds no mineral that is followed, and no mineral is named")
        if not named:
            minerals = sorted({one for one, _ in pairs})
            if len(minerals) != 1:
                shown = ", ".join(minerals[:8])
                raise CellError(
                    f"code {code} holds {shown}; name the mineral"
                    if minerals
                    else "names neither a mineral nor a code"
                )
            (named,) = minerals
        if named not in self.stages:
            raise CellError(f"{named} has no trade code in the facts, so no route of it is scored")
        return named, *self._stage(named, stage, of_good[1], pairs)

    def _under(self, code: str) -> tuple[tuple[str, str], ...]:
        return self.codes.get(code[:6], ()) if code else ()

    def _stage(
        self, mineral: str, written: str, of_good: str, pairs: tuple[tuple[str, str], ...]
    ) -> tuple[str, str | None]:
        there = self.stages[mineral]
        of_code = sorted({stage for one, stage in pairs if one == mineral})
        asked = plain(written)
        named = next(
            (stage for stage, words in STAGE_WORDS.items() if asked == stage or asked in words), ""
        ) or next((stage for stage, words in STAGE_WORDS.items() if {stage, *words} & set(asked.split())), "")
        if written and not named:
            raise CellError(f"stage '{written}' is not known{did_you_mean(written, STAGE_WORDS)}")
        wanted = named or of_good
        if wanted and wanted in there:
            return wanted, None
        if wanted:
            raise CellError(
                f"{mineral} is not traded {wanted} in the facts; it is {', '.join(sorted(there))}"
            )
        if len(of_code) == 1:
            return of_code[0], None
        stage = next(one for one in STAGES if one in there)
        return stage, None if len(there) == 1 else f"no stage given: {stage} taken"


#: What people call countries besides their name and codes.
COUNTRY_WORDS = {
    "uk": "GBR", "great britain": "GBR", "england": "GBR", "u s": "USA", "u s a": "USA", "us": "USA",
    "united states of america": "USA", "korea": "KOR", "republic of korea": "KOR", "south korea": "KOR",
    "prc": "CHN", "p r china": "CHN", "pr china": "CHN", "peoples republic of china": "CHN", "mainland china": "CHN",
    "czech republic": "CZE", "russian federation": "RUS", "viet nam": "VNM", "drc": "COD", "dr congo": "COD",
    "congo": "COD", "turkiye": "TUR", "turkei": "TUR", "holland": "NLD", "niederlande": "NLD", "deutschland": "DEU",
    "frankreich": "FRA", "osterreich": "AUT", "schweiz": "CHE", "belgien": "BEL", "italien": "ITA",
    "spanien": "ESP", "polen": "POL", "vereinigte staaten": "USA", "sudafrika": "ZAF", "brasilien": "BRA",
    "kanada": "CAN", "indien": "IND", "australien": "AUS", "hong kong sar": "HKG", "taiwan roc": "TWN",
}  # fmt: skip
