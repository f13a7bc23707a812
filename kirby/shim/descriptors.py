"""How many descriptors: an attempt takes six here, and a script gets the limit it always had."""

import resource

_before = resource.getrlimit(resource.RLIMIT_NOFILE)


def raise_limit() -> None:
    """Allow this process as many as the system lets it have."""
    hard = _before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def restore_limit() -> None:
    """Take the limit back; called by a child between fork and exec."""
    resource.setrlimit(resource.RLIMIT_NOFILE, _before)
