"""Which environments this host has, is building, or failed to build; and who else failed (C2).

Environments are built ahead: what the mirror of the schedule names, and what an offer needs, is
asked for, and asked for again until a Watchdog says that it is ready.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kirby.core.claims.events import EnvironmentState
from kirby.core.claims.persistent import PersistentMap
from kirby.core.names import ContextKey, Host
from kirby.core.nouns import Definition, JobKind
from kirby.core.records import Build, BuildState, Heartbeat

ASK_AGAIN_SECONDS = 5.0  # a Watchdog answers at once, if only that it is building
ASK_AGAIN_FAILED_SECONDS = 60.0  # it has a policy of its own; this is for one that was re-created
LIVE_SECONDS = 20.0  # a host that was silent for longer has lost its runs (rule L2)


@dataclass(frozen=True, kw_only=True)
class Want:
    """An environment that is needed here and not ready."""

    context: ContextKey
    package: str
    source_builds: bool
    revision: int  # of the context
    ask: float  # BOOTTIME of the next question
    state: EnvironmentState | None = None  # None: nobody has answered yet
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """The environments of this host."""

    ready: frozenset[str] = frozenset()
    wants: Mapping[str, Want] = field(default_factory=dict)  # by package
    mirror: PersistentMap[str, Want] = field(default_factory=PersistentMap)  # by context

    def is_ready(self, package: str) -> bool:
        """Whether a script of the package may be armed here."""
        return package in self.ready

    def has_failed(self, package: str) -> bool:
        """Whether the last build failed."""
        want = self.wants.get(package)
        return want is not None and want.state is EnvironmentState.FAILED

    def reason(self, package: str) -> str:
        """Return why a build failed."""
        want = self.wants.get(package)
        return want.reason if want else ""

    def want(self, want: Want) -> "Readiness":
        """Need an environment: it is asked for unless it is ready or was asked for already."""
        known = self.wants.get(want.package)
        if want.package in self.ready or (known is not None and known.revision >= want.revision):
            return self
        if known is not None:  # its context was changed: what failed may go well now
            want = replace(
                known, revision=want.revision, source_builds=want.source_builds, ask=want.ask
            )
        return replace(self, wants={**self.wants, want.package: want})

    def told(self, package: str, state: EnvironmentState, reason: str, boot: float) -> "Readiness":
        """Take a Watchdog's word."""
        want = self.wants.get(package)
        if state is EnvironmentState.READY:
            rest = {name: other for name, other in self.wants.items() if name != package}
            return replace(self, ready=self.ready | {package}, wants=rest)
        if want is None or (want.state, want.reason) == (state, reason):
            return self
        pause = (
            ASK_AGAIN_SECONDS if state is EnvironmentState.BUILDING else ASK_AGAIN_FAILED_SECONDS
        )
        next_want = replace(want, state=state, reason=reason, ask=boot + pause)
        return replace(self, wants={**self.wants, package: next_want}, ready=self.ready - {package})

    def missing(self, want: Want) -> "Readiness":
        """Learn that an environment taken for ready is not there."""
        return replace(self, ready=self.ready - {want.package}).want(want)

    def scheduled(
        self, host: Host, context: ContextKey, definition: Definition | None, boot: float
    ) -> "Readiness":
        """Follow the mirror: build ahead what this host may have to run."""
        if definition is None or not _may_run_on(host, definition):
            return replace(self, mirror=self.mirror.drop(context))
        want = Want(
            context=context,
            package=definition.package,
            source_builds=definition.policies.source_builds,
            revision=definition.revision,
            ask=boot,
        )
        return replace(self, mirror=self.mirror.put(context, want)).want(want)

    def due(self, boot: float, lacking: Mapping[str, object]) -> tuple["Readiness", list[Want]]:
        """Return what is to be asked now; forget what nobody needs any more."""
        asked = [want for want in self.wants.values() if want.ask <= boot]
        if not asked:
            return self, []
        needed = {want.package for _, want in self.mirror.items()} | set(lacking)
        wants = dict(self.wants)
        for want in asked:
            if want.package in needed:
                pause = (
                    ASK_AGAIN_FAILED_SECONDS
                    if want.state is EnvironmentState.FAILED
                    else ASK_AGAIN_SECONDS
                )
                wants[want.package] = replace(want, ask=boot + pause)
            else:
                del wants[want.package]
        return replace(self, wants=wants), [want for want in asked if want.package in wants]

    def builds(self) -> tuple[Build, ...]:
        """Return what the heartbeat tells of builds."""
        states = {
            EnvironmentState.BUILDING: BuildState.BUILDING,
            EnvironmentState.FAILED: BuildState.FAILED,
        }
        return tuple(
            Build(package=want.package, state=states[want.state], reason=want.reason)
            for want in self.wants.values()
            if want.state in states
        )


def _may_run_on(host: Host, definition: Definition) -> bool:
    if not definition.enabled or definition.held:
        return False
    named = definition.hosts
    return definition.kind is JobKind.SCHEDULED or not isinstance(named, tuple) or host in named


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What another host said last."""

    heard: float  # BOOTTIME at which it was read
    failed: frozenset[str]
    draining: bool


@dataclass(frozen=True, kw_only=True)
class Peers:
    """The other hosts, by their heartbeats."""

    hosts: Mapping[Host, Peer] = field(default_factory=dict)

    def heard(self, heartbeat: Heartbeat, boot: float) -> "Peers":
        """Take a heartbeat in."""
        peer = Peer(
            heard=boot,
            failed=frozenset(b.package for b in heartbeat.builds if b.state is BuildState.FAILED),
            draining=heartbeat.draining,
        )
        return replace(self, hosts={**self.hosts, heartbeat.host: peer})

    def all_failed(self, package: str, boot: float) -> bool:
        """Whether no other live host could still run the package."""
        return all(
            package in peer.failed
            for peer in self.hosts.values()
            if boot - peer.heard <= LIVE_SECONDS and not peer.draining
        )
