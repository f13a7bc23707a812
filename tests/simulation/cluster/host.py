"""One simulated host: its disk, its shim, its actors, and what may befall them."""

from typing import TYPE_CHECKING

from kirby.core.moment import Moment
from kirby.core.names import AttemptId, Host
from tests.simulation.cluster.broker import START, instant_of
from tests.simulation.cluster.daemoning import SimArbiter, SimWatchdog
from tests.simulation.cluster.leading import SimScheduler, SimSupervisor
from tests.simulation.cluster.life import Deed, Life
from tests.simulation.cluster.shim_sim import Disk, Machine, Shim
from tests.simulation.cluster.working import SimRecorder, SimRunner

if TYPE_CHECKING:
    from tests.simulation.cluster.world import World

BOOT_SECONDS = 1000.0
HOP_SECONDS = 0.0005


class SimHost:
    """A host. It is also the `Air` between its clients and the broker."""

    def __init__(self, world: "World", name: Host, number: int, slots: int) -> None:
        self.world = world
        self.name = name
        self.slots = slots
        self.boot_base = BOOT_SECONDS * (number + 1)
        self.wall_offset = 0.0
        self._moment = (-1.0, 0.0), Moment(wall=START, boot=0.0)  # the last that was asked for
        self.jumps: list[float] = []
        self.cuts = 0
        self.folders = 0
        self.disk = self._new_disk()
        self.machine = Machine(world.timeline, name, self.disk, self.boot_ns)
        self.machine.duration = world.duration
        self.machine_shim: Shim | None = None
        self.supervisor: SimSupervisor | None = None
        self.runner: SimRunner | None = None
        self.recorder: SimRecorder | None = None
        self.arbiter: SimArbiter | None = None
        self.watchdog: SimWatchdog | None = None
        self.old: list[SimRunner | SimScheduler] = []  # lives on beside its successor
        self.armed_at: dict[AttemptId, float] = {}
        self.frozen: list[Life] = []
        self.thaws: list[float] = []
        self.freezes: list[float] = []
        self.is_up = False
        self.is_removed = False  # for good
        self.was_cloned = False

    # -- clocks

    def boot(self) -> float:
        """Return CLOCK_BOOTTIME in seconds."""
        return self.boot_base + self.world.timeline.now

    def boot_ns(self) -> int:
        """Return CLOCK_BOOTTIME in nanoseconds."""
        return round(self.boot() * 1e9)

    def moment(self) -> Moment:
        """Return both clocks."""
        now = self.world.timeline.now, self.wall_offset
        if now != self._moment[0]:
            self._moment = now, Moment(wall=instant_of(sum(now)), boot=self.boot())
        return self._moment[1]

    # -- the air

    def delay(self) -> float:
        """Return how long one step to or from the broker takes."""
        return self.world.weather.delay()

    def hop(self) -> float:
        """Return how long a message within the host takes."""
        return HOP_SECONDS

    def reaches(self) -> bool:
        """Whether the host reaches Kafka now."""
        return self.cuts == 0 and self.world.broker_is_up

    def loses(self) -> bool:
        """Whether this answer is lost."""
        return self.world.weather.loses()

    def handful(self) -> int:
        """Return how many records a fetch brings at the most."""
        return self.world.weather.handful()

    def lag(self) -> float:
        """Return how long a partition's broker keeps a fetch beyond the others'."""
        return self.world.weather.lag()

    def dawdles(self) -> bool:
        """Whether this transaction is not committed in the same breath."""
        return self.world.weather.dawdles()

    def tell(self, life: Life, deed: Deed) -> None:
        """Carry a message between actors of this host; it may be lost, or come twice."""
        weather = self.world.weather
        if not weather.loses():
            life.after(self.hop() + weather.pause(), deed)
            if weather.loses():
                life.after(self.hop() + 5 * weather.pause(), deed)

    # -- beginning and ending

    def start(self) -> None:
        """Start what is not running."""
        if self.is_up or self.is_removed:
            return
        self.is_up = True
        self.renew_shim()
        self.start_actors()

    def kill(self) -> None:
        """End everything on it at once."""
        if not self.is_up:
            return
        self.is_up = False
        self.frozen = []
        self.kill_actors()
        if self.machine_shim is not None:
            self.machine_shim.kill()
            self.machine_shim = self.machine.shim = None
        for script in list(self.machine.scripts.values()):
            script.ended = self.world.timeline.now if script.started is not None else None
        self.machine.scripts.clear()
        self.machine.boots += 1
        self.machine.processes.kill()
        self.machine.processes = Life(self.world.timeline)

    def wipe(self) -> None:
        """Lose the disk as well."""
        self.kill()
        self.disk = self._new_disk()
        self.machine.disk = self.disk

    def clone(self, other: "SimHost") -> None:
        """Come back as the copy of another machine: its disk, but none of its processes."""
        self.kill()
        self.disk = other.disk.copied()
        self.machine.disk = self.disk
        self.machine.boots = max(self.machine.boots, other.machine.boots + 1)
        self.was_cloned = True

    def kill_actors(self) -> None:
        """End Kirby, but not the shim."""
        for each in self.old:
            each.kill()
        self.old = []
        if self.supervisor is not None:
            self.supervisor.scheduler.kill()
            self.supervisor.life.kill()
        if self.runner is not None:
            self.runner.kill()
        if self.recorder is not None:
            self.recorder.kill()
        for keeper in (self.arbiter, self.watchdog):
            if keeper is not None:
                keeper.kill()
        self.supervisor = self.runner = self.recorder = self.arbiter = self.watchdog = None

    def start_actors(self) -> None:
        """Start Kirby beside the shim that is there."""
        if self.is_up and self.supervisor is None:
            self.supervisor = SimSupervisor(self)
            self.runner = SimRunner(self)
            self.recorder = SimRecorder(self)
            if self.world.has_daemons:
                self.watchdog = SimWatchdog(self)
                self.arbiter = SimArbiter(self)

    def renew_shim(self) -> None:
        """Start a shim, where none lives."""
        if self.is_up and (self.machine_shim is None or not self.machine_shim.life.alive):
            self.machine_shim = self.machine.shim = Shim(self.machine)

    def kill_shim(self) -> None:
        """End the shim alone."""
        if self.machine_shim is not None and self.machine_shim.life.alive:
            self.machine_shim.kill()

    def renew_runner(self, *, old_lives_on: bool) -> None:
        """Make the Runner anew; the old one may only have seemed dead."""
        if self.runner is None:
            return
        if old_lives_on:
            self.old.append(self.runner)
        else:
            self.runner.kill()
        self.runner = SimRunner(self)

    def runner_ended(self, runner: SimRunner) -> None:
        """Re-create the host's Runner where it was that which ended."""
        runner.kill()
        if runner is self.runner:
            self.world.timeline.after(0.2, lambda: self._again(runner))

    def renew_scheduler(self, *, old_lives_on: bool) -> None:
        """Make the Scheduler anew; the old one may only have seemed dead."""
        if self.supervisor is not None:
            if old_lives_on:
                self.old.append(self.supervisor.scheduler)
            self.supervisor.renew_scheduler(old_lives_on=old_lives_on)

    def end_old_schedulers(self) -> None:
        """End those that a successor has; on a real host its lock and its parent's death do."""
        for each in self.old:
            if isinstance(each, SimScheduler):
                each.kill()

    def renew_arbiter(self) -> None:
        """Make the Arbiter anew."""
        if self.arbiter is not None:
            self.arbiter.kill()
            self.arbiter = SimArbiter(self)

    def renew_watchdog(self) -> None:
        """Make the Watchdog anew; its daemons go on."""
        if self.watchdog is not None:
            self.watchdog.kill()
            self.watchdog = SimWatchdog(self)

    def renew_recorder(self) -> None:
        """Make the Recorder anew."""
        if self.recorder is not None:
            self.recorder.kill()
            self.recorder = SimRecorder(self)

    def freeze(self) -> None:
        """Let everything on it stand still."""
        self._freeze([*self._actors(), *self._below()])

    def freeze_actors(self) -> None:
        """Let Kirby stand still; shim and scripts go on."""
        self._freeze(self._actors())

    def freeze_scheduler(self) -> None:
        """Let the Scheduler stand still under a living Supervisor."""
        self._freeze([self.supervisor.scheduler.life] if self.supervisor else [])

    def freeze_runner(self) -> None:
        """Let the Runner stand still, while shim and Recorder go on."""
        self._freeze([self.runner.life] if self.runner else [])

    def freeze_shim(self) -> None:
        """Let the shim hang."""
        self._freeze([self.machine_shim.life] if self.machine_shim else [])

    def thaw(self) -> None:
        """Let it go on."""
        lives, self.frozen = self.frozen, []
        self.thaws.append(self.world.timeline.now)
        self.world.timeline.chance.shuffle(lives)
        for life in lives:
            life.thaw()

    def was_frozen(self, at: float) -> bool:
        """Whether something of it stood still at an instant, or has gone on just before."""
        return any(
            froze <= at and not any(froze <= thawed < at - 0.5 for thawed in self.thaws)
            for froze in self.freezes
        )

    def set_clock(self, seconds: float) -> None:
        """Set the wall clock wrong (or right)."""
        self.wall_offset = seconds
        self.jumps.append(self.world.timeline.now)

    def _actors(self) -> list[Life]:
        if self.supervisor is None or self.runner is None or self.recorder is None:
            return []
        lives = [self.supervisor.life, self.supervisor.scheduler.life]
        lives += [self.runner.life, self.recorder.life]
        lives += [each.life for each in (self.arbiter, self.watchdog) if each is not None]
        return lives + [each.life for each in self.old]

    def _below(self) -> list[Life]:
        shim = [self.machine_shim.life] if self.machine_shim is not None else []
        return [*shim, self.machine.processes]

    def _freeze(self, lives: list[Life]) -> None:
        if self.frozen:
            return  # one freeze at a time
        self.frozen = lives
        self.freezes.append(self.world.timeline.now)
        for life in lives:
            life.freeze()

    def _again(self, runner: SimRunner) -> None:
        if runner is self.runner:
            self.runner = SimRunner(self)

    def _new_disk(self) -> Disk:
        self.folders += 1
        return Disk(folder_id=f"{self.name}-{self.folders}")
