"""Bands as people see them: word, shape and colour, so that none of the three is needed alone."""

from __future__ import annotations

from jobs.marts import UNKNOWN_BAND

# Blue to orange, told apart by people who see red and green alike; the word is in the cell as well. Fill and ink.
BAND_COLOURS = {
    "critical": ("#B35806", "#FFFFFF"),
    "high": ("#F1A340", "#000000"),
    "moderate": ("#FEE0B6", "#000000"),
    "low": ("#D1E5F0", "#000000"),
    "minimal": ("#EEF4FA", "#000000"),
    UNKNOWN_BAND: ("#D9D9D9", "#000000"),
}
BAND_MEANING = {
    "critical": "80 to 100: more than 64 % of normal tonnes expected to be missing",
    "high": "60 to 80: 36 to 64 % missing",
    "moderate": "40 to 60: 16 to 36 % missing",
    "low": "20 to 40: 4 to 16 % missing",
    "minimal": "0 to 20: less than 4 % missing",
    UNKNOWN_BAND: "no score can be formed; the last column says why. Unknown is not zero",
}
SHAPES = {"critical": "▲▲", "high": "▲", "moderate": "●", "low": "▽", "minimal": "▽▽", UNKNOWN_BAND: "?"}
