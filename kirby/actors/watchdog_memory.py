"""How a Watchdog keeps scripts within their memory limits: a look each second while one lives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kirby.actors.base import KirbyActor
from kirby.actors.shim_link import Outcome, ShimLink
from kirby.actors.trees import memory_of_trees
from kirby.core.guarding.memory_limits import MemoryLimits
from kirby.core.names import AttemptId, Incarnation, is_instance
from kirby.core.shipping.run_folder import FINAL_STEPS
from kirby.host.shim_messages import Listed, NotDone, ShimEvent, Stop

MEMORY = "memory"  # the reason of a stop, as `core.shipping.attempt_end` knows it
LIMITED_SECONDS = 1.0
TOLD_SECONDS = 10.0  # daemons without a limit: their memory is only shown


@dataclass(frozen=True, kw_only=True)
class SampleMemory:
    """A wake-up: look at the memory of scripts."""


class WatchdogMemory:
    """The memory of the scripts of one Watchdog."""

    def __init__(self, actor: KirbyActor, shim: ShimLink) -> None:
        self._actor = actor
        self._shim = shim
        self._limits = MemoryLimits()
        self._limit_of: dict[AttemptId, int] = {}
        self._is_waking = False
        self.incarnation = Incarnation(0)

    def learn(self, incarnation: Incarnation) -> None:
        """Learn the newest incarnation of the host's Runner, which a stop bears."""
        self.incarnation = max(self.incarnation, incarnation)

    def taken(self, attempt: AttemptId, limit: int) -> None:
        """Learn the limit of an attempt that the shim has taken."""
        if limit:
            self._limit_of[attempt] = limit

    def follow(self, event: ShimEvent) -> None:
        """Watch from the first process to the end."""
        if event.step in FINAL_STEPS:
            self._limits = self._limits.ended(event.key)
            self._limit_of.pop(event.key, None)
        elif event.pid:
            self._watch(event.key, event.pid)

    def found(self, listed: Iterable[Listed]) -> None:
        """Go on with what lives already."""
        for each in listed:
            if each.lives and each.meta.memory_bytes:
                self._limit_of[each.key] = each.meta.memory_bytes
            if each.lives and each.pid:
                self._watch(each.key, each.pid)

    def sample(self) -> Mapping[AttemptId, int]:
        """Look now; have those stopped that are over their limit; return bytes by attempt."""
        self._is_waking = False
        scripts = self._limits.scripts
        if not scripts:
            return {}
        memory = memory_of_trees(each.pid for each in scripts.values())
        self._limits, over = self._limits.sampled(memory)
        for attempt, sentence in over:
            self._stop(attempt, sentence)
        self._wake()
        return {attempt: memory.get(each.pid, 0) for attempt, each in scripts.items()}

    def _watch(self, attempt: AttemptId, pid: int) -> None:
        limit = self._limit_of.get(attempt, 0)
        if limit or is_instance(attempt.run):
            self._limits = self._limits.begun(attempt, pid=pid, limit=limit)
            self._wake()

    def _wake(self) -> None:
        if not self._is_waking and self._limits.scripts:
            limited = any(each.limit for each in self._limits.scripts.values())
            self._is_waking = True
            self._actor.wake(LIMITED_SECONDS if limited else TOLD_SECONDS, SampleMemory())

    def _stop(self, attempt: AttemptId, sentence: str) -> None:
        stop = Stop(
            incarnation=self.incarnation,
            run=attempt.run,
            attempt=attempt.attempt,
            reason=MEMORY,
            sentence=sentence,
            by="watchdog",
        )
        self._shim.ask(stop, self._stopped)

    def _stopped(self, outcome: Outcome) -> None:
        if isinstance(outcome, NotDone):
            self._actor.log.warning("the shim did not stop it: %s", outcome)
