"""Offers that nobody has claimed yet, as one Runner sees them (rules C2 and C3).

An offer first waits for this host's turn (`soon`), or for its environment (`lacking`), and then for
a slot (`backlog`). Instants of turns are BOOTTIME seconds; due instants and deadlines are the
broker's, as seconds since 1970.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from kirby.core.claims.persistent import PersistentMap
from kirby.core.claims.queued import NOBODY, Entry, Queued, attempt_in, entry_of
from kirby.core.names import AttemptId, Host
from kirby.core.records import Offer

STEP_SECONDS = 0.3  # a claim and its read-back take 0.002 s, a slow heartbeat of a host far more


K = TypeVar("K", int, str)


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One offer that waits."""

    offer: Offer
    place: int  # of this host among those that the offer names; after them where it is not named
    turn: float  # BOOTTIME from which on this host may claim it

    @property
    def attempt(self) -> AttemptId:
        """The attempt that is offered."""
        return attempt_of(self.offer)


def attempt_of(offer: Offer) -> AttemptId:
    """Return what an offer is about."""
    return AttemptId(run=offer.run, attempt=offer.attempt)


def place_of(offer: Offer, host: Host) -> int:
    """Return how many hosts come before this one."""
    return offer.hosts.index(host) if host in offer.hosts else len(offer.hosts)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The table; every change returns the next one."""

    waits: PersistentMap[AttemptId, Wait] = field(default_factory=PersistentMap)
    soon: Queued = NOBODY  # by turn
    backlog: Mapping[int, Queued] = field(default_factory=dict)  # by place: by due instant
    lacking: Mapping[str, Queued] = field(default_factory=dict)  # by package: by deadline
    expiring: Queued = NOBODY  # by deadline

    def add(self, wait: Wait, *, ready: bool) -> "Waiting":
        """Take an offer in."""
        table = replace(
            self,
            waits=self.waits.put(wait.attempt, wait),
            expiring=self.expiring.put(_by_deadline(wait)),
        )
        return table.await_turn(wait) if ready else table.await_environment(wait)

    def drop(self, attempt: AttemptId) -> "Waiting":
        """Forget an offer: claimed, withdrawn or too late."""
        wait = self.waits.get(attempt)
        if wait is None:
            return self
        return replace(
            self._out_of_queues(wait),
            waits=self.waits.drop(attempt),
            expiring=self.expiring.drop(_by_deadline(wait)),
        )

    def await_turn(self, wait: Wait) -> "Waiting":
        """Put an offer into the queue of turns."""
        table = self._out_of_queues(wait)
        return replace(table, soon=table.soon.put(_by_turn(wait)))

    def await_environment(self, wait: Wait) -> "Waiting":
        """Set an offer aside until its environment is ready or has failed."""
        table = self._out_of_queues(wait)
        package = wait.offer.plan.package
        queue = table.lacking.get(package, NOBODY).put(_by_deadline(wait))
        return replace(table, lacking={**table.lacking, package: queue})

    def environment_ready(self, package: str) -> "Waiting":
        """Let all offers of a package wait for their turn, which may be long past."""
        table = self
        for entry in self.lacking.get(package, NOBODY):
            wait = table.waits.get(attempt_in(entry))
            if wait is not None:
                table = table.await_turn(wait)
        return table

    def ripen(self, boot: float) -> "Waiting":
        """Move what has its turn to those that wait for a slot."""
        table = self
        while table.soon and table.soon.first[0] <= boot:
            wait = table.waits.get(attempt_in(table.soon.first))
            assert wait is not None  # both are changed together
            queue = table.backlog.get(wait.place, NOBODY).put(_by_due(wait))
            table = replace(
                table,
                soon=table.soon.drop(table.soon.first),
                backlog={**table.backlog, wait.place: queue},
            )
        return table

    def expire(self, broker_seconds: float) -> "Waiting":
        """Forget what may no longer begin; the leader sees to its end."""
        table = self
        while table.expiring and table.expiring.first[0] < broker_seconds:
            table = table.drop(attempt_in(table.expiring.first))
        return table

    def earliest(self, free_since: float, boot: float) -> Wait | None:
        """Return the earliest due whose turn a slot is that came free then; None: nobody's yet."""
        heads = [
            queue.first
            for place, queue in self.backlog.items()
            if queue and free_since + STEP_SECONDS * place <= boot
        ]
        return self.waits.get(attempt_in(min(heads))) if heads else None

    def places(self) -> Iterator[int]:
        """Yield the places of what waits for a slot."""
        return (place for place, queue in self.backlog.items() if queue)

    def _out_of_queues(self, wait: Wait) -> "Waiting":
        """Take an offer out of whichever queue it is in; all others stay the same objects."""
        table = self
        soon = table.soon.drop(_by_turn(wait))
        if soon is not table.soon:
            table = replace(table, soon=soon)
        backlog = _without(table.backlog, wait.place, _by_due(wait))
        if backlog is not table.backlog:
            table = replace(table, backlog=backlog)
        lacking = _without(table.lacking, wait.offer.plan.package, _by_deadline(wait))
        return table if lacking is table.lacking else replace(table, lacking=lacking)


def _without(queues: Mapping[K, Queued], key: K, entry: Entry) -> Mapping[K, Queued]:
    queue = queues.get(key, NOBODY)
    rest = queue.drop(entry)
    if rest is queue:
        return queues
    if rest:
        return {**queues, key: rest}
    return {other: queue for other, queue in queues.items() if other != key}


def _by_turn(wait: Wait) -> Entry:
    return entry_of(wait.turn, wait.attempt)


def _by_due(wait: Wait) -> Entry:
    return entry_of(wait.offer.due.timestamp(), wait.attempt)


def _by_deadline(wait: Wait) -> Entry:
    return entry_of(wait.offer.deadline.timestamp(), wait.attempt)
