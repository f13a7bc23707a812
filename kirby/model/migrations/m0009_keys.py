"""The changes of the cluster's key, each sealed with the key before."""

STATEMENTS = (
    """CREATE TABLE key_change (
        id {serial},
        of_key TEXT NOT NULL UNIQUE,
        key TEXT NOT NULL UNIQUE,
        sealed TEXT NOT NULL,
        since BIGINT NOT NULL,
        until_then BIGINT NOT NULL,
        made BIGINT NOT NULL,
        made_by TEXT NOT NULL DEFAULT '',
        CHECK (until_then >= since))""",
)
