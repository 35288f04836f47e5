"""Words that stand in the names of columns on every floor."""

from typing import Final

#: Ends of a range, and of its three columns.
ENDS: Final = ("low", "best", "high")
#: Regimes that ask the law; a full stop asks nothing.
LAW_REGIMES: Final = ("active", "snapback")
REGIMES: Final = (*LAW_REGIMES, "full_stop")
