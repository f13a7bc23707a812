"""How a daemon's instance is kept running on its host (section "Daemons").

One state for each context: what should run (the Arbiter's last word) and what does. An instance
that ended is started again with a growing back-off; a healthy minute makes up for all; five short
lives in a row are a crash loop, which is shown and goes on being restarted. An instance of a lower
generation, of another package or with other variables is replaced. What is found alive in the shim
is adopted as it is.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from kirby.core.back_off import HEALTHY_AFTER, Restarts
from kirby.core.guarding.fitting import Fitting, fitting_of
from kirby.core.messages import KeepRunning
from kirby.core.moment import Moment
from kirby.core.names import ContextKey

REFUSED_SECONDS = 5.0  # a full disk, no process: the script is not to blame, so no growing back-off
ASK_SECONDS = 5.0  # the shim and the builders answer at once; this is for answers that were lost
STOP_AGAIN_SECONDS = 5.0
_UNSEEN_END = "its end was not seen"


# ---- what does run ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """The shim has not yet said what it holds."""


@dataclass(frozen=True, kw_only=True)
class Down:
    """Nothing runs; it may be started from this BOOTTIME on."""

    start: float
    wait: timedelta = timedelta()  # that was laid upon it


@dataclass(frozen=True, kw_only=True)
class Arming:
    """The shim was asked to start it."""

    asked: float
    fitting: Fitting


@dataclass(frozen=True, kw_only=True)
class Up:
    """It lives."""

    attempt: int
    fitting: Fitting
    boot: float  # BOOTTIME of its start
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Ending:
    """It was asked to end."""

    life: Up
    again: float  # BOOTTIME of the next SIGTERM
    reason: str


Life: TypeAlias = Unknown | Down | Arming | Up | Ending


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One daemon on one host."""

    context: ContextKey
    keep: KeepRunning | None = None  # None: it should not run here
    reason: str = ""  # why it should not run, or how the last life ended
    life: Life = field(default_factory=Unknown)
    restarts: Restarts = field(default_factory=Restarts)
    restarted: int = 0
    ready: frozenset[str] = frozenset()  # packages with an environment
    failed: str = ""  # the sentence of the build that failed
    failed_for_good: bool = False  # it will not be tried again by itself
    last_end: str = ""  # how the last life ended that ended by itself
    asked: float | None = None  # BOOTTIME at which the environment was asked for
    superseded: bool = False  # the shim knows a newer incarnation than the last word bears

    @property
    def is_gone(self) -> bool:
        """Whether nothing runs and nothing should."""
        return self.keep is None and isinstance(self.life, Down)


# ---- events -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The Arbiter says that it should run."""

    keep: KeepRunning


@dataclass(frozen=True, kw_only=True)
class Unwanted:
    """The Arbiter says that it should not run here."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """The shim's list: the instance that lives, or none."""

    life: Up | None


@dataclass(frozen=True, kw_only=True)
class ShimGone:
    """The shim does not answer; what it holds is not known any more."""


@dataclass(frozen=True, kw_only=True)
class Armed:
    """The shim has taken it."""

    attempt: int


