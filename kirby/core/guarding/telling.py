"""What is told of a daemon's instance: to the Arbiter, in heartbeats, and to people."""

from kirby.core.back_off import DaemonHealth
from kirby.core.guarding.fitting import Fitting, fitting_of
from kirby.core.guarding.instance import Daemon, Down, Ending, Up
from kirby.core.records import Instance, InstanceState


def instance_of(daemon: Daemon, *, memory: int = 0) -> Instance:
    """Return what is told of the instance, and shown."""
    life = daemon.life.life if isinstance(daemon.life, Ending) else daemon.life
    offer = daemon.keep.offer if daemon.keep is not None else None
    up = life if isinstance(life, Up) else None
    wanted = fitting_of(offer) if offer else None
    fitting = up.fitting if up else wanted or Fitting()
    return Instance(
        context=daemon.context,
        state=_state_of(daemon),
        attempt=up.attempt if up else 0,
        generation=fitting.generation,
        package=fitting.package,
        since=up.since if up else None,
        restarts=daemon.restarted,
        reason=_reason_of(daemon),
        memory=memory if up else 0,
        edition=up.fitting.name if up else "",
        wanted=wanted.name if wanted else "",
        failed=daemon.failed if daemon.failed_for_good else "",
        in_a_row=daemon.restarts.in_a_row,
        last_end=daemon.last_end,
    )


def _state_of(daemon: Daemon) -> InstanceState:
    looping = daemon.restarts.health is DaemonHealth.CRASH_LOOP
    match daemon.life:
        case Ending():
            return InstanceState.STOPPING
        case Up():
            return InstanceState.CRASH_LOOP if looping else InstanceState.RUNNING
        case Down() if daemon.failed:
            return InstanceState.NOT_INSTALLED
        case Down(wait=wait) if wait:
            return InstanceState.CRASH_LOOP if looping else InstanceState.BACKING_OFF
    return InstanceState.STARTING


def _reason_of(daemon: Daemon) -> str:
    match daemon.life:
        case Ending(reason=reason):
            return reason
        case Down() if daemon.failed:
            return daemon.failed
        case Down(wait=wait) if wait and daemon.restarts.in_a_row:
            return daemon.restarts.sentence(wait, daemon.reason)
        case Down(wait=wait) if wait:
            return daemon.reason
        case Up() if daemon.restarts.in_a_row:
            return f"the last life ended: {daemon.reason}"
    return ""
