"""The warehouse: everything DuckDB, and the facts."""
