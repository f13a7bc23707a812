"""What is promised beyond the invariants, read from the log and from the witness.

Stops are obeyed (C6), a refusal leaves the deadline alone and no attempt is one too many (E2, E3),
disabled and suspended time has no fires (P1), and nothing is lost that never began (L4).
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from itertools import pairwise

from kirby.core.names import AttemptId, Host
from kirby.core.nouns import AttemptEnd, Definition, RunEnd
from kirby.core.records import Claim, Exited, LeaderClaim
from tests.simulation.cluster.broker import Entry
from tests.simulation.cluster.evidence import (
    Record,
    Violation,
    attempt_of,
    scripts,
)
from tests.simulation.cluster.history import History
from tests.simulation.cluster.shim_sim import Script

THAW_SECONDS = 0.25  # I6: so long a host frozen past its lease may need to kill
LOST_SECONDS = 19.0  # no host is lost after less silence (L2), but for what a beat's way takes
OBEY_SECONDS = 20.0  # a claim, its repetition with the next heartbeat, the grace, and a bit
LEARN_SECONDS = 1.5

Checker = Callable[[History, Record], Iterator[Violation]]


def stops_are_obeyed(history: History, record: Record) -> Iterator[Violation]:
    """C6: what the leader has claimed does not begin, and with a stop it does not go on."""
    by_attempt = {attempt_of(script): script for script in scripts(history)}
    ends = {ended.run: entry.stood for ended, entry in reversed(record.ended)}
    for claim, entry in record.claims:
        attempt = AttemptId(run=claim.run, attempt=claim.attempt)
        script = by_attempt.get(attempt)
        if not isinstance(claim, LeaderClaim) or script is None or script.started is None:
            continue
        limit = history.quiet_from(entry.stood) + OBEY_SECONDS
        if ends.get(claim.run, limit) < limit:
            continue  # nobody repeats a claim on what is over: it was lost meanwhile
        ended = history.now.now if script.ended is None else script.ended
        if claim.reason.stops and ended > limit:
            sentence = f"{attempt} was stopped at {entry.stood:.1f} and ran until {ended:.1f}"
            yield Violation(rule="C6", sentence=sentence)
        if script.started > limit:
            sentence = f"{attempt} was withdrawn at {entry.stood:.1f} and began all the same"
            yield Violation(rule="C6", sentence=sentence)


def refusals_keep_the_deadline(history: History, record: Record) -> Iterator[Violation]:
    """E3: what was refused is offered again with its first deadline."""
    offers = {
        AttemptId(run=each.run, attempt=each.attempt): (each, at) for each, at in record.offers
    }
    for refusal, entry in record.refusals:
        before = offers.get(AttemptId(run=refusal.run, attempt=refusal.attempt))
        after = offers.get(AttemptId(run=refusal.run, attempt=refusal.attempt + 1))
        if before is None or after is None or after[1].stood < entry.stood + LEARN_SECONDS:
            continue
        if was_lost_between(record, refusal.host, before[1].stood, after[1].stood):
            continue  # which is another reason
        if after[0].deadline != before[0].deadline:
            sentence = f"{refusal.run} was refused, and got another deadline {after[0].deadline}"
            yield Violation(rule="E3", sentence=sentence)


def attempts_are_counted(history: History, record: Record) -> Iterator[Violation]:
    """E2: no attempt follows a success, or when as many have failed as the policy allows."""
    failed: dict[str, list[tuple[Exited, Entry]]] = defaultdict(list)
    succeeded: dict[str, tuple[Exited, Entry]] = {}
    for exited, entry in record.exits:
        if exited.end is AttemptEnd.FAILED:
            failed[exited.run].append((exited, entry))
        if exited.end is AttemptEnd.SUCCEEDED:
            succeeded.setdefault(exited.run, (exited, entry))
    for offer, entry in record.offers:
        first = succeeded.get(offer.run)
        if first is not None and first[0].attempt < offer.attempt:
            told, at = first
            if at.number < entry.number and not was_silent(record, told.host, entry.stood):
                yield Violation(rule="E2", sentence=f"{offer.run} succeeded, and was tried again")
        most = history.script.contexts[offer.context].policies.attempts
        attempts = {each.attempt for each, at in failed[offer.run] if at.number < entry.number}
        if len(attempts - {offer.attempt}) >= most:
            sentence = f"{offer.run} failed {len(attempts)} times, and was tried again"
            yield Violation(rule="E2", sentence=sentence)


def absent_time_has_no_fires(history: History, record: Record) -> Iterator[Violation]:
    """P1: what lies in a suspension, or in a disabled stretch that is known, is not offered."""
    held: dict[str, Definition | None] = {}
    asked = set(history.world.asked)
    waiting = deque(record.cursors)
    for offer, entry in record.offers:
        # Up to the cursors of its own transaction: what these hold was known when it was decided.
        while waiting and waiting[0][1].stood <= entry.stood:
            cursor, _ = waiting.popleft()
            held[cursor.context] = cursor.definition
        definition = held.get(offer.context)
        if definition is None or offer.attempt > 1 or offer.run in asked:
            continue
        for stretch in (*definition.suspensions, *definition.absences):
            if stretch.start <= offer.due < stretch.end:
                sentence = f"{offer.run} was offered, though none is due in {stretch}"
                yield Violation(rule="P1", sentence=sentence)


def nothing_is_lost_that_never_began(history: History, record: Record) -> Iterator[Violation]:
    """L4: an attempt of a host that kept its disk and was heard is not lost before it began."""
    begun = {attempt_of(script) for script in scripts(history)}
    told = {AttemptId(run=each.run, attempt=each.attempt) for each, _ in record.exits}
    claimed: dict[AttemptId, Host] = {}
    for claim, _ in record.claims:
        attempt = AttemptId(run=claim.run, attempt=claim.attempt)
        if attempt not in claimed and isinstance(claim, Claim):
            claimed[attempt] = claim.host
    for ended, entry in record.ended:
        attempt = AttemptId(run=ended.run, attempt=ended.attempts)
        host = claimed.get(attempt)
        if ended.end is not RunEnd.LOST or host is None or attempt in begun | told:
            continue
        if history.kept_its_disk(host) and not was_silent(record, host, entry.stood):
            sentence = f"{attempt} is lost ({ended.reason}), but never began on {host}"
            yield Violation(rule="L4", sentence=sentence)


def was_lost_between(record: Record, host: Host, begin: float, end: float) -> bool:
    """Whether a host was silent for so long, at some time, that it may have been lost."""
    heard = [entry.stood for beat, entry in record.beats if beat.host == host and entry.stood < end]
    pauses = pairwise([0.0, *heard, end])
    return any(after - before >= LOST_SECONDS and after > begin for before, after in pauses)


def was_silent(record: Record, host: Host, at: float) -> bool:
    """Whether a host was silent for so long, at an instant, that it may be lost."""
    heard = [entry.stood for beat, entry in record.beats if beat.host == host and entry.stood < at]
    return not heard or at - heard[-1] >= LOST_SECONDS


def excused(history: History, record: Record, earlier: Script, later: Script) -> bool:
    """Whether two runs may overlap: after a thaw for a moment, or when the earlier was lost."""
    host = history.world.hosts[Host(earlier.host)]
    ended = earlier.ended or history.now.now
    assert earlier.started is not None
    assert later.started is not None
    if earlier.order.exclusive:
        # A frozen script does nothing: what counts is how long it goes on after the thaw.
        thaws = [at for at in host.thaws if earlier.started < at <= ended]
        frozen = host.was_frozen(later.started) or bool(thaws)
        return frozen and ended - max(thaws, default=ended) <= THAW_SECONDS
    beats = [entry.stood for beat, entry in record.beats if beat.host == earlier.host]
    before = max((at for at in beats if at <= earlier.started), default=earlier.started)
    around = [before, *[at for at in beats if earlier.started < at < later.started]]
    gaps = [b - a for a, b in zip(around, [*around[1:], later.started], strict=True)]
    return max(gaps) >= LOST_SECONDS


PROMISES: tuple[Checker, ...] = (
    stops_are_obeyed,
    refusals_keep_the_deadline,
    attempts_are_counted,
    absent_time_has_no_fires,
    nothing_is_lost_that_never_began,
)
