"""Working on rule files: check, lay out, test, try, and show."""
