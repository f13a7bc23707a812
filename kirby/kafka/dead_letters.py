"""Where a record goes that cannot be read, with the reason; whoever reads moves on."""

import logging
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaException, Producer

from kirby.core.records import DeadLetter, TopicName, encode
from kirby.kafka.settings import KafkaSettings

CLOSE_LIMIT_S = 2.0
log = logging.getLogger(__name__)


class DeadLetters:
    """Sends dead letters; makes a client only when there is one to send."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: Any = None

    def send(self, topic: TopicName, message: Any, reason: str) -> None:
        """Keep a record of `topic` (of a dead letter none is made); does not wait."""
        if topic is TopicName.DEAD_LETTERS:
            return
        if self._producer is None:
            self._producer = Producer(self._settings.for_poster())
        letter = DeadLetter(
            topic=topic.value,
            partition=message.partition(),
            offset=message.offset(),
            reason=reason,
            value=b64encode(message.value()).decode(),
            at=datetime.now(UTC),
        )
        name = self._settings.topic(TopicName.DEAD_LETTERS)
        try:
            self._producer.produce(name, key=topic.value.encode(), value=encode(letter))
        except (BufferError, KafkaException):
            log.warning("a dead letter of %s was not kept: %s", topic.value, reason, exc_info=True)
        self._producer.poll(0)

    def close(self) -> None:
        """Send what is left."""
        if self._producer is not None:
            self._producer.flush(CLOSE_LIMIT_S)
