"""Static checks of a rule set. Codes are stable; docs/checks has a page for each."""
