"""What must be true of every history: I1 to I7 and I10, read from the log and from the witness.

The witness is what the simulated machines started; no checker believes what Kirby says of itself
where it can look there. Instants are seconds of the world.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from kirby.core.names import AttemptId, ContextKey, Epoch, Host, context_of, due_of
from kirby.core.nouns import Definition, Overlap, RunEnd
from kirby.core.records import (
    Claim,
    Cursor,
    Ended,
    Offer,
    Stretch,
)
from tests.simulation.cluster.broker import Entry, instant_of
from tests.simulation.cluster.daemon_checkers import ABOUT_DAEMONS, runs_in_the_end
from tests.simulation.cluster.evidence import (
    Record,
    Violation,
    attempt_of,
    record_of,
    scripts,
    seconds_of,
)
from tests.simulation.cluster.history import (
    REQUIRED_SECONDS,
    History,
)
from tests.simulation.cluster.promises import PROMISES, Checker, excused, was_silent
from tests.simulation.cluster.reading import ledger_read_from, told_of
from tests.simulation.cluster.shim_sim import Script

CLOCK_SECONDS = 0.3  # a host knows the broker's clock to so much, in calm weather
JUMP_SECONDS = 20.0  # after its clock was set a host has to learn that first (S1)
LEARN_SECONDS = 1.5  # what was written so shortly before an end need not have been read
EDIT_SECONDS = 80.0  # a fire so near to an edit may be decided by either definition


def check(history: History) -> list[Violation]:
    """Return every violation."""
    record = record_of(history)
    return [violation for checker in CHECKERS for violation in checker(history, record)]


def one_offer(history: History, record: Record) -> Iterator[Violation]:
    """I1: one offer for each attempt; tokens of a context rise in log order."""
    seen: set[AttemptId] = set()
    tokens: dict[ContextKey, int] = defaultdict(int)
    for offer, _ in record.offers:
        attempt = AttemptId(run=offer.run, attempt=offer.attempt)
        if attempt in seen:
            yield Violation(rule="I1", sentence=f"{attempt} was offered twice")
        if offer.token <= tokens[offer.context]:
            yield Violation(rule="I1", sentence=f"the token of {attempt} does not rise")
        seen.add(attempt)
        tokens[offer.context] = max(offer.token, tokens[offer.context])


def one_start(history: History, record: Record) -> Iterator[Violation]:
    """I2: at most one start for each attempt in the whole cluster."""
    seen: dict[AttemptId, str] = {}
    for script in scripts(history):
        attempt = attempt_of(script)
        if attempt in seen:
            where = f"on {seen[attempt]} and on {script.host}"
            yield Violation(rule="I2", sentence=f"{attempt} was started twice, {where}")
        seen[attempt] = script.host


def one_end(history: History, record: Record) -> Iterator[Violation]:
    """I3: every due fire has exactly one end."""
    ends: dict[str, list[str]] = defaultdict(list)
    for ended, _ in record.ended:
        ends[ended.run].append(ended.end.value)
    by_context: dict[ContextKey, list[Stretch]] = defaultdict(list)
    for stretch, _ in record.stretches:
        by_context[stretch.context].append(stretch)
    for run, told in ends.items():
        if len(told) > 1:
            yield Violation(rule="I3", sentence=f"{run} ended more than once: {', '.join(told)}")
    for context, due in required(history):
        run = f"{context}@{due:%Y-%m-%dT%H:%M:%SZ}"
        covering = [each for each in by_context[context] if each.first <= due <= each.last]
        count = len(ends[run]) + len(covering)
        if count == 0:
            yield Violation(rule="I3", sentence=f"{run} has no end")
        elif count > 1 and len(ends[run]) <= 1:
            reasons = ", ".join(f"{each.end.value} ({each.reason})" for each in covering)
            yield Violation(rule="I3", sentence=f"{run} ended {ends[run]} and {reasons}")
    for run in {offer.run for offer, _ in record.offers} - set(ends):
        if seconds_of(due_of(run)) < history.script.storm + REQUIRED_SECONDS:
            yield Violation(rule="I3", sentence=f"{run} was offered and has no end")
    for run in set(history.world.asked) - set(ends):
        yield Violation(rule="I3", sentence=f"{run} was asked for and has no end")


def true_end(history: History, record: Record) -> Iterator[Violation]:
    """I3: each end is true: what is said not to have begun did not, what succeeded did."""
    by_attempt = {attempt_of(script): script for script in scripts(history)}
    for refusal, _ in record.refusals:
        attempt = AttemptId(run=refusal.run, attempt=refusal.attempt)
        begun = by_attempt.get(attempt)
        if begun is not None and not _is_a_copys(history, refusal.host, begun):
            sentence = f"{attempt} was told as not started ({refusal.reason}), but it was"
            yield Violation(rule="I3", sentence=sentence)
    reports = {
        attempt: entry
        for exited, entry in reversed(record.exits)
        for attempt in [AttemptId(run=exited.run, attempt=exited.attempt)]
        if not _is_a_copys(history, exited.host, by_attempt.get(attempt))
    }
    for ended, entry in record.ended:
        attempt = AttemptId(run=ended.run, attempt=ended.attempts)
        begun = by_attempt.get(attempt)
        told_late = "last attempt" in ended.reason  # which was: it is the next that was missed
        if ended.end in (RunEnd.MISSED, RunEnd.SKIPPED) and begun is not None and not told_late:
            sentence = f"{attempt} ended {ended.end.value} ({ended.reason}), but it was started"
            yield Violation(rule="I3", sentence=sentence)
        if ended.end is RunEnd.SUCCEEDED and (begun is None or begun.status != 0):
            yield Violation(rule="I3", sentence=f"{attempt} did not succeed, but ended so")
        if ended.end is RunEnd.LOST:
            yield from _true_loss(history, record, ended, entry, begun, reports)


def _true_loss(
    history: History,
    record: Record,
    ended: Ended,
    entry: Entry,
    script: Script | None,
    reports: dict[AttemptId, Entry],
) -> Iterator[Violation]:
    """A run is lost only with its process, its shim, or its host's word for 20 s."""
    told = reports.get(AttemptId(run=ended.run, attempt=ended.attempts))
    if told is not None and told.number < entry.number and "killed" not in ended.reason:
        exited = next(each for each, at in record.exits if at is told)
        early = told.stood + LEARN_SECONDS < entry.stood
        if early and exited.end.value != "lost":
            sentence = f"{ended.run} had told its end, and is lost ({ended.reason})"
            yield Violation(rule="I3", sentence=sentence)
    if "was not heard" in ended.reason:
        host = Host(ended.reason.split()[1])
        if not was_silent(record, host, entry.stood):
            sentence = f"{ended.run} is lost ({ended.reason}), but {host} was heard"
            yield Violation(rule="I3", sentence=sentence)
        elif not history.script.loss and not history.befell(host, entry.stood):
            sentence = f"{ended.run} is lost ({ended.reason}), but nothing befell {host}"
            yield Violation(rule="I3", sentence=sentence)
    if "another state folder" in ended.reason and script is not None and script.lives:
        yield Violation(rule="I3", sentence=f"{ended.run} is lost ({ended.reason}), but lives")


