"""The fewest flows or measures whose stop takes a loss over a threshold. Stored facts are never touched."""
