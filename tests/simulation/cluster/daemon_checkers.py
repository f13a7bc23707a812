"""What must be true of daemons: never two on a host (I9), never on more hosts than asked for."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from kirby.core.leader.moves import most_places
from kirby.core.names import ContextKey, context_of
from kirby.core.nouns import Definition, JobKind
from tests.simulation.cluster.evidence import Record, Violation, instances
from tests.simulation.cluster.history import History
from tests.simulation.cluster.promises import LOST_SECONDS, Checker, excused
from tests.simulation.cluster.shim_sim import Script

BACK_SECONDS = 10.0  # after its return, until the leader has decided where a daemon stays


def one_instance_on_a_host(history: History, record: Record) -> Iterator[Violation]:
    """I9: no host has two instances of one daemon."""
    by_instance: dict[tuple[str, str], list[Script]] = defaultdict(list)
    for life in instances(history):
        by_instance[life.host, life.key[0]].append(life)
    for (host, name), lives in by_instance.items():
        lives.sort(key=lambda each: each.started or 0.0)
        for before, after in pairwise(lives):
            if before.ended is None or before.ended > (after.started or 0.0):
                sentence = f"{name} has two lives on {host} at {after.started:.2f}"
                yield Violation(rule="I9", sentence=sentence)


def not_on_too_many_hosts(history: History, record: Record) -> Iterator[Violation]:
    """I9: a daemon is on no more hosts than it should be, as long as none was declared lost.

    One that is not exclusive lives on where its host was only cut off: two may be left of it for
    as long as it takes to end one, and the other may be replaced meanwhile.
    """
    for context, definition in _daemons(history):
        most = most_places(definition.hosts)
        lives = [each for each in instances(history) if context_of(each.key[0]) == context]
        for later in lives if most is not None else ():
            at = later.started or 0.0
            others = {
                each.host
                for each in lives
                if each.host != later.host
                and (each.started or 0.0) <= at < (each.ended or history.now.now)
                and not excused(history, record, each, later)
                and not (not definition.policies.exclusive and _came_back(record, later.host, at))
            }
            if len(others) >= (most or 0):
                sentence = f"{context} began on {later.host} at {at:.2f}, and lived on {others}"
                yield Violation(rule="I9", sentence=sentence)


def _came_back(record: Record, host: str, at: float) -> bool:
    """Whether a host was declared lost and has been heard again lately."""
    beats = [entry.stood for beat, entry in record.beats if beat.host == host and entry.stood < at]
    pauses = pairwise([0.0, *beats, at])
    return any(
        after - before >= LOST_SECONDS and at - after < BACK_SECONDS for before, after in pauses
    )


def runs_in_the_end(history: History, record: Record) -> Iterator[Violation]:
    """In the end each daemon runs where it should, once on each of these hosts."""
    world = history.world
    alive = [name for name, host in world.hosts.items() if not host.is_removed]
    for context, _ in _daemons(history):
        definition = world.web.definitions.get(context)
        living = sorted(
            script.host
            for script in instances(history)
            if script.lives and context_of(script.key[0]) == context
        )
        if definition is None or definition.held:
            wanted = 0
        elif definition.hosts == "all":
            wanted = len(alive)
        elif isinstance(definition.hosts, int):
            wanted = min(definition.hosts, len(alive))
        else:
            wanted = len(set(definition.hosts) & set(alive))
        if len(living) != wanted or len(set(living)) != wanted:
            sentence = f"{context} should run on {wanted} of {alive}, and lives on {living}"
            yield Violation(rule="D1", sentence=sentence)


def _daemons(history: History) -> Iterator[tuple[ContextKey, Definition]]:
    for context, definition in history.script.contexts.items():
        if definition.kind is JobKind.DAEMON:
            yield context, definition


ABOUT_DAEMONS: tuple[Checker, ...] = (
    one_instance_on_a_host,
    not_on_too_many_hosts,
    runs_in_the_end,
)
