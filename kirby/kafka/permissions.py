"""Asks Kafka, before anything is started, whether its user may do all that a part needs.

Brokers tell what whoever asks may do with a topic. Of the transactional id they tell nothing, so an
id of this host's own is tried that begins with it: that fences nobody.
"""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError as Fault
from confluent_kafka import KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AdminClient

from kirby.core.errors import KafkaError, PermissionsLacking
from kirby.kafka.needs import Kind, Need, lacking, needs
from kirby.kafka.sentences import fault_of, sentence
from kirby.kafka.settings import KafkaSettings

LIMIT_S = 15.0
TOLD_MOST = 3  # of what lacks, in one sentence
_REFUSED = (Fault.TOPIC_AUTHORIZATION_FAILED, Fault.UNKNOWN_TOPIC_OR_PART)


def check_permissions(
    settings: KafkaSettings, parts: tuple[str, ...], *, limit_s: float = LIMIT_S
) -> None:
    """See that the user of these settings may do what some parts need; the topics are there.

    Without a user nothing is asked. Leaves neither thread nor connection behind.

    Raises:
        PermissionsLacking: naming what, for which part, and where all of it is listed.
        KafkaError: Kafka does not answer in time.
    """
    if not settings.security:
        return
    wanted = needs(settings, parts)
    topics = {need.name for need in wanted if need.kind is Kind.TOPIC and not need.prefixed}
    lacks = [*lacking(wanted, _allowed(settings, sorted(topics), limit_s))]
    lacks += [need for need in _ids(wanted) if not _may_begin(settings, need, limit_s)][:1]
    if lacks:
        raise PermissionsLacking(told(settings, lacks))


def told(settings: KafkaSettings, lacks: list[Need]) -> str:
    """Say what lacks."""
    user = settings.security.get("sasl.username")
    who = f'the user "{user}"' if user else "this client"
    named = "; ".join(str(need) for need in lacks[:TOLD_MOST])
    more = f"; and {len(lacks) - TOLD_MOST} more" if len(lacks) > TOLD_MOST else ""
    return (
        f"Kafka at {settings.bootstrap} does not allow {who} what Kirby needs: {named}{more}. "
        "Give it what 'python -m kirby.kafka permissions' lists"
    )


def _allowed(
    settings: KafkaSettings, topics: list[str], limit_s: float
) -> Mapping[str, frozenset[str]]:
    admin = AdminClient(settings.for_admin())
    asked = admin.describe_topics(
        TopicCollection(topics), include_authorized_operations=True, request_timeout=limit_s
    )
    return {name: _operations(settings, future) for name, future in asked.items()}


def _operations(settings: KafkaSettings, future: Any) -> frozenset[str]:
    try:
        described = future.result()
    except KafkaException as raised:
        fault = fault_of(raised)
        if fault.code() in _REFUSED:
            return frozenset()
        raise KafkaError(sentence(settings.bootstrap, fault)) from raised
    return frozenset(_spelt(each.name) for each in described.authorized_operations or ())


def _spelt(name: str) -> str:
    """Turn DESCRIBE_CONFIGS into DescribeConfigs, as Kafka's own tool spells it."""
    return "".join(word.capitalize() for word in name.split("_"))


def _ids(wanted: tuple[Need, ...]) -> list[Need]:
    return [
        need for need in wanted if need.kind is Kind.TRANSACTIONAL_ID and need.operation == "Write"
    ]


def _may_begin(settings: KafkaSettings, need: Need, limit_s: float) -> bool:
    own = settings.client.rpartition("@")[2] or "host"
    config = settings.for_leader() | {"transactional.id": f"{need.name}.asks.{own}"}
    producer = Producer(config)
    try:
        producer.init_transactions(limit_s)
    except KafkaException as raised:
        return bool(fault_of(raised).code() != Fault.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    return True
