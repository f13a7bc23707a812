"""What must be true of a cluster after anything: asked of the topics and of the witness alone.

Each returns what breaks it, so that a story says `assert offered_twice(log) == {}` and a failure
shows the culprits.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from kirby.core.names import Host, RunId
from kirby.core.nouns import RunEnd
from kirby.core.records import Claim, Ended, LeaderClaim, Leadership, Offer, Stretch
from tests.stories.cluster.log import Log
from tests.stories.witness import Entry, Witness

Life = tuple[str, int]  # run, attempt


@dataclass(frozen=True, kw_only=True)
class Killing:
    """A host that was killed with everything on it."""

    host: str
    at: datetime


def offered_twice(log: Log) -> dict[Life, int]:
    """Return the attempts for which two offers stand in the log (I1)."""
    return _twice((offer.run, offer.attempt) for _, offer in log.read().of(Offer))


def tokens_twice(log: Log) -> dict[tuple[str, int], int]:
    """Return the fencing tokens that a context gave away twice (I1)."""
    return _twice((offer.context, offer.token) for _, offer in log.read().of(Offer))


def ended_twice(log: Log) -> dict[str, int]:
    """Return the runs with two ends in the log (I3)."""
    return _twice(ended.run for _, ended in log.read().of(Ended))


def doubled(log: Log, witness: Witness) -> dict[str, object]:
    """Return all that was doubled: offers, tokens, starts, ends; empty if nothing was."""
    found: dict[str, object] = {
        "offered": offered_twice(log),
        "tokens": tokens_twice(log),
        "started": witness.twice(),
        "ended": ended_twice(log),
    }
    return {name: each for name, each in found.items() if each}


def ends(log: Log) -> dict[str, Ended]:
    """Return the end of each run that has one."""
    return {str(ended.run): ended for _, ended in log.read().of(Ended)}


def without_end(log: Log, context: str, due: Iterable[datetime]) -> list[datetime]:
    """Return the due instants of a context for which no end stands in the log (I3)."""
    log.read()
    ended = {end.due for _, end in log.of(Ended) if end.context == context}
    stretches = [each for _, each in log.of(Stretch) if each.context == context]
    return [
        each
        for each in due
        if each not in ended and not any(s.first <= each <= s.last for s in stretches)
    ]


def unexcused(log: Log, kills: Iterable[Killing]) -> list[Ended]:
    """Return the lost runs that no killed host held when it was killed."""
    log.read()
    held: dict[str, list[tuple[datetime, Host]]] = defaultdict(list)
    for at, claim in log.of(Claim):
        held[claim.run].append((at, claim.host))
    kills = list(kills)
    return [
        end
        for ended, end in log.of(Ended)
        if end.end is RunEnd.LOST
        and not any(
            kill.host == host and claimed <= kill.at <= ended
            for claimed, host in held[end.run]
            for kill in kills
        )
    ]


def claims_per_run(log: Log, runs: Iterable[str]) -> float:
    """Return how many claims of hosts there are for each run, on average."""
    wanted = set(runs)
    claims = sum(claim.run in wanted for _, claim in log.read().of(Claim))
    return claims / len(wanted)


def first_claims(log: Log) -> dict[tuple[RunId, int], Claim | LeaderClaim]:
    """Return the claim that won each attempt: the first in its partition (C4)."""
    found: dict[tuple[RunId, int], Claim | LeaderClaim] = {}
    entries = [*log.read().entries(Claim), *log.entries(LeaderClaim)]
    for entry in sorted(entries, key=lambda e: (e.partition, e.offset)):
        assert isinstance(entry.record, Claim | LeaderClaim)
        found.setdefault((entry.record.run, entry.record.attempt), entry.record)
    return found


def not_by_the_winner(log: Log, witness: Witness) -> list[Entry]:
    """Return the starts on a host whose claim was not the first (C4)."""
    winners = {
        (str(run), attempt): claim.host
        for (run, attempt), claim in first_claims(log).items()
        if isinstance(claim, Claim)
    }
    scheduled = [entry for entry in witness.began() if "@" in entry.run]
    return [entry for entry in scheduled if winners.get(entry.life) != entry.host]


def spread(entries: Iterable[Entry]) -> Counter[str]:
    """Return how many runs each host had."""
    return Counter(entry.host for entry in entries)


def led(log: Log, since: datetime) -> list[tuple[datetime, Leadership]]:
    """Return who took the lead since then."""
    return [(at, record) for at, record in log.leaderships() if at > since]


def overlaps(witness: Witness, context: str) -> list[tuple[Life, Life, timedelta]]:
    """Return which lives of a context overlapped, and for how long they did so.

    Each must tell of its ticks. A life that was frozen overlaps with nobody; so what counts is the
    time in which the earlier one ticked although the later one had begun.
    """
    lives: dict[Life, list[datetime]] = defaultdict(list)
    for entry in witness.entries(of=context):
        lives[entry.life].append(entry.at)
    in_order = sorted(lives.items(), key=lambda life: life[1][0])
    found = []
    for place, (one, ticks) in enumerate(in_order):
        for other, (began, *_) in in_order[place + 1 :]:
            if after := [tick for tick in ticks if tick > began]:
                found.append((one, other, after[-1] - after[0]))
    return found


def _twice(keys: Iterable[Life] | Iterable[str] | Iterator[tuple[str, int]]) -> dict:  # type: ignore[type-arg]
    return {key: count for key, count in Counter(keys).items() if count > 1}
