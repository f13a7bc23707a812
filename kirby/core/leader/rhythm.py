"""What time brings to a leader: decisions, transactions, beats (steps 4 and 6)."""

from datetime import datetime, timedelta

from kirby.core.clock_offset import ClockOffset
from kirby.core.leader import coup, decisions
from kirby.core.leader.draft import MOST_POSTS, Post
from kirby.core.leader.events import (
    AskWatermark,
    Commit,
    FetchSchedule,
    SchedulerEffect,
)
from kirby.core.leader.ledger import LOOKAHEAD, Ledger
from kirby.core.leader.read_up import PROGRESS_SECONDS
from kirby.core.leader.state import Lead, Scheduling, broker_now, stand_down
from kirby.core.messages import LeadFailure
from kirby.core.moment import Moment
from kirby.core.records import (
    Beat,
    Probe,
    TopicName,
)

BEAT_SECONDS = 0.3
FETCH_SECONDS = 1.0  # changes of the schedule are learnt within about a second
# A new leader waits so long for the first answer of the web service, and then goes by the mirror.
SCHEDULE_PATIENCE_SECONDS = 1.0
CLOCK_LIMIT_SECONDS = 2.0  # rule of step 6
# A beat that was read late makes a right clock look wrong, and one that was wrong may be put right;
# where beats come, they come each 0.3 s. Whoever leads by a wrong clock learns of it by its first.
CLOCK_KNOWN_SECONDS = 5.0
# About 20 ms of one core go into each interpreter that is started ahead of a burst (5.4).
INTERPRETER = timedelta(milliseconds=20)
BURST_HORIZON = timedelta(seconds=12)
LONGEST_LOOKAHEAD = timedelta(seconds=10)
LEADER_KEY = "leader"
PROBE_KEY = "#probe"


def tick(state: Scheduling, now: Moment) -> list[SchedulerEffect]:
    """Let time pass."""
    state.tail = coup.tick(state.tail, now.boot)
    lead = state.lead
    if lead is None:
        _forget_old_clock(state, now)
        return []
    if abs(state.clock.seconds) > CLOCK_LIMIT_SECONDS:
        sentence = f"this host's clock is {state.clock.seconds:+.1f} s off the broker's"
        return stand_down(state, LeadFailure.FAILED, sentence)
    if not lead.is_leading:
        return _tick_reading(state, lead, now)
    return _tick_leading(state, lead, now)


def _forget_old_clock(state: Scheduling, now: Moment) -> None:
    """Hold no clock against its host for ever: without a leader no beat would put that right."""
    if now.boot - state.clock_sampled > CLOCK_KNOWN_SECONDS:
        state.clock = ClockOffset()


def _tick_reading(state: Scheduling, lead: Lead, now: Moment) -> list[SchedulerEffect]:
    progressed = lead.read_up.progressed if lead.read_up is not None else lead.asked_ends
    if now.boot - progressed > PROGRESS_SECONDS:
        return stand_down(state, LeadFailure.FAILED, "reading up made no progress for 10 s")
    return _commit(state, lead, [], now)


def _tick_leading(state: Scheduling, lead: Lead, now: Moment) -> list[SchedulerEffect]:
    effects: list[SchedulerEffect] = []
    lost = lead.ledger.roster.tick(now.boot, at_end=lead.hosts_at_end(now.boot))
    lead.ledger.lost(lost)
    lead.ledger.settle(now.boot)
    if decisions.wants_watermark(lead.ledger):
        effects.append(AskWatermark())
    if not lead.is_fetching and (lead.fetched is None or now.boot - lead.fetched >= FETCH_SECONDS):
        lead.is_fetching = True
        effects.append(FetchSchedule(since=lead.mirror.revision))
    if not lead.is_committing:
        posts = _decide(state, lead, now) if _may_decide(lead, now) else []
        effects += _commit(state, lead, posts, now)
    return effects


def _may_decide(lead: Lead, now: Moment) -> bool:
    """Whether the clock is known, and the schedule as well as it can be had (rule P1).

    What was disabled while nobody led is in the schedule and not in the mirror.
    """
    has_asked = lead.fetched is not None or now.boot - lead.led >= SCHEDULE_PATIENCE_SECONDS
    return lead.is_clock_known and has_asked


def _decide(state: Scheduling, lead: Lead, now: Moment) -> list[Post]:
    instant = broker_now(state, now)
    lead.ledger.lookahead = _lookahead(lead.ledger, instant)
    posts = decisions.decide(lead.ledger, instant).posts
    room = max(MOST_POSTS - len(posts), 1)
    posts += lead.mirror.pending[:room]
    del lead.mirror.pending[:room]
    if lead.ledger.roster.wants_probe(now.boot):
        probe = Probe(epoch=lead.epoch, sent=instant)
        posts.append(Post(topic=TopicName.HOSTS, key=PROBE_KEY, record=probe))
    return posts


def _lookahead(ledger: Ledger, now: datetime) -> timedelta:
    """Look further ahead when a burst is coming, bounded by the slots (5.4)."""
    slots = ledger.roster.total_slots()
    crowd = ledger.agenda.crowd(now + BURST_HORIZON, slots)
    return min(LOOKAHEAD + INTERPRETER * crowd, LONGEST_LOOKAHEAD)


def _commit(state: Scheduling, lead: Lead, posts: list[Post], now: Moment) -> list[SchedulerEffect]:
    """Commit what was decided, with a beat; or a beat alone when the last is old (step 3)."""
    is_fresh = lead.is_clock_known and now.boot - lead.committed < BEAT_SECONDS
    if lead.is_committing or (not posts and is_fresh):
        return []
    lead.is_committing = True
    beat = Beat(host=state.host, epoch=lead.epoch, at=now.wall, since=lead.since)
    posts.append(Post(topic=TopicName.LEADERSHIP, key=LEADER_KEY, record=beat))
    return [Commit(posts=tuple(posts))]
