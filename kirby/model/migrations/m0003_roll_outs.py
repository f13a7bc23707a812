"""How the editions of daemons stand, and the steps that brought them there."""

STATEMENTS = (
    """CREATE TABLE roll_out (
        context TEXT PRIMARY KEY,
        state TEXT NOT NULL CHECK (state IN ('standing', 'rolling out', 'went back')),
        sentence TEXT NOT NULL DEFAULT '',
        told BIGINT)""",
    """CREATE TABLE roll_out_step (
        context TEXT NOT NULL,
        told BIGINT NOT NULL,
        sentence TEXT NOT NULL,
        PRIMARY KEY (context, told, sentence))""",
)
