"""Alerts worth waking for: what is found, what was told already, and whom it goes to."""
