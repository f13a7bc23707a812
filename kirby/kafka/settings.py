"""How Kafka is reached, and how each kind of client is set up: no record lost, none doubled.

The keys are librdkafka's. What each setting is for stands beside it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from kirby.core.configuration import HostConfiguration
from kirby.core.records import TopicName
from kirby.kafka.quiet import RateLimited

Config = dict[str, object]

SCHEDULER = "kirby-scheduler"
WEB_GROUP = "kirby-web"
DELIVERY_LIMIT = timedelta(seconds=30)
TRANSACTION_LIMIT = timedelta(seconds=10)  # an open transaction holds up whoever reads committed
# A fetch that finds nothing is answered after this time (one that finds something at once). It is
# a reader's sign of life, and what a newly assigned partition waits for before its first fetch.
FETCH_WAIT_MS = 100
STATISTICS_MS = 500
WHO_ASKS = (
    *("sasl.username", "sasl.password"),
    *("ssl.certificate.location", "ssl.key.location", "ssl.key.password"),
)
_COMMON: Mapping[str, object] = {
    # A broker that comes back is found within a second (rule L2 counts on it).
    "reconnect.backoff.ms": 100,
    "reconnect.backoff.max.ms": 1000,
    "socket.keepalive.enable": True,
    "socket.connection.setup.timeout.ms": 5000,  # librdkafka's 30 s outlast what they wait for
    "socket.timeout.ms": 10_000,
    "allow.auto.create.topics": False,
}
_READING: Mapping[str, object] = {
    "group.id": "kirby",  # asked for by librdkafka; partitions are assigned, nothing is committed
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # an offset that is gone must not become a silent jump
    "isolation.level": "read_committed",
    "enable.partition.eof": True,  # its offset counts the markers, which are not delivered
    "fetch.wait.max.ms": FETCH_WAIT_MS,
    "fetch.error.backoff.ms": 100,
    "queued.max.messages.kbytes": 8192,  # of memory for each reader; librdkafka takes 64 MB
    "statistics.interval.ms": STATISTICS_MS,
    "max.poll.interval.ms": 86_400_000,  # a reader whose mailbox is full pauses, and is not evicted
}
_WRITING: Mapping[str, object] = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 0,
    "compression.type": "lz4",
    # As Java's clients do; whoever writes a key must find the partition that all others find.
    "partitioner": "murmur2_random",
}


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    """Where Kafka is, how to be let in, and what this installation's topics are called."""

    bootstrap: str  # "host:port,host:port"
    prefix: str = ".kirby."
    replication: int = 1
    security: Mapping[str, str] = field(default_factory=dict, repr=False)  # TLS and SASL
    # Who scripts are, where that is somebody of their own: then they get nothing of the host's.
    scripts: Mapping[str, str] = field(default_factory=dict, repr=False)
    client: str = "kirby"  # what the brokers' logs call this process

    def topic(self, name: TopicName) -> str:
        """Return the full name of an internal topic."""
        return f"{self.prefix}{name.value}"

    @property
    def transactional_id(self) -> str:
        """Name the one who leads: whoever last began with this id fences all before (rule I5)."""
        own = self.prefix.strip(".")
        return SCHEDULER if own == "kirby" else f"{own}.{SCHEDULER}"

    def for_reader(self) -> Config:
        """Return the configuration of a consumer that is assigned its partitions."""
        return self._with(_READING)

    def for_member(self) -> Config:
        """Return the configuration of a member of the web services' group; it fetches nothing."""
        own = self.prefix.strip(".")
        return self._with(
            {
                "group.id": WEB_GROUP if own == "kirby" else f"{WEB_GROUP}-{own}",
                "partition.assignment.strategy": "roundrobin",
                "enable.auto.commit": False,
                "auto.offset.reset": "latest",
            }
        )

    def for_poster(self, delivery_limit: timedelta = DELIVERY_LIMIT) -> Config:
        """Return the configuration of an idempotent producer."""
        return self._with(_WRITING) | {"message.timeout.ms": _ms(delivery_limit)}

    def for_leader(self) -> Config:
        """Return the configuration of the leader's transactional producer."""
        return self._with(_WRITING) | {
            "transactional.id": self.transactional_id,
            "transaction.timeout.ms": _ms(TRANSACTION_LIMIT),
            "message.timeout.ms": _ms(TRANSACTION_LIMIT),
        }

    def for_admin(self) -> Config:
        """Return the configuration of a client that asks and creates."""
        return self._with({})

    def for_scripts(self) -> str:
        """Return what a script's library gets as KIRBY_KAFKA: JSON, secrets in plain."""
        security = dict(self.security)
        if self.scripts:
            security = {name: value for name, value in security.items() if name not in WHO_ASKS}
        return json.dumps({"bootstrap.servers": self.bootstrap, **security, **self.scripts})

    def _with(self, own: Mapping[str, object]) -> Config:
        quiet = RateLimited()
        return {
            "bootstrap.servers": self.bootstrap,
            "client.id": self.client,
            **self.security,
            **_COMMON,
            **own,
            "logger": quiet,
            "error_cb": quiet.error,
        }


def settings_of(configuration: HostConfiguration, client: str = "kirby") -> KafkaSettings:
    """Take from a host's configuration how Kafka is reached; `client` is the part that asks."""
    return KafkaSettings(
        bootstrap=configuration.kafka,
        prefix=configuration.topic_prefix,
        replication=configuration.replication,
        security=dict(configuration.kafka_settings),
        scripts=dict(configuration.kafka_scripts),
        client=f"{client}@{configuration.name}",
    )


def _ms(duration: timedelta) -> int:
    return round(duration / timedelta(milliseconds=1))
