"""Each rule of the protocol, and the one place at which it can be switched off.

A mutation replaces something of the real core, of the real shim's decisions, or of the simulated
Kafka, for as long as its context lasts. `by` names the invariants of which at least one must break
within some hundred histories; empty: nothing finds it, and the rule is a second lock.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import msgspec

from kirby.core.claims import beating, beginning, pulse, state, taking, winning
from kirby.core.claims import step as claims_step
from kirby.core.claims.effects import PostHeartbeat
from kirby.core.claims.events import ClaimRead
from kirby.core.claims.holding import Claimed
from kirby.core.claims.state import Claims, ShimTie
from kirby.core.clock_offset import ClockOffset
from kirby.core.guarding import instance
from kirby.core.leader import book as leader_book
from kirby.core.leader import (
    coup,
    daemon_offers,
    decisions,
    fire,
    holders,
    moves,
    offering,
    plan,
    read_up,
    roster,
    superseded,
)
from kirby.core.leader import ledger as leader_ledger
from kirby.core.leader.events import AskLeadershipEnd, Committed
from kirby.core.leader.ledger import Ledger
from kirby.core.names import AttemptId
from kirby.core.records import LeaderClaim, Phase, TopicName
from kirby.shim import admission, course, effects, recovery
from tests.simulation.cluster import host, leading, shim_sim, wires, world
from tests.simulation.cluster.broker import Broker, Place
from tests.simulation.cluster.history import Script

Change = tuple[Any, str, Any]  # what is replaced: in what, its name, by what


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """A rule that is switched off."""

    rule: str  # as ARCHITECTURE.md calls it
    without: str  # what is no longer so
    changes: Callable[[], list[Change]]
    by: tuple[str, ...] = ()  # the invariants that break
    seeds: tuple[int, ...] = ()  # that have found it before; the search begins with them
    story: Callable[[], Script] | None = None  # a history written for it, tried before all others

    @contextmanager
    def off(self) -> Iterator[None]:
        """Switch the rule off for a while."""
        patches = [patch.object(*change) for change in self.changes()]
        for each in patches:
            each.start()
        try:
            yield
        finally:
            for each in patches:
                each.stop()


# -- claims


def every_own_claim_wins() -> list[Change]:
    """C4: whoever reads its own claim arms, whether or not another's stands before it."""

    def claim_read(claims: Claims, event: ClaimRead, now: Any) -> Any:
        claim = event.claim
        attempt = AttemptId(run=claim.run, attempt=claim.attempt)
        mine = claims.holding.mine.get(attempt)
        if isinstance(claim, LeaderClaim):
            return original(claims, event, now)
        if (claim.host, claim.incarnation) != (claims.me.host, claims.incarnation):
            return claims, []
        if isinstance(mine, Claimed):
            return winning._won(claims, attempt, mine, now)
        return claims, []

    original = claims_step._HANDLERS[ClaimRead]
    handlers = {**claims_step._HANDLERS, ClaimRead: claim_read}
    return [(claims_step, "_HANDLERS", handlers)]


def arm_twice() -> list[Change]:
    """Arming once: the read-back of a won claim arms twice."""

    def won(claims: Claims, attempt: AttemptId, mine: Claimed, now: Any) -> Any:
        after, done = original(claims, attempt, mine, now)
        return after, [*done, *done]

    original = winning._won
    return [(winning, "_won", won)]


def claims_read_too_late() -> list[Change]:
    late = beginning.LONGEST_WINDOW + beginning.LARGEST_LOOK_AHEAD
    return [(beginning, "CLAIMS_EARLIER", -late)]


def claims_before_all_is_read() -> list[Change]:
    def may_claim(self: Claims, boot: float) -> bool:
        return self.pulse.acknowledged and self.shim is ShimTie.GREETED and not self.draining

    return [(state.Claims, "may_claim", may_claim)]


def not_started_unbarred() -> list[Change]:
    """C5: what is refused is reported at once, without the shim having barred it."""

    def refuse(claims: Claims, attempt: AttemptId, refusal: Any, now: Any) -> Any:
        return winning._report(claims, attempt, refusal, now)

    return [(winning, "_refuse", refuse)]


def no_repeated_arm() -> list[Change]:
    """C5: a won attempt whose arm went astray is forgotten."""

    def arm(claims: Claims, attempt: AttemptId, won: Any, now: Any) -> Any:
        after, effects = original(claims, attempt, won, now)
        return after.but(holding=after.holding.drop(attempt)), effects

    original = winning._arm
    return [(winning, "_arm", arm)]


