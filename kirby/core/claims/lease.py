"""How long a host may keep its exclusive runs without hearing from Kafka (rule L6)."""

LEASE_SECONDS = 15.0  # the leader gives up a silent host 5 s after that (rule L2)


def lease_ends(sent_boot: float) -> float:
    """Return the BOOTTIME at which the lease ends that a heartbeat sent then has renewed."""
    return sent_boot + LEASE_SECONDS
