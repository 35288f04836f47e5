"""The portfolio scored again under other rules: what a changed rule would move."""
