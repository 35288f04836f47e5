"""A bundle of a few rows, enough to load."""

import csv
from pathlib import Path

from warehouse.records.tables import columns

TABLES = {
    "sources": """\
source_id,publisher,title,url,published,licence,grade,known_from
src-a,MOFCOM,Notice 23,https://example.org/a,2023-07-03,public,A,2020-01-01
src-b,Press,A pause,https://example.org/b,2025-11-07,quoted,C,2020-01-01
""",
    "minerals": """\
mineral,name,symbol,is_group,content_basis,source_id,known_from
gallium,gallium,Ga,false,contained metal,src-a,2020-01-01
dysprosium,dysprosium,Dy,false,contained metal,src-a,2020-01-01
""",
    "countries": """\
country,name,iso2,is_entrepot,source_id,known_from
CHN,China,CN,false,src-a,2020-01-01
COD,Congo (Kinshasa),CD,false,src-a,2020-01-01
DEU,Germany,DE,false,src-a,2020-01-01
FRA,France,FR,false,src-a,2020-01-01
JPN,Japan,JP,false,src-a,2020-01-01
USA,United States,US,false,src-a,2020-01-01
""",
    "blocs": """\
bloc,country,valid_from,valid_to,source_id,known_from
EU27,DEU,1993-11-01,,src-a,2020-01-01
EU27,FRA,1993-11-01,,src-a,2020-01-01
""",
    "trade": """\
year,exporter,importer,hs6,hs_revision,value_usd,quantity_t,is_complete,source_id,known_from
2019,CHN,USA,811292,17,1000,1.5,true,src-a,2021-02-01
2024,CHN,USA,811292,17,1000,1.5,true,src-a,2026-02-01
""",
}


def write_bundle(folder: Path, **changed: str) -> Path:
    """Write the bundle, with the text of some tables changed; columns that are not given stay empty."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bundle.toml").write_text('name = "tiny"\nversion = "1"\nlicence = "none"\n', encoding="utf-8")
    for name, text in {**TABLES, **changed}.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [column.name for column in columns(name)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(csv.DictReader(text.splitlines()))
    return folder
