"""The fact tables: a pydantic model for each, with its key and its references."""
