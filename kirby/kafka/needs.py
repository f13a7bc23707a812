"""What each part of Kirby has to be allowed in Kafka: the list `acl.toml`, read and compared."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from kirby.kafka.settings import SCHEDULER, KafkaSettings
from kirby.kafka.topics import LAYOUTS

LIST = Path(__file__).with_name("acl.toml")
ALL = "*"
HOST_PARTS = ("start", "scheduler", "runner", "arbiter", "recorder", "groups")
WEB_PARTS = ("web", "groups")
OF_TOPICS = {"read": "Read", "write": "Write", "describe_configs": "DescribeConfigs"}


class Kind(Enum):
    """What a permission is on, as Kafka's own tool calls it."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


@dataclass(frozen=True, kw_only=True)
class Need:
    """One thing that a part must be allowed."""

    part: str
    kind: Kind
    name: str  # or what it begins with
    operation: str  # as Kafka spells it
    prefixed: bool = False

    def __str__(self) -> str:
        begins = "that begin with " if self.prefixed else ""
        what = {
            Kind.TOPIC: "topics" if self.prefixed else "topic",
            Kind.GROUP: "groups" if self.prefixed else "group",
            Kind.TRANSACTIONAL_ID: "transactional ids" if self.prefixed else "transactional id",
        }[self.kind]
        return f"{self.operation} on {what} {begins}{self.name}, for the {self.part}"


def needs(settings: KafkaSettings, parts: Iterable[str]) -> tuple[Need, ...]:
    """List what some parts need in an installation."""
    told = tomllib.loads(LIST.read_text())
    return tuple(need for part in parts for need in _of(part, told[part], settings))


def _of(part: str, told: Mapping[str, Any], settings: KafkaSettings) -> Iterator[Need]:
    if part == "groups":
        for name in told["read"]:
            yield Need(part="readers", kind=Kind.GROUP, name=name, operation="Read", prefixed=True)
        return
    for word, operation in OF_TOPICS.items():
        for name in _names(told.get(word, ())):
            full = f"{settings.prefix}{name}"
            yield Need(part=part, kind=Kind.TOPIC, name=full, operation=operation)
    if "create" in told:
        yield Need(
            part=part, kind=Kind.TOPIC, name=settings.prefix, operation="Create", prefixed=True
        )
    if told.get("transactional_id") == SCHEDULER:
        for operation in ("Describe", "Write"):
            yield Need(
                part=part,
                kind=Kind.TRANSACTIONAL_ID,
                name=settings.transactional_id,
                operation=operation,
                prefixed=True,
            )


def _names(told: Iterable[str]) -> list[str]:
    names = list(told)
    return [name.value for name in LAYOUTS] if names == [ALL] else names


def lacking(wanted: Iterable[Need], allowed: Mapping[str, frozenset[str]]) -> tuple[Need, ...]:
    """Return what is needed on topics and is not allowed.

    Args:
        wanted: of some parts.
        allowed: for each topic that was asked for, what may be done with it.
    """
    return tuple(
        need
        for need in wanted
        if need.kind is Kind.TOPIC
        and not need.prefixed
        and need.operation not in allowed.get(need.name, frozenset())
    )


def commands(settings: KafkaSettings, user: str, parts: Iterable[str]) -> list[str]:
    """Return what gives a user all that some parts need, in the words of Kafka's own tool."""
    grants: dict[tuple[Kind, str, bool], set[str]] = {}
    for need in needs(settings, parts):
        grants.setdefault((need.kind, need.name, need.prefixed), set()).add(need.operation)
    return [
        _command(settings.bootstrap, user, *grant, operations)
        for grant, operations in grants.items()
    ]


def commands_for_scripts(
    settings: KafkaSettings, user: str, topics: Iterable[str], groups: Iterable[str]
) -> list[str]:
    """Return what gives the scripts' own user its topics and groups, by what these begin with."""
    of_topics, of_groups = {"Read", "Write", "Create"}, {"Read"}
    return [
        *(_command(settings.bootstrap, user, Kind.TOPIC, each, True, of_topics) for each in topics),
        *(_command(settings.bootstrap, user, Kind.GROUP, each, True, of_groups) for each in groups),
    ]


def _command(
    bootstrap: str, user: str, kind: Kind, name: str, prefixed: bool, operations: set[str]
) -> str:
    pattern = " --resource-pattern-type prefixed" if prefixed else ""
    allowed = "".join(f" --operation {operation}" for operation in sorted(operations))
    return (
        f"kafka-acls.sh --bootstrap-server {bootstrap} --command-config admin.properties --add "
        f"--allow-principal User:{user}{allowed} --{kind.value} {name}{pattern}"
    )
