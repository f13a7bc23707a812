"""What each part of Kirby needs to be allowed in Kafka, and what is said of what lacks."""

import pytest

from kirby.kafka.needs import (
    HOST_PARTS,
    WEB_PARTS,
    Kind,
    Need,
    commands,
    commands_for_scripts,
    lacking,
    needs,
)
from kirby.kafka.permissions import told
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.topics import LAYOUTS
from tests.builders.pages import ROOT

SETTINGS = KafkaSettings(
    bootstrap="k1:9093", prefix=".bakery.", security={"sasl.username": "baker"}
)
CLAIMS = Need(part="runner", kind=Kind.TOPIC, name=".bakery.claims", operation="Write")


def of(part: str, operation: str) -> set[str]:
    wanted = needs(SETTINGS, [part])
    return {n.name for n in wanted if n.operation == operation and n.kind is Kind.TOPIC}


def test_every_topic_is_written_by_a_part_and_read_by_one_but_the_dead_letters():
    parts = [*HOST_PARTS, *WEB_PARTS]

    written = set().union(*(of(part, "Write") for part in parts))
    read = set().union(*(of(part, "Read") for part in parts))

    topics = {f".bakery.{name.value}" for name in LAYOUTS}
    assert written == topics
    assert topics - read == {".bakery.dead-letters"}


def test_the_list_in_deploy_is_the_one_that_is_read():
    listed = ROOT / "deploy" / "kafka-acl.toml"

    assert listed.resolve() == (ROOT / "kirby" / "kafka" / "acl.toml").resolve()


def test_only_the_scheduler_begins_transactions_and_under_the_id_of_its_installation():
    ids = [n for n in needs(SETTINGS, HOST_PARTS) if n.kind is Kind.TRANSACTIONAL_ID]

    assert {need.part for need in ids} == {"scheduler"}
    assert {need.name for need in ids} == {SETTINGS.transactional_id}


def test_what_may_be_done_does_not_lack():
    assert lacking([CLAIMS], {".bakery.claims": frozenset({"Read", "Write"})}) == ()


@pytest.mark.parametrize("allowed", [{}, {".bakery.claims": frozenset({"Read"})}])
def test_what_may_not_be_done_lacks(allowed):
    assert lacking([CLAIMS], allowed) == (CLAIMS,)


def test_what_lacks_is_told_with_the_user_the_part_and_where_all_is_listed():
    sentence = told(SETTINGS, [CLAIMS] * 5)

    assert 'does not allow the user "baker"' in sentence
    assert "Write on topic .bakery.claims, for the runner" in sentence
    assert "; and 2 more." in sentence
    assert "'python -m kirby.kafka permissions'" in sentence


def test_the_commands_grant_each_thing_once():
    lines = commands(SETTINGS, "baker", [*HOST_PARTS, *WEB_PARTS])

    claims = [line for line in lines if " --topic .bakery.claims" in line]
    assert len(lines) == len(set(lines))
    assert len(claims) == 1
    assert "--allow-principal User:baker" in claims[0]
    assert "--operation Read --operation Write" in claims[0]


def test_the_commands_for_scripts_are_by_what_names_begin_with():
    lines = commands_for_scripts(SETTINGS, "scripts", ["sales"], ["prod."])

    assert len(lines) == 2
    assert all(line.endswith("--resource-pattern-type prefixed") for line in lines)
    assert "--group prod." in lines[1]
