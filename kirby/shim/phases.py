"""How far an attempt has come, and which steps may follow: a missing row is an illegal step."""

from enum import Enum


class Phase(Enum):
    """How far an attempt has come."""

    ARMED = "armed"  # taken; no process yet
    PARKED = "parked"  # its interpreter waits at the gate
    RELEASING = "releasing"  # noted to be let go; whoever finds this counts it as begun
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"

    @property
    def begun(self) -> bool:
        """Whether the script was let go."""
        return self in (Phase.RUNNING, Phase.STOPPING)

    @property
    def lives(self) -> bool:
        """Whether the end is still to come."""
        return self is not Phase.ENDED


class Move(Enum):
    """What happens to an attempt."""

    PARK = "park"
    PREPARE = "prepare"
    LET_GO = "let go"
    STOP = "stop"
    WITHDRAW = "withdraw"
    END = "end"


TABLE = {
    (Phase.ARMED, Move.PARK): Phase.PARKED,
    (Phase.ARMED, Move.PREPARE): Phase.RELEASING,
    (Phase.ARMED, Move.WITHDRAW): Phase.ENDED,
    (Phase.PARKED, Move.PREPARE): Phase.RELEASING,
    (Phase.PARKED, Move.WITHDRAW): Phase.ENDED,
    (Phase.RELEASING, Move.LET_GO): Phase.RUNNING,
    (Phase.RELEASING, Move.WITHDRAW): Phase.ENDED,
    (Phase.RUNNING, Move.STOP): Phase.STOPPING,
    (Phase.RUNNING, Move.END): Phase.ENDED,
    (Phase.STOPPING, Move.END): Phase.ENDED,
}


class IllegalStep(Exception):
    """A step that no row of the table allows: a bug, never a fault of a caller."""


def after(phase: Phase, move: Move) -> Phase:
    """Return the phase that follows.

    Raises:
        IllegalStep: the table has no such row.
    """
    try:
        return TABLE[phase, move]
    except KeyError:
        raise IllegalStep(f"{move.value} of an attempt that is {phase.value}") from None
