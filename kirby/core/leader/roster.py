"""What the leader knows of the hosts: who lives, what each holds, where the next run goes.

Rules L2 (silence), L3 (superseded) and O5 (order of preference). The roster is fed with what stands
in the hosts topic, at the leader's own BOOTTIME of reading it; wall clocks play no part.
"""

from dataclasses import dataclass, field

from kirby.core.names import (
    AttemptId,
    ContextKey,
    Host,
    Incarnation,
    StateFolderId,
    context_of,
    is_instance,
)
from kirby.core.records import Heartbeat, Phase, Probe, Ticket

LEASE_SECONDS = 15.0
MARGIN_SECONDS = 5.0
LOST_AFTER_SECONDS = LEASE_SECONDS + MARGIN_SECONDS  # rule L2
# Three heartbeats and a bit: when nobody at all was heard for so long, the log is at fault.
GAP_SECONDS = 12.0
# A leader ticks each 0.1 s; one that did not for longer stood still, and read nothing either.
LONGEST_TICK_SECONDS = 1.0
PROBE_SECONDS = 5.0
PROBE_FRESH_SECONDS = PROBE_SECONDS + 2.0
SETTLED_SECONDS = 6.0  # a host that lives has beaten by then


@dataclass(kw_only=True)
class HostView:
    """One host, as the leader has read it."""

    host: Host
    incarnation: Incarnation | None = None  # of the newest ticket
    heartbeat: Heartbeat | None = None  # the newest of that incarnation
    heard_offset: int = -1  # of that heartbeat
    silent_seconds: float = 0.0
    budget: int = 0  # slots of the last heartbeat that no offer has named yet
    held: frozenset[AttemptId] = frozenset()
    daemons: frozenset[ContextKey] = frozenset()  # that may run there, by that heartbeat
    is_heard: bool = False  # since this leader has read the log up

    @property
    def is_lost(self) -> bool:
        """Whether its lease and the margin have passed in silence."""
        return self.silent_seconds > LOST_AFTER_SECONDS

    @property
    def is_live(self) -> bool:
        """Whether it may be named in offers."""
        return self.heartbeat is not None and self.silent_seconds <= LEASE_SECONDS


