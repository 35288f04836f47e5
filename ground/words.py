"""Words in the names of columns that engine, warehouse and jobs share."""

from typing import Final

#: Ends of a range, and of its three columns.
ENDS: Final = ("low", "best", "high")
#: Regimes that ask the law; a full stop asks nothing.
LAW_REGIMES: Final = ("active", "snapback")
REGIMES: Final = (*LAW_REGIMES, "full_stop")
#: Bands of a score from low to high.
BANDS: Final = ("minimal", "low", "moderate", "high", "critical")
#: Days ahead for which facts say what can be added and replaced: ``add_90_t``, ``switch_90_share`` and so on.
HORIZONS: Final = (90, 365, 1825)
#: The horizon of summaries, exports and explanations that ask for none.
MAIN_HORIZON: Final = 365
