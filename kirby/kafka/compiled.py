"""What Java compiled while the broker ran, kept so that the next start takes half as long.

Java writes it when the broker stops, in about six seconds and 65 MB, into the broker's own folder;
only what is whole goes into the cache, which all state folders share.
"""

import os
import shutil
from pathlib import Path

from kirby.kafka.broker_files import BrokerFolder
from kirby.kafka.broker_process import Program


def begin(broker: BrokerFolder, program: Program) -> None:
    """Forget what an earlier broker left half, and note where a whole one belongs."""
    for path in _drafts(broker):
        path.unlink(missing_ok=True)
    if program.java.keeps_what_it_compiled and not program.compiled.exists():
        broker.kept_for.write_text(str(program.compiled))


def is_due(broker: BrokerFolder) -> bool:
    """Whether the living broker will write it when it stops."""
    return broker.kept_for.exists()


def keep(broker: BrokerFolder) -> None:
    """Put what the broker wrote at its stop into the cache, if it is whole."""
    recorded = broker.kept.with_name(f"{broker.kept.name}.config")  # removed when Java is done
    if broker.kept.exists() and not recorded.exists():
        place = Path(broker.kept_for.read_text())
        draft = place.with_name(f"{place.name}.{os.getpid()}.draft")
        try:
            shutil.move(broker.kept, draft)
            draft.replace(place)
        except OSError:
            draft.unlink(missing_ok=True)  # a cache without room: the next start is slower, no more
    for path in _drafts(broker):
        path.unlink(missing_ok=True)


def _drafts(broker: BrokerFolder) -> tuple[Path, ...]:
    return broker.kept_for, broker.kept, broker.kept.with_name(f"{broker.kept.name}.config")
