"""Closed vocabularies and field types of the fact tables.

Every type accepts text (from CSV) or the native value (from Parquet) and refuses all else: no `1_000`, no `yes`,
no NaN, no date that the calendar does not have. Limits on size stop slips of unit, not bold claims.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

Stage = Literal["mined", "refined", "metal", "fabricated"]
AnyStage = Literal["mined", "refined", "metal", "fabricated", "*"]
Grade = Literal["A", "B", "C", "D"]
Instrument = Literal[
    "export_licence",
    "export_ban",
    "quota",
    "state_trading",
    "processing_stage_ban",
    "informal_halt",
    "informal_scrutiny",
    "extraterritorial_licence",
    "entity_ban",
    "entity_watch_list",
    "military_end_user_ban",
    "technology_control",
    "legal_framework",
    "production_control",
    "suspension",
    "enforcement_campaign",
    "proposal",
    "nationalisation",
    "reporting_duty",
    "licence_facilitation",
    "company_ban",
    "stoppage",
    "export_tax",
]
MeasureState = Literal[
    "proposed", "announced", "in_force", "suspended", "superseded", "ended", "dropped", "unknown"
]
AgreementState = Literal[
    "proposed",
    "announced",
    "signed_not_in_force",
    "in_force",
    "operating_nonbinding",
    "negotiating",
    "disputed",
    "contested",
    "superseded",
    "ended",
    "unknown",
]
Scope = Literal["all", "country", "military_end_users", "entities"]
DestinationClass = Literal["favoured", "ordinary", "dispute"]
Qualifier = Literal["reported", "estimated", "derived", "withheld", "claim", "world_estimate", "unlisted"]
Backing = Literal["enacted", "announced", "beneficiary_asserted", "third_country"]
LegalStrength = Literal["binding", "conditional", "best_effort"]
Coverage = Literal["covered", "not_covered", "unclear", "contested", "not_applicable"]
TradeBasis = Literal["exact", "dominant", "proxy", "bundle"]
Confidence = Literal["low", "medium", "high"]
ShareOf = Literal["weight", "value"]
ClaimKind = Literal["reserve", "resource"]
ReportedBy = Literal["exporter", "importer"]
OutcomeKind = Literal["export_fall", "supply_fall"]
WordRole = Literal["counts_as_cover", "ends_normal_trade", "names_buyers", "reaches_every_stage"]

#: Revisions of the Harmonized System, by the year of each, oldest first.
HS_REVISIONS = ("92", "96", "02", "07", "12", "17", "22")
#: Classes from mild to severe; the ends of a class range must rise in this order.
CLASS_ORDER = {"favoured": 0, "ordinary": 1, "dispute": 2}
#: Largest plausible figures. The whole world mines 3e9 t of iron ore in a year and one lane carries under 1e9 t.
MAX_FLOW_T = 2e9
MAX_PRODUCTION_T = 2e10
MAX_RESERVES_T = 1e12
MAX_USD = 1e13
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
FIRST_YEAR, LAST_YEAR = 1900, 2100

#: How a number may be written in any table that is read: a point, no separators, an exponent where need be.
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: A column that lacks some values comes out of a data frame with decimals: 2024.0 is 2024.
_INTEGER = re.compile(r"([+-]?[0-9]+)(\.0*)?")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError("number", "is not a number; write digits with a point, such as 1250.5")
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        if value.strip().lower().lstrip("+-") in {"nan", "inf", "infinity"}:
            raise PydanticCustomError(
                "finite", "is not finite; leave the cell empty where the figure is unknown"
            )
        raise PydanticCustomError(
            "number", "is not a number; write digits with a point and no separators, such as 1250.5"
        )
    result = float(value)
    if not math.isfinite(result):
        raise PydanticCustomError("finite", "is not finite; leave the cell empty where the figure is unknown")
    return result


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (found := _INTEGER.fullmatch(value)):
        return int(found[1])
    raise PydanticCustomError("integer", "is not a whole number")


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _ISO_DAY.fullmatch(value):
        raise PydanticCustomError("day", "is not an ISO day; write YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("day", "is not a day of the calendar; check month and day") from None


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value == "true":
        return True
    if value == "false":
        return False
    raise PydanticCustomError("flag", "must be true or false in lower case")


#: Marks a field whose cell holds several names, separated by semicolons; in a database it is a list.
IN_ONE_CELL: Final = "several names in one cell"

Text = Annotated[str, StringConstraints(min_length=1)]
Key = Annotated[str, StringConstraints(pattern=r"^\S+$")]
MineralName = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]*|\*)$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^([A-Z]{3}|\*)$")]
DestinationCode = Annotated[str, StringConstraints(pattern=r"^([A-Z][A-Z0-9]{2,9}|\*)$")]
DestinationList = Annotated[
    str, StringConstraints(pattern=r"^([A-Z][A-Z0-9]{2,9}|\*)(;([A-Z][A-Z0-9]{2,9}|\*))*$"), IN_ONE_CELL
]
Hs6 = Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
TradeCode = Annotated[str, StringConstraints(pattern=r"^\d{6}(\d{2})?$")]
Hs6List = Annotated[str, StringConstraints(pattern=r"^\d{6}(;\d{6})*$"), IN_ONE_CELL]
HsRevision = Annotated[str, StringConstraints(pattern=rf"^({'|'.join(HS_REVISIONS)})$")]
Flag = Annotated[bool, BeforeValidator(_flag)]
Day = Annotated[date, BeforeValidator(_day), Field(ge=FIRST_DAY, le=LAST_DAY)]
Year = Annotated[int, BeforeValidator(_integer), Field(ge=FIRST_YEAR, le=LAST_YEAR)]
Count = Annotated[int, BeforeValidator(_integer), Field(ge=0, le=1_000)]
Number = Annotated[float, BeforeValidator(_number)]
Share = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1)]
Ratio = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1_000)]
FlowTonnes = Annotated[float, BeforeValidator(_number), Field(ge=0, le=MAX_FLOW_T)]
ProductionTonnes = Annotated[float, BeforeValidator(_number), Field(ge=0, le=MAX_PRODUCTION_T)]
ReserveTonnes = Annotated[float, BeforeValidator(_number), Field(ge=0, le=MAX_RESERVES_T)]
Usd = Annotated[float, BeforeValidator(_number), Field(ge=0, le=MAX_USD)]
Price = Annotated[float, BeforeValidator(_number), Field(gt=0, le=1e12)]
Days = Annotated[float, BeforeValidator(_number), Field(ge=0, le=36_500)]
