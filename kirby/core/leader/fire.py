"""What becomes of one open fire: offered again, withdrawn, ended (ARCHITECTURE, rules C6 to E3).

A fire is known by two things: what the cursor keeps of it (`OpenFire`), and the facts that were
read in the log since (its attempt's first claim, its report, its loss). `judge` looks at both and
says what the leader does next; it is level-triggered, so it can be asked at any time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TypeAlias

import msgspec

from kirby.core.back_off import attempt_back_off, refusal_back_off
from kirby.core.nouns import (
    AttemptEnd,
    LeaderReason,
    Lost,
    NotStartedReason,
    Policies,
    RunEnd,
)
from kirby.core.records import Claim, Exited, LeaderClaim, NotStarted, OpenFire

# A Runner may claim until the deadline, and its claim needs a moment to be read.
DEADLINE_MARGIN = timedelta(seconds=1)
# A stop that went astray is asked for again; heartbeats come each 5 s, so sooner tells nothing new.
CLAIM_REPEAT = timedelta(seconds=5)

END_OF_CLAIM = {
    LeaderReason.MISSED: RunEnd.MISSED,
    LeaderReason.SUSPENDED: RunEnd.SKIPPED,
    LeaderReason.DISABLED: RunEnd.SKIPPED,
    LeaderReason.DELETED: RunEnd.SKIPPED,
    LeaderReason.STOPPED: RunEnd.STOPPED,
    LeaderReason.REPLACED: RunEnd.STOPPED,
}
END_OF_ATTEMPT = {
    AttemptEnd.SUCCEEDED: RunEnd.SUCCEEDED,
    AttemptEnd.FAILED: RunEnd.FAILED,
    AttemptEnd.TIMED_OUT: RunEnd.TIMED_OUT,
    AttemptEnd.STOPPED: RunEnd.STOPPED,
    AttemptEnd.LOST: RunEnd.LOST,
}


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """An open fire, and the facts about its present attempt."""

    fire: OpenFire
    first_claim: Claim | LeaderClaim | None = None
    report: Exited | NotStarted | None = None
    begun: bool = False  # its host told that it was released
    listed: bool = False  # its host's last heartbeat holds it
    lost: str = ""  # the sentence that says how it was lost
    never_began: str = ""  # the sentence that says why nobody began it (rule L4)
    claimed_at: datetime | None = None  # when the leader last posted a claim of its own

    def waiting(self, fire: OpenFire) -> "Tracked":
        """Return the fire between two attempts: the facts of the last one no longer count."""
        return Tracked(fire=fire)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the context of a fire stands at the moment."""

    policies: Policies
    lookahead: timedelta
    window: timedelta  # the start window of this fire
    gone: LeaderReason | None = None  # disabled, deleted, or this instant suspended


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Nothing is to be done before `until` (None: before a new fact)."""

    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OfferAttempt:
    """Post the next attempt."""


@dataclass(frozen=True, kw_only=True)
class PostClaim:
    """Post the leader's own claim on the present attempt (rule C6)."""

    reason: LeaderReason


@dataclass(frozen=True, kw_only=True)
class TryAgain:
    """The attempt is over and the fire is not: wait for the next one."""

    fire: OpenFire


@dataclass(frozen=True, kw_only=True)
class EndFire:
    """No further attempt: write the end (rule E1)."""

    end: RunEnd
    reason: str


Judgement: TypeAlias = Wait | OfferAttempt | PostClaim | TryAgain | EndFire


def judge(tracked: Tracked, standing: Standing, now: datetime) -> Judgement:
    """Say what the leader does next about a fire."""
    if not tracked.fire.offered:
        return _judge_waiting(tracked.fire, standing, now)
    if isinstance(tracked.report, Exited):
        return _judge_exit(tracked.fire, tracked.report, standing, now)
    if isinstance(tracked.report, NotStarted):
        return _judge_refusal(tracked.fire, tracked.report, now)
    if tracked.never_began:
        return _offer_again(tracked.fire, tracked.never_began, now)
    if tracked.lost:
        return _judge_loss(tracked.fire, tracked.lost, standing, now)
    if isinstance(tracked.first_claim, LeaderClaim):
        return _end_withdrawn(tracked.fire, tracked.first_claim.reason)
    return _judge_claim(tracked, standing, now)


def _judge_waiting(fire: OpenFire, standing: Standing, now: datetime) -> Judgement:
    if fire.stop_asked:
        return EndFire(end=RunEnd.STOPPED, reason=_stopped_by(fire))
    if standing.gone is not None and not fire.manual:
        return _end_withdrawn(fire, standing.gone)
    if now >= fire.deadline:
        return EndFire(end=RunEnd.MISSED, reason=_with_last("its deadline passed", fire))
    # After a refusal there is nothing to park ahead of: it waits its full time (rule E3).
    opens = fire.not_before if fire.refusals else fire.not_before - standing.lookahead
    return OfferAttempt() if now >= opens else Wait(until=opens)


def _judge_exit(fire: OpenFire, report: Exited, standing: Standing, now: datetime) -> Judgement:
    if report.end is AttemptEnd.SUCCEEDED:
        return EndFire(end=RunEnd.SUCCEEDED, reason=report.reason)
    if report.end is AttemptEnd.STOPPED or fire.stop_asked:
        return EndFire(end=RunEnd.STOPPED, reason=report.reason or _stopped_by(fire))
    if report.end is AttemptEnd.LOST:
        return _judge_loss(fire, report.reason, standing, now)
    end = END_OF_ATTEMPT[report.end]
    return _spend(fire, end, report.reason, standing, now)


