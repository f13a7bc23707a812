"""What the shim is told to run: an offer, its environment, its variables with secrets opened."""

from collections.abc import Callable

from kirby.core.durations import MILLISECOND
from kirby.core.guarding.arming import (
    House,
    Personal,
    environment_of_daemon,
    environment_of_run,
    meta_of_daemon,
    meta_of_run,
)
from kirby.core.messages import ArmRun, KeepRunning
from kirby.core.moment import Moment
from kirby.core.names import InstanceId, instance_id
from kirby.core.nouns import RunPlan
from kirby.host.keys import ClusterKeys
from kirby.host.shim_messages import Arm
from kirby.packages.environments import Environment

NANOSECONDS = 1_000_000_000


class Orders:
    """Writes orders to the shim for one host."""

    def __init__(
        self, house: House, key: ClusterKeys, find: Callable[[str], Environment | None]
    ) -> None:
        self._house = house
        self._key = key
        self._find = find

    def instance(self, keep: KeepRunning) -> InstanceId:
        """Name the instance of a daemon on this host."""
        return instance_id(keep.offer.context, self._house.host)

    def of_run(self, arm: ArmRun, now: Moment) -> Arm | None:
        """Return the order for a scheduled attempt; None: its environment is not there.

        Due instant and deadline become BOOTTIME now, so that a wall clock that jumps starts
        nothing early (rule S1).

        Raises:
            Insecure: a secret cannot be opened with this host's key.
        """
        offer, plan, offset = arm.offer, arm.offer.plan, arm.clock_offset_seconds
        environment = self._find(plan.package)
        if environment is None:
            return None
        own = self._personal(offer.run, plan, environment)
        return Arm(
            incarnation=arm.incarnation,
            run=offer.run,
            attempt=offer.attempt,
            context=offer.context,
            kind="run",
            argv=environment.command,
            env=environment_of_run(self._house, own, offer),
            not_before_boot_ns=round(now.boot_of(offer.not_before, offset) * NANOSECONDS),
            not_before_ns=round(offer.not_before.timestamp() * NANOSECONDS),
            deadline_boot_ns=round(now.boot_of(offer.deadline, offset) * NANOSECONDS),
            time_limit_ms=(plan.time_limit // MILLISECOND) if plan.time_limit else 0,
            grace_ms=plan.grace // MILLISECOND,
            memory_limit=plan.memory_limit or 0,
            output_limit=plan.output_limit,
            prestart=plan.prestart,
            exclusive=plan.exclusive,
            meta=meta_of_run(offer, clock_offset_seconds=offset, claimed_at=arm.claimed_at),
        )

    def of_daemon(self, keep: KeepRunning) -> Arm | None:
        """Return the order for a daemon's instance; None: its environment is not there.

        Raises:
            Insecure: a secret cannot be opened with this host's key.
        """
        offer, plan = keep.offer, keep.offer.plan
        environment = self._find(plan.package)
        if environment is None:
            return None
        run = self.instance(keep)
        return Arm(
            incarnation=keep.incarnation,
            run=run,
            attempt=0,
            context=offer.context,
            kind="daemon",
            argv=environment.command,
            env=environment_of_daemon(self._house, self._personal(run, plan, environment), offer),
            grace_ms=plan.grace // MILLISECOND,
            memory_limit=plan.memory_limit or 0,
            output_limit=plan.output_limit,
            prestart=False,
            exclusive=plan.exclusive,
            meta=meta_of_daemon(offer),
        )

    def _personal(self, run: str, plan: RunPlan, environment: Environment) -> Personal:
        return Personal(
            run=run,
            token=self._key.run_token(run),
            bin=str(environment.python.parent),
            values={each.name: self._key.value_of(each) for each in plan.variables},
        )
