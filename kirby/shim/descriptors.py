"""How many descriptors: each attempt takes some here, and a script gets the limit it always had."""

import resource

OWN = 32  # what the shim itself holds, and what a start needs for a moment
EACH = 7  # three pipes, gate, journal, output; of an adopted one the process instead of the gate

_before = resource.getrlimit(resource.RLIMIT_NOFILE)


def raise_limit() -> None:
    """Allow this process as many as the system lets it have."""
    hard = _before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def most_attempts(peers: int) -> int:
    """Return how many attempts fit beside so many peers; what lives must stay within reach."""
    return max(1, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - peers - OWN) // EACH)


def restore_limit() -> None:
    """Take the limit back; called by a child between fork and exec."""
    resource.setrlimit(resource.RLIMIT_NOFILE, _before)
