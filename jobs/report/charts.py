"""Pictures: Vega-Lite specifications, drawn as SVG or PNG by vl-convert, offline and without a browser.

Ink is the colour of the text around a picture, so that one drawing serves light and dark pages. A value that is
unknown is drawn as the word, never as a bar of length nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import polars as pl
import vl_convert

from ground.words import BANDS
from jobs.export.bands import BAND_COLOURS
from jobs.marts import UNKNOWN_BAND
from jobs.report import words

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH = 560
ROW = 24
ORANGE, BLUE, GREY = "#B35806", "#4B8BBE", "#9AA3AE"
#: Stands for the colour of the text while a picture is drawn; no picture uses it for anything else.
_INK = "#010203"
_IDS = re.compile(r"\bclip(\d+)\b")
STATE_COLOURS = {
    "proposed": "#C6DBEF",
    "announced": "#92C5DE",
    "in_force": "#B35806",
    "suspended": "#4393C3",
    "lapsed_unverified": "#FDB863",
    "superseded": "#BDBDBD",
    "ended": "#D9D9D9",
    "dropped": "#D9D9D9",
    "unknown": "#808080",
}


@dataclass(frozen=True)
class Chart:
    """One picture: what it says in words, the figures behind it, and how it is drawn. No rows, no picture."""

    title: str
    rows: pl.DataFrame
    spec: dict[str, Any]

    def svg(self, name: str) -> str:
        """Return the picture to stand in a page; `name` keeps its parts apart from those of other pictures."""
        drawn = vl_convert.vegalite_to_svg(_themed(self, _INK))
        return _IDS.sub(rf"{name}-clip\1", drawn.replace(_INK, "currentColor"))

    def svg_alone(self) -> str:
        """Return the picture as a file of its own, on white."""
        return str(vl_convert.vegalite_to_svg(_themed(self, "#1B1F24", background="#FFFFFF")))

    def png(self) -> bytes:
        """Return the picture on white, twice as fine as a screen."""
        return bytes(vl_convert.vegalite_to_png(_themed(self, "#1B1F24", background="#FFFFFF"), scale=2))


def _themed(chart: Chart, ink: str, background: str | None = None) -> dict[str, Any]:
    axis = {
        "labelColor": ink, "titleColor": ink, "domainColor": ink, "tickColor": ink, "gridColor": ink,
        "gridOpacity": 0.15, "domainOpacity": 0.4, "tickOpacity": 0.4, "labelFontSize": 12, "titleFontSize": 12,
        "titleFontWeight": "normal", "labelLimit": 300,
    }  # fmt: skip
    return {
        "$schema": SCHEMA,
        "description": chart.title,
        "width": WIDTH,
        "background": background,
        "padding": {"left": 28, "right": 16, "top": 4, "bottom": 4},
        **({"title": {"text": chart.title, "anchor": "start", "color": ink}} if background else {}),
        "config": {
            "view": {"stroke": None},
            "font": "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif",
            "axis": axis,
            "legend": {
                "labelColor": ink,
                "titleColor": ink,
                "labelFontSize": 12,
                "orient": "top",
                "columnPadding": 28,
                "title": None,
            },
            "text": {"color": ink, "fontSize": 12},
            "rule": {"color": ink},
            "tick": {"color": ink},
        },
        "data": {"values": _plain(chart.rows)},
        **chart.spec,
    }


def _plain(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return rows that JSON can hold: days as text, and no text that turns the direction of what follows."""
    dated = rows.with_columns(pl.col(pl.Date).cast(pl.String))
    return [
        {name: words.shown(v) if isinstance(v, str) else v for name, v in row.items()}
        for row in dated.to_dicts()
    ]


def money(rows: pl.DataFrame, title: str) -> Chart:
    """Draw money expected to be missing, with eight chances in ten.

    Args:
        rows: name, expected_missing_usd, missing_usd_p10, missing_usd_p90; in the order in which they are shown.
        title: What the picture says.
    """
    order = rows["name"].to_list()
    y = {"field": "name", "type": "nominal", "sort": order, "title": None}
    axis = {"title": "USD expected to be missing; the line holds eight chances in ten", "format": "~s"}
    spec = {
        "height": {"step": ROW},
        "layer": [
            {
                "transform": [{"filter": "isValid(datum.expected_missing_usd)"}],
                "mark": {"type": "bar", "color": BLUE, "height": 13},
                "encoding": {
                    "y": y,
                    "x": {"field": "expected_missing_usd", "type": "quantitative", "axis": axis},
                },
            },
            {
                "transform": [{"filter": "isValid(datum.missing_usd_p10) && isValid(datum.missing_usd_p90)"}],
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "y": y,
                    "x": {"field": "missing_usd_p10", "type": "quantitative"},
                    "x2": {"field": "missing_usd_p90"},
                },
            },
            {
                "transform": [{"filter": "!isValid(datum.expected_missing_usd)"}],
                "mark": {
                    "type": "text",
                    "align": "left",
                    "dx": 4,
                    "text": words.UNKNOWN,
                    "fontStyle": "italic",
                },
                "encoding": {"y": y, "x": {"value": 0}},
            },
        ],
    }
    return Chart(title, rows, spec)


