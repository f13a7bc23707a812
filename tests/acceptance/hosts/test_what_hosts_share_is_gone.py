"""Kafka is killed, or web service and database: firing catches up, or goes on; all fires end."""

import os
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from kirby.core.nouns import RunEnd
from tests.stories import processes
from tests.stories.cluster import checkers
from tests.stories.cluster.cluster import Cluster
from tests.stories.jobs import errand, servant
from tests.stories.patience import eventually
from tests.stories.schedules import due_instants

GONE_S = 60.0 if os.environ.get("KIRBY_STORY_LONG") == "1" else 8.0
EVERY_TWO = "*/2 * * * * *"
CONTEXTS = ("every/prod", "latest/prod", "none/prod")

pytestmark = pytest.mark.timeout(240 + 2 * GONE_S)


@pytest.fixture(scope="module")
def working(shared_cluster: Cluster) -> Cluster:
    """Give a cluster with a clock for each way to catch up, a long run and a daemon."""
    jobs = {
        "every": errand("succeed", EVERY_TWO, catch_up="all"),
        "latest": errand("succeed", EVERY_TWO, catch_up="latest"),
        "none": errand("succeed", EVERY_TWO, catch_up="none"),
        "patient": errand("wait_for_go", GO=shared_cluster.folder / "go"),
        "servant": servant(),
    }
    shared_cluster.applies(jobs)
    eventually(
        lambda: {e.run.partition("@")[0] for e in shared_cluster.witness.began()},
        what="all clocks fire",
        until=lambda seen: seen.issuperset(CONTEXTS),
    )
    eventually(
        lambda: {e.host for e in shared_cluster.witness.began("servant/prod")},
        what="the daemon runs on every host",
        until=lambda seen: seen == set(shared_cluster.hosts),
    )
    return shared_cluster


@pytest.fixture
def running(working: Cluster, cluster: Cluster) -> tuple[str, int]:
    """Give a run that goes on until it is told to end, and its process."""
    (working.folder / "go").unlink(missing_ok=True)
    run = cluster.kirby.json("run", "patient")["run"]
    began = eventually(lambda: cluster.witness.began(run), what="it has begun")
    return run, began[0].pid


def test_kafka_killed_disturbs_no_script_and_all_that_was_due_has_its_end(
    cluster: Cluster, running: tuple[str, int]
) -> None:
    run, pid = running
    servants = cluster.witness.pids("servant/prod")
    since = datetime.now(UTC)

    cluster.kafka.machine.kill()
    time.sleep(GONE_S)
    cluster.kafka.start()
    cluster.is_well()

    assert processes.lives(pid)
    assert cluster.witness.pids("servant/prod") == servants
    (cluster.folder / "go").touch()
    eventually(lambda: str(run) in checkers.ends(cluster.log), what="the patient run has its end")
    assert checkers.ends(cluster.log)[run].end is RunEnd.SUCCEEDED
    all_have_ended(cluster, since)
    of_every = due_instants([(EVERY_TWO, "UTC")], since, datetime.now(UTC) - timedelta(seconds=2))
    assert cluster.witness.dues("every/prod", among=of_every) == of_every


def test_without_web_service_and_database_firing_goes_on(
    cluster: Cluster, running: tuple[str, int]
) -> None:
    run, pid = running

    cluster.web.machine.kill()
    cluster.database.machine.kill()
    since = datetime.now(UTC)
    time.sleep(GONE_S)
    until = datetime.now(UTC) - timedelta(seconds=2)

    due = due_instants([(EVERY_TWO, "UTC")], since, until)
    for context in CONTEXTS:
        eventually(
            partial(cluster.witness.dues, context, among=due),
            what=f"{context} fired at each of {due}",
            until=due.__eq__,
        )
    cluster.database.start()
    cluster.web.start()
    cluster.is_well()
    assert processes.lives(pid)
    (cluster.folder / "go").touch()
    told = cluster.ledger.ended(run)
    assert told["end"] == "succeeded"
    all_have_ended(cluster, since)


def all_have_ended(cluster: Cluster, since: datetime) -> None:
    """Insist that each fire since then has one end, as the log tells, and nothing was doubled."""
    due = due_instants([(EVERY_TWO, "UTC")], since, datetime.now(UTC) - timedelta(seconds=1))
    for context in CONTEXTS:
        eventually(
            partial(checkers.without_end, cluster.log, context, due),
            what=f"each fire of {context} has its end",
            until=lambda left: not left,
            every_s=0.5,
        )
    assert checkers.doubled(cluster.log, cluster.witness) == {}
