"""Working on facts: check, add, compare, import and fetch."""
