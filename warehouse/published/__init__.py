"""The published file: its tables with their columns and keys, views, dictionary and data package."""