def _is_a_copys(history: History, host: Host, script: Script | None) -> bool:
    """Whether a host tells of what another ran, whose disk was copied onto it."""
    return script is not None and script.host != host and history.world.hosts[host].was_cloned


def in_time(history: History, record: Record) -> Iterator[Violation]:
    """I4: never before not-before, never after the deadline."""
    offers: dict[tuple[str, int], Offer] = {
        (offer.run, offer.attempt): offer for offer, _ in record.offers
    }
    for script in scripts(history):
        offer = offers.get(script.key)
        assert script.started is not None
        if offer is None:
            yield Violation(rule="I4", sentence=f"{attempt_of(script)} started without an offer")
            continue
        host = history.world.hosts[Host(script.host)]
        armed = history.armed_at(script.host, attempt_of(script))
        off = history.world.weather.lateness * 8 + CLOCK_SECONDS
        if any(jump <= armed <= jump + JUMP_SECONDS for jump in host.jumps):
            continue  # it could not know better
        early = seconds_of(offer.not_before) - script.started
        late = script.started - seconds_of(offer.deadline)
        if early > off:
            yield Violation(rule="I4", sentence=f"{attempt_of(script)} began {early:.2f} s early")
        if late > off:
            yield Violation(rule="I4", sentence=f"{attempt_of(script)} began {late:.2f} s late")


def one_leader(history: History, record: Record) -> Iterator[Violation]:
    """I5: nothing of an epoch below the highest stands behind the record that made that."""
    epochs = {entry.number: epoch for epoch, entry in record.epochs}
    bearing = {entry.number: (each, epoch) for each, epoch, entry in record.leaders}
    highest = Epoch(-1)
    for number in sorted(epochs.keys() | bearing.keys()):
        highest = max(highest, epochs.get(number, highest))
        if number in bearing:
            each, epoch = bearing[number]
            if epoch < highest:
                what = type(each).__name__
                sentence = f"{what} of epoch {epoch} stands behind epoch {highest}"
                yield Violation(rule="I5", sentence=sentence)


