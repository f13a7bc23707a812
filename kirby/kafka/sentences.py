"""What a fault of Kafka's client says to a person."""

import re

from confluent_kafka import KafkaError as Fault
from confluent_kafka import KafkaException

_WHO = re.compile(r"^(?:\w+://)?[\w.-]+:\d+/\w+: ")  # "host:port/bootstrap: "
_STATE = re.compile(r" \(after \d+ms in state \w+[^)]*\)")
_TLS = (Fault._SSL,)
_SIGN_IN = (Fault._AUTHENTICATION, Fault.SASL_AUTHENTICATION_FAILED)
_FENCED = (Fault._FENCED, Fault.PRODUCER_FENCED, Fault.INVALID_PRODUCER_EPOCH)
_SILENT = (
    Fault._TIMED_OUT,
    Fault._MSG_TIMED_OUT,
    Fault._ALL_BROKERS_DOWN,
    Fault._TRANSPORT,
    Fault._RESOLVE,
    Fault.REQUEST_TIMED_OUT,
)
_PASSING = (  # a partition gets another leader, or its first
    Fault.NOT_LEADER_FOR_PARTITION,
    Fault.LEADER_NOT_AVAILABLE,
    Fault.FENCED_LEADER_EPOCH,
    Fault.UNKNOWN_LEADER_EPOCH,
    Fault.OFFSET_NOT_AVAILABLE,
    Fault.UNKNOWN_TOPIC_OR_PART,
    Fault._NOENT,
)


def fault_of(raised: BaseException) -> Fault:
    """Return what librdkafka said, of an exception that confluent-kafka raised."""
    if isinstance(raised, KafkaException) and raised.args and isinstance(raised.args[0], Fault):
        return raised.args[0]
    return Fault(Fault._FAIL, str(raised))


def is_fencing(fault: Fault) -> bool:
    """Tell whether a later producer of the same transactional id has begun."""
    return fault.code() in _FENCED


def is_silence(fault: Fault) -> bool:
    """Tell whether no broker answered, which may pass."""
    return fault.code() in _SILENT


def is_passing(fault: Fault) -> bool:
    """Tell whether asking again in a moment may well be answered."""
    return fault.code() in _PASSING


def plain(said: str) -> str:
    """Leave of what librdkafka says what a person can use."""
    return _STATE.sub("", _WHO.sub("", said)).replace("ipv4#", "").replace("ipv6#", "")


def sentence(bootstrap: str, fault: Fault) -> str:
    """Say what is wrong and where."""
    if fault.code() in _TLS:
        return f"Kafka at {bootstrap} cannot be spoken to by TLS: {plain(fault.str())}"
    if fault.code() in _SIGN_IN:
        return f"Kafka at {bootstrap} refuses the sign-in: {plain(fault.str())}"
    if is_silence(fault):
        return f"Kafka at {bootstrap} does not answer: {plain(fault.str())}"
    return f"Kafka at {bootstrap} says: {plain(fault.str())}"
