"""Who should try for the lead: a Bully election among the Supervisors of all hosts.

It only names the candidate; Kafka's fencing decides who leads. So a wrong answer here costs time
and never correctness, no majority is asked for, and a healthy leader is never deposed by rank.
"""

from msgspec.structs import replace

from kirby.core.election.pulses import accept, announce, answer, due_pulses
from kirby.core.election.state import (
    PULSE_EVERY_S,
    STAND_BACK_MOST_S,
    STAND_BACK_S,
    TRY_EVERY_S,
    Effect,
    Election,
    Event,
    LeadLost,
    OwnScheduler,
    Peer,
    PeersKnown,
    PulseHeard,
    SchedulerGone,
    SchedulerSaid,
    Stance,
    Stand,
    StandDown,
    Ticked,
)
from kirby.core.election.view import (
    is_eligible,
    is_first,
    knows_the_living,
    leader,
    rank_of,
    rivals,
)
from kirby.core.messages import LeadFailure, LeadState

STEP_AT_MOST_S = 0.25  # between steps while there are peers, so that a death is seen in time
FROZEN_S = 0.75  # a gap between steps from which this Supervisor itself was frozen

_HOLDS_AN_EPOCH = (LeadState.READING_UP, LeadState.LEADING)


def step(election: Election, event: Event, now: float) -> tuple[Election, list[Effect]]:
    """Take one event; return the next state and what is to be done."""
    before = election.stance
    election = _noticing_a_freeze(election, now)
    match event:
        case PulseHeard(pulse=pulse) if pulse.host != election.me:
            election = accept(election, pulse, now)
        case PeersKnown(hosts=hosts):
            others = hosts - {election.me}
            known = {host: election.peers.get(host, Peer()) for host in sorted(others)}
            since = now if others - set(election.peers) else election.listening_since
            election = replace(election, peers=known, listening_since=since)
        case SchedulerSaid():
            election = _heeding(election, event, now)
        case LeadLost(failure=failure):
            election = _after_failure(election, failure, now)
        case SchedulerGone():
            election = replace(election, scheduler=OwnScheduler(), stance=Stance.FOLLOWING)
        case PulseHeard() | Ticked():
            pass
    election, orders = _decide(election, now)
    told = announce(election, now) if election.stance is not before else []
    replies = answer(election, event.pulse, now) if isinstance(event, PulseHeard) else []
    election, pulses = due_pulses(election, now)
    return replace(election, stepped=now), [*orders, *told, *replies, *pulses]


def next_step(election: Election, now: float) -> float:
    """Return when to step next at the latest, if nothing happens before."""
    return now + (STEP_AT_MOST_S if election.peers else PULSE_EVERY_S)


def _noticing_a_freeze(election: Election, now: float) -> Election:
    """Begin to listen anew after a gap: the silence was this Supervisor's own."""
    if election.stepped is not None and now - election.stepped > FROZEN_S:
        return replace(election, listening_since=now)
    return election


def _heeding(election: Election, said: SchedulerSaid, now: float) -> Election:
    if said.read_up_completed > election.scheduler.read_up_completed:
        election = replace(election, failures=0, stands_back_until=None)
    own = OwnScheduler(
        state=said.state,
        confirmed=said.confirmed,
        clock_offset_s=said.clock_offset_s,
        silent_s=said.silent_s,
        said=now,
        epoch=said.epoch,
        read_up_completed=said.read_up_completed,
    )
    election = replace(election, scheduler=own)
    if election.stance is Stance.STANDING and said.state in _HOLDS_AN_EPOCH:
        return replace(election, stance=Stance.LEADING)
    return election


def _after_failure(election: Election, failure: LeadFailure, now: float) -> Election:
    match failure:
        case LeadFailure.GATE:
            return election  # it tries again each second, while it stands
        case LeadFailure.FENCED:
            return replace(election, stance=Stance.FOLLOWING)
        case LeadFailure.FAILED:
            failures = election.failures + 1
            back = min(STAND_BACK_S * 2.0 ** min(failures - 1, 16), STAND_BACK_MOST_S)
            return replace(
                election,
                stance=Stance.FOLLOWING,
                failures=failures,
                stands_back_until=now + back,
            )


def _decide(election: Election, now: float) -> tuple[Election, list[Effect]]:
    match election.stance:
        case Stance.LEADING:
            return _as_leader(election, now)
        case Stance.STANDING:
            return _as_candidate(election, now)
        case Stance.FOLLOWING:
            return _as_follower(election, now)


def _as_leader(election: Election, now: float) -> tuple[Election, list[Effect]]:
    other = leader(election, now)
    deposed = other is not None and (other.epoch or 0) > (election.scheduler.epoch or 0)
    ended = election.scheduler.state not in _HOLDS_AN_EPOCH
    if deposed or ended or not is_eligible(election, now):
        return _follow(election, now)
    return election, []


def _as_candidate(election: Election, now: float) -> tuple[Election, list[Effect]]:
    mine = (election.term, *election.rank())
    outdone = any((pulse.term, *rank_of(pulse)) > mine for pulse in rivals(election, now))
    if leader(election, now) or outdone or not is_eligible(election, now):
        return _follow(election, now)
    if election.scheduler.state is LeadState.STANDING_BY and _may_tell(election, now):
        return replace(election, told=now), [Stand(term=election.term)]
    return election, []


def _as_follower(election: Election, now: float) -> tuple[Election, list[Effect]]:
    free = knows_the_living(election, now) and not leader(election, now)
    if free and not rivals(election, now) and is_first(election, now):
        term = election.term + 1
        standing = replace(election, stance=Stance.STANDING, term=term, told=now)
        return standing, [Stand(term=term)]
    if election.scheduler.state is not LeadState.STANDING_BY and _may_tell(election, now):
        return _follow(election, now)
    return election, []


def _follow(election: Election, now: float) -> tuple[Election, list[Effect]]:
    following = replace(election, stance=Stance.FOLLOWING, told=now)
    return following, [StandDown(term=election.term)]


def _may_tell(election: Election, now: float) -> bool:
    return election.told is None or now - election.told >= TRY_EVERY_S
