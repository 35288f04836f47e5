"""Rows as UN Comtrade writes them."""

from __future__ import annotations

import json

import polars as pl

from warehouse.sources.parsed import Reading

#: The columns of the web page and of the interface for programs, in their order.
HEADER = [
    "typeCode",
    "freqCode",
    "refPeriodId",
    "refYear",
    "refMonth",
    "period",
    "reporterCode",
    "reporterISO",
    "reporterDesc",
    "flowCode",
    "flowDesc",
    "partnerCode",
    "partnerISO",
    "partnerDesc",
    "partner2Code",
    "partner2ISO",
    "partner2Desc",
    "classificationCode",
    "classificationSearchCode",
    "isOriginalClassification",
    "cmdCode",
    "cmdDesc",
    "aggrLevel",
    "isLeaf",
    "customsCode",
    "customsDesc",
    "mosCode",
    "motCode",
    "motDesc",
    "qtyUnitCode",
    "qtyUnitAbbr",
    "qty",
    "isQtyEstimated",
    "altQtyUnitCode",
    "altQtyUnitAbbr",
    "altQty",
    "isAltQtyEstimated",
    "netWgt",
    "isNetWgtEstimated",
    "grossWgt",
    "isGrossWgtEstimated",
    "cifvalue",
    "fobvalue",
    "primaryValue",
    "legacyEstimationFlag",
    "isReported",
    "isAggregate",
]
#: The columns of the web page before 2023.
OLD_HEADER = [
    "Classification",
    "Year",
    "Period",
    "Period Desc.",
    "Aggregate Level",
    "Is Leaf Code",
    "Trade Flow Code",
    "Trade Flow",
    "Reporter Code",
    "Reporter",
    "Reporter ISO",
    "Partner Code",
    "Partner",
    "Partner ISO",
    "2nd Partner Code",
    "2nd Partner",
    "2nd Partner ISO",
    "Customs Proc. Code",
    "Customs",
    "Mode of Transport Code",
    "Mode of Transport",
    "Commodity Code",
    "Commodity",
    "Qty Unit Code",
    "Qty Unit",
    "Qty",
    "Alt Qty Unit Code",
    "Alt Qty Unit",
    "Alt Qty",
    "Netweight (kg)",
    "Gross weight (kg)",
    "Trade Value (US$)",
    "CIF Trade Value (US$)",
    "FOB Trade Value (US$)",
    "Flag",
]
COUNTRIES = {"CHN": "156", "TWN": "490", "USA": "842", "JPN": "392", "MMR": "104", "XKX": None}
READING = Reading(
    {
        "countries": pl.DataFrame(
            list(COUNTRIES.items()), schema={"country": pl.String, "baci_code": pl.String}, orient="row"
        ),
        "hs_codes": pl.DataFrame(
            [("284690", "92"), ("284690", "17"), ("081110", "92")],
            schema={"hs6": pl.String, "hs_revision": pl.String},
            orient="row",
        ),
    },
    any_size=True,
)
_ISO = {number: iso for iso, number in COUNTRIES.items()} | {"490": "S19", "0": "W00"}


def record(reporter: str, flow: str, partner: str, **other: str) -> dict[str, str]:
    """One row: 12,500 kg for 50,000 US dollars in 2023; `other` changes its columns."""
    plain = dict.fromkeys(HEADER, "") | {
        "typeCode": "C",
        "freqCode": "A",
        "refPeriodId": "20230101",
        "refYear": "2023",
        "refMonth": "52",
        "period": "2023",
        "reporterCode": reporter,
        "reporterISO": _ISO.get(reporter, ""),
        "reporterDesc": "Reporter",
        "flowCode": flow,
        "flowDesc": "Import" if flow == "M" else "Export",
        "partnerCode": partner,
        "partnerISO": _ISO.get(partner, ""),
        "partnerDesc": "Partner",
        "partner2Code": "0",
        "partner2ISO": "W00",
        "partner2Desc": "World",
        "classificationCode": "H0",
        "classificationSearchCode": "HS",
        "isOriginalClassification": "false",
        "cmdCode": "284690",
        "cmdDesc": "Compounds of rare earths",
        "aggrLevel": "6",
        "isLeaf": "true",
        "customsCode": "C00",
        "customsDesc": "TOTAL CPC",
        "mosCode": "0",
        "motCode": "0",
        "motDesc": "TOTAL MOT",
        "qtyUnitCode": "8",
        "qtyUnitAbbr": "kg",
        "qty": "12500",
        "isQtyEstimated": "false",
        "altQtyUnitCode": "-1",
        "altQtyUnitAbbr": "N/A",
        "altQty": "0",
        "isAltQtyEstimated": "false",
        "netWgt": "12500",
        "isNetWgtEstimated": "false",
        "grossWgt": "0",
        "isGrossWgtEstimated": "false",
        "primaryValue": "50000.5",
        "legacyEstimationFlag": "0",
        "isReported": "false",
        "isAggregate": "true",
    }
    assert set(other) <= set(plain), "a test names a column that is none"
    return plain | other


def table(*rows: dict[str, str], end: str = "\n", separator: str = ",") -> str:
    """The rows as a table, columns as in the first one."""
    names = list(rows[0])
    lines = [separator.join(names), *(separator.join(row[name] for name in names) for row in rows)]
    return lines[0] + "\n" + "".join(line + end for line in lines[1:])


def answer(*rows: dict[str, str]) -> bytes:
    """The rows as the interface for programs sends them: figures as figures, blanks as null."""

    def cell(written: str) -> object:
        if written in {"true", "false"}:
            return written == "true"
        return None if not written else float(written) if "." in written else written

    data = [{name: cell(written) for name, written in row.items()} for row in rows]
    return json.dumps({"elapsedTime": "0.1 secs", "count": len(data), "data": data, "error": ""}).encode()


def months(reporter: str, flow: str, partner: str, count: int = 12, **other: str) -> list[dict[str, str]]:
    """The same row for the first `count` months of 2023."""
    return [
        record(reporter, flow, partner, **{"freqCode": "M", "period": f"2023{month:02}", **other})
        for month in range(1, count + 1)
    ]
