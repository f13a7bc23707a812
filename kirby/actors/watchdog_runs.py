"""How a Watchdog arms scheduled attempts in the shim."""

from functools import partial
from typing import Any

from kirby.actors.base import KirbyActor
from kirby.actors.post import Post
from kirby.actors.shim_link import Outcome, ShimLink
from kirby.actors.watchdog_memory import WatchdogMemory
from kirby.actors.watchdog_orders import Orders
from kirby.core.claims.waiting import attempt_of
from kirby.core.errors import Insecure
from kirby.core.messages import ArmAnswered, ArmOutcome, ArmRun
from kirby.core.moment import Moment
from kirby.core.records import Phase
from kirby.host.shim_messages import Arm, NotDone, ShimPhase, Taken

NOT_THERE = "not_found"  # as the shim says it of an interpreter


class WatchdogRuns:
    """Arms attempts and answers the Runner; a repeat is answered with what the shim holds."""

    def __init__(
        self,
        actor: KirbyActor,
        shim: ShimLink,
        orders: Orders,
        memory: WatchdogMemory,
        post: Post,
    ) -> None:
        self._actor = actor
        self._post = post
        self._shim = shim
        self._orders = orders
        self._memory = memory

    def arm(self, arm: ArmRun, runner: Any) -> None:
        """Have an attempt armed; the answer goes to the Runner."""
        now = Moment(wall=self._actor.clock.now(), boot=self._actor.clock.boot())
        try:
            order = self._orders.of_run(arm, now)
        except Insecure as fault:
            self._refuse(arm, runner, "insecure", str(fault))
            return
        if order is None:
            sentence = f"the environment of {arm.offer.plan.package} is not on this host"
            self._refuse(arm, runner, NOT_THERE, sentence)
            return
        if order.memory_limit:
            self._shim.follow()
        self._shim.ask(order, partial(self._answered, arm, order, runner))

    def _answered(self, arm: ArmRun, order: Arm, runner: Any, outcome: Outcome) -> None:
        attempt = attempt_of(arm.offer)
        match outcome:
            case Taken(phase=ShimPhase.BARRED):
                self._refuse(arm, runner, "barred", "the attempt was withdrawn on this host")
            case Taken(phase=phase):
                self._memory.taken(attempt, order.memory_limit)
                answer = ArmAnswered(
                    attempt=attempt, outcome=ArmOutcome.HELD, phase=Phase(phase.value)
                )
                self._post.put(runner, answer)
            case NotDone() as refused:
                self._refuse(arm, runner, refused.refusal.value, str(refused))
            case _:
                answer = ArmAnswered(attempt=attempt, outcome=ArmOutcome.NO_ANSWER)
                self._post.put(runner, answer)

    def _refuse(self, arm: ArmRun, runner: Any, code: str, sentence: str) -> None:
        answer = ArmAnswered(
            attempt=attempt_of(arm.offer),
            outcome=ArmOutcome.REFUSED,
            code=code,
            sentence=sentence,
        )
        self._post.put(runner, answer)
