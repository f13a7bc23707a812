"""The way of a candidate through the coup gate (section "Leadership", step 3)."""

from datetime import timedelta

from kirby.core.clock_offset import ClockOffset
from kirby.core.leader import coup
from kirby.core.leader.events import (
    AskLeadershipEnd,
    BecomeLeader,
    LeadershipRead,
    SchedulerEffect,
    StandDown,
)
from kirby.core.leader.state import Scheduling, Try, broker_now, stand_down
from kirby.core.messages import LeadFailure
from kirby.core.moment import Moment
from kirby.core.names import Epoch
from kirby.core.records import (
    Beat,
    Leadership,
)

TAIL_DELAY = timedelta(seconds=1)  # a record is read at most so long after it was appended


def try_to_lead(state: Scheduling, term: int, now: Moment) -> list[SchedulerEffect]:
    """Begin to try for the lead, if no beat was read for long enough."""
    if state.lead is not None or state.attempt is not None:
        return []
    if not coup.is_open(state.tail, now.boot):
        return [_refused_by_gate(state, term)]
    state.attempt = Try(term=term)
    return [AskLeadershipEnd()]


def _refused_by_gate(state: Scheduling, term: int) -> StandDown:
    sentence = f"host {state.leader} leads and beats" if state.leader else "still reading"
    return StandDown(term=term, failure=LeadFailure.GATE, sentence=sentence)


def end_known(state: Scheduling, offset: int | None, now: Moment) -> list[SchedulerEffect]:
    """Take the end of the leadership topic, up to which the candidate must have read."""
    if state.attempt is None or state.attempt.is_becoming:
        return []
    if offset is None:
        return stand_down(state, LeadFailure.GATE, "Kafka does not tell the end of leadership")
    state.attempt.end = offset
    return look_again(state, now)


def look_again(state: Scheduling, now: Moment) -> list[SchedulerEffect]:
    """Go through the gate once the topic was read up to the end that was asked for."""
    attempt = state.attempt
    if attempt is None or attempt.is_becoming or attempt.end is None:
        return []
    if state.tail_read < attempt.end:
        return []
    if not coup.is_open(state.tail, now.boot):
        state.attempt = None
        return [_refused_by_gate(state, attempt.term)]
    attempt.is_becoming = True
    record = Leadership(host=state.host, life=state.life, at=broker_now(state, now))
    return [BecomeLeader(record=record)]


def read_leadership(state: Scheduling, event: LeadershipRead, now: Moment) -> list[SchedulerEffect]:
    """Take a record of the leadership topic: a beat, or a new epoch."""
    record = event.record
    state.tail = coup.beat(state.tail, now.boot)
    state.tail_read = max(state.tail_read, event.offset + 1)
    state.clock, state.clock_sampled = _sample(state, event, now), now.boot
    epoch = Epoch(event.offset) if isinstance(record, Leadership) else record.epoch
    if state.epoch is None or epoch >= state.epoch:
        state.epoch, state.leader = epoch, record.host
        state.leader_since = record.at if isinstance(record, Leadership) else record.since
    if state.lead is not None and isinstance(record, Beat) and epoch == state.lead.epoch:
        state.lead.is_clock_known = True
    if state.lead is not None and epoch > state.lead.epoch:
        return stand_down(state, LeadFailure.FENCED, f"host {record.host} leads since")
    return look_again(state, now)


def _sample(state: Scheduling, event: LeadershipRead, now: Moment) -> ClockOffset:
    """Learn of the clocks: exactly from the own beats, within the reading delay from others'."""
    is_own = event.record.host == state.host and state.lead is not None
    sent = event.record.at if is_own and isinstance(event.record, Beat) else now.wall - TAIL_DELAY
    return state.clock.sample(
        sent=min(sent, now.wall), appended=event.appended, acknowledged=now.wall
    )
