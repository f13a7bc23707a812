"""The real Kafka, as actors use it: one object that makes the clients of one installation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kirby.core.records import TopicName
from kirby.kafka.leader_link import LeaderLink
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.membership import Membership
from kirby.kafka.poster import Poster
from kirby.kafka.queries import Queries
from kirby.kafka.reader import Reader
from kirby.kafka.settings import DELIVERY_LIMIT, KafkaSettings
from kirby.kafka.starts import Start


@dataclass(frozen=True, kw_only=True)
class Kafka:
    """Makes clients. Each has threads of its own: a process that has one must not fork actors."""

    settings: KafkaSettings

    def reader(self, starts: Mapping[TopicName, Start], mailbox: Mailbox[Any]) -> Reader:
        """Begin to read."""
        return Reader(self.settings, starts, mailbox)

    def membership(self, topics: Iterable[TopicName], mailbox: Mailbox[Any]) -> Membership:
        """Begin to share the reading of topics with the other web services."""
        return Membership(self.settings, topics, mailbox)

    def poster(
        self, mailbox: Mailbox[Any], *, delivery_limit: timedelta = DELIVERY_LIMIT
    ) -> Poster:
        """Be ready to write."""
        return Poster(self.settings, mailbox, delivery_limit=delivery_limit)

    def leader_link(self, mailbox: Mailbox[Any]) -> LeaderLink:
        """Be ready to lead."""
        return LeaderLink(self.settings, mailbox)

    def queries(self, mailbox: Mailbox[Any]) -> Queries:
        """Be ready to ask."""
        return Queries(self.settings, mailbox)
