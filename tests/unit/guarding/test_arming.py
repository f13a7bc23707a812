"""What a script finds in its environment, and what the run folder keeps of it."""

from datetime import UTC, datetime, timedelta

import msgspec

from kirby.core.guarding.arming import (
    House,
    Personal,
    environment_of_daemon,
    environment_of_run,
    meta_of_daemon,
    meta_of_run,
)
from kirby.core.guarding.fitting import fitting_of
from kirby.core.names import ContextKey, Host
from kirby.core.nouns import RunPlan, Variable
from tests.builders.claims import an_offer
from tests.builders.daemons import a_daemon_offer

HOUSE = House(
    host=Host("alpha"),
    kafka='{"bootstrap.servers": "kafka:9092"}',
    url="http://web:8642",
    inherited={"HOME": "/home/anna", "PATH": "/usr/bin", "AWS_SECRET": "not for scripts"},
)
CLAIMED_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def personal(run: str = "pump/prod@12:00", **values: str) -> Personal:
    return Personal(run=run, token="kby_run", bin="/environments/pump/bin", values=values)


def test_a_run_finds_everything_that_it_is_promised() -> None:
    offer = an_offer("pump/prod@2026-03-02T12:00:02Z")

    found = environment_of_run(HOUSE, personal(offer.run), offer)

    kirby = {name: value for name, value in found.items() if name.startswith("KIRBY_")}
    assert kirby == {
        "KIRBY_RUN_ID": "pump/prod@2026-03-02T12:00:02Z",
        "KIRBY_ATTEMPT": "1",
        "KIRBY_SCHEDULED_AT": "2026-03-02T12:00:02Z",
        "KIRBY_FENCING_TOKEN": "1",
        "KIRBY_JOB": "pump",
        "KIRBY_ENVIRONMENT": "prod",
        "KIRBY_HOST": "alpha",
        "KIRBY_PACKAGE": "pump==1.0",
        "KIRBY_KAFKA": '{"bootstrap.servers": "kafka:9092"}',
        "KIRBY_TOPIC_PREFIX": "",
        "KIRBY_GROUP": "",
        "KIRBY_URL": "http://web:8642",
        "KIRBY_TOKEN": "kby_run",
    }


def test_a_daemon_finds_no_due_instant() -> None:
    offer = a_daemon_offer()

    found = environment_of_daemon(HOUSE, personal("mixer/prod#alpha"), offer)

    assert "KIRBY_SCHEDULED_AT" not in found
    assert found["KIRBY_RUN_ID"] == "mixer/prod#alpha"


def test_variables_of_the_context_stand_under_their_own_names() -> None:
    found = environment_of_run(HOUSE, personal(BATCH="100"), an_offer())

    assert found["BATCH"] == "100"


def test_nothing_of_the_hosts_own_environment_leaks_but_what_programs_need() -> None:
    found = environment_of_run(HOUSE, personal(), an_offer())

    assert found["HOME"] == "/home/anna"
    assert found["PATH"] == "/environments/pump/bin:/usr/bin"
    assert "AWS_SECRET" not in found


def test_the_run_folder_keeps_secrets_sealed_and_nothing_of_plain_variables() -> None:
    variables = (
        Variable(name="TOKEN", value="c2VhbGVk", sealed=True),
        Variable(name="N", value="1"),
    )
    plan = RunPlan(
        context=ContextKey("pump/prod"),
        package="pump==1.0",
        variables=variables,
        time_limit=timedelta(minutes=2),
        memory_limit=1_000_000_000,
    )
    offer = msgspec.structs.replace(an_offer(), plan=plan)

    meta = meta_of_run(
        offer,
        clock_offset_seconds=3.0,
        claimed_at=CLAIMED_AT,
    )

    assert meta.sealed == (variables[0],)
    assert (meta.time_limit, meta.memory_limit) == ("2 min", "1 GB")
    assert (meta.clock_offset_seconds, meta.claimed_at) == (3.0, CLAIMED_AT)


def test_the_run_folder_of_a_daemon_says_what_it_was_started_with() -> None:
    offer = a_daemon_offer(generation=4)

    meta = meta_of_daemon(offer)

    fitting = fitting_of(offer)
    assert (meta.generation, meta.package) == (4, "mixer==1.0")
    assert meta.surroundings == fitting.surroundings
