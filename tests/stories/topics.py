"""All that lies in a Kafka, as bytes: whoever may read topics can read what was written there."""

from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

LIMIT_S = 30.0


def all_records(bootstrap: str) -> Iterator[tuple[str, bytes]]:
    """Yield topic and value of each record of each topic, offsets of groups excepted."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "stories",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        left = set(_partitions(consumer))
        consumer.assign([TopicPartition(*each, OFFSET_BEGINNING) for each in left])
        while left:
            message = consumer.poll(LIMIT_S)
            assert message is not None, f"nothing comes of {left}"
            fault = message.error()
            if fault is None:
                yield message.topic(), message.value() or b""
            elif fault.code() == KafkaError._PARTITION_EOF:
                left.discard((message.topic(), message.partition()))
    finally:
        consumer.close()


def _partitions(consumer: Consumer) -> Iterator[tuple[str, int]]:
    for name, topic in consumer.list_topics(timeout=LIMIT_S).topics.items():
        if not name.startswith("__"):
            for partition in topic.partitions:
                yield name, partition
