"""What a Supervisor knows in the election, what it hears, and what is to be done.

All instants are seconds of this host's own BOOTTIME, which never jumps and counts suspension;
instants of different hosts are never compared. How old a peer's word is, is bounded without their
clocks: each pulse names the last pulse that its sender had from the receiver, and how long ago.
States are msgspec structs, as these are copied ten times as fast as dataclasses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import msgspec

from kirby.core.messages import LeadFailure, LeadState
from kirby.core.names import Epoch, Host

PULSE_EVERY_S = 0.5
PULSE_DEADLINE_S = 1.0  # an unanswered pulse holds back the next one for so long; older is old
SILENCE_S = 1.0  # after which a peer is dead
CONFIRMED_WITHIN_S = 2.0  # a standby's last answer from Kafka
COMMITTED_WITHIN_S = 5.0  # the leader's last commit
CLOCK_WITHIN_S = 2.0  # of the broker's clock
BEATLESS_S = 3.0  # without a beat the leader counts as gone, whatever its Supervisor says
TRY_EVERY_S = 1.0  # a candidate that the gate refused
STAND_BACK_S = 5.0
STAND_BACK_MOST_S = 300.0


class Stance(Enum):
    """Where a Supervisor stands."""

    FOLLOWING = "following"
    STANDING = "standing"  # the candidate: its Scheduler tries for the lead
    LEADING = "leading"  # its Scheduler has an epoch


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """A Supervisor's heartbeat to a peer, or the answer to one."""

    host: Host
    life: int
    term: int
    priority: int
    stance: Stance
    eligible: bool
    stands_back: bool
    epoch: Epoch | None
    sent: float  # by the sender's clock; only the sender ever reads it again
    asks: bool  # False: an answer, or an announcement
    echo: float | None  # `sent` of the last pulse from the receiver; None: had none
    echo_life: int | None  # the receiver's life in it
    held: float  # how long ago that was, seconds


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of another Supervisor."""

    pulse: Pulse | None = None  # the latest that was not old
    heard: float | None = None  # when that came
    leading_since: float | None = None  # as far as its pulses told
    last: tuple[int, float] = (-1, 0.0)  # life and `sent` of the latest pulse, old or not
    had: float = 0.0  # when that came
    asked: float | None = None  # the last pulse to it
    answered: bool = True


class OwnScheduler(msgspec.Struct, frozen=True, kw_only=True):
    """The latest word of this host's Scheduler."""

    state: LeadState = LeadState.STANDING_BY
    confirmed: float | None = None
    clock_offset_s: float | None = None
    silent_s: float | None = None
    said: float = 0.0
    epoch: Epoch | None = None
    read_up_completed: int = 0


class Election(msgspec.Struct, frozen=True, kw_only=True):
    """One Supervisor's part in the election."""

    me: Host
    life: int
    listening_since: float  # nobody is declared dead in the first second of listening
    priority: int = 0
    term: int = 0
    stance: Stance = Stance.FOLLOWING
    peers: Mapping[Host, Peer] = msgspec.field(default_factory=dict)
    scheduler: OwnScheduler = OwnScheduler()
    stepped: float | None = None
    told: float | None = None  # when the Scheduler was last told what to do
    failures: int = 0
    stands_back_until: float | None = None

    def with_peer(self, host: Host, peer: Peer) -> "Election":
        """Replace what is known of a peer."""
        return msgspec.structs.replace(self, peers={**self.peers, host: peer})

    def rank(self) -> tuple[int, Host]:
        """Return this Supervisor's rank: the highest that is eligible stands."""
        return self.priority, self.me


# ---- events -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ticked:
    """Time has passed."""


@dataclass(frozen=True, kw_only=True)
class PeersKnown:
    """The roll-call: all Supervisors of the cluster (this one may be among them)."""

    hosts: frozenset[Host]


@dataclass(frozen=True, kw_only=True)
class PulseHeard:
    """A pulse came."""

    pulse: Pulse


@dataclass(frozen=True, kw_only=True)
class SchedulerSaid:
    """The own Scheduler reported."""

    state: LeadState
    confirmed: float
    clock_offset_s: float | None
    silent_s: float | None
    epoch: Epoch | None = None
    read_up_completed: int = 0


@dataclass(frozen=True, kw_only=True)
class LeadLost:
    """The own Scheduler did not come to lead, or leads no longer."""

    failure: LeadFailure


@dataclass(frozen=True, kw_only=True)
class SchedulerGone:
    """The own Scheduler died; the next one knows nothing."""


Event = Ticked | PeersKnown | PulseHeard | SchedulerSaid | LeadLost | SchedulerGone


# ---- effects ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SendPulse:
    """Send a pulse to a peer."""

    to: Host
    pulse: Pulse


@dataclass(frozen=True, kw_only=True)
class Stand:
    """Have the own Scheduler try for the lead."""

    term: int


@dataclass(frozen=True, kw_only=True)
class StandDown:
    """Have the own Scheduler stand by."""

    term: int


Effect = SendPulse | Stand | StandDown
