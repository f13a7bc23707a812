"""One history: a world, a script of what befalls it (drawn from the seed), and how it ended."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kirby.core.leader.state import Scheduling
from kirby.core.names import AttemptId, ContextKey, Host
from kirby.core.nouns import CatchUp, CronLine, Definition, JobKind, Lost, Overlap, Policies
from kirby.core.records import Cursor
from tests.simulation.cluster.host import SimHost
from tests.simulation.cluster.world import NAMES, World

BEGIN_SECONDS = 4.0  # until then nothing befalls
STORMS = (32.0, 32.0, 45.0, 60.0)  # until then something does; a loss by silence takes 20
LOOK_SECONDS = 2.5  # how often it is looked, after the storm, whether all is settled
SETTLED_SECONDS = 90.0  # by when everything must be, after the storm
REQUIRED_SECONDS = 3.0  # fires due so long after the storm must have their ends
LAST_FAULT_SECONDS = 8.0  # before the end of the storm
DAEMON_SHARE = 0.3  # of the histories have a daemon as well
FAN = ContextKey("fan/prod")

CRONS = ("*/4 * * * * *", "*/5 * * * * *", "*/10 * * * * *", "*/15 * * * * *", "3-59/7 * * * * *")


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something befalls the world."""

    at: float
    what: str
    args: tuple[object, ...] = ()

    def __str__(self) -> str:
        return f"at({self.at:.2f}).{self.what}({', '.join(map(repr, self.args))})"


@dataclass(kw_only=True)
class Script:
    """What befalls a world, in the order of time."""

    hosts: int
    slots: int
    storm: float = 60.0  # seconds until all is healed
    contexts: dict[ContextKey, Definition]
    lateness: float = 0.0
    loss: float = 0.0
    dawdling: float = 0.0
    longest: float = 2.0
    long_share: float = 0.2  # of the runs
    steps: list[Step] = field(default_factory=list)

    def _weather(self) -> str:
        late = f"late {self.lateness:.3f} s, lost {self.loss:.1%}"
        return f"weather: {late}, open transactions {self.dawdling:.0%}"

    def __str__(self) -> str:
        lines = [
            f"hosts {self.hosts}, slots {self.slots}, storm {self.storm:.0f} s",
            f"longest run {self.longest:.1f} s, {self.long_share:.0%} of them long",
            self._weather(),
        ]
        for context, each in self.contexts.items():
            policies = ", ".join(
                f"{name}={getattr(each.policies, name)}"
                for name in each.policies.__struct_fields__
                if getattr(each.policies, name) != getattr(Policies(), name)
            )
            when = repr(each.schedules[0].cron) if each.schedules else f"daemon on {each.hosts}"
            lines.append(f"{context}: {when}; {policies}")
        return "\n".join([*lines, *map(str, self.steps)])


def script_of(seed: int) -> Script:
    """Draw a history from its seed."""
    chance = random.Random(seed * 7919 + 1)
    hosts = chance.choice((1, 2, 2, 2, 3, 3))
    contexts = [_context(chance, number) for number in range(chance.choice((1, 2, 2)))]
    if chance.random() < DAEMON_SHARE:
        contexts.append(_daemon(chance, hosts))
    stormy = chance.random() < 0.6
    script = Script(
        hosts=hosts,
        slots=chance.choice((1, 2, 4)),
        storm=chance.choice(STORMS),
        contexts={each.context: each for each in contexts},
        lateness=chance.choice((0.01, 0.05, 0.15)) if stormy else 0.0,
        loss=chance.choice((0.01, 0.05, 0.1)) if stormy else 0.0,
        dawdling=chance.choice((0.05, 0.3)) if stormy else 0.0,
        longest=chance.choice((3.0, 12.0, 45.0)),
        long_share=chance.choice((0.2, 0.2, 0.7)),
    )
    names = NAMES[:hosts]
    kinds = [*FAULTS, *(DAEMON_FAULTS if contexts[-1].kind is JobKind.DAEMON else ())]
    if chance.random() < 0.6:  # few kinds, so that they meet each other
        kinds = chance.sample(kinds, chance.choice((2, 3, 4)))
    for _ in range(chance.choice((1, 3, 6, 9, 14))):
        at = chance.uniform(BEGIN_SECONDS, script.storm - LAST_FAULT_SECONDS)
        kind = chance.choice(kinds)
        args = (FAULTS | DAEMON_FAULTS)[kind](chance, names, list(script.contexts))
        script.steps.append(Step(at=at, what=kind, args=args))
    script.steps.sort(key=lambda step: step.at)
    return script


