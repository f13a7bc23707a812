"""The environments that a Watchdog sees to: each build is a process of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from kirby.actors.base import KirbyActor
from kirby.core.errors import InvalidRequirement
from kirby.core.guarding import builds
from kirby.core.guarding.builds import (
    BuildFailed,
    Builds,
    BuildSucceeded,
    Event,
    Failed,
    Ready,
    Removed,
    Tick,
    Wanted,
)
from kirby.core.messages import EnvironmentIs
from kirby.core.requirement import Requirement, parse_requirement
from kirby.packages.environments import Environment
from kirby.packages.outcome import BuildReady
from kirby.packages.store import Build, EnvironmentStore, Sources

LEAST_SECONDS = 0.1  # the wall clock may have been set meanwhile: never spin


@dataclass(frozen=True, kw_only=True)
class TryBuilds:
    """A wake-up: a build that failed may be tried again."""


class WatchdogBuilds:
    """Finds environments, has them built, and tells `changed` how each stands."""

    def __init__(
        self,
        actor: KirbyActor,
        store: EnvironmentStore,
        changed: Callable[[EnvironmentIs], None],
    ) -> None:
        self._actor = actor
        self._store = store
        self._changed = changed
        self._builds = Builds()
        self._running: dict[Requirement, Build] = {}
        self._spelt: dict[Requirement, set[str]] = {}  # as contexts write it
        self._try_at: datetime | None = None  # of the wake-up that is on its way

    def want(self, package: str, *, revision: int, source_builds: bool) -> EnvironmentIs:
        """See to an environment; return how it stands now."""
        try:
            requirement = parse_requirement(package)
        except InvalidRequirement as fault:
            return EnvironmentIs(package=package, ready=False, reason=str(fault))
        self._spelt.setdefault(requirement, set()).add(package)
        self._look(requirement)
        self._step(Wanted(requirement=requirement, revision=revision, source_builds=source_builds))
        return self._said(requirement, package)

    def find(self, package: str) -> Environment | None:
        """Return the environment of a package if it is ready."""
        return self._store.find(parse_requirement(package))

    def woke(self) -> None:
        """Try again what failed for a reason that may pass."""
        self._try_at = None
        before = self._builds.standing
        self._step(Tick())
        for requirement in self._builds.standing:
            if self._builds.standing[requirement] is not before.get(requirement):
                self._tell(requirement)

    def close(self) -> None:
        """End what is being built; what it left is removed by the next build."""
        for build in self._running.values():
            self._actor.unwatch(build.fileno())
            build.kill()
        self._running.clear()

    def _look(self, requirement: Requirement) -> None:
        """Compare what is known with what is on the disk."""
        standing = self._builds.standing.get(requirement)
        found = self._store.find(requirement) is not None
        if found and not isinstance(standing, Ready) and requirement not in self._running:
            self._step(BuildSucceeded(requirement=requirement))
        elif not found and isinstance(standing, Ready):
            self._step(Removed(requirement=requirement))

    def _step(self, event: Event) -> None:
        self._builds, started = builds.step(self._builds, event, self._actor.clock.now())
        for start in started:
            build = self._store.start_build(start.requirement, source_builds=start.source_builds)
            self._running[start.requirement] = build
            self._actor.watch(build.fileno(), partial(self._ended, build))
        self._wake_for_the_next_try()

    def _ended(self, build: Build) -> None:
        self._actor.unwatch(build.fileno())
        self._running.pop(build.requirement, None)
        outcome = build.result()
        if isinstance(outcome, BuildReady):
            self._step(BuildSucceeded(requirement=build.requirement))
        else:
            self._actor.log.warning("%s", outcome.sentence)
            self._step(
                BuildFailed(
                    requirement=build.requirement,
                    sentence=outcome.sentence,
                    temporary=outcome.temporary,
                )
            )
        self._tell(build.requirement)

    def _tell(self, requirement: Requirement) -> None:
        for package in sorted(self._spelt.get(requirement, ())):
            self._changed(self._said(requirement, package))

    def _said(self, requirement: Requirement, package: str) -> EnvironmentIs:
        match self._builds.standing.get(requirement):
            case Ready():
                return EnvironmentIs(package=package, ready=True)
            case Failed(sentence=sentence, again=again):
                return EnvironmentIs(
                    package=package, ready=False, reason=sentence, temporary=again is not None
                )
        return EnvironmentIs(package=package, ready=False, building=True)

    def _wake_for_the_next_try(self) -> None:
        at = self._builds.wake_at()
        if at is not None and (self._try_at is None or at < self._try_at):
            self._try_at = at
            wait = (at - self._actor.clock.now()).total_seconds()
            self._actor.wake(max(LEAST_SECONDS, wait), TryBuilds())


def store_of(
    state: str, urls: tuple[str, ...], token: Callable[[], str], index: str
) -> EnvironmentStore:
    """Return a host's environments, which come from its web services and one other index."""
    built_in = tuple(f"{url.rstrip('/')}/packages/simple/" for url in urls)
    return EnvironmentStore(
        Path(state), sources=Sources(built_in=built_in, default=index), token=token
    )
