"""Why a route scores what it scores, in sentences."""
