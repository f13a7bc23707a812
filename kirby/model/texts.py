"""Texts from scripts, as a database takes them."""

REASON_LIMIT = 4000  # characters; a reason is a sentence


def storable(text: str, limit: int = REASON_LIMIT) -> str:
    """Return the text without what PostgreSQL refuses (NUL), cut at a limit."""
    clean = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
