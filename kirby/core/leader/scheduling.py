"""The Scheduler's life: standing by, trying for the lead, reading up, leading (steps 3 to 6).

`step` takes one event and returns what is to be done. The state is owned by this module and changed
in place: a leader keeps a hundred thousand schedules, and a copy for each event would cost more
than all decisions together. Seen from outside it is a pure step all the same: time and chance
come in as arguments, nothing is touched but the state, and the same events give the same effects.
"""

from kirby.core.leader import coup, gate, lead, rhythm
from kirby.core.leader.events import (
    Became,
    CandidateNamed,
    LeadershipEnd,
    LeadershipRead,
    LeadershipReadTo,
    LinkFailed,
    SchedulerEffect,
    SchedulerEvent,
    StoodBy,
    TailAnswered,
    Tick,
)
from kirby.core.leader.state import Scheduling, stand_down
from kirby.core.moment import Moment


def step(
    state: Scheduling, event: SchedulerEvent, now: Moment
) -> tuple[Scheduling, list[SchedulerEffect]]:
    """Take one event; return the state and what is to be done."""
    match event:
        case Tick():
            return state, rhythm.tick(state, now)
        case CandidateNamed(term=term):
            return state, gate.try_to_lead(state, term, now)
        case StoodBy():
            return state, stand_down(state, None, "another host was elected")
        case TailAnswered():
            state.tail = coup.answered(state.tail, now.boot)
            state.confirmed = now.boot
        case LeadershipRead():
            return state, gate.read_leadership(state, event, now)
        case LeadershipReadTo(offset=offset):
            state.tail = coup.answered(state.tail, now.boot)
            state.tail_read = max(state.tail_read, offset)
            return state, gate.look_again(state, now)
        case LeadershipEnd(offset=offset):
            return state, gate.end_known(state, offset, now)
        case Became(epoch=epoch):
            return state, lead.became(state, epoch, now)
        case LinkFailed(failure=failure, sentence=sentence):
            return state, stand_down(state, failure, sentence)
        case _:
            return state, lead.take(state, event, now)
    return state, []
