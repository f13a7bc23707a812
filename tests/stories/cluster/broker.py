"""Starts the product's embedded broker on another address than loopback: FOLDER ADDRESS.

So it serves the hosts of a story as a Kafka of the user's own. Prints where it answers.
"""

import sys
from pathlib import Path

from kirby.kafka import broker_files, embedded

if __name__ == "__main__":
    folder, address = sys.argv[1:]
    for module in (broker_files, embedded):
        module.LOOPBACK = address  # type: ignore[attr-defined]
    print(embedded.ensure(Path(folder)))
