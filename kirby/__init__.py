"""Kirby runs scheduled scripts once in the whole cluster and daemons all the time."""

__version__ = "0.1.0"