@dataclass(kw_only=True)
class Roster:
    """All hosts; mutable, and owned by the step of the Scheduler."""

    own: Host
    hosts: dict[Host, HostView] = field(default_factory=dict)
    folders: dict[tuple[Host, Incarnation], StateFolderId] = field(default_factory=dict)
    drained: frozenset[Host] = frozenset()
    last_heard_boot: float = 0.0
    last_probe_boot: float = 0.0
    ticked_boot: float | None = None
    began_boot: float = 0.0

    def view(self, host: Host) -> HostView:
        """Return the view of a host, new if it was never heard of (a claimant without a record)."""
        return self.hosts.setdefault(host, HostView(host=host))

    def read_ticket(self, ticket: Ticket, offset: int) -> None:
        """Take a new incarnation; what older ones said counts no longer."""
        view = self.view(ticket.host)
        if view.incarnation is None or offset > view.incarnation:
            view.incarnation = Incarnation(offset)
        self.folders[ticket.host, Incarnation(offset)] = ticket.state_folder

    def read_heartbeat(self, heartbeat: Heartbeat, offset: int, boot: float) -> bool:
        """Take a heartbeat; return whether it is of the host's newest incarnation (rule L3)."""
        view = self.view(heartbeat.host)
        if heartbeat.incarnation >= offset:
            return False  # its ticket does not stand before it, but in a log that was lost
        self._heard(view, boot)
        if view.incarnation is not None and heartbeat.incarnation < view.incarnation:
            return False
        view.incarnation = heartbeat.incarnation
        self.folders[heartbeat.host, heartbeat.incarnation] = heartbeat.state_folder
        view.heartbeat = heartbeat
        view.heard_offset = offset
        view.budget = max(heartbeat.free_slots, 0)
        view.held = frozenset(
            AttemptId(run=held.run, attempt=held.attempt) for held in heartbeat.held
        )
        view.daemons = _daemons_of(heartbeat)
        return True

    def read_claim(self, host: Host) -> None:
        """A claim is a sign of life of its claimant, too."""
        self.view(host).silent_seconds = 0.0

    def read_probe(self, probe: Probe, boot: float) -> None:
        """Take the leader's own probe."""
        self.last_probe_boot = boot

    def _heard(self, view: HostView, boot: float) -> None:
        if boot - self.last_heard_boot > GAP_SECONDS:
            for other in self.hosts.values():
                other.silent_seconds = 0.0
        self.last_heard_boot = boot
        view.silent_seconds = 0.0
        view.is_heard = True

    def begin(self, boot: float) -> None:
        """Begin all silences at zero, as a new leader does (rule L2)."""
        self.last_heard_boot = self.last_probe_boot = self.ticked_boot = self.began_boot = boot
        for view in self.hosts.values():
            view.silent_seconds = 0.0
            view.is_heard = False

    def tick(self, boot: float, at_end: bool) -> list[Host]:
        """Let time pass; return the hosts that are lost from now on.

        Args:
            boot: the leader's CLOCK_BOOTTIME in seconds.
            at_end: whether the hosts topic was read to its end; otherwise nothing counts.
        """
        passed = boot - (self.ticked_boot if self.ticked_boot is not None else boot)
        self.ticked_boot = boot
        if not at_end or passed <= 0:
            return []
        passed = min(passed, LONGEST_TICK_SECONDS)
        in_gap = boot - self.last_heard_boot > GAP_SECONDS
        if in_gap and boot - self.last_probe_boot > PROBE_FRESH_SECONDS:
            return []
        lost = []
        for view in self.hosts.values():
            if in_gap and view.host == self.own:
                continue
            was_lost = view.is_lost
            view.silent_seconds += passed
            if view.is_lost and not was_lost:
                lost.append(view.host)
        return lost

    def wants_probe(self, boot: float) -> bool:
        """Whether nobody was heard for so long that a probe must tell why."""
        return (
            boot - self.last_heard_boot > PROBE_SECONDS
            and boot - self.last_probe_boot > PROBE_SECONDS
        )

    def live(self) -> list[Host]:
        """Return the hosts that work may go to, by name."""
        return sorted(
            view.host
            for view in self.hosts.values()
            if view.is_live and view.host not in self.drained
        )

    def settled(self, boot: float) -> bool:
        """Whether all that live have been heard: a new leader knows hosts that are long gone."""
        if boot - self.began_boot >= SETTLED_SECONDS:
            return True
        return all(view.is_heard for view in self.hosts.values() if view.heartbeat is not None)

    def heard(self) -> list[Host]:
        """Return the live hosts that have been heard by this leader, by name."""
        return [host for host in self.live() if self.hosts[host].is_heard]

    def preference(self, refused: tuple[Host, ...] = ()) -> tuple[Host, ...]:
        """Order the live hosts for an offer, and spend a slot of the first (rule O5)."""
        live = [self.hosts[host] for host in self.live()]
        live.sort(key=lambda view: (view.host in refused, -view.budget, view.host))
        if live and live[0].budget > 0:
            live[0].budget -= 1
        return tuple(view.host for view in live)

    def lists(self, host: Host, attempt: AttemptId) -> bool:
        """Whether a host's newest heartbeat holds an attempt that has not ended there."""
        view = self.hosts.get(host)
        if view is None or view.heartbeat is None or attempt not in view.held:
            return False
        return any(
            held.run == attempt.run
            and held.attempt == attempt.attempt
            and held.phase is not Phase.ENDED
            for held in view.heartbeat.held
        )

    def total_slots(self) -> int:
        """Return the slots of all live hosts."""
        views = (self.hosts[host] for host in self.live())
        return sum(view.heartbeat.slots for view in views if view.heartbeat is not None)


def _daemons_of(heartbeat: Heartbeat) -> frozenset[ContextKey]:
    """Return what lives in the shim, and what the host's Arbiter cannot rule out."""
    living = (held.run for held in heartbeat.held if held.phase is not Phase.ENDED)
    return frozenset(context_of(run) for run in living if is_instance(run)).union(
        heartbeat.daemons_here
    )