def _context(chance: random.Random, number: int) -> Definition:
    overlap = chance.choice((Overlap.ALLOW, Overlap.FORBID, Overlap.FORBID))
    window = chance.choice((None, 4.0, 10.0))
    return Definition(
        context=ContextKey(f"{('pump', 'tank', 'mill')[number]}/prod"),
        kind=JobKind.SCHEDULED,
        package="script==1.0",
        schedules=(CronLine(cron=chance.choice(CRONS)),),
        policies=Policies(
            catch_up=chance.choice(tuple(CatchUp)),
            overlap=overlap,
            exclusive=chance.random() < 0.5,
            lost=chance.choice(tuple(Lost)),
            attempts=chance.choice((1, 2, 3)),
            back_off=timedelta(seconds=chance.choice((0.5, 2.0))),
            grace=timedelta(seconds=chance.choice((0, 2))),
            start_window=timedelta(seconds=window) if window else None,
            prestart=chance.random() < 0.8,
        ),
    )


def _daemon(chance: random.Random, hosts: int) -> Definition:
    some = tuple(chance.sample(NAMES[:hosts], min(2, hosts)))
    return Definition(
        context=ContextKey("fan/prod"),
        kind=JobKind.DAEMON,
        package="script==1.0",
        hosts=chance.choice(("all", 1, 1, 2, some)),
        policies=Policies(
            exclusive=chance.random() < 0.6, grace=timedelta(seconds=chance.choice((0, 2)))
        ),
    )


Args = tuple[object, ...]
Contexts = list[ContextKey]
Draw = Callable[[random.Random, tuple[Host, ...], Contexts], Args]


def _seconds(chance: random.Random, most: float = 45.0) -> float:
    short, middle, long = chance.uniform(0.1, 3.0), chance.uniform(1.0, 12.0), most
    return round(chance.choice((short, middle, *(chance.uniform(12.0, long),) * 2)), 2)


def _host(chance: random.Random, hosts: tuple[Host, ...], _c: object) -> Args:
    return (chance.choice(hosts),)


def _host_seconds(chance: random.Random, hosts: tuple[Host, ...], _c: object) -> Args:
    return chance.choice(hosts), _seconds(chance)


def _host_bool(chance: random.Random, hosts: tuple[Host, ...], _c: object) -> Args:
    return chance.choice(hosts), chance.random() < 0.5


def _pair(chance: random.Random, hosts: tuple[Host, ...], _c: object) -> Args:
    return chance.choice(hosts), chance.choice(hosts), _seconds(chance)


def _clock(chance: random.Random, hosts: tuple[Host, ...], _c: object) -> Args:
    off = chance.choice((-5.0, -1.5, -0.4, 0.0, 0.4, 1.5, 5.0))
    return chance.choice(hosts), off


def _context_seconds(chance: random.Random, _h: object, contexts: Contexts) -> Args:
    return chance.choice(contexts), _seconds(chance, 25.0)


def _context_bool(chance: random.Random, _h: object, contexts: Contexts) -> Args:
    return chance.choice(contexts), chance.random() < 0.5


def _context_cron(chance: random.Random, _h: object, contexts: Contexts) -> Args:
    return chance.choice(contexts), chance.choice(CRONS)


def _only_seconds(chance: random.Random, _h: object, _c: object) -> Args:
    return (_seconds(chance),)