def stops_go_unread() -> list[Change]:
    """C6: Runners pass over the leader's claims."""
    return [(winning, "_leader_claimed", lambda claims, attempt, claim, now: (claims, []))]


# -- heartbeats


def ended_not_listed() -> list[Change]:
    """L1: what has ended is not listed until its end is acknowledged."""

    def held_of(listed: Any, won: Any) -> Any:
        return original(tuple(e for e in listed if e.phase is not Phase.ENDED), won)

    original = pulse.held_of
    return [(beating, "held_of", held_of)]


def won_not_listed() -> list[Change]:
    return [(beating, "held_of", lambda listed, won: tuple(listed))]


def beats_without_a_shim() -> list[Change]:
    """L1: a Runner whose shim does not answer sends a heartbeat all the same, of nothing."""

    def beat(claims: Claims, now: Any) -> Any:
        if claims.shim is ShimTie.GREETED or claims.incarnation is None:
            return original(claims, now)
        if not claims.pulse.is_due(now.boot):
            return claims, []
        asked = claims.pulse.asks(now.boot, claims.holding.answered_for)
        question = asked.question
        assert question is not None
        heartbeat = beating._heartbeat(claims, (), question, now)
        posted = pulse.Posted(number=asked.number, sent=now.wall, sent_boot=now.boot)
        after = replace(asked, question=None, posted=posted, last=now.boot)
        post = PostHeartbeat(number=asked.number, heartbeat=heartbeat)
        return claims.but(pulse=after), [post]

    original = beating.beat
    return [(claims_step, "_DUE", (winning.repeat, taking.take, beat))]


# -- the shim


def memory_of_a_shim_only() -> list[Change]:
    """The shim's memory is not on the disk: a new one knows no attempt whose folder is gone."""
    return [(recovery, "Past", lambda lines: _Forgetful([e for e in lines if "newest" in e]))]


class _Forgetful(recovery.Past):
    """Knows the newest incarnation, and no attempt."""


def older_runners_heard() -> list[Change]:
    return [(admission, "require_current", lambda book, incarnation: None)]


def releasing_not_begun() -> list[Change]:
    def judged(folder: Any, *names: str) -> bool:
        begun = "releasing" in names
        return False if begun else original(folder, *names)

    original = shim_sim.Folder.has
    return [(shim_sim.Folder, "has", judged)]


def no_kill_at_lease_end() -> list[Change]:
    return [(course, "kill_without_lease", lambda attempt, now: [])]


def lease_from_acknowledgement() -> list[Change]:
    """L6: the lease runs from when the acknowledgement came, not from when it was sent."""
    return [(beating, "lease_ends", lambda sent: sent + 15.0 + 10.0)]


def renewal_before_kill() -> list[Change]:
    def renew(book: Any, event: Any, now: int) -> Any:
        admission.require_current(book, event.incarnation)
        book.lease_ends = max(book.lease_ends, event.lease_ends)
        return [*course.tick(book, now), effects.Answer(event.to, renewed=True)]

    def turn(shim: shim_sim.Shim) -> None:
        """Time is not looked at before what was asked."""

    return [(admission, "renew", renew), (shim_sim.Shim, "_turn_first", turn)]


def exclusive_outlives_its_shim() -> list[Change]:
    def kill(self: shim_sim.Shim) -> None:
        exclusive = [each for each in self.machine.scripts.values() if each.order.exclusive]
        for each in exclusive:
            each.order.exclusive = False
        original(self)
        for each in exclusive:
            each.order.exclusive = True

    original = shim_sim.Shim.kill
    return [(shim_sim.Shim, "kill", kill)]


def no_last_look() -> list[Change]:
    return [(course, "unfit", lambda book, attempt, now: [])]


def no_clock_offset() -> list[Change]:
    return [(ClockOffset, "seconds", 0.0)]


# -- the log


def no_fencing() -> list[Change]:
    return [(Broker, "is_fenced", lambda self, producer: False)]


