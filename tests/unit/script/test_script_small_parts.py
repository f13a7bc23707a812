"""Surroundings, origins of records, complaints that are not repeated, names that load lazily."""

import subprocess
import sys

import pytest

import kirby
from kirby.core.errors import InvalidVariable, KafkaUnknown
from kirby.script import session, settings
from kirby.script.noise import Limiter
from kirby.script.ports import Received
from kirby.script.record import origin_of
from kirby.script.surroundings import surroundings_of
from kirby.script.topic import Topic


def received(topic: str, partition: int, offset: int) -> Received:
    return Received(topic, partition, offset, None, None, (), 0)


def test_outside_kirby_there_are_no_surroundings() -> None:
    found = surroundings_of({})

    assert (found.run, found.attempt, found.scheduled_at, dict(found.kafka)) == ("", None, None, {})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("KIRBY_ATTEMPT", "first"),
        ("KIRBY_SCHEDULED_AT", "noon"),
        ("KIRBY_KAFKA", "localhost"),
        ("KIRBY_KAFKA", "[]"),
    ],
)
def test_surroundings_that_kirby_cannot_have_made_are_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidVariable, match=name):
        surroundings_of({name: text})


def test_a_topic_without_a_kafka_says_how_to_run_the_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KIRBY_KAFKA", raising=False)
    session.use(None)

    with pytest.raises(KafkaUnknown, match=r"KIRBY_KAFKA is not set.*kirby exec"):
        Topic("sales").next(0)


def test_offsets_that_follow_each_other_are_told_as_a_range() -> None:
    records = [received("sales", 3, offset) for offset in (7, 5, 6, 9)]

    origin = origin_of([*records, received("forecast", 0, 1), received("sales", 3, 5)])

    assert origin == "forecast/0/1,sales/3/5-7,sales/3/9"


def test_the_same_complaint_is_written_once_in_a_while() -> None:
    limiter = Limiter(quiet_seconds=60)

    admitted = [limiter.admits("unreachable", now) for now in (0.0, 1.0, 59.0, 60.0)]

    assert admitted == [True, False, False, True]
    assert limiter.held_back("unreachable") == 2
    assert limiter.held_back("unreachable") == 0


def test_another_complaint_is_written_at_once() -> None:
    limiter = Limiter()
    limiter.admits("unreachable", 0.0)

    assert limiter.admits("not permitted", 0.1)


def test_what_the_installation_says_goes_before_the_defaults_but_not_before_what_must_be() -> None:
    given = {"compression.type": "zstd", "acks": "1", "enable.auto.offset.store": "true"}

    assert settings.for_writing(given)["compression.type"] == "zstd"
    assert settings.for_writing(given)["acks"] == "all"
    assert settings.for_group(given, "prod.pump")["enable.auto.offset.store"] == "false"


def test_only_a_daemon_is_a_static_member_with_a_name_that_the_broker_takes() -> None:
    member = settings.member_of("pump/prod#alpha", "dev.sales", 2)

    assert member == "pump.prod.alpha.dev.sales.2"
    assert settings.for_group({}, "g", member)["group.instance.id"] == member
    assert "group.instance.id" not in settings.for_group({}, "g", settings.member_of("", "s", 1))


def test_every_name_of_the_library_can_be_had_from_kirby() -> None:
    for name in kirby.__all__:
        assert getattr(kirby, name) is not None
        assert name in dir(kirby)

    with pytest.raises(AttributeError, match="no attribute 'Tropic'"):
        _ = kirby.Tropic


def test_importing_the_library_loads_neither_kafka_nor_msgspec() -> None:
    program = (
        "import sys; from kirby import Context, Topic, log; "
        "heavy = {'confluent_kafka', 'msgspec', 'logging', 'urllib.request'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert loaded.stdout.strip() == b"[]"
