"""Daemons' offers, and the words that Arbiter and Watchdog exchange."""

from kirby.core.messages import KeepRunning
from kirby.core.names import ContextKey, Epoch, Host, Incarnation
from kirby.core.nouns import RunPlan, Variable
from kirby.core.records import DaemonOffer

ALPHA, BETA = Host("alpha"), Host("beta")
MIXER = ContextKey("mixer/prod")
PACKAGE = "mixer==1.0"


def a_daemon_offer(
    *,
    context: ContextKey = MIXER,
    epoch: int = 1,
    hosts: tuple[Host, ...] = (ALPHA,),
    leaving: tuple[Host, ...] = (),
    generation: int = 0,
    package: str = PACKAGE,
    variables: tuple[Variable, ...] = (),
) -> DaemonOffer:
    return DaemonOffer(
        context=context,
        epoch=Epoch(epoch),
        hosts=hosts,
        leaving=leaving,
        generation=generation,
        plan=RunPlan(context=context, package=package, variables=variables),
    )


def a_keep(offer: DaemonOffer | None = None, life: int = 500) -> KeepRunning:
    return KeepRunning(offer=offer or a_daemon_offer(), incarnation=Incarnation(life))
