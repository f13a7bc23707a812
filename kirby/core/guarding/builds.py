"""When an environment is built, and when a failed build is tried again: never in a storm.

What fails for a reason that stays (no `__main__`, no wheel) stays failed until the definition
changes or a person asks again. What may mend itself (an index that is down, a package that is not
published yet) is tried again after a while, later each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias

from kirby.core.requirement import Requirement

FIRST_WAIT = timedelta(seconds=5)  # a service that restarts is back by then
LONGEST_WAIT = timedelta(minutes=5)  # so a package is found this soon after it was published
_DOUBLINGS = 10  # more than enough for the longest wait, and no number without bounds


@dataclass(frozen=True, kw_only=True)
class Building:
    """It is being built."""

    revision: int
    source_builds: bool
    failures: int = 0


@dataclass(frozen=True, kw_only=True)
class Ready:
    """It was built."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The last build failed; `again` is when the next one begins, None: not by itself."""

    revision: int
    source_builds: bool
    sentence: str
    failures: int
    again: datetime | None


Standing: TypeAlias = Building | Ready | Failed


@dataclass(frozen=True, kw_only=True)
class Builds:
    """How each environment stands on this host."""

    standing: Mapping[Requirement, Standing] = field(default_factory=lambda: MappingProxyType({}))

    def wake_at(self) -> datetime | None:
        """Return when the next build is to be tried again, None: none is."""
        waits = [s.again for s in self.standing.values() if isinstance(s, Failed) and s.again]
        return min(waits, default=None)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A context names the package; `revision` is that of the context's last change."""

    requirement: Requirement
    revision: int
    source_builds: bool = False


@dataclass(frozen=True, kw_only=True)
class BuildSucceeded:
    """The environment is in its place."""

    requirement: Requirement


@dataclass(frozen=True, kw_only=True)
class BuildFailed:
    """The build ended without an environment."""

    requirement: Requirement
    sentence: str
    temporary: bool


@dataclass(frozen=True, kw_only=True)
class Removed:
    """The environment is gone from the disk: too long unused, or removed by a person."""

    requirement: Requirement


@dataclass(frozen=True, kw_only=True)
class RetryAsked:
    """A person wants it tried again now."""

    requirement: Requirement


@dataclass(frozen=True, kw_only=True)
class Unwanted:
    """No context names the package any more."""

    requirement: Requirement


@dataclass(frozen=True, kw_only=True)
class Tick:
    """Time has passed."""


Event: TypeAlias = Wanted | BuildSucceeded | BuildFailed | Removed | RetryAsked | Unwanted | Tick


@dataclass(frozen=True, kw_only=True)
class StartBuild:
    """Build this environment."""

    requirement: Requirement
    source_builds: bool


def step(builds: Builds, event: Event, now: datetime) -> tuple[Builds, list[StartBuild]]:
    """Take one event; return the next state and the builds to start.

    An end of a build that nobody waits for is kept as what it says: a package may have been
    unwanted and wanted again while it was being built.
    """
    match event:
        case Wanted():
            return _wanted(builds, event)
        case BuildSucceeded(requirement=requirement):
            return _stands(builds, requirement, Ready()), []
        case BuildFailed():
            return _failed(builds, event, now), []
        case Removed(requirement=requirement) | Unwanted(requirement=requirement):
            return _forget(builds, requirement), []
        case RetryAsked(requirement=requirement):
            return _again(builds, [requirement])
        case Tick():
            return _again(builds, _due(builds, now))


def _wanted(builds: Builds, event: Wanted) -> tuple[Builds, list[StartBuild]]:
    standing = builds.standing.get(event.requirement)
    match standing:
        case Building() | Ready():
            return builds, []
        case Failed() if event.revision <= standing.revision and not (
            event.source_builds and not standing.source_builds
        ):
            return builds, []
        case _:
            building = Building(revision=event.revision, source_builds=event.source_builds)
            return _start(builds, event.requirement, building)


def _failed(builds: Builds, event: BuildFailed, now: datetime) -> Builds:
    standing = builds.standing.get(event.requirement)
    known = (
        standing if isinstance(standing, Building) else Building(revision=0, source_builds=False)
    )
    failures = known.failures + 1
    return _stands(
        builds,
        event.requirement,
        Failed(
            revision=known.revision,
            source_builds=known.source_builds,
            sentence=event.sentence,
            failures=failures,
            again=now + wait_after(failures) if event.temporary else None,
        ),
    )


def wait_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row: 5 s, doubling to 5 min."""
    doublings = min(failures - 1, _DOUBLINGS)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _due(builds: Builds, now: datetime) -> list[Requirement]:
    return sorted(
        requirement
        for requirement, standing in builds.standing.items()
        if isinstance(standing, Failed) and standing.again is not None and standing.again <= now
    )


def _again(builds: Builds, requirements: list[Requirement]) -> tuple[Builds, list[StartBuild]]:
    started: list[StartBuild] = []
    for requirement in requirements:
        standing = builds.standing.get(requirement)
        if isinstance(standing, Failed):
            building = Building(
                revision=standing.revision,
                source_builds=standing.source_builds,
                failures=standing.failures,
            )
            builds, more = _start(builds, requirement, building)
            started += more
    return builds, started


def _start(
    builds: Builds, requirement: Requirement, building: Building
) -> tuple[Builds, list[StartBuild]]:
    effect = StartBuild(requirement=requirement, source_builds=building.source_builds)
    return _stands(builds, requirement, building), [effect]


def _stands(builds: Builds, requirement: Requirement, standing: Standing) -> Builds:
    table = MappingProxyType({**builds.standing, requirement: standing})
    return replace(builds, standing=table)


def _forget(builds: Builds, requirement: Requirement) -> Builds:
    rest = {key: standing for key, standing in builds.standing.items() if key != requirement}
    return replace(builds, standing=MappingProxyType(rest))