def ends_before_fencing() -> list[Change]:
    """Step 4: the ends are asked for first, and nothing beyond them is read before leading."""
    asked: dict[leading.SimScheduler, Any] = {}

    def perform(self: leading.SimScheduler, effect: Any) -> None:
        if isinstance(effect, AskLeadershipEnd):
            asked[self] = self._ends()
        original(self, effect)

    def read_on(self: wires.Reader, place: Place) -> None:
        owner: Any = getattr(self._take, "__self__", None)
        topic, partition = place
        reads_up = isinstance(owner, leading.SimScheduler) and owner.reader is self
        if topic is TopicName.CURSOR and reads_up and not owner.state.lead.is_leading:
            end = asked[owner][topic][partition]
            if self.positions[place] >= end:
                self._caught_up(place, end)
                self.wire.life.after(0.2, lambda: self.stir(place))
                return
        read_before(self, place)

    original, read_before = leading.SimScheduler._perform, wires.Reader._read_on
    return [
        (leading.SimScheduler, "_perform", perform),
        (leading, "ends_of", lambda scheduler: asked[scheduler]),
        (wires.Reader, "_read_on", read_on),
        (world.Weather, "handful", lambda self: 1),
        *gate_always_open(),
    ]


def nothing_named_is_read() -> list[Change]:
    """A successor reads claims and runs from the end on, not from where the cursors point."""
    return [(read_up, "_oldest", lambda named, ends: tuple(ends))]


@dataclass(frozen=True, kw_only=True)
class _Half(Committed):
    """The first of two transactions stands."""

    then: Callable[[Any], None]


def _in_parts(first: Callable[[Any], bool]) -> list[Change]:
    """O1: what was decided together is written in two transactions, some of it first."""

    def commit(self: wires.Link, posts: Any) -> None:
        early = [post for post in posts if first(post)]
        late = [post for post in posts if not first(post)]
        if not early or not late:
            original(self, posts)
            return

        def then(_event: Any) -> None:
            def again() -> None:
                self._transact(late, lambda _offsets: Committed())

            self.wire.life.after(0.3, again)

        self._on_the_way(lambda: self._transact(early, lambda _offsets: _Half(then=then)))

    def told(self: wires.Link, event: Any) -> None:
        if isinstance(event, _Half):
            event.then(event)
        else:
            told_before(self, event)

    original, told_before = wires.Link.commit, wires.Link._told
    return [(wires.Link, "commit", commit), (wires.Link, "_told", told)]


def cursor_first() -> list[Change]:
    return _in_parts(lambda post: post.topic is TopicName.CURSOR)


def cursor_last() -> list[Change]:
    return _in_parts(lambda post: post.topic is not TopicName.CURSOR)


# -- the leader


def no_overlap_rule() -> list[Change]:
    return [(plan, "_overlapping", lambda planned, due, now, open_since: None)]


def ends_unread_claims() -> list[Change]:
    """C7: the leader takes its own claim for the first without reading it back."""

    def post_claim(desk: Any, book: Any, tracked: Any, reason: Any) -> None:
        original(desk, book, tracked, reason)
        known = book.fires[tracked.fire.run]
        if known.first_claim is None:
            claim = LeaderClaim(
                run=known.fire.run, attempt=known.fire.attempt, epoch=desk.epoch, reason=reason
            )
            book.fires[known.fire.run] = replace(known, first_claim=claim)

    original = offering._post_claim
    return [(offering, "_post_claim", post_claim)]


def silence_counts_not() -> list[Change]:
    return [(roster.Roster, "tick", lambda self, boot, at_end: [])]


def no_gap_rule() -> list[Change]:
    return [(roster, "GAP_SECONDS", float("inf"))]


def no_margin() -> list[Change]:
    return [(roster, "LOST_AFTER_SECONDS", roster.LEASE_SECONDS)]


def superseded_counts_not() -> list[Change]:
    return [(Ledger, "is_superseded", lambda self, fire: False)]


def no_watermark() -> list[Change]:
    """L3: a suspect is judged at once."""

    def judge(inquiry: Any, read: Any) -> Any:
        return superseded.Inquiry(), inquiry.accused | inquiry.suspects

    return [(superseded, "judge", judge)]


def stable_watermark() -> list[Change]:
    """L3: the last stable offset is taken for the high watermark."""
    return [(Broker, "high", Broker.stable)]


def same_folder_unasked() -> list[Change]:
    """L4: a superseded claim never began, whatever became of the folder."""

    def void(ledger: Any, tracked: Any) -> Any:
        return replace(tracked, never_began="restarted")

    return [(decisions, "_void", void)]


def every_superseded_is_lost() -> list[Change]:
    def void(ledger: Any, tracked: Any) -> Any:
        return replace(tracked, lost=f"host {tracked.fire.holder} came back")

    return [(decisions, "_void", void)]


