"""The back-test: what happened under curbs, held against what would have been said the day before."""