def waterfall(rows: pl.DataFrame, title: str) -> Chart:
    """Draw how the points of a score come together.

    Args:
        rows: name, points, start, end; the last one is the score itself, from 0.
        title: What the picture says.
    """
    order = rows["name"].to_list()
    y = {"field": "name", "type": "nominal", "sort": order, "title": None}
    colour = {
        "condition": [
            {"test": "datum.kind === 'score'", "value": GREY},
            {"test": "datum.points > 0", "value": ORANGE},
        ],
        "value": BLUE,
    }
    spec = {
        "height": {"step": ROW},
        "layer": [
            {
                "mark": {"type": "bar", "height": 14},
                "encoding": {
                    "y": y,
                    "x": {
                        "field": "start", "type": "quantitative", "scale": {"domain": [0, 100]},
                        "axis": {"title": "points of the score (0 to 100)"},
                    },
                    "x2": {"field": "end"},
                    "color": colour,
                },
            },
            {
                "transform": [
                    {"calculate": "max(datum.start, datum.end)", "as": "right"},
                    {"calculate": "datum.kind === 'score' ? format(datum.points, '.1f') : format(datum.points, '+.1f')", "as": "said"},
                ],
                "mark": {"type": "text", "align": "left", "dx": 4},
                "encoding": {"y": y, "x": {"field": "right", "type": "quantitative"}, "text": {"field": "said"}},
            },
        ],
    }  # fmt: skip
    return Chart(title, rows, spec)


def timeline(rows: pl.DataFrame, title: str, as_of: str) -> Chart:
    """Draw the states of measures over time.

    Args:
        rows: name, state, start, end (dates; a state that has no end runs to the picture's own).
        title: What the picture says.
        as_of: The day of the report, drawn as a line.
    """
    states = [state for state in STATE_COLOURS if state in set(rows["state"])]
    said = [words.plain_name(state) for state in states]
    order = list(dict.fromkeys(rows["name"]))
    named = rows.with_columns(pl.col("state").str.replace_all("_", " "))
    y = {"field": "name", "type": "nominal", "sort": order, "title": None}
    spec = {
        "height": {"step": ROW},
        "layer": [
            {
                "mark": {"type": "bar", "height": 14, "stroke": "#FFFFFF", "strokeWidth": 0.5},
                "encoding": {
                    "y": y,
                    "x": {"field": "start", "type": "temporal", "title": None},
                    "x2": {"field": "end"},
                    "color": {
                        "field": "state",
                        "type": "nominal",
                        "scale": {"domain": said, "range": [STATE_COLOURS[state] for state in states]},
                    },
                },
            },
            {
                "data": {"values": [{"day": as_of}]},
                "mark": {"type": "rule", "strokeDash": [4, 3]},
                "encoding": {"x": {"field": "day", "type": "temporal"}},
            },
        ],
    }
    return Chart(title, named, spec)


def heat(rows: pl.DataFrame, title: str) -> Chart:
    """Draw bands of minerals by stage; the word of the band is in the field.

    Args:
        rows: mineral, stage, band, score; an unknown band is null and drawn as unknown.
        title: What the picture says.
    """
    shown = rows.with_columns(
        pl.col("band").fill_null(UNKNOWN_BAND), pl.col("mineral").str.replace_all("_", " ")
    )
    order = list(dict.fromkeys(shown["mineral"]))
    stages = list(dict.fromkeys(shown["stage"]))
    place = {
        "y": {"field": "mineral", "type": "nominal", "sort": order, "title": None},
        "x": {"field": "stage", "type": "nominal", "sort": stages, "title": None, "axis": {"orient": "top", "labelAngle": 0}},
    }  # fmt: skip
    bands = (*BANDS, UNKNOWN_BAND)
    fills, inks = ([BAND_COLOURS[band][end] for band in bands] for end in (0, 1))
    spec = {
        "height": {"step": ROW},
        "encoding": place,
        "layer": [
            {
                "mark": {"type": "rect", "stroke": "#FFFFFF"},
                "encoding": {
                    "color": {
                        "field": "band", "type": "nominal", "legend": None,
                        "scale": {"domain": bands, "range": fills},
                    }
                },
            },
            {
                "mark": {"type": "text"},
                "encoding": {
                    "text": {"field": "band"},
                    "color": {
                        "field": "band", "type": "nominal", "legend": None,
                        "scale": {"domain": bands, "range": inks},
                    },
                },
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
    }  # fmt: skip
    return Chart(title, shown, spec)


def origin(rows: pl.DataFrame, title: str, curbing_country: str) -> Chart:
    """Draw who makes a mineral at each stage of its chain, as shares of what is known; the curbing country in orange.

    Args:
        rows: stage, country, name, share (0..1), production_t, year; in the order of the chain.
        title: What the picture says.
        curbing_country: Its code.
    """
    order = list(dict.fromkeys(rows["stage"]))
    placed = rows.with_columns(rank=pl.int_range(pl.len()).over("stage"))
    y = {"field": "stage", "type": "nominal", "sort": order, "title": None}
    x = {
        "field": "share", "type": "quantitative", "stack": "zero", "scale": {"domain": [0, 1]},
        "axis": {"title": "share of the production that is known", "format": "%"},
    }  # fmt: skip
    stacked = {"y": y, "x": x, "order": {"field": "rank"}}
    spec = {
        "height": {"step": 44},
        "layer": [
            {
                "mark": {"type": "bar", "height": 30, "stroke": "#FFFFFF"},
                "encoding": {
                    **stacked,
                    "color": {
                        "condition": [
                            {"test": {"field": "country", "equal": curbing_country}, "value": ORANGE},
                            {"test": {"field": "country", "oneOf": ["OTH", "…"]}, "value": "#D9D9D9"},
                        ],
                        "value": "#92C5DE",
                    },
                },
            },
            {
                "transform": [{"filter": "datum.share > 0.06"}],
                "mark": {"type": "text"},
                "encoding": {
                    **stacked,
                    "x": {**x, "bandPosition": 0.5},
                    "text": {"field": "country"},
                    "color": {
                        "condition": {
                            "test": {"field": "country", "equal": curbing_country},
                            "value": "#FFFFFF",
                        },
                        "value": "#000000",
                    },
                },
            },
        ],
    }
    return Chart(title, placed, spec)
