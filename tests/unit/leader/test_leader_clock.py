"""What a Scheduler knows of its host's clock, and for how long (steps 2 and 6 of leadership)."""

from datetime import timedelta

from kirby.core.leader import scheduling
from kirby.core.leader.events import (
    Became,
    CandidateNamed,
    Commit,
    Committed,
    EndsKnown,
    LeadershipEnd,
    LeadershipRead,
    LeadershipReadTo,
    ScheduleFetched,
    SchedulerEvent,
    StandDown,
    TailAnswered,
    Tick,
)
from kirby.core.leader.read_up import READ_UP_TOPICS
from kirby.core.leader.state import Scheduling, scheduler_state
from kirby.core.messages import LeadFailure
from kirby.core.moment import Moment
from kirby.core.names import Epoch, Host
from kirby.core.records import Beat, TopicName
from tests.builders.leader import ALPHA, NOON, a_definition, compile_fires


class Reader:
    """A Scheduler that follows the leadership topic, by a clock that may be wrong."""

    def __init__(self, *, clock_off: float = 0.0) -> None:
        self.state = Scheduling(host=ALPHA, life=1, compile=compile_fires)
        self.seconds = 0.0
        self.clock_off = clock_off

    def now(self) -> Moment:
        wall = NOON + timedelta(seconds=self.seconds + self.clock_off)
        return Moment(wall=wall, boot=1000.0 + self.seconds)

    def takes(self, event: SchedulerEvent) -> list[object]:
        self.state, effects = scheduling.step(self.state, event, self.now())
        return list(effects)

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.seconds += 0.1
            self.takes(TailAnswered())
            self.takes(Tick())

    def reads_beat(self, of: str, *, late: float = 0.0, epoch: int = 7) -> list[object]:
        appended = NOON + timedelta(seconds=self.seconds - late)
        own = timedelta(seconds=self.clock_off if of == ALPHA else 0.0)
        beat = Beat(host=Host(of), epoch=Epoch(epoch), at=appended + own, since=NOON)
        return self.takes(LeadershipRead(record=beat, offset=1, appended=appended))

    def leads(self) -> None:
        """Go through the gate, and read up an empty log."""
        self.passes(2.0)
        self.takes(CandidateNamed(term=1))
        self.takes(LeadershipReadTo(offset=0))
        self.takes(LeadershipEnd(offset=0))
        self.takes(Became(epoch=Epoch(7)))
        nothing = dict.fromkeys(READ_UP_TOPICS, (0,))
        self.takes(EndsKnown(beginnings=nothing, ends=nothing))

    @property
    def offset_told(self) -> float | None:
        return scheduler_state(self.state, self.now()).clock_offset_seconds


def test_a_beat_that_was_read_late_does_not_make_the_clock_count_as_wrong_for_ever():
    reader = Reader()
    reader.passes(1.0)
    reader.reads_beat("beta", late=5.0)

    reader.passes(6.0)

    assert reader.offset_told is None


def test_a_clock_that_was_put_right_is_not_held_against_its_host_when_no_beat_comes():
    reader = Reader(clock_off=-5.0)
    reader.passes(1.0)
    reader.reads_beat("beta")
    before = reader.offset_told

    reader.clock_off = 0.0
    reader.passes(6.0)

    assert before is not None
    assert before < -2.0
    assert reader.offset_told is None


def test_a_clock_known_to_be_wrong_counts_as_such_while_beats_tell_so():
    reader = Reader(clock_off=-5.0)
    for _ in range(8):
        reader.passes(1.0)
        reader.reads_beat("beta")

    told = reader.offset_told

    assert told is not None
    assert told < -2.0


def test_a_leader_decides_nothing_before_its_own_beat_has_told_it_the_brokers_time():
    reader = Reader()
    reader.leads()

    first = reader.takes(Tick())
    reader.state.lead.is_committing = False
    again = reader.takes(Tick())
    reader.reads_beat(ALPHA)
    reader.state.lead.is_committing = False
    then = reader.takes(Tick())

    assert _kinds(first) == ["Beat"]
    assert _kinds(again) == ["Beat"]
    assert reader.state.lead.is_clock_known
    assert not [each for each in then if isinstance(each, StandDown)]


def test_a_leader_whose_clock_is_wrong_stands_down_before_it_has_decided_anything():
    reader = Reader(clock_off=5.0)
    reader.leads()
    reader.takes(Tick())
    reader.reads_beat(ALPHA)

    effects = reader.takes(Tick())

    [down] = [each for each in effects if isinstance(each, StandDown)]
    assert down.failure is LeadFailure.FAILED


def _kinds(effects: list[object]) -> list[str]:
    return [
        type(post.record).__name__
        for effect in effects
        if isinstance(effect, Commit)
        for post in effect.posts
    ]


def a_new_leader_of(context: str) -> Reader:
    reader = Reader()
    reader.leads()
    reader.takes(Tick())
    reader.takes(Committed())
    reader.reads_beat(of=ALPHA)
    lead = reader.state.lead
    assert lead is not None
    lead.ledger.define(a_definition(context), reader.now().wall)
    return reader


def cursors_written(reader: Reader, seconds: float) -> list[str]:
    """Let time pass, commit what is to be committed, and return whose cursors that wrote."""
    written = []
    for _ in range(round(seconds * 10)):
        reader.seconds += 0.1
        for effect in reader.takes(Tick()):
            if isinstance(effect, Commit):
                written += [each.key for each in effect.posts if each.topic is TopicName.CURSOR]
                reader.takes(Committed())
    return written


def test_a_new_leader_decides_nothing_before_the_schedule_was_told_to_it():
    reader = a_new_leader_of("pump/prod")

    before = cursors_written(reader, 0.5)
    reader.takes(ScheduleFetched(schedule=None))
    after = cursors_written(reader, 0.2)

    assert (before, after) == ([], ["pump/prod"])


def test_a_new_leader_goes_by_the_mirror_where_the_web_service_does_not_answer_within_a_second():
    reader = a_new_leader_of("pump/prod")

    written = cursors_written(reader, 1.2)

    assert written == ["pump/prod"]
