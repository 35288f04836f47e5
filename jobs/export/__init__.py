"""Exports: CSV and Parquet of every mart table, and workbooks for buyers. The same run gives the same bytes."""