def _nothing(_chance: random.Random, _h: object, _c: object) -> Args:
    return ()


FAULTS: dict[str, Draw] = {
    "kill": _host_seconds,
    "wipe": _host_seconds,
    "clone": _pair,
    "freeze": _host_seconds,
    "freeze_actors": _host_seconds,
    "freeze_scheduler": _host_seconds,
    "freeze_runner": _host_seconds,
    "freeze_shim": _host_seconds,
    "cut_off": _host_seconds,
    "part": _pair,
    "restart_actors": _host_seconds,
    "renew_runner": _host_bool,
    "renew_scheduler": _host_bool,
    "renew_recorder": _host,
    "kill_shim": _host_seconds,
    "kill_shim_and_actors": _host_seconds,
    "fill_disk": _host_seconds,
    "slow_disk": _host_seconds,
    "set_clock": _clock,
    "broker_down": _only_seconds,
    "web_down": _only_seconds,
    "compact": _nothing,
    "suspend": _context_seconds,
    "disable": _context_seconds,
    "reschedule": _context_cron,
    "ask_run": _context_bool,
    "ask_stop": _nothing,
}

DAEMON_FAULTS: dict[str, Draw] = {
    "renew_arbiter": _host,
    "renew_watchdog": _host,
    "restart_daemon": _nothing,
    "hold_daemon": _only_seconds,
    "drain": _host_seconds,
}

# What may keep a host from heartbeats for as long as it takes to be lost.
SILENCING = frozenset(
    (
        *(
            "kill",
            "wipe",
            "clone",
            "freeze",
            "freeze_actors",
            "freeze_shim",
            "freeze_runner",
            "cut_off",
        ),
        *("restart_actors", "kill_shim", "kill_shim_and_actors", "slow_disk"),
    )
)
HUSH_SECONDS = 20.0


