"""One recalculation of everything, and when it starts."""
