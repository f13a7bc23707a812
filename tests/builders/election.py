"""One Supervisor's election, and what it hears; each test names only what matters to it."""

from dataclasses import replace

from kirby.core.election import step as core
from kirby.core.election.state import (
    Effect,
    Election,
    Event,
    PeersKnown,
    Pulse,
    PulseHeard,
    SchedulerSaid,
    SendPulse,
    Stance,
)
from kirby.core.messages import LeadState
from kirby.core.names import Epoch, Host


class Supervisor:
    """Steps an election and remembers what it wants done."""

    def __init__(self, name: str = "beta", *, peers: tuple[str, ...] = (), now: float = 100.0):
        self.now = now
        self.election = Election(me=Host(name), life=1, listening_since=now)
        self.done: list[Effect] = []
        if peers:
            self.hears(PeersKnown(hosts=frozenset(Host(peer) for peer in peers)))

    def hears(self, event: Event, *, after: float = 0.0) -> list[Effect]:
        """Let time pass, then hear something; return what it wants done, pulses excepted."""
        self.now += after
        self.election, effects = core.step(self.election, event, self.now)
        self.done.extend(effects)
        return [effect for effect in effects if not isinstance(effect, SendPulse)]

    def scheduler_says(
        self,
        state: LeadState = LeadState.STANDING_BY,
        *,
        after: float = 0.0,
        clock_off: float | None = 0.0,
        silent: float | None = None,
        epoch: int | None = None,
        read_ups: int = 0,
        confirmed_ago: float = 0.0,
    ) -> list[Effect]:
        """Hear the own Scheduler, in good health unless told otherwise."""
        self.now += after
        return self.hears(
            SchedulerSaid(
                state=state,
                confirmed=self.now - confirmed_ago,
                clock_offset_s=clock_off,
                silent_s=silent,
                epoch=None if epoch is None else Epoch(epoch),
                read_up_completed=read_ups,
            )
        )

    def pulse_from(self, name: str, **said: object) -> Pulse:
        """Make a fresh pulse of an eligible peer that had this one's latest pulse just now."""
        pulse = Pulse(
            host=Host(name),
            life=1,
            term=0,
            priority=0,
            stance=Stance.FOLLOWING,
            eligible=True,
            stands_back=False,
            epoch=None,
            sent=self.now,
            asks=False,
            echo=self.now,
            echo_life=1,
            held=0.0,
        )
        return replace(pulse, **said)  # type: ignore[arg-type]

    def hears_from(self, name: str, *, after: float = 0.0, **said: object) -> list[Effect]:
        """Hear a peer's pulse."""
        self.now += after
        return self.hears(PulseHeard(pulse=self.pulse_from(name, **said)))

    def pulses(self) -> list[SendPulse]:
        """Return the pulses sent so far that ask for an answer."""
        return [e for e in self.done if isinstance(e, SendPulse) and e.pulse.asks]