def _judge_loss(fire: OpenFire, sentence: str, standing: Standing, now: datetime) -> Judgement:
    if fire.stop_asked or standing.policies.lost is Lost.FAIL:
        return EndFire(end=RunEnd.LOST, reason=sentence)
    return _spend(fire, RunEnd.LOST, sentence, standing, now)


def _spend(
    fire: OpenFire, end: RunEnd, sentence: str, standing: Standing, now: datetime
) -> Judgement:
    """Use up an attempt (rule E2): back off, or end the fire if it was the last."""
    spent = fire.spent + 1
    if spent >= standing.policies.attempts or standing.gone is not None:
        return EndFire(end=end, reason=sentence)
    not_before = now + back_off(fire, spent, standing.policies)
    again = msgspec.structs.replace(
        fire,
        spent=spent,
        offered=False,
        not_before=not_before,
        deadline=not_before + standing.window,
        last_reason=sentence,
        refusals=0,
        **_NO_HOLDER,
    )
    return TryAgain(fire=again)


def _judge_refusal(fire: OpenFire, report: NotStarted, now: datetime) -> Judgement:
    if report.why is NotStartedReason.INSTALLATION:
        return EndFire(end=RunEnd.FAILED, reason=report.reason)
    if report.leader_reason is not None:
        return _end_withdrawn(fire, report.leader_reason)
    sentence = report.reason or report.why.value
    return _offer_again(fire, sentence, now, refused_by=(report.host,))


def _offer_again(
    fire: OpenFire, sentence: str, now: datetime, refused_by: tuple[str, ...] = ()
) -> Judgement:
    """Wait for an attempt that spends nothing, with the first deadline kept (rule E3)."""
    if fire.leader_claim is not None:
        return _end_withdrawn(fire, fire.leader_claim)
    if now >= fire.deadline:
        return EndFire(end=RunEnd.MISSED, reason=sentence)
    wait = refusal_back_off(fire.refusals + 1)
    again = msgspec.structs.replace(
        fire,
        offered=False,
        not_before=max(fire.not_before, now + wait),
        refusals=min(fire.refusals + 1, 16),
        refused=tuple(dict.fromkeys((*fire.refused, *refused_by))),
        last_reason=sentence,
        **_NO_HOLDER,
    )
    return TryAgain(fire=again)


def _judge_claim(tracked: Tracked, standing: Standing, now: datetime) -> Judgement:
    """Decide about an attempt that is offered, or held by a host that has not told its end."""
    fire = tracked.fire
    wanted = _claim_wanted(tracked, standing, now)
    if wanted is None:
        return Wait(until=fire.deadline + DEADLINE_MARGIN if tracked.first_claim is None else None)
    if fire.leader_claim is None or (wanted.stops and not fire.leader_claim.stops):
        return PostClaim(reason=wanted)
    if tracked.first_claim is None or not tracked.listed:
        return Wait()  # for the claim to be read back, or for what the holder says
    repeat = (tracked.claimed_at or now) + CLAIM_REPEAT
    return PostClaim(reason=wanted) if now >= repeat else Wait(until=repeat)


def _claim_wanted(tracked: Tracked, standing: Standing, now: datetime) -> LeaderReason | None:
    fire = tracked.fire
    if fire.stop_asked:
        return LeaderReason.STOPPED
    if standing.gone is not None and not tracked.begun and not fire.manual:
        return standing.gone
    if tracked.first_claim is None and now >= fire.deadline + DEADLINE_MARGIN:
        return LeaderReason.MISSED
    return None


def _end_withdrawn(fire: OpenFire, reason: LeaderReason) -> EndFire:
    return EndFire(end=END_OF_CLAIM[reason], reason=_why_withdrawn(fire, reason))


def _why_withdrawn(fire: OpenFire, reason: LeaderReason) -> str:
    match reason:
        case LeaderReason.MISSED:
            return _with_last("no host took it before its deadline", fire)
        case LeaderReason.STOPPED:
            return _stopped_by(fire)
        case LeaderReason.REPLACED:
            return "replaced by a later run"
        case _:
            return _with_last(f"the context is {reason.value}", fire)


def _stopped_by(fire: OpenFire) -> str:
    return f"stopped by {fire.stop_asked}" if fire.stop_asked else "stopped"


def _with_last(sentence: str, fire: OpenFire) -> str:
    return f"{sentence}; last attempt: {fire.last_reason}" if fire.last_reason else sentence


def back_off(fire: OpenFire, spent: int, policies: Policies) -> timedelta:
    """Return the wait before the next attempt: doubling, up to a limit, ±20 %.

    The chance in it is drawn from the run's own name, so that every leader finds the same (I10).
    """
    digest = blake2b(f"{fire.run} {fire.attempt}".encode(), digest_size=4).digest()
    return attempt_back_off(policies, spent, chance=int.from_bytes(digest) / 0xFFFFFFFF)


# What a fire forgets of an attempt that is over.
_NO_HOLDER: dict[str, None] = {
    "holder": None,
    "holder_incarnation": None,
    "holder_folder": None,
    "leader_claim": None,
}
