"""Builders for what a leader knows: definitions, a ledger with its hosts, what the log tells."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from kirby.core.leader.decisions import decide, wants_watermark
from kirby.core.leader.draft import Draft, Post
from kirby.core.leader.holders import Stands
from kirby.core.leader.ledger import Ledger
from kirby.core.leader.roster import Roster
from kirby.core.names import (
    AttemptId,
    ContextKey,
    Epoch,
    Host,
    Incarnation,
    RunId,
    StateFolderId,
    context_of,
)
from kirby.core.nouns import AttemptEnd, CronLine, Definition, JobKind, NotStartedReason, Policies
from kirby.core.planning.fires import fires_of
from kirby.core.records import (
    AnyRecord,
    Claim,
    DaemonOffer,
    Exited,
    Heartbeat,
    Held,
    Instance,
    LeaderClaim,
    NotStarted,
    Phase,
    Released,
    Ticket,
    TopicName,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ALPHA = Host("alpha")
FOLDER = StateFolderId("folder-1")
FIRST = Incarnation(10)

R = TypeVar("R")


def at(seconds: float) -> datetime:
    """Return an instant by its distance from noon."""
    return NOON + timedelta(seconds=seconds)


def a_definition(
    context: str = "pump/prod", cron: str = "* * * * *", kind: str = "scheduled", **fields: Any
) -> Definition:
    policies = {name: fields.pop(name) for name in list(fields) if name in _POLICIES}
    schedules = (CronLine(cron=cron),) if kind == "scheduled" else ()
    return Definition(
        context=ContextKey(context),
        kind=JobKind(kind),
        package=fields.pop("package", "pump==1.0"),
        schedules=fields.pop("schedules", schedules),
        policies=Policies(**policies),
        **fields,
    )


_POLICIES = set(Policies.__struct_fields__)


def compile_fires(definition: Definition) -> Any:
    return fires_of(definition.schedules) if definition.schedules else None


class World:
    """A ledger and its hosts, spoken to in the words of the log."""

    def __init__(self, *definitions: Definition, start: float = -1.0, hosts: str = "alpha") -> None:
        self.ledger = Ledger(
            host=ALPHA, compile=compile_fires, epoch=Epoch(7), roster=Roster(own=ALPHA)
        )
        self.boot = 1000.0
        self.offset = 100
        self.daemons_end = 0  # of the topic of daemons' offers
        self.ledger.roster.begin(self.boot)
        for host in hosts.split():
            self.hears(host)
        self.ledger.settle(self.boot)
        for definition in definitions:
            self.ledger.define(definition, at(start))
        self.decides(start)

    def wants_watermark(self) -> bool:
        return wants_watermark(self.ledger)

    def decides(self, seconds: float) -> list[AnyRecord | None]:
        self.draft: Draft = decide(self.ledger, at(seconds))
        return [post.record for post in self.draft.posts]

    def hears(
        self,
        host: str,
        *held: str,
        incarnation: int = FIRST,
        folder: str = FOLDER,
        free: int = 4,
        phase: Phase = Phase.RUNNING,
        daemons: str = "",
        instances: tuple[Instance, ...] = (),
        has_read: int | None = None,
    ) -> None:
        """Have a host heard; it has read all offers of daemons, unless it says how far."""
        self.offset += 1
        heartbeat = Heartbeat(
            host=Host(host),
            incarnation=Incarnation(incarnation),
            state_folder=StateFolderId(folder),
            sent=NOON,
            started=NOON,
            version="1",
            slots=4,
            free_slots=free,
            held=tuple(Held(run=run, attempt=1, phase=phase) for run in held),
            instances=instances,
            daemons_read=(self.daemons_end if has_read is None else has_read,),
            daemons_here=tuple(ContextKey(each) for each in daemons.split()),
        )
        self.ledger.read_heartbeat(heartbeat, self.offset, self.boot)

    def places(self, seconds: float, context: str = "feed/prod") -> DaemonOffer | None:
        """Decide, read the offers of daemons back, and return what stands of one."""
        for record, key in [(post.record, post.key) for post in self._decided(seconds)]:
            stands = Stands(partition=0, offset=self.daemons_end)
            self.daemons_end += 1
            assert record is None or isinstance(record, DaemonOffer)
            self.ledger.read_daemon_back(ContextKey(key), record, stands)
        return self.ledger.books[ContextKey(context)].posted

    def _decided(self, seconds: float) -> list[Post]:
        self.decides(seconds)
        return [post for post in self.draft.posts if post.topic is TopicName.DAEMONS]

    def begins_anew(self, host: str, incarnation: int, folder: str = FOLDER) -> None:
        ticket = Ticket(host=Host(host), state_folder=StateFolderId(folder))
        self.ledger.read_ticket(ticket, incarnation)

    def claims(self, run: str, attempt: int = 1, host: str = "alpha", by: int = FIRST) -> None:
        self.ledger.read_claim(
            Claim(
                run=RunId(run),
                attempt=attempt,
                host=Host(host),
                incarnation=Incarnation(by),
                state_folder=FOLDER,
            )
        )

    def reads_own(self, claim: LeaderClaim) -> None:
        self.ledger.read_claim(claim)

    def tells(self, record: Exited | NotStarted | Released) -> None:
        self.ledger.read_run(record)

    def passes(self, seconds: int, *, heard: str = "", at_end: bool = True) -> None:
        """Let seconds pass, in each of which the hosts named are heard."""
        for _ in range(seconds):
            for host in heard.split():
                self.hears(host)
            self.boot += 1.0
            self.ledger.lost(self.ledger.roster.tick(self.boot, at_end=at_end))


def _step(run: str, attempt: int, host: str) -> dict[str, Any]:
    return {
        "run": run,
        "attempt": attempt,
        "context": context_of(run),
        "host": Host(host),
        "incarnation": FIRST,
        "at": NOON,
    }


def exited(
    run: str, end: str = "succeeded", attempt: int = 1, host: str = "alpha", **fields: Any
) -> Exited:
    return Exited(**_step(run, attempt, host), end=AttemptEnd(end), **fields)


def not_started(
    run: str, why: str = "deadline passed", attempt: int = 1, host: str = "alpha", **fields: Any
) -> NotStarted:
    return NotStarted(**_step(run, attempt, host), why=NotStartedReason(why), **fields)


def released(run: str, attempt: int = 1, host: str = "alpha") -> Released:
    return Released(**_step(run, attempt, host))


def of_kind(kind: type[R], records: list[AnyRecord | None]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def attempt_of(run: str, attempt: int = 1) -> AttemptId:
    return AttemptId(run=run, attempt=attempt)
