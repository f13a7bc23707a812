"""Several web services share a database: which there are, and who did what is done by one."""

STATEMENTS = (
    """CREATE TABLE web_service_row (
        url TEXT PRIMARY KEY CHECK (url <> ''),
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        version TEXT NOT NULL,
        since BIGINT NOT NULL,
        seen BIGINT NOT NULL)""",
    """CREATE TABLE chore_row (
        name TEXT PRIMARY KEY CHECK (name <> ''),
        done BIGINT NOT NULL)""",
)
