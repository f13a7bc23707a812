"""The simulated world: hosts, one broker, a web service, weather, and people who ask for things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import msgspec

from kirby.core.names import ContextKey, Host, RunId, manual_run_id
from kirby.core.nouns import CronLine, Definition, JobKind, Schedule, Suspension
from kirby.core.planning.fires import fires_of
from kirby.core.records import RestartRequest, RunRequest, StopRequest, TopicName
from tests.simulation.cluster.broker import Broker, instant_of
from tests.simulation.cluster.host import SimHost
from tests.simulation.cluster.life import Life, Timeline

NAMES = tuple(Host(name) for name in ("alpha", "beta", "gamma", "delta"))
STEADY_SECONDS = 0.002  # mean of a step to the broker in calm weather
WEB_SECONDS = 0.02
PLENTY = 10_000
FOR_EVER = 10_000.0  # a daemon that does not crash
CRASHES_UNTIL = 50.0
LAGGING = 0.1  # of the fetches, in a storm: one partition's broker is slower than the others'


@dataclass(kw_only=True)
class Weather:
    """How long things take, and what is lost on the way; calm after `until`."""

    timeline: Timeline
    lateness: float = 0.0  # mean seconds of a step, beyond the steady ones
    loss: float = 0.0
    dawdling: float = 0.0
    until: float = 0.0

    @property
    def is_calm(self) -> bool:
        """Whether the storm is over."""
        return self.timeline.now >= self.until

    def delay(self) -> float:
        """Return how long a step to or from the broker takes."""
        chance = self.timeline.chance
        steady = chance.expovariate(1.0 / STEADY_SECONDS)
        if self.lateness and not self.is_calm:
            steady += chance.expovariate(1.0 / self.lateness)
            if chance.random() < self.lateness / 5:
                steady += chance.uniform(0.0, 4.0)
        return steady

    def handful(self) -> int:
        """Return how many records a fetch brings at the most."""
        if not self.lateness or self.is_calm:
            return PLENTY
        return self.timeline.chance.choice((1, 4, 20, PLENTY))

    def lag(self) -> float:
        """Return how long a partition's broker keeps a fetch beyond the others'."""
        if not self.lateness or self.is_calm or self.timeline.chance.random() > LAGGING:
            return 0.0
        return self.timeline.chance.expovariate(0.2 / self.lateness)

    def pause(self) -> float:
        """Return how long a message within a host waits."""
        if not self.lateness or self.is_calm:
            return 0.0
        return self.timeline.chance.expovariate(5.0 / self.lateness)

    def loses(self) -> bool:
        """Whether this one is lost."""
        return bool(self.loss) and not self.is_calm and self.timeline.chance.random() < self.loss

    def dawdles(self) -> bool:
        """Whether this transaction stays open for a moment."""
        return (
            bool(self.dawdling)
            and not self.is_calm
            and self.timeline.chance.random() < self.dawdling
        )


@dataclass(kw_only=True)
class Web:
    """The web service: the schedule as people have edited it."""

    timeline: Timeline
    definitions: dict[ContextKey, Definition] = field(default_factory=dict)
    revision: int = 1
    is_up: bool = True
    drained: frozenset[Host] = frozenset()
    edits: list[tuple[float, ContextKey, Definition | None]] = field(default_factory=list)

    def put(self, definition: Definition) -> None:
        """Take a new or changed context."""
        self.revision += 1
        held = msgspec.structs.replace(definition, revision=self.revision)
        self.definitions[held.context] = held
        self.edits.append((self.timeline.now, held.context, held))

    def is_daemon(self, context: str) -> bool:
        """Whether a context is, or was, a daemon."""
        return any(key == context and each and not each.schedules for _, key, each in self.edits)

    def drop(self, context: ContextKey) -> None:
        """Disable a context."""
        if self.definitions.pop(context, None) is not None:
            self.revision += 1
            self.edits.append((self.timeline.now, context, None))

    def drain(self, drained: frozenset[Host]) -> None:
        """Take note of which hosts are to be left."""
        self.drained = drained
        self.revision += 1

    def fetch(
        self, life: Life, since: int | None, told: Callable[[Schedule | None, bool], None]
    ) -> None:
        """Answer with everything where something changed."""

        def answer() -> None:
            if not self.is_up:
                life.after(WEB_SECONDS, lambda: told(None, True))
            elif since == self.revision:
                life.after(WEB_SECONDS, lambda: told(None, False))
            else:
                contexts = tuple(self.definitions.values())
                schedule = Schedule(
                    revision=self.revision, contexts=contexts, drained=tuple(sorted(self.drained))
                )
                life.after(WEB_SECONDS, lambda: told(schedule, False))

        self.timeline.after(WEB_SECONDS, answer)


@cache
def _fires(schedules: tuple[CronLine, ...]) -> Any:
    return fires_of(schedules)


class World:
    """Everything there is."""

    def __init__(
        self, seed: int, *, hosts: int, slots: int, contexts: Mapping[ContextKey, Definition]
    ) -> None:
        self.seed = seed
        self.timeline = Timeline(seed)
        self.weather = Weather(timeline=self.timeline)
        self.broker = Broker(self.timeline)
        self.broker_is_up = True
        self.web = Web(timeline=self.timeline)
        self.names = NAMES[:hosts]
        self.apart: set[frozenset[Host]] = set()
        self.requests = 0
        self.asked: list[RunId] = []
        self.longest, self.long_share = 2.0, 0.2
        self.has_daemons = any(each.kind is JobKind.DAEMON for each in contexts.values())
        for definition in contexts.values():
            self.web.put(definition)
        self.hosts = {
            name: SimHost(self, name, number, slots) for number, name in enumerate(self.names)
        }

    def compile(self, definition: Definition) -> Any:
        """Make the fires of a context."""
        return _fires(definition.schedules) if definition.schedules else None

    def are_joined(self, one: Host, other: Host) -> bool:
        """Whether two hosts reach each other."""
        return frozenset((one, other)) not in self.apart

    def duration(self, context: str) -> tuple[float, int]:
        """Draw how long a script runs, and its wait status."""
        chance = self.timeline.chance
        if self.web.is_daemon(context):
            crashes = chance.random() < 0.2 and self.timeline.now < CRASHES_UNTIL
            return (chance.expovariate(0.2), 256) if crashes else (FOR_EVER, 0)
        status = 256 if chance.random() < 0.15 else 0
        if chance.random() < self.long_share:
            return chance.uniform(1.0, self.longest), status
        return chance.expovariate(1.0), status

    # -- people

    def ask_run(self, context: ContextKey, *, twice: bool) -> None:
        """Ask for a run by hand; a doubled request is the same one."""
        self.requests += 1
        now = instant_of(self.timeline.now)
        run = manual_run_id(context, now, f"r{self.requests}")
        self.asked.append(run)
        request = RunRequest(context=context, run=run, asked_by="ann", at=now)
        self.broker.append(TopicName.REQUESTS, context, request)
        if twice:
            again = self.timeline.chance.uniform(0.0, 20.0)
            self.timeline.after(
                again, lambda: void(self.broker.append(TopicName.REQUESTS, context, request))
            )

    def ask_stop(self) -> None:
        """Ask for the end of something that runs."""
        lives = [
            script.key[0]
            for host in self.hosts.values()
            for script in host.machine.scripts.values()
        ]
        if lives:
            run = RunId(self.timeline.chance.choice(sorted(lives)))
            context = ContextKey(run.partition("@")[0])
            now = instant_of(self.timeline.now)
            request = StopRequest(context=context, run=run, asked_by="bob", at=now)
            self.broker.append(TopicName.REQUESTS, context, request)

    def restart(self, context: ContextKey) -> None:
        """Ask for new instances of a daemon."""
        now = instant_of(self.timeline.now)
        request = RestartRequest(context=context, asked_by="cleo", at=now)
        self.broker.append(TopicName.REQUESTS, context, request)

    def hold(self, context: ContextKey, seconds: float) -> None:
        """Stop a daemon by hand for a while."""
        definition = self.web.definitions.get(context)
        if definition is None or definition.schedules:
            return
        self.web.put(msgspec.structs.replace(definition, held=True))

        def go_on() -> None:
            held = self.web.definitions.get(context)
            if held is not None:
                self.web.put(msgspec.structs.replace(held, held=False))

        self.timeline.after(seconds, go_on)

    def suspend(self, context: ContextKey, seconds: float) -> None:
        """Suspend a context from now on for a while."""
        definition = self.web.definitions.get(context)
        if definition is not None:
            now = instant_of(self.timeline.now)
            window = Suspension(start=now, end=now + timedelta(seconds=seconds))
            suspensions = (*definition.suspensions, window)
            self.web.put(msgspec.structs.replace(definition, suspensions=suspensions))

    def disable(self, context: ContextKey, seconds: float) -> None:
        """Disable a context for a while."""
        definition = self.web.definitions.get(context)
        if definition is None:
            return
        start = instant_of(self.timeline.now)
        self.web.drop(context)

        def enable() -> None:
            absence = Suspension(start=start, end=instant_of(self.timeline.now))
            absences = (*definition.absences, absence)
            self.web.put(msgspec.structs.replace(definition, absences=absences))

        self.timeline.after(seconds, enable)

    def reschedule(self, context: ContextKey, cron: str) -> None:
        """Give a context another schedule."""
        definition = self.web.definitions.get(context)
        if definition is not None:
            schedules = (CronLine(cron=cron),)
            self.web.put(msgspec.structs.replace(definition, schedules=schedules))


def void(_value: object) -> None:
    """Throw a value away."""
