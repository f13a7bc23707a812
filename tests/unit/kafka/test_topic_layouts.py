"""How each internal topic is kept."""

import pytest

from kirby.core.records import TopicName
from kirby.kafka.topics import LAYOUTS, Difference, internal, of_users

COMPACTED = {
    TopicName.DAEMONS,
    TopicName.HOSTS,
    TopicName.LEADERSHIP,
    TopicName.SCHEDULE,
    TopicName.CURSOR,
}


def test_every_topic_has_a_layout() -> None:
    assert set(LAYOUTS) == set(TopicName)


@pytest.mark.parametrize("topic", TopicName)
def test_what_holds_state_is_compacted_in_small_segments_and_the_rest_is_kept_for_a_time(
    topic: TopicName,
) -> None:
    settings = LAYOUTS[topic].settings(replication=1)

    assert settings["message.timestamp.type"] == "LogAppendTime"
    if topic in COMPACTED:
        assert settings["cleanup.policy"] == "compact"
        assert (settings["segment.ms"], settings["segment.bytes"]) == ("600000", "16777216")
    else:
        assert settings["cleanup.policy"] == "delete"


def test_claims_are_kept_longer_than_the_offers_they_belong_to() -> None:
    offers, claims = LAYOUTS[TopicName.OFFERS].kept, LAYOUTS[TopicName.CLAIMS].kept

    assert offers is not None
    assert claims is not None
    assert claims > offers


def test_hosts_and_leadership_have_one_partition_and_keyed_topics_six() -> None:
    assert LAYOUTS[TopicName.HOSTS].partitions == LAYOUTS[TopicName.LEADERSHIP].partitions == 1
    assert LAYOUTS[TopicName.OFFERS].partitions == LAYOUTS[TopicName.CURSOR].partitions == 6


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_replica_may_be_lost_where_there_is_more_than_one(
    replication: int, in_sync: str
) -> None:
    topics = internal(".kirby.", replication)

    assert {topic.settings["min.insync.replicas"] for topic in topics} == {in_sync}
    assert {topic.replication for topic in topics} == {replication}


def test_topics_of_scripts_are_named_once_and_have_six_partitions() -> None:
    topics = of_users(["sales", "sales", "dev.sales"], replication=1)

    assert [(topic.name, topic.partitions) for topic in topics] == [("sales", 6), ("dev.sales", 6)]


def test_a_difference_that_hinders_says_what_kirby_needs() -> None:
    difference = Difference(topic=".kirby.runs", setting="partitions", wanted="6", found="3")

    assert str(difference) == "topic .kirby.runs has partitions 3, where Kirby needs 6"


def test_a_difference_that_can_be_lived_with_says_what_kirby_makes() -> None:
    difference = Difference(topic=".kirby.logs", setting="retention.ms", wanted="7", found="3")

    assert str(difference) == "topic .kirby.logs has retention.ms 3, where Kirby makes 7"


@pytest.mark.parametrize("setting", ["partitions", "cleanup.policy", "message.timestamp.type"])
def test_partitions_compaction_and_the_clock_hinder(setting: str) -> None:
    assert Difference(topic="any", setting=setting, wanted="a", found="b").hinders


@pytest.mark.parametrize("setting", ["retention.ms", "segment.ms", "replication"])
def test_what_can_be_altered_at_any_time_does_not_hinder(setting: str) -> None:
    assert not Difference(topic="any", setting=setting, wanted="a", found="b").hinders
