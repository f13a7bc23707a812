"""The flags of `start`, apart from what they start, so that `kirby --help` is quick."""

import argparse


def add_start_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `start` but `--state`; `configuration_of(vars(parsed))` reads them all."""
    parser.add_argument("--name", help="of the host (default: the machine's)")
    parser.add_argument("--address", metavar="IPV4", help="where to listen (default: 127.0.0.1)")
    parser.add_argument("--port", help="of the actor system (default: 8641)")
    parser.add_argument("--slots", help="scheduled runs at a time (default: 4 for each core)")
    parser.add_argument(
        "--kafka", metavar="HOST:PORT,…", help="default: one that Kirby runs itself"
    )
    parser.add_argument("--web", metavar="URL,…", help="default: one that Kirby runs itself")
    parser.add_argument(
        "--convention-leader", metavar="HOST:PORT", help="the host through which to meet others"
    )
    parser.add_argument("--priority", help="in the election; the higher one stands first")
    parser.add_argument("--web-listen", metavar="HOST:PORT", help="of the own web service")
    parser.add_argument(
        "--database", metavar="URL", help="of the own web service (default: SQLite)"
    )
    parser.add_argument("--config", metavar="FILE", help="settings in TOML")
