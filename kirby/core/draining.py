"""How far a host has come that is being taken out (section "Daemons")."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from kirby.core.names import is_instance
from kirby.core.records import Phase


class DrainState(Enum):
    """How far it has come."""

    DRAINING = "draining"
    DRAINED = "drained"


@dataclass(frozen=True, kw_only=True)
class Draining:
    """What a host that is being taken out still holds."""

    runs: int
    daemons: int
    is_told: bool  # its heartbeat says that it claims nothing any more

    @property
    def state(self) -> DrainState:
        """Return whether it is empty, and will stay so."""
        is_empty = self.is_told and not self.runs and not self.daemons
        return DrainState.DRAINED if is_empty else DrainState.DRAINING

    @property
    def sentence(self) -> str:
        """Say it in a few words."""
        if self.state is DrainState.DRAINED:
            return "drained"
        held = [_counted(self.runs, "run"), _counted(self.daemons, "daemon")]
        holds = ", ".join(each for each in held if each)
        return f"draining (holds {holds})" if holds else "draining"


def draining_of(
    held: Iterable[tuple[str, str]], instances: Iterable[str], *, is_told: bool
) -> Draining:
    """Count what a host's heartbeat lists.

    Args:
        held: runs and instances in the shim, each with its phase; what has ended is no longer held.
        instances: ids of the daemons that belong there, whether they live at the moment or not.
        is_told: whether it says that it claims nothing.
    """
    living = {run for run, phase in held if phase != Phase.ENDED.value}
    daemons = {run for run in living if is_instance(run)}
    return Draining(
        runs=len(living - daemons), daemons=len(daemons.union(instances)), is_told=is_told
    )


def _counted(number: int, noun: str) -> str:
    if not number:
        return ""
    return f"{number} {noun}{'' if number == 1 else 's'}"
