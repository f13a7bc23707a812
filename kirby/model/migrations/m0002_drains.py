"""Hosts that are being taken out: by whom, since when."""

STATEMENTS = (
    """CREATE TABLE drain (
        host TEXT PRIMARY KEY CHECK (host <> ''),
        since BIGINT NOT NULL,
        made_by TEXT NOT NULL DEFAULT '')""",
)
