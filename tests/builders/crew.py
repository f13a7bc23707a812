"""A crew of small actors under the real Supervisor, for the tests of the start process."""

from typing import Any, ClassVar

from kirby.actors.base import KirbyActor
from kirby.actors.supervisor import Supervisor
from kirby.core.messages import (
    ActorMoved,
    Begin,
    IncarnationIs,
    LeadState,
    SchedulerState,
    TakeLead,
    WatchdogIs,
    WatchdogWanted,
)
from kirby.core.names import ContextKey, Epoch, Incarnation
from kirby.kafka.quiet import log as made_before_the_fork


class Listener(KirbyActor):
    """Remembers what it heard, and shows it in the status."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def begin(self, begin: Begin, sender: Any) -> None:
        self.supervisor = sender
        self.heard.append(f"begin {begin.configuration.name} life {begin.life}")

    def on(self, message: Any, sender: Any) -> None:
        match message:
            case IncarnationIs():
                self.heard.append(f"incarnation {message.incarnation}")
            case ActorMoved():
                self.heard.append(f"{message.role} moved")
            case WatchdogIs():
                self.heard.append(f"watchdog of {message.context}")
            case TakeLead():
                self.heard.append(f"take lead {message.term}")
            case _:
                self.heard.append(type(message).__name__)

    def facts(self) -> dict[str, Any]:
        return {"heard": self.heard}


class SmallRunner(Listener):
    role = "runner"

    def begin(self, begin: Begin, sender: Any) -> None:
        super().begin(begin, sender)
        self.send(sender, IncarnationIs(incarnation=Incarnation(begin.life * 10)))
        for context in ("pump/prod", "pump/dev", "oven/prod"):
            self.send(sender, WatchdogWanted(context=ContextKey(context)))


class SmallArbiter(Listener):
    role = "arbiter"

    def begin(self, begin: Begin, sender: Any) -> None:
        super().begin(begin, sender)
        made_before_the_fork.warning("the bread is in the oven")


class SmallRecorder(Listener):
    role = "recorder"


class SmallWatchdog(Listener):
    role = "watchdog"


class SmallScheduler(Listener):
    role = "scheduler"
    leads = False

    def begin(self, begin: Begin, sender: Any) -> None:
        super().begin(begin, sender)
        self.name = begin.configuration.name
        self.woke(None)

    def on(self, message: Any, sender: Any) -> None:
        super().on(message, sender)
        self.leads = self.leads or isinstance(message, TakeLead)

    def woke(self, purpose: Any) -> None:
        state = SchedulerState(
            state=LeadState.LEADING if self.leads else LeadState.STANDING_BY,
            confirmed_boot=self.clock.boot(),
            clock_offset_seconds=0.0,
            silent_seconds=None,
            leader=self.name if self.leads else None,
            epoch=Epoch(42) if self.leads else None,
        )
        self.send(self.supervisor, state)
        self.wake(0.5, "report")


class SmallSupervisor(Supervisor):
    classes: ClassVar = {
        role: f"{__name__}.Small{role.title()}"
        for role in ("runner", "arbiter", "recorder", "scheduler", "watchdog")
    }


class DyingRunner(SmallRunner):
    """Ends as soon as it begins."""

    def begin(self, begin: Begin, sender: Any) -> None:
        raise SystemExit(1)


class FailingScheduler(SmallScheduler):
    """Cannot begin."""

    def begin(self, begin: Begin, sender: Any) -> None:
        raise ValueError("no flour")


class SupervisorOfTheDying(SmallSupervisor):
    classes: ClassVar = SmallSupervisor.classes | {
        "runner": f"{__name__}.DyingRunner",
        "recorder": "nowhere.to.be.Found",
        "scheduler": f"{__name__}.FailingScheduler",
    }
