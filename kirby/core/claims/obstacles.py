"""Why a Runner claims nothing, or leaves some offers alone: sentences for whoever asks."""

from collections.abc import Iterator

from kirby.core.claims.events import EnvironmentState
from kirby.core.claims.pulse import PERIOD_SECONDS
from kirby.core.claims.state import Claims, ShimTie
from kirby.core.prose import tell_count


def obstacles(claims: Claims, boot: float) -> list[str]:
    """Return what keeps a Runner from claiming, the gravest first; empty: nothing does."""
    return [*_of_the_host(claims, boot), *_of_slots(claims), *_of_environments(claims)]


def _of_the_host(claims: Claims, boot: float) -> Iterator[str]:
    """Tell of draining, the shim and rule C1: with any of these nothing is claimed at all."""
    if claims.draining:
        yield "it is being drained: what it holds goes on, and it claims nothing more"
    yield from _of_the_shim(claims, boot)
    yield from _of_kafka(claims, boot)


def _of_the_shim(claims: Claims, boot: float) -> Iterator[str]:
    question = claims.pulse.question
    if claims.shim is ShimTie.AWAY:
        yield "the shim does not answer: nothing can be started here until it does"
    elif question is not None and claims.pulse.overdue(boot):
        yield f"the shim has owed an answer for {boot - question.asked:.0f} s"
    elif claims.shim is ShimTie.REACHED and claims.incarnation is not None:
        yield "the shim has not taken in yet that this Runner is a new one"


def _of_kafka(claims: Claims, boot: float) -> Iterator[str]:
    posted = claims.pulse.posted
    if claims.incarnation is None:
        yield "Kafka has not acknowledged yet that this Runner began"
    elif posted is not None and boot - posted.sent_boot > PERIOD_SECONDS:
        silent = f"{boot - posted.sent_boot:.0f} s"
        yield f"Kafka is silent: a heartbeat has been on its way for {silent}"
    elif not claims.pulse.acknowledged:
        yield "Kafka has not acknowledged a heartbeat of this Runner yet"
    if claims.incarnation is not None and not claims.read_up:
        yield "it still reads what was offered and claimed before it began"


def _of_slots(claims: Claims) -> Iterator[str]:
    waiting = sum(1 for place in claims.waiting.places() for _ in claims.waiting.backlog[place])
    if claims.holding.free <= 0:
        wait = f"; {tell_count(waiting, 'attempt waits', 'attempts wait')}" if waiting else ""
        yield f"no slot is free: {claims.holding.slots} of {claims.holding.slots} are taken{wait}"


def _of_environments(claims: Claims) -> Iterator[str]:
    for package, queue in sorted(claims.waiting.lacking.items()):
        want = claims.readiness.wants.get(package)
        waiting = tell_count(sum(1 for _ in queue), "attempt waits", "attempts wait")
        if want is not None and want.state is EnvironmentState.FAILED:
            yield f"no environment for {package}: {want.reason or 'its build failed'}; {waiting}"
        else:
            yield f"the environment of {package} is being built; {waiting}"
