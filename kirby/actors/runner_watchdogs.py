"""How a Runner finds the Watchdog of a context, and what it says to it."""

from collections.abc import Iterable
from typing import Any

from kirby.actors.base import KirbyActor
from kirby.actors.post import Post
from kirby.core.claims.effects import Arm, BuildAhead
from kirby.core.claims.events import Arming, ArmTold, EnvironmentState, EnvironmentTold
from kirby.core.messages import (
    ArmAnswered,
    ArmOutcome,
    ArmRun,
    BuildEnvironment,
    EnvironmentIs,
    GuardContext,
    Message,
    WatchdogIs,
    WatchdogWanted,
)
from kirby.core.names import ContextKey, Incarnation
from kirby.host.shim_messages import Listed

WAITING = 100  # messages that wait for one Watchdog's address; all of them are repeated anyway
_OUTCOMES = {
    ArmOutcome.HELD: Arming.HELD,
    ArmOutcome.REFUSED: Arming.REFUSED,
    ArmOutcome.NO_ANSWER: Arming.NO_ANSWER,
}


class RunnerWatchdogs:
    """The Watchdogs that the Runner knows, and what waits until one is known."""

    def __init__(self, actor: KirbyActor, supervisor: Any) -> None:
        self._actor = actor
        self._supervisor = supervisor
        self._known: dict[ContextKey, Any] = {}
        self._waiting: dict[ContextKey, list[Message]] = {}
        self._guarded: set[ContextKey] = set()
        self._post = Post(actor)

    def perform(self, effect: Arm | BuildAhead, incarnation: Incarnation | None) -> None:
        """Say what the core wants said."""
        match effect:
            case Arm(offer=offer):
                assert incarnation is not None  # rule C1
                arm = ArmRun(
                    offer=offer,
                    incarnation=incarnation,
                    clock_offset_seconds=effect.clock_offset_seconds,
                    claimed_at=effect.claimed_at,
                )
                self._say(offer.context, arm)
            case BuildAhead(context=context):
                build = BuildEnvironment(
                    context=context,
                    package=effect.package,
                    source_builds=effect.source_builds,
                    revision=effect.revision,
                )
                self._say(context, build)

    def guard(self, living: Iterable[Listed]) -> None:
        """Have those watched over that run with a memory limit, perhaps since before this life."""
        needed = {each.context for each in living if each.meta.memory_limit}
        for context in sorted(needed - self._guarded):
            self._guarded.add(context)
            self._say(context, GuardContext(context=context))
        self._guarded &= needed
        self.send()

    def is_at(self, told: WatchdogIs) -> None:
        """Learn where a Watchdog is; a new one is told again what it guards."""
        self._known[told.context] = told.watchdog
        for message in self._waiting.pop(told.context, []):
            self._post.put(told.watchdog, message)
        if told.context in self._guarded:
            self._post.put(told.watchdog, GuardContext(context=told.context))
        self.send()

    def send(self) -> None:
        """Send what was said, in one message to each Watchdog."""
        self._post.send()

    def event(self, message: ArmAnswered | EnvironmentIs) -> ArmTold | EnvironmentTold:
        """Return what a Watchdog's answer means to the core."""
        if isinstance(message, EnvironmentIs):
            return EnvironmentTold(
                package=message.package, state=_state(message), reason=message.reason
            )
        return ArmTold(
            attempt=message.attempt,
            outcome=_OUTCOMES[message.outcome],
            phase=message.phase,
            code=message.code,
            sentence=message.sentence,
        )

    def _say(self, context: ContextKey, message: Message) -> None:
        if context in self._known:
            self._post.put(self._known[context], message)
            return
        waiting = self._waiting.setdefault(context, [])
        if message not in waiting and len(waiting) < WAITING:
            waiting.append(message)
        self._actor.send(self._supervisor, WatchdogWanted(context=context))


def _state(message: EnvironmentIs) -> EnvironmentState:
    if message.ready:
        return EnvironmentState.READY
    return EnvironmentState.BUILDING if message.building else EnvironmentState.FAILED
