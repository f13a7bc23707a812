"""What the pages know of roll-outs: projected from the daemons' offers."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from kirby.core.leader.rollout_words import RollOutState
from kirby.core.names import Host
from kirby.core.records import DaemonOffer, Edition, Refused, RollOut, TopicName, Watch
from kirby.model.projection import Placed, take
from kirby.model.roll_outs import roll_outs, steps_of
from tests.builders.daemons import ALPHA, BETA, MIXER, a_daemon_offer
from tests.builders.databases import a_database
from tests.builders.records import DUE

OLD = a_daemon_offer(hosts=(ALPHA, BETA))


@pytest.fixture(autouse=True)
def bound(tmp_path: Path) -> Iterator[None]:
    with a_database(tmp_path):
        yield


class Log:
    """The topic of daemons' offers, as it is projected."""

    def __init__(self) -> None:
        self.offset = 0

    def holds(self, *offers: DaemonOffer | None) -> None:
        for offer in offers:
            placed = Placed(
                topic=TopicName.DAEMONS, partition=0, offset=self.offset, record=offer, key=MIXER
            )
            self.offset += 1
            take([placed])


def rolling(seconds: int, host: Host = ALPHA, waiting: tuple[Host, ...] = (BETA,)) -> DaemonOffer:
    at = DUE + timedelta(seconds=seconds)
    watch = Watch(host=host, attempt=2, first=2, until=at + timedelta(seconds=60))
    return msgspec.structs.replace(
        a_daemon_offer(hosts=(ALPHA, BETA), package="mixer==2.0"),
        earlier=(Edition(plan=OLD.plan, hosts=waiting),) if waiting else (),
        roll_out=RollOut(began=DUE, back=Edition(plan=OLD.plan), watch=watch),
        at=at,
    )


def test_a_daemon_that_runs_one_version_everywhere_has_no_roll_out() -> None:
    Log().holds(OLD)

    assert roll_outs() == []
    assert steps_of(MIXER) == []


def test_each_step_of_a_roll_out_is_kept_the_latest_first() -> None:
    log = Log()

    log.holds(OLD, rolling(0), rolling(60, BETA, ()))

    (found,) = roll_outs()
    assert found.state is RollOutState.ROLLING
    assert found.sentence == "rolling out 2.0: 2 of 2 hosts, watching beta until 12:02:00 UTC"
    assert [step.sentence for step in steps_of(MIXER)] == [
        found.sentence,
        "rolling out 2.0: 1 of 2 hosts, watching alpha until 12:01:00 UTC",
    ]


def test_a_roll_out_that_is_over_says_so_in_its_last_step() -> None:
    log = Log()
    log.holds(OLD, rolling(0))
    done = a_daemon_offer(hosts=(ALPHA, BETA), package="mixer==2.0")

    log.holds(msgspec.structs.replace(done, at=DUE + timedelta(seconds=120)))

    assert roll_outs() == []
    assert steps_of(MIXER)[0].sentence == "2.0 runs on all 2 hosts"


def test_a_version_that_was_refused_is_shown_with_the_reason_until_something_else_is_wanted() -> (
    None
):
    log = Log()
    reason = "on alpha 2.0 ended 5 times in a row, the last time: exit status 1"
    refused = Refused(edition="mixer==2.0 0 x", package="mixer==2.0", at=DUE, reason=reason)

    log.holds(rolling(0), msgspec.structs.replace(OLD, refused=refused, at=DUE))

    (found,) = roll_outs()
    assert (found.state, found.sentence) == (RollOutState.REFUSED, f"went back to 1.0: {reason}")


def test_a_tombstone_leaves_the_steps_and_takes_the_roll_out() -> None:
    log = Log()
    log.holds(OLD, rolling(0), None)

    assert roll_outs() == []
    assert len(steps_of(MIXER)) == 1


def test_the_log_read_again_gives_the_same_steps() -> None:
    first, again = Log(), Log()
    offers = (OLD, rolling(0), rolling(60, BETA, ()))
    first.holds(*offers)
    before = steps_of(MIXER)

    again.offset = 10
    again.holds(*offers)

    assert steps_of(MIXER) == before
