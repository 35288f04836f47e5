"""Why scores moved between two nights: the same draws, one input swapped at a time."""