@dataclass(frozen=True, kw_only=True)
class ArmRefused:
    """The shim has not taken it."""

    code: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The shim told its end."""

    attempt: int
    sentence: str


@dataclass(frozen=True, kw_only=True)
class EnvironmentStands:
    """How an environment stands: ready, or not for this reason (empty: not yet)."""

    package: str
    ready: bool
    reason: str = ""
    for_good: bool = False  # no build is tried again by itself


@dataclass(frozen=True, kw_only=True)
class Ticked:
    """Time passed."""


Event: TypeAlias = (
    Wanted | Unwanted | Found | ShimGone | Armed | ArmRefused | Ended | EnvironmentStands | Ticked
)


# ---- effects ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ArmDaemon:
    """Have the shim start it; answer with `Armed`, `ArmRefused`, `Found` or `ShimGone`."""

    keep: KeepRunning


@dataclass(frozen=True, kw_only=True)
class StopDaemon:
    """Have the shim stop it."""

    attempt: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class WantEnvironment:
    """See to the environment; answer with `EnvironmentStands`."""

    keep: KeepRunning


Effect: TypeAlias = ArmDaemon | StopDaemon | WantEnvironment


def step(daemon: Daemon, event: Event, now: Moment, chance: float) -> tuple[Daemon, list[Effect]]:
    """Take one event; `chance` from 0 to 1 spreads the back-off.

    The caller compares `telling.instance_of` before and after, and tells the Arbiter if it differs.
    """
    return _reconcile(_take(daemon, event, now, chance), now)


def _take(daemon: Daemon, event: Event, now: Moment, chance: float) -> Daemon:
    match event:
        case Wanted():
            return _wanted(daemon, event.keep, now)
        case Unwanted():
            return replace(daemon, keep=None, reason=event.reason)
        case Found():
            return _found(daemon, event.life, now, chance)
        case ShimGone():
            return replace(daemon, life=Unknown())
        case Armed():
            return _armed(daemon, event.attempt, now)
        case ArmRefused():
            return _refused(daemon, event, now)
        case Ended():
            return _ended(daemon, event, now, chance)
        case EnvironmentStands():
            return _environment(daemon, event)
        case Ticked():
            return daemon


def _wanted(daemon: Daemon, keep: KeepRunning, now: Moment) -> Daemon:
    known = daemon.keep
    if known == keep:
        return daemon
    if known is not None and keep.incarnation < known.incarnation:
        return daemon
    changed = known is None or fitting_of(known.offer) != fitting_of(keep.offer)
    daemon = replace(daemon, keep=keep, superseded=False)
    if not changed:
        return daemon
    # Something else is wanted: what was wrong with the last need not be wrong with this.
    life = Down(start=now.boot) if isinstance(daemon.life, Down) else daemon.life
    return replace(daemon, life=life, restarts=Restarts(), failed="", asked=None, last_end="")


def _found(daemon: Daemon, life: Up | None, now: Moment, chance: float) -> Daemon:
    match daemon.life:
        case Up() | Ending() if life is None:
            known = daemon.life.life if isinstance(daemon.life, Ending) else daemon.life
            return _ended(daemon, Ended(attempt=known.attempt, sentence=_UNSEEN_END), now, chance)
        case Unknown() if life is None:
            return replace(daemon, life=Down(start=now.boot))
        case Up(attempt=attempt) if life is not None and life.attempt == attempt:
            return daemon
        case Ending(life=known) if life is not None and life.attempt == known.attempt:
            return daemon
        case _:
            return daemon if life is None else replace(daemon, life=life)


def _armed(daemon: Daemon, attempt: int, now: Moment) -> Daemon:
    if not isinstance(daemon.life, Arming):
        return daemon
    life = Up(attempt=attempt, fitting=daemon.life.fitting, boot=now.boot, since=now.wall)
    return replace(daemon, life=life)


def _refused(daemon: Daemon, event: ArmRefused, now: Moment) -> Daemon:
    if not isinstance(daemon.life, Arming):
        return daemon
    wait = timedelta(seconds=REFUSED_SECONDS)
    down = Down(start=now.boot + REFUSED_SECONDS, wait=wait)
    daemon = replace(daemon, life=down, reason=event.sentence)
    if event.code == "lease":  # this host was silent: whether it should run here is to be asked
        return replace(daemon, keep=None)
    if event.code == "superseded":
        return replace(daemon, superseded=True)
    if event.code == "not_found":
        return replace(daemon, ready=frozenset(), asked=None)
    return daemon


def _ended(daemon: Daemon, event: Ended, now: Moment, chance: float) -> Daemon:
    match daemon.life:
        case Ending(life=life) if life.attempt == event.attempt:
            return replace(daemon, life=Down(start=now.boot))
        case Up() as life if life.attempt == event.attempt:
            lived = timedelta(seconds=now.boot - life.boot)
            restarts = daemon.restarts.ended(lived)
            wait = restarts.wait(chance)
            return replace(
                daemon,
                life=Down(start=now.boot + wait.total_seconds(), wait=wait),
                restarts=restarts,
                restarted=daemon.restarted + 1,
                reason=event.sentence,
                last_end=event.sentence,
            )
    return daemon


def _environment(daemon: Daemon, event: EnvironmentStands) -> Daemon:
    if event.ready:
        return replace(daemon, ready=daemon.ready | {event.package}, failed="")
    daemon = replace(daemon, ready=daemon.ready - {event.package})
    wanted = daemon.keep is not None and daemon.keep.offer.plan.package == event.package
    if not wanted:
        return daemon
    return replace(daemon, failed=event.reason, failed_for_good=event.for_good)


def _reconcile(daemon: Daemon, now: Moment) -> tuple[Daemon, list[Effect]]:
    if daemon.superseded:
        return daemon, []
    match daemon.life:
        case Up() as life:
            return _reconcile_up(daemon, life, now)
        case Ending() as ending if ending.again <= now.boot:
            return _end(daemon, ending.life, ending.reason, now)
        case Down() as down if daemon.keep is not None and down.start <= now.boot:
            return _start(daemon, daemon.keep, now)
    return daemon, []


def _reconcile_up(daemon: Daemon, life: Up, now: Moment) -> tuple[Daemon, list[Effect]]:
    if daemon.keep is None:
        return _end(daemon, life, "held", now)
    wanted = fitting_of(daemon.keep.offer)
    if _is_to_be_replaced(life.fitting, wanted):
        if wanted.package in daemon.ready:
            return _end(daemon, life, "replaced", now)
        return _want_environment(daemon, daemon.keep, now)  # the old one goes on meanwhile
    lived = timedelta(seconds=now.boot - life.boot)
    return replace(daemon, restarts=daemon.restarts.alive(lived)), []


def _is_to_be_replaced(runs: Fitting, wanted: Fitting) -> bool:
    """Whether what runs is another thing; a higher generation of the same thing will do."""
    return runs != wanted and (
        wanted.generation >= runs.generation
        or replace(runs, generation=wanted.generation) != wanted
    )


def _end(daemon: Daemon, life: Up, reason: str, now: Moment) -> tuple[Daemon, list[Effect]]:
    ending = Ending(life=life, again=now.boot + STOP_AGAIN_SECONDS, reason=reason)
    return replace(daemon, life=ending), [StopDaemon(attempt=life.attempt, reason=reason)]


def _start(daemon: Daemon, keep: KeepRunning, now: Moment) -> tuple[Daemon, list[Effect]]:
    if keep.offer.plan.package in daemon.ready:
        life = Arming(asked=now.boot, fitting=fitting_of(keep.offer))
        return replace(daemon, life=life), [ArmDaemon(keep=keep)]
    return _want_environment(daemon, keep, now)


def _want_environment(
    daemon: Daemon, keep: KeepRunning, now: Moment
) -> tuple[Daemon, list[Effect]]:
    if daemon.asked is not None and now.boot < daemon.asked + ASK_SECONDS:
        return daemon, []
    return replace(daemon, asked=now.boot), [WantEnvironment(keep=keep)]


def next_wake(daemon: Daemon) -> float | None:
    """Return the BOOTTIME at which `Ticked` has work to do; None: nothing is awaited."""
    if daemon.superseded:
        return None
    match daemon.life:
        case Ending(again=again):
            return again
        case Down(start=start) if daemon.keep is not None:
            return start if daemon.asked is None else max(start, daemon.asked + ASK_SECONDS)
        case Up(fitting=runs) if _lacks_environment(daemon, runs):
            return (daemon.asked or 0.0) + ASK_SECONDS
        case Up(boot=boot) if daemon.restarts.in_a_row:
            return boot + HEALTHY_AFTER.total_seconds()
    return None


def _lacks_environment(daemon: Daemon, runs: Fitting) -> bool:
    """Whether what lives waits to be replaced until the environment of another stands."""
    if daemon.keep is None:
        return False
    wanted = fitting_of(daemon.keep.offer)
    return _is_to_be_replaced(runs, wanted) and wanted.package not in daemon.ready
