"""Whether a leader reads the hosts topic at its end: only then is silence counted (rule L2)."""

from datetime import timedelta

from kirby.core.leader import lead as leading
from kirby.core.leader.events import ReadTo, RecordRead, SchedulerEvent
from kirby.core.leader.state import Scheduling
from kirby.core.moment import Moment
from kirby.core.names import Epoch, Host
from kirby.core.records import Ticket, TopicName
from tests.builders.leader import ALPHA, FOLDER, NOON, World, compile_fires


class Leader:
    """A Scheduler that has just come to lead."""

    def __init__(self) -> None:
        self.state = Scheduling(host=ALPHA, life=1, compile=compile_fires)
        self.seconds = 0.0
        self.offset = 100
        leading.became(self.state, Epoch(7), self.now())

    def now(self) -> Moment:
        return Moment(wall=NOON + timedelta(seconds=self.seconds), boot=1000.0 + self.seconds)

    def takes(self, event: SchedulerEvent) -> None:
        leading.take(self.state, event, self.now())

    def hears(self, host: str) -> None:
        self.offset += 1
        record = Ticket(host=Host(host), state_folder=FOLDER)
        self.takes(
            RecordRead(
                topic=TopicName.HOSTS, partition=0, offset=self.offset, key=host, record=record
            )
        )

    def reads_to_the_end(self, topic: TopicName = TopicName.HOSTS) -> None:
        self.takes(ReadTo(topic=topic, partition=0, offset=self.offset + 1))

    @property
    def is_at_end(self) -> bool:
        assert self.state.lead is not None
        return self.state.lead.hosts_at_end(self.now().boot)


def test_a_new_leader_is_not_at_the_end_before_it_has_read_to_it():
    leader = Leader()
    leader.hears("beta")

    before = leader.is_at_end
    leader.reads_to_the_end(TopicName.CLAIMS)
    elsewhere = leader.is_at_end
    leader.reads_to_the_end()

    assert (before, elsewhere, leader.is_at_end) == (False, False, True)


def test_whoever_leads_anew_has_to_read_to_the_end_anew():
    leader = Leader()
    leader.reads_to_the_end()

    leading.became(leader.state, Epoch(8), leader.now())

    assert not leader.is_at_end


def test_records_that_come_without_an_end_for_seconds_are_a_backlog_until_the_end_is_reached():
    leader = Leader()
    leader.reads_to_the_end()
    told = []

    for _ in range(5):
        leader.hears("beta")
        told.append(leader.is_at_end)
        leader.seconds += 1.0
    leader.reads_to_the_end()

    assert told == [True, True, True, False, False]
    assert leader.is_at_end


def test_a_heartbeat_whose_ticket_cannot_stand_before_it_is_of_a_log_that_was_lost():
    world = World(hosts="alpha")

    world.hears("beta", incarnation=1_000)
    world.hears("gamma", incarnation=50)

    assert world.ledger.roster.live() == ["alpha", "gamma"]
