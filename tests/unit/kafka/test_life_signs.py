"""Signs of life, read from what librdkafka counts."""

import json
import time

from kirby.kafka.life_signs import LifeSigns


def statistics(answers: dict[int, int], leaders: dict[str, list[int]]) -> str:
    return json.dumps(
        {
            "ts": time.monotonic_ns() // 1000,
            "brokers": {
                f"b{node}": {"nodeid": node, "rx": count} for node, count in answers.items()
            },
            "topics": {
                topic: {
                    "partitions": {
                        **{str(n): {"leader": leader} for n, leader in enumerate(of)},
                        "-1": {"leader": -1},
                    }
                }
                for topic, of in leaders.items()
            },
        }
    )


def signs(*topics: str) -> LifeSigns:
    made = LifeSigns()
    made.expect(topics)
    return made


def test_a_broker_that_answered_in_between_lives() -> None:
    found = signs("hosts")
    found.take(statistics({1: 5}, {"hosts": [1]}))
    at_first = found.are_good()

    found.take(statistics({1: 6}, {"hosts": [1]}))

    assert (at_first, found.are_good()) == (False, True)


def test_each_statistics_counts_once() -> None:
    found = signs("hosts")
    found.take(statistics({1: 5}, {"hosts": [1]}))
    found.take(statistics({1: 6}, {"hosts": [1]}))

    assert (found.are_good(), found.are_good()) == (True, False)


def test_a_broker_without_an_answer_in_between_is_silent() -> None:
    found = signs("hosts")
    for _ in range(2):
        found.take(statistics({1: 5}, {"hosts": [1]}))

    assert not found.are_good()


def test_one_silent_broker_of_two_is_silence() -> None:
    found = signs("claims")
    found.take(statistics({1: 5, 2: 5}, {"claims": [1, 2]}))
    found.take(statistics({1: 6, 2: 5}, {"claims": [1, 2]}))

    assert not found.are_good()


def test_a_broker_that_leads_nothing_that_is_read_may_be_silent() -> None:
    found = signs("claims")
    found.take(statistics({1: 5, 2: 5}, {"claims": [1], "other": [2]}))
    found.take(statistics({1: 6, 2: 5}, {"claims": [1], "other": [2]}))

    assert found.are_good()


def test_a_partition_without_a_leader_is_silence() -> None:
    found = signs("claims")
    found.take(statistics({1: 5}, {"claims": [1, -1]}))
    found.take(statistics({1: 6}, {"claims": [1, -1]}))

    assert not found.are_good()