def no_overlap(history: History, record: Record) -> Iterator[Violation]:
    """I6: with `overlap = forbid` two runs of a context do not run at once."""
    policies = {key: each.policies for key, each in history.script.contexts.items()}
    by_context: dict[ContextKey, list[Script]] = defaultdict(list)
    for script in scripts(history):
        by_context[context_of(script.key[0])].append(script)
    for context, started in by_context.items():
        if policies[context].overlap is not Overlap.FORBID:
            continue
        started.sort(key=lambda each: each.started or 0.0)
        for number, later in enumerate(started):
            for earlier in started[:number]:
                overlap = (earlier.ended or history.now.now) - (later.started or 0.0)
                is_excused = excused(history, record, earlier, later)
                if overlap > 0 and not is_excused:
                    pair = f"{attempt_of(earlier)} on {earlier.host} and {attempt_of(later)}"
                    where = f"on {later.host} at {later.started:.2f}, for {overlap:.2f} s"
                    yield Violation(rule="I6", sentence=f"{pair} {where}")


def cursor_rises(history: History, record: Record) -> Iterator[Violation]:
    """I7: the cursor never goes back, nor does the token."""
    last: dict[ContextKey, Cursor] = {}
    for cursor, _ in record.cursors:
        before = last.get(cursor.context)
        if before is not None and cursor.considered < before.considered:
            sentence = f"the cursor of {cursor.context} goes back to {cursor.considered}"
            yield Violation(rule="I7", sentence=sentence)
        if before is not None and cursor.token < before.token:
            yield Violation(rule="I7", sentence=f"the token of {cursor.context} goes back")
        last[cursor.context] = cursor


def same_again(history: History, record: Record) -> Iterator[Violation]:
    """I10: who reads the log up finds the state that the leader has, each time."""
    leading = history.leader()
    if leading is None or leading.lead is None:
        yield Violation(rule="I8", sentence="nobody leads, though all is healed")
        return
    first = told_of(ledger_read_from(history.world))
    again = told_of(ledger_read_from(history.world))
    if first != again:
        yield Violation(rule="I10", sentence=f"read twice, the log says {first} and {again}")
    if not history.is_quiet():
        return  # something is on its way to the leader
    living = told_of(leading.lead.ledger)
    if living != first:
        yield Violation(rule="I10", sentence=f"the leader knows {living}, the log says {first}")


CHECKERS: tuple[Checker, ...] = (
    one_offer,
    one_start,
    one_end,
    true_end,
    in_time,
    one_leader,
    no_overlap,
    cursor_rises,
    same_again,
    *PROMISES,
    *ABOUT_DAEMONS,
)


# -- what the checkers go by


def required(history: History) -> Iterator[tuple[ContextKey, datetime]]:
    """Return the due instants that must have an end: those due by whichever definition held."""
    until = instant_of(history.script.storm + REQUIRED_SECONDS)
    edits = history.world.web.edits
    for context in history.script.contexts:
        known = [(at, definition) for at, key, definition in edits if key == context]
        first = history.first_considered(context)
        if first is None or known[0][1] is None or not known[0][1].schedules:
            continue
        compiled = history.world.compile(known[0][1])
        due = compiled.next_after(first)
        while due is not None and due <= until:
            if _is_due_by_all(history, known, due):
                yield context, due
            due = compiled.next_after(due)


def _is_due_by_all(
    history: History, edits: list[tuple[float, Definition | None]], due: datetime
) -> bool:
    """Whether every definition that may have decided a fire has it due."""
    seconds = seconds_of(due)
    for number, (at, definition) in enumerate(edits):
        until = edits[number + 1][0] if number + 1 < len(edits) else float("inf")
        if until + EDIT_SECONDS < seconds or at > seconds + EDIT_SECONDS:
            continue
        if definition is None:
            continue  # its fires are skipped, which is an end as well, or were never due
        just_before = due - timedelta(seconds=1)
        if history.world.compile(definition).next_after(just_before) != due:
            return False
    return not any(definition is None and at - 15.0 <= seconds for at, definition in edits)


def is_settled(history: History) -> bool:
    """Whether all that is required has its end, and nothing old runs any more."""
    if history.leader() is None:
        return False
    record = record_of(history)
    done: set[str] = {ended.run for ended, _ in record.ended}
    offered = {
        offer.run
        for offer, _ in record.offers
        if seconds_of(due_of(offer.run)) < history.script.storm + REQUIRED_SECONDS
    }
    return (
        offered <= done
        and not list(_unended(history, record, done))
        and not list(runs_in_the_end(history, record))
    )


def _unended(history: History, record: Record, done: set[str]) -> Iterator[str]:
    stretches = [each for each, _ in record.stretches]
    for context, due in required(history):
        run = f"{context}@{due:%Y-%m-%dT%H:%M:%SZ}"
        covered = any(
            each.context == context and each.first <= due <= each.last for each in stretches
        )
        if run not in done and not covered:
            yield run
    yield from set(history.world.asked) - done


__all__ = ["CHECKERS", "Claim", "Violation", "check", "is_settled"]
