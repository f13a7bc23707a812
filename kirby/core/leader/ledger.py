"""All contexts and open fires, as the log tells of them (ARCHITECTURE, "The way of a fire").

The ledger takes facts as they are read in the log (`read_…`, `lost`). Facts only mark contexts for
a look; a look (`core.leader.decisions`) is level-triggered, so no fact is ever "handled" and
forgotten.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from kirby.core.back_off import HEALTHY_AFTER
from kirby.core.leader import superseded
from kirby.core.leader.agenda import Agenda
from kirby.core.leader.book import Book, Successor
from kirby.core.leader.fire import Tracked
from kirby.core.leader.holders import Stands
from kirby.core.leader.plan import Timetable
from kirby.core.leader.roster import Roster
from kirby.core.names import AttemptId, ContextKey, Epoch, Host, context_of
from kirby.core.nouns import Definition, LeaderReason
from kirby.core.records import (
    Claim,
    Cursor,
    DaemonOffer,
    Exited,
    Heartbeat,
    LeaderClaim,
    NotStarted,
    Offsets,
    OpenFire,
    Released,
    RequestRecord,
    Ticket,
)

LOOKAHEAD = timedelta(seconds=2)

Compile = Callable[[Definition], Timetable | None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that was read and waits for the next transaction."""

    partition: int
    offset: int
    request: RequestRecord
    held: datetime | None = None  # since when it waits for the schedule