class History:
    """A world that a script befalls."""

    def __init__(self, seed: int, script: Script | None = None) -> None:
        self.seed = seed
        self.script = script or script_of(seed)
        self.world = World(
            seed,
            hosts=self.script.hosts,
            slots=self.script.slots,
            contexts=self.script.contexts,
        )
        world = self.world
        world.longest, world.long_share = self.script.longest, self.script.long_share
        world.weather.lateness, world.weather.loss = self.script.lateness, self.script.loss
        world.weather.dawdling, world.weather.until = self.script.dawdling, self.script.storm
        self.now = world.timeline

    def run(self, is_settled: Callable[["History"], bool]) -> "History":
        """Let it happen: start, storm, calm until it is settled."""
        timeline = self.world.timeline
        for host in self.world.hosts.values():
            timeline.after(timeline.chance.uniform(0.0, 0.5), host.start)
        for step in self.script.steps:
            timeline.after(step.at, self._deed(step))
        timeline.run(self.script.storm)
        self.heal()
        until = self.script.storm
        while until < self.script.storm + SETTLED_SECONDS:
            until += LOOK_SECONDS
            timeline.run(until)
            if is_settled(self):
                break
        return self

    def heal(self) -> None:
        """End all faults. Old Runners go on until they are told; old Schedulers are ended."""
        world = self.world
        world.broker_is_up = world.web.is_up = True
        world.apart.clear()
        for host in world.hosts.values():
            host.cuts = 0
            host.machine.disk_full = host.machine.slow_disk = False
            host.set_clock(0.0)
            if host.frozen:
                host.thaw()
            host.start()
            host.renew_shim()
            host.start_actors()
            host.end_old_schedulers()

    def _deed(self, step: Step) -> Callable[[], None]:
        def do() -> None:
            getattr(self, step.what)(*step.args)

        return do

    def _later(self, seconds: float, deed: Callable[[], None]) -> None:
        at = min(self.now.now + seconds, self.script.storm)
        self.now.after(at - self.now.now, deed)

    # -- what the checkers ask

    def leader(self) -> Scheduling | None:
        """Return the state of the one that leads; None: none does, or more than one."""
        leading = [
            host.supervisor.scheduler.state
            for host in self.world.hosts.values()
            if host.supervisor is not None
            and host.supervisor.scheduler.state.lead is not None
            and host.supervisor.scheduler.state.lead.is_leading
        ]
        return leading[0] if len(leading) == 1 else None

    def is_quiet(self) -> bool:
        """Whether the leader has read all there is, and all that it decided stands."""
        world = self.world
        if world.broker.open is not None:
            return False
        for host in world.hosts.values():
            scheduler = host.supervisor.scheduler if host.supervisor is not None else None
            if scheduler is None or scheduler.reader is None or scheduler.state.lead is None:
                continue
            lead = scheduler.state.lead
            behind = any(
                world.broker.stable(place) > offset
                for place, offset in scheduler.reader.positions.items()
            )
            return not behind and not lead.is_committing and not lead.ledger.marked
        return False

    def befell(self, host: Host, at: float) -> bool:
        """Whether something befell a host that can have silenced it for long until an instant."""
        return any(
            step.what in SILENCING
            and step.args[0] == host
            and step.at <= at
            and step.at + float(str(step.args[-1])) >= at - 2 * HUSH_SECONDS
            for step in self.script.steps
        )

    def quiet_from(self, at: float) -> float:
        """Return from when on, after an instant, nothing more befalls and the weather is calm."""
        if self.script.lateness or self.script.loss or self.script.dawdling:
            return max(at, self.script.storm)
        for step in self.script.steps:
            lasts = step.args[-1] if step.args and isinstance(step.args[-1], float) else 0.0
            at = max(at, min(step.at + lasts, self.script.storm))
        return at

    def kept_its_disk(self, host: Host) -> bool:
        """Whether no other disk came into a host."""
        steps = [each for each in self.script.steps if each.what in ("wipe", "clone", "remove")]
        return all(step.args[0] != host for step in steps)

    def armed_at(self, host: str, attempt: AttemptId) -> float:
        """Return when a host armed an attempt last."""
        return self.world.hosts[Host(host)].armed_at.get(attempt, 0.0)

    def first_considered(self, context: ContextKey) -> datetime | None:
        """Return from where on a context's fires count: where its first cursor began."""
        for _, key, record, _entry in self.world.broker.history:
            if key == context and isinstance(record, Cursor):
                return record.considered
        return None

    # -- what may befall

    def kill(self, host: Host, seconds: float) -> None:
        self.world.hosts[host].kill()
        self._later(seconds, self.world.hosts[host].start)

    def wipe(self, host: Host, seconds: float) -> None:
        self.world.hosts[host].wipe()
        self._later(seconds, self.world.hosts[host].start)

    def clone(self, host: Host, other: Host, seconds: float) -> None:
        here, there = self.world.hosts[host], self.world.hosts[other]
        # An old copy of its own disk put back is no copied machine: nothing could tell it apart.
        if here.disk.folder_id != there.disk.folder_id and there.is_up:
            here.clone(there)
            self._later(seconds, self.world.hosts[host].start)

    def remove(self, host: Host) -> None:
        self.world.hosts[host].kill()
        self.world.hosts[host].is_removed = True

    def _freeze(self, host: Host, seconds: float, what: str) -> None:
        known = self.world.hosts[host]
        if not known.frozen and known.is_up:
            getattr(known, what)()
            lives = known.frozen

            def thaw() -> None:
                if known.frozen is lives:
                    known.thaw()

            self._later(seconds, thaw)

    def freeze(self, host: Host, seconds: float) -> None:
        self._freeze(host, seconds, "freeze")

    def freeze_actors(self, host: Host, seconds: float) -> None:
        self._freeze(host, seconds, "freeze_actors")

    def freeze_scheduler(self, host: Host, seconds: float) -> None:
        self._freeze(host, seconds, "freeze_scheduler")

    def freeze_runner(self, host: Host, seconds: float) -> None:
        self._freeze(host, seconds, "freeze_runner")

    def freeze_shim(self, host: Host, seconds: float) -> None:
        self._freeze(host, seconds, "freeze_shim")

    def cut_off(self, host: Host, seconds: float) -> None:
        known = self.world.hosts[host]
        known.cuts += 1

        def join() -> None:
            known.cuts = max(0, known.cuts - 1)

        self._later(seconds, join)

    def part(self, one: Host, other: Host, seconds: float) -> None:
        pair = frozenset((one, other))
        self.world.apart.add(pair)
        self._later(seconds, lambda: self.world.apart.discard(pair))

    def restart_actors(self, host: Host, seconds: float) -> None:
        self._thawed(host).kill_actors()
        self._later(seconds, self.world.hosts[host].start_actors)

    def renew_runner(self, host: Host, old_lives_on: bool) -> None:
        if not self.world.hosts[host].frozen:
            self.world.hosts[host].renew_runner(old_lives_on=old_lives_on)

    def renew_scheduler(self, host: Host, old_lives_on: bool) -> None:
        if not self.world.hosts[host].frozen:
            self.world.hosts[host].renew_scheduler(old_lives_on=old_lives_on)

    def renew_recorder(self, host: Host) -> None:
        if not self.world.hosts[host].frozen:
            self.world.hosts[host].renew_recorder()

    def kill_shim(self, host: Host, seconds: float) -> None:
        self._thawed(host).kill_shim()
        self._later(seconds / 4, self.world.hosts[host].renew_shim)

    def kill_shim_and_actors(self, host: Host, seconds: float) -> None:
        known = self._thawed(host)
        known.kill_shim()
        known.kill_actors()
        self._later(seconds, known.renew_shim)
        self._later(seconds, known.start_actors)

    def fill_disk(self, host: Host, seconds: float) -> None:
        machine = self.world.hosts[host].machine
        machine.disk_full = True
        self._later(seconds, lambda: setattr(machine, "disk_full", False))

    def slow_disk(self, host: Host, seconds: float) -> None:
        machine = self.world.hosts[host].machine
        machine.slow_disk = True
        self._later(seconds, lambda: setattr(machine, "slow_disk", False))

    def set_clock(self, host: Host, off: float) -> None:
        self.world.hosts[host].set_clock(off)

    def broker_down(self, seconds: float) -> None:
        self.world.broker_is_up = False
        self._later(seconds, lambda: setattr(self.world, "broker_is_up", True))

    def web_down(self, seconds: float) -> None:
        self.world.web.is_up = False
        self._later(seconds, lambda: setattr(self.world.web, "is_up", True))

    def renew_arbiter(self, host: Host) -> None:
        if not self.world.hosts[host].frozen:
            self.world.hosts[host].renew_arbiter()

    def renew_watchdog(self, host: Host) -> None:
        if not self.world.hosts[host].frozen:
            self.world.hosts[host].renew_watchdog()

    def restart_daemon(self) -> None:
        self.world.restart(FAN)

    def hold_daemon(self, seconds: float) -> None:
        self.world.hold(FAN, min(seconds, self.script.storm - self.now.now))

    def drain(self, host: Host, seconds: float) -> None:
        web = self.world.web
        web.drain(web.drained | {host})
        self._later(seconds, lambda: web.drain(web.drained - {host}))

    def compact(self) -> None:
        self.world.broker.compact()

    def suspend(self, context: ContextKey, seconds: float) -> None:
        self.world.suspend(context, seconds)

    def disable(self, context: ContextKey, seconds: float) -> None:
        self.world.disable(context, min(seconds, self.script.storm - self.now.now))

    def reschedule(self, context: ContextKey, cron: str) -> None:
        self.world.reschedule(context, cron)

    def ask_run(self, context: ContextKey, twice: bool) -> None:
        self.world.ask_run(context, twice=twice)

    def ask_stop(self) -> None:
        self.world.ask_stop()

    def _thawed(self, host: Host) -> SimHost:
        known = self.world.hosts[host]
        if known.frozen:
            known.thaw()
        return known
