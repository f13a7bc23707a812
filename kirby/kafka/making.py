"""Makes the topics that lack, and tells how those that are there differ. Changes none."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from confluent_kafka import KafkaError as Fault
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from kirby.core.errors import KafkaError, PermissionsLacking
from kirby.kafka.sentences import fault_of, sentence
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.topics import Difference, Wanted, internal, of_users

LIMIT_S = 30.0
_NOT_ALLOWED = (Fault.TOPIC_AUTHORIZATION_FAILED, Fault.CLUSTER_AUTHORIZATION_FAILED)
LOOK_PERIOD_S = 0.05  # between looks for whether new topics have leaders


def ensure_topics(settings: KafkaSettings, *, limit_s: float = LIMIT_S) -> tuple[Difference, ...]:
    """Make the topics of an installation that lack; return how the others differ.

    Waits, and leaves neither thread nor connection behind.

    Raises:
        KafkaError: Kafka does not answer in time, or refuses.
    """
    wanted = internal(settings.prefix, settings.replication)
    making = _Making(settings, limit_s)
    found = making.make(wanted)
    return making.differences([topic for topic in wanted if topic.name in found], found)


def ensure_user_topics(
    settings: KafkaSettings, names: Iterable[str] | Mapping[str, int], *, limit_s: float = LIMIT_S
) -> tuple[str, ...]:
    """Make the topics of scripts that lack, by full name; return those that were made.

    Raises:
        KafkaError: Kafka does not answer in time, or refuses.
    """
    wanted = of_users(names, settings.replication)
    found = _Making(settings, limit_s).make(wanted)
    return tuple(topic.name for topic in wanted if topic.name not in found)


class _Making:
    def __init__(self, settings: KafkaSettings, limit_s: float) -> None:
        self._settings = settings
        self._ends = time.monotonic() + limit_s
        self._admin = AdminClient(settings.for_admin())

    def make(self, wanted: tuple[Wanted, ...]) -> Mapping[str, Any]:
        """Make what lacks and wait until it can be used; return what was there before, by name."""
        found = self._metadata()
        lacking = [topic for topic in wanted if topic.name not in found]
        if lacking:
            self._create(lacking)
            self._wait_for_leaders({topic.name for topic in lacking})
        return found

    def differences(self, wanted: list[Wanted], found: Mapping[str, Any]) -> tuple[Difference, ...]:
        if not wanted:
            return ()
        asked = {topic.name: ConfigResource(ResourceType.TOPIC, topic.name) for topic in wanted}
        answers = self._admin.describe_configs(list(asked.values()), request_timeout=self._left())
        return tuple(
            difference
            for topic in wanted
            for difference in _compare(
                topic, found[topic.name], self._result(answers[asked[topic.name]])
            )
        )

    def _left(self) -> float:
        return max(0.1, self._ends - time.monotonic())

    def _metadata(self) -> Mapping[str, Any]:
        try:
            topics: Mapping[str, Any] = self._admin.list_topics(timeout=self._left()).topics
        except KafkaException as raised:
            raise self._error(raised) from raised
        return {name: topic for name, topic in topics.items() if topic.error is None}

    def _create(self, lacking: list[Wanted]) -> None:
        made = self._admin.create_topics(
            [
                NewTopic(t.name, t.partitions, t.replication, config=dict(t.settings))
                for t in lacking
            ],
            request_timeout=self._left(),
        )
        for name, future in made.items():
            try:
                future.result()
            except KafkaException as raised:
                self._refused(name, raised)

    def _refused(self, name: str, raised: KafkaException) -> None:
        code = fault_of(raised).code()
        if code == Fault.TOPIC_ALREADY_EXISTS:
            return  # somebody else was quicker
        if code == Fault.INVALID_REPLICATION_FACTOR:
            raise KafkaError(
                f"topic {name} should be kept by {self._settings.replication} brokers, and Kafka "
                f"at {self._settings.bootstrap} has fewer: start more, or set kafka.replication"
            ) from raised
        if code in _NOT_ALLOWED:
            raise PermissionsLacking(
                f"Kafka at {self._settings.bootstrap} does not allow topic {name} to be made: give "
                "Kirby's user what 'python -m kirby.kafka permissions' lists, or make it yourself"
            ) from raised
        raise KafkaError(f"topic {name} cannot be made: {fault_of(raised).str()}") from raised

    def _wait_for_leaders(self, names: set[str]) -> None:
        while waiting := names - set(_led(self._metadata())):
            if time.monotonic() > self._ends:
                raise KafkaError(
                    f"topic {min(waiting)} was made but has no leader: ask its brokers"
                )
            time.sleep(LOOK_PERIOD_S)

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except KafkaException as raised:
            if fault_of(raised).code() in _NOT_ALLOWED:
                raise PermissionsLacking(
                    f"Kafka at {self._settings.bootstrap} does not tell how topics are kept: allow "
                    "DescribeConfigs ('python -m kirby.kafka permissions' lists all)"
                ) from raised
            raise self._error(raised) from raised

    def _error(self, raised: KafkaException) -> KafkaError:
        return KafkaError(sentence(self._settings.bootstrap, fault_of(raised)))


def _led(topics: Mapping[str, Any]) -> Iterator[str]:
    for name, topic in topics.items():
        if topic.partitions and all(p.leader >= 0 for p in topic.partitions.values()):
            yield name


def _compare(wanted: Wanted, found: Any, settings: Mapping[str, Any]) -> Iterator[Difference]:
    facts = {
        "partitions": (wanted.partitions, len(found.partitions)),
        "replication": (wanted.replication, len(found.partitions[0].replicas)),
        **{name: (value, settings[name].value) for name, value in wanted.settings.items()},
    }
    for name, (should, does) in facts.items():
        if str(should) != str(does):
            yield Difference(topic=wanted.name, setting=name, wanted=str(should), found=str(does))