def old_heartbeats_count() -> list[Change]:
    """L3: heartbeats of superseded incarnations are taken for the host's word."""

    def read(self: Any, heartbeat: Any, offset: int, boot: float) -> bool:
        self.view(heartbeat.host).incarnation = None
        return bool(original(self, heartbeat, offset, boot))

    original = roster.Roster.read_heartbeat
    return [(roster.Roster, "read_heartbeat", read)]


def slots_never_spent() -> list[Change]:
    def preference(self: Any, refused: tuple[str, ...] = ()) -> Any:
        live = sorted(
            (self.hosts[host] for host in self.live()),
            key=lambda view: (view.host in refused, -view.budget, view.host),
        )
        return tuple(view.host for view in live)

    return [(roster.Roster, "preference", preference)]


def gate_always_open() -> list[Change]:
    return [(coup, "is_open", lambda tail, boot: True)]


def refusals_forget_deadline() -> list[Change]:
    """E3: what was refused is offered again for ever."""

    def offer_again(known: Any, sentence: str, now: Any, refused_by: Any = ()) -> Any:
        longer = msgspec.structs.replace(known, deadline=now + timedelta(hours=1))
        return original(longer, sentence, now, refused_by)

    original = fire._offer_again
    return [(fire, "_offer_again", offer_again)]


def considered_goes_by_the_clock() -> list[Change]:
    """P1: an edit begins at now, though the cursor is further on."""

    def adopt(self: Any, book: leader_book.Book, definition: Any) -> None:
        original(self, book, definition)
        if book.written is not None and definition is not None:
            book.considered -= timedelta(seconds=5)

    original = Ledger.adopt
    return [(Ledger, "adopt", adopt)]


def tokens_stand_still() -> list[Change]:
    """O3: the token is that of the fire, not of the context's counter."""

    def offer(desk: Any, book: Any, known: Any) -> None:
        token = book.token
        original(desk, book, known)
        book.token = token

    original = offering._offer
    return [(offering, "_offer", offer)]


def absences_forgotten() -> list[Change]:
    """P1: the stretches in which a context was disabled are not kept."""
    suspensions = property(lambda self: self.definition.suspensions if self.definition else ())
    return [(leader_book.Book, "_suspensions", suspensions)]


def attempts_without_end() -> list[Change]:
    """E2: a failure is followed by an attempt, however many there were."""

    def spend(known: Any, end: Any, sentence: str, standing: Any, now: Any) -> Any:
        patient = msgspec.structs.replace(standing.policies, attempts=1000)
        return original(known, end, sentence, replace(standing, policies=patient), now)

    original = fire._spend
    return [(fire, "_spend", spend)]


def doubled_requests_count() -> list[Change]:
    """A run that was asked for twice is opened twice."""

    def open_by_hand(desk: Any, book: Any, request: Any) -> None:
        book.recent.pop(request.run, None)
        original(desk, book, request)

    original = offering.open_by_hand
    return [(decisions, "open_by_hand", open_by_hand)]


def shims_by_the_wall_clock() -> list[Change]:
    """S1, L6: the shim's clock is the wall clock, which jumps."""

    def boot_ns(self: Any) -> int:
        return round((self.boot() + self.wall_offset) * 1e9)

    return [(host.SimHost, "boot_ns", boot_ns)]


def anybodys_word_counts() -> list[Change]:
    """E1: what a host tells of an attempt counts, whoever holds it."""
    return [(leader_ledger, "_is_of_holder", lambda record, fire: True)]


# -- daemons


def moves_at_once() -> list[Change]:
    """A daemon is given to its new host in the breath in which it is taken from the old one."""

    def next_places(target: Any, most: Any, held: Any) -> moves.Places:
        return moves.Places(hosts=tuple(sorted(target)))

    return [(daemon_offers, "next_places", next_places)]


def absences_believed() -> list[Change]:
    """A heartbeat that does not list a daemon is believed, whatever its host has read."""
    return [(holders, "_has_read", lambda view, stands: True)]


def lease_not_asked_about() -> list[Change]:
    """An exclusive daemon is tried again by the same word when the lease is there again."""

    def refused(daemon: Any, event: Any, now: Any) -> Any:
        full = replace(event, code="full") if event.code == "lease" else event
        return original(daemon, full, now)

    original = instance._refused
    return [(instance, "_refused", refused)]
