"""What a leader knows who has read the log up: by the same steps that a new leader takes."""

from typing import TYPE_CHECKING, Any

from kirby.core.leader import scheduling
from kirby.core.leader.events import (
    Became,
    EndsKnown,
    ReadFrom,
    ReadTo,
    RecordRead,
    SchedulerEvent,
)
from kirby.core.leader.ledger import Ledger
from kirby.core.leader.state import Scheduling
from kirby.core.moment import Moment
from kirby.core.names import Epoch, Host
from kirby.core.records import TopicName
from tests.simulation.cluster.broker import Fate, instant_of

if TYPE_CHECKING:
    from tests.simulation.cluster.world import World


def ledger_read_from(world: "World") -> Ledger:
    """Read the log up as a successor would who begins now."""
    broker = world.broker
    state = Scheduling(host=Host("reader"), life=1, compile=world.compile)
    moment = Moment(wall=instant_of(world.timeline.now), boot=world.timeline.now)
    ends = {topic: broker.offsets(topic, broker.stable) for topic in TopicName}
    beginnings = {topic: broker.offsets(topic, lambda _place: 0) for topic in TopicName}
    waiting: list[SchedulerEvent] = [
        Became(epoch=Epoch(1 << 40)),
        EndsKnown(beginnings=beginnings, ends=ends),
    ]
    while waiting:
        state, effects = scheduling.step(state, waiting.pop(0), moment)
        for effect in effects:
            if isinstance(effect, ReadFrom):
                for (topic, partition), start in effect.starts.items():
                    place = topic, partition
                    log = broker.logs[place]
                    for offset in range(start, broker.stable(place)):
                        entry = log[offset]
                        if entry.fate is Fate.STANDS:
                            waiting.append(
                                RecordRead(
                                    topic=topic,
                                    partition=partition,
                                    offset=offset,
                                    key=entry.key,
                                    record=entry.record,
                                )
                            )
                    end = broker.stable(place)
                    waiting.append(ReadTo(topic=topic, partition=partition, offset=end))
    assert state.lead is not None
    assert state.lead.is_leading
    return state.lead.ledger


def told_of(ledger: Ledger) -> dict[str, Any]:
    """Return what a ledger knows, as far as it must be the same for all who read the log."""
    return {
        context: (
            book.considered,
            book.token,
            book.definition,
            {
                run: (
                    each.fire.attempt,
                    each.fire.spent,
                    each.fire.offered,
                    each.fire.token,
                    each.fire.holder,
                    each.fire.holder_incarnation,
                    each.fire.withdrawn,
                    each.first_claim is not None,
                    each.report is not None,
                )
                for run, each in sorted(book.fires.items())
            },
        )
        for context, book in sorted(ledger.books.items())
    }
