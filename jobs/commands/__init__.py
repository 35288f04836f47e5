"""Commands of `curbline`, a small module for each group; `jobs.cli` puts them together."""
