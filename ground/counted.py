"""Numbers with the noun that they count."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 problem``, ``2,000 problems``, ``0 entries``; ``plural`` where an s at the end is not enough."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