@dataclass(kw_only=True)
class Ledger:
    """What the leader knows; mutable, and owned by the step of the Scheduler."""

    host: Host
    compile: Compile
    epoch: Epoch
    roster: Roster
    books: dict[ContextKey, Book] = field(default_factory=dict)
    agenda: Agenda = field(default_factory=Agenda)
    marked: dict[ContextKey, None] = field(default_factory=dict)
    revision: int | None = None  # of the schedule that was handed in; None: the mirror alone
    asked: list[Asked] = field(default_factory=list)
    consumed: dict[int, int] = field(default_factory=dict)  # requests, next offset by partition
    claims_read: dict[int, int] = field(default_factory=dict)
    runs_read: dict[int, int] = field(default_factory=dict)
    busy: dict[ContextKey, None] = field(default_factory=dict)  # contexts with open fires
    moving: dict[ContextKey, None] = field(default_factory=dict)  # daemons that wait for hosts
    daemons_early: dict[ContextKey, tuple[DaemonOffer, Stands]] = field(default_factory=dict)
    probation: timedelta = HEALTHY_AFTER  # that a daemon's new edition has to last
    is_settled: bool = False  # all hosts that live have been heard
    inquiry: superseded.Inquiry = field(default_factory=superseded.Inquiry)
    lookahead: timedelta = LOOKAHEAD
    next_aging: datetime | None = None

    # -- what a new leader reads up

    def restore_cursor(self, cursor: Cursor) -> None:
        """Take a context as the leader before left it; a later record replaces an earlier one."""
        book = self.books.get(cursor.context) or Book(
            context=cursor.context, considered=cursor.considered
        )
        self.books[cursor.context] = book
        if cursor.context in self.daemons_early:
            book.posted, book.stands = self.daemons_early.pop(cursor.context)
        book.considered, book.token = cursor.considered, cursor.token
        book.generation, book.written = cursor.generation, cursor.written
        book.claims_named, book.runs_named = cursor.claims, cursor.runs
        book.fires = {fire.run: _restored(fire) for fire in cursor.open}
        book.recent = dict.fromkeys(cursor.by_hand)
        self.adopt(book, cursor.definition)
        self.note_busy(book)
        for partition, offset in enumerate(cursor.requests):
            self.consumed[partition] = max(self.consumed.get(partition, 0), offset)

    def restore_daemon(
        self, context: ContextKey, offer: DaemonOffer | None, stands: Stands
    ) -> None:
        """Take the offer of a daemon that stands in the log; None: a tombstone."""
        book = self.books.get(context)
        if book is not None:
            book.posted, book.stands = offer, stands
        elif offer is None:
            self.daemons_early.pop(context, None)
        else:  # its cursor was posted with it, and is still to be read
            self.daemons_early[context] = offer, stands

    def read_daemon_back(
        self, context: ContextKey, offer: DaemonOffer | None, stands: Stands
    ) -> None:
        """Take where this leader's own offer stands: hosts are held against that."""
        book = self.books.get(context)
        if book is not None and offer is not None and offer == book.posted:
            book.stands = stands
            self.marked[context] = None

    def mark_all(self) -> None:
        """Look at every context with the next decision."""
        self.marked.update(dict.fromkeys(self.books))

    # -- facts

    def read_claim(self, claim: Claim | LeaderClaim) -> None:
        """Take a claim; only the first of an attempt counts (rules C4, C7)."""
        if isinstance(claim, Claim):
            self.roster.read_claim(claim.host)
        tracked = self.tracked_of(claim.run, claim.attempt)
        if tracked is None or tracked.first_claim is not None:
            return
        fire = tracked.fire
        if isinstance(claim, Claim):
            fire = msgspec.structs.replace(
                fire,
                holder=claim.host,
                holder_incarnation=claim.incarnation,
                holder_folder=claim.state_folder,
            )
        else:
            fire = msgspec.structs.replace(fire, withdrawn=True, leader_claim=claim.reason)
        tracked = replace(tracked, fire=fire, first_claim=claim)
        if tracked.report is not None and not _is_of_holder(tracked.report, fire):
            tracked = replace(tracked, report=None)
        self.track(tracked)
        self._suspect_claim(fire)

    def read_run(self, record: Exited | NotStarted | Released) -> None:
        """Take what a host tells of an attempt that it holds."""
        tracked = self.tracked_of(record.run, record.attempt)
        if tracked is None or not _is_of_holder(record, tracked.fire):
            return
        if isinstance(record, Released):
            self.track(replace(tracked, begun=True))
        elif tracked.report is None:  # the first report stands
            self.track(replace(tracked, report=record))

    def read_request(self, partition: int, offset: int, request: RequestRecord) -> None:
        """Take what a person asks for; it is consumed with the transaction that answers it."""
        if offset >= self.consumed.get(partition, 0):
            self.asked.append(Asked(partition=partition, offset=offset, request=request))

    def read_ticket(self, ticket: Ticket, offset: int) -> None:
        """Take a new incarnation of a host."""
        self.roster.read_ticket(ticket, offset)

    def read_heartbeat(self, heartbeat: Heartbeat, offset: int, boot: float) -> None:
        """Take a heartbeat: the host's lease, its free slots, and all that it holds."""
        known, before = set(self.roster.heard()), self.roster.view(heartbeat.host).daemons
        if not self.roster.read_heartbeat(heartbeat, offset, boot):
            return
        if heartbeat.host not in known:
            self.mark_daemons()
        self._mark_daemons_of(before ^ self.roster.view(heartbeat.host).daemons)
        for tracked in list(self._held_by(heartbeat.host)):
            self._compare(tracked, heartbeat)

    def lost(self, hosts: Iterable[Host]) -> None:
        """Take the loss of hosts by silence (rule L2)."""
        for host in hosts:
            self.mark_daemons()
            for tracked in list(self._held_by(host)):
                sentence = f"host {host} was not heard for 20 s"
                self.track(replace(tracked, lost=tracked.lost or sentence))

    def settle(self, boot: float) -> None:
        """Place daemons once all hosts that live have been heard, or had the time to be."""
        if not self.is_settled and self.roster.settled(boot):
            self.is_settled = True
            self.mark_daemons()

    def watermark_answered(self, watermark: Offsets | None) -> None:
        """Take the high watermark of the runs topic (rule L3)."""
        self.inquiry = superseded.answered(self.inquiry, watermark)

    def define(self, definition: Definition, now: datetime) -> None:
        """Take a context that is new or has changed; a new one starts at now."""
        book = self.books.setdefault(
            definition.context, Book(context=definition.context, considered=now)
        )
        book.successor = Successor(definition=definition)
        self.marked[book.context] = None

    def undefine(self, context: ContextKey, reason: LeaderReason) -> None:
        """Take that a context was disabled or deleted."""
        book = self.books.get(context)
        if book is not None:
            book.successor = Successor(definition=None, gone=reason)
            self.marked[context] = None

    def definitions(self) -> dict[ContextKey, Definition]:
        """Return what holds, or is about to."""
        latest = {
            book.context: book.successor.definition if book.successor else book.definition
            for book in self.books.values()
        }
        return {context: each for context, each in latest.items() if each is not None}

    # -- the books

    def adopt(self, book: Book, definition: Definition | None) -> None:
        """Have a definition hold from now on; None: the context does not fire."""
        changed = (
            book.definition is None
            or definition is None
            or (book.definition.schedules != definition.schedules)
        )
        book.definition = definition
        if changed or book.timetable is None:
            book.timetable = self.compile(definition) if definition is not None else None

    def tracked_of(self, run: str, attempt: int) -> Tracked | None:
        """Return an open fire whose present attempt, already offered, is this one."""
        book = self.books.get(context_of(run))
        tracked = book.fires.get(run) if book is not None else None
        if tracked is None or not tracked.fire.offered or tracked.fire.attempt != attempt:
            return None
        return tracked

    def track(self, tracked: Tracked) -> None:
        """Keep what is known of an open fire now, and look at its context."""
        context = context_of(tracked.fire.run)
        self.books[context].fires[tracked.fire.run] = tracked
        self.marked[context] = None

    def _held_by(self, host: Host) -> Iterable[Tracked]:
        for context in self.busy:
            for tracked in self.books[context].fires.values():
                if tracked.fire.offered and tracked.fire.holder == host:
                    yield tracked

    def note_busy(self, book: Book) -> None:
        """Keep in mind whether the context has open fires."""
        if book.fires:
            self.busy[book.context] = None
        else:
            self.busy.pop(book.context, None)

    def mark_daemons(self) -> None:
        """Look at every daemon: the hosts that it may run on have changed."""
        self.marked.update({book.context: None for book in self.books.values() if book.is_daemon})

    def _mark_daemons_of(self, changed: Iterable[ContextKey]) -> None:
        """Look at the daemons that a host holds since now, or no more, and at those that wait."""
        contexts = (*changed, *self.moving)
        self.marked.update({each: None for each in contexts if each in self.books})

    def note_moving(self, book: Book) -> None:
        """Keep in mind whether a daemon waits for what heartbeats say."""
        if book.posted is not None and (book.posted.leaving or book.posted.roll_out):
            self.moving[book.context] = None
        else:
            self.moving.pop(book.context, None)

    def _compare(self, tracked: Tracked, heartbeat: Heartbeat) -> None:
        """Hold a heartbeat against an attempt that its host claimed."""
        listed = self.roster.lists(heartbeat.host, _attempt(tracked.fire))
        if listed != tracked.listed:
            self.track(replace(tracked, listed=listed))
        self._suspect_claim(tracked.fire)

    def _suspect_claim(self, fire: OpenFire) -> None:
        if self.is_superseded(fire):
            self.inquiry = superseded.suspect(self.inquiry, frozenset({_attempt(fire)}))

    def is_superseded(self, fire: OpenFire) -> bool:
        """Whether a newer life of its host heartbeats without it (rule L3, first half)."""
        if fire.holder is None or fire.holder_incarnation is None:
            return False
        view = self.roster.hosts.get(fire.holder)
        if view is None or view.heartbeat is None:
            return False
        newer = view.heartbeat.incarnation > fire.holder_incarnation
        return newer and _attempt(fire) not in view.held


def _is_of_holder(record: Exited | NotStarted | Released, fire: OpenFire) -> bool:
    """Whether a report is the holder's: a copied machine tells of what its original had."""
    return fire.holder is None or record.host == fire.holder


def _restored(fire: OpenFire) -> Tracked:
    """Take a fire from the cursor; what was known of its first claim is known again."""
    claim: Claim | LeaderClaim | None = None
    if fire.withdrawn and fire.leader_claim is not None:
        claim = LeaderClaim(
            run=fire.run, attempt=fire.attempt, epoch=Epoch(0), reason=fire.leader_claim
        )
    elif (
        fire.holder is not None
        and fire.holder_incarnation is not None
        and fire.holder_folder is not None
    ):
        claim = Claim(
            run=fire.run,
            attempt=fire.attempt,
            host=fire.holder,
            incarnation=fire.holder_incarnation,
            state_folder=fire.holder_folder,
        )
    return Tracked(fire=fire, first_claim=claim)


def _attempt(fire: OpenFire) -> AttemptId:
    return AttemptId(run=fire.run, attempt=fire.attempt)
