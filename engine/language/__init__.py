"""The rule language: strict YAML, models, checks, compilation, an independent oracle, and tests."""
