# /// script
# dependencies = ["no-such-flour-anywhere==4.0"]
# ///
"""Requires what no index has."""

__version__ = "1.0.0"
