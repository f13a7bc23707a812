"""Why did the embedded broker not start? What it said, as one sentence for a person."""

import re

from kirby.kafka.broker_files import BrokerFolder

_ENTRY = re.compile(r"^\d{4}-\S+ (ERROR|FATAL) (.*)$", re.MULTILINE)
_CAUSE = re.compile(r"^(?:Caused by: )?[\w.$]*(?:Exception|Error): (.+)$", re.MULTILINE)


def last_words(broker: BrokerFolder, said_before: int) -> str:
    """Say why, from the broker's log after `said_before` bytes, else from its console."""
    logged = _tail(broker, said_before)
    console = broker.console.read_text(errors="replace") if broker.console.exists() else ""
    if "No space left on device" in logged + console:
        return f"Kafka cannot start: the disk that holds {broker.path} is full; make room"
    if "OutOfMemoryError" in logged + console or "insufficient memory" in console:
        return "Kafka cannot start: there is too little memory; it needs 200 MB"
    said = _reason(logged) or _reason(console) or "it said nothing"
    return f"Kafka did not start: {said} (all it said is in {broker.log})"


def _tail(broker: BrokerFolder, said_before: int) -> str:
    if not broker.log.exists():
        return ""
    said = broker.log.read_bytes()
    # The file was begun anew when it is shorter than it was.
    return said[said_before if said_before <= len(said) else 0 :].decode(errors="replace")


def _reason(said: str) -> str:
    """Return the innermost cause that was named, else the last error."""
    causes, errors = _CAUSE.findall(said), _ENTRY.findall(said)
    if causes:
        return str(causes[-1]).strip()
    return str(errors[-1][1]).strip() if errors else ""
