"""Which daemons run on this host: what should, compared with what does (section "Daemons").

Level-triggered: whatever was lost on the way is put right at the next comparison. The leader alone
decides where a daemon belongs and writes it into the offer, so two hosts never disagree; the
Watchdog of the context carries it out. Nothing is done before this host's incarnation is known,
and nothing before the offers have been read up to their end: a compacted topic still holds offers
that later ones have replaced.

Words between actors may be lost. So what is not answered is said again, the Supervisor is asked
anew where the Watchdog is, and at each look into the shim a daemon that should live and does not is
said again too, also where its Watchdog had answered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from kirby.core.leader.editions import offer_for
from kirby.core.messages import DaemonsStand, KeepRunning
from kirby.core.names import ContextKey, Epoch, Host, Incarnation
from kirby.core.records import DaemonOffer, Instance

REPEAT_SECONDS = 2.0  # a Watchdog answers at once
GONE_ELSEWHERE = "it no longer belongs on this host"
NOT_WANTED = "it was stopped or deleted"

V = TypeVar("V")


@dataclass(frozen=True, kw_only=True)
class Keep:
    """Tell the Watchdog to keep it running."""

    keep: KeepRunning


@dataclass(frozen=True, kw_only=True)
class Release:
    """Tell the Watchdog to let it go."""

    context: ContextKey
    incarnation: Incarnation
    reason: str


@dataclass(frozen=True, kw_only=True)
class FindWatchdog:
    """Ask the Supervisor who guards the context: a word to the last one known was not answered."""

    context: ContextKey


@dataclass(frozen=True, kw_only=True)
class AskEnd:
    """Ask for the end of the offers; `OffersReadUp` when they were read up to it."""


Word: TypeAlias = Keep | Release


@dataclass(frozen=True, kw_only=True)
class Said:
    """What was told to a Watchdog last, and when."""

    word: Word
    boot: float


@dataclass(frozen=True, kw_only=True)
class Daemons:
    """What the Arbiter of one host knows."""

    host: Host
    incarnation: Incarnation | None = None
    read_up: bool = False
    checking: bool = False  # whether what was read is still the latest
    offers: Mapping[ContextKey, DaemonOffer] = field(default_factory=dict)
    epochs: Mapping[ContextKey, Epoch] = field(default_factory=dict)  # highest seen, also of others
    here: Mapping[ContextKey, Instance] = field(default_factory=dict)  # as the Watchdogs say
    found: frozenset[ContextKey] = frozenset()  # instances that the shim holds, alive
    answered: Mapping[ContextKey, KeepRunning] = field(default_factory=dict)
    said: Mapping[ContextKey, Said] = field(default_factory=dict)  # the last word to its Watchdog
    # What may run or start here, until its Watchdog says that nothing is left.
    maybe: frozenset[ContextKey] = frozenset()
    read: Mapping[int, int] = field(default_factory=dict)  # the next offset of each partition

    @property
    def is_sure(self) -> bool:
        """Whether the offers that were read are the latest, as far as that can be known."""
        return self.read_up and not self.checking


@dataclass(frozen=True, kw_only=True)
class IncarnationKnown:
    """The host's Runner has said hello to the shim."""

    incarnation: Incarnation


@dataclass(frozen=True, kw_only=True)
class DaemonOfferRead:
    """An offer was read, or the tombstone that ends it."""

    context: ContextKey
    offer: DaemonOffer | None


@dataclass(frozen=True, kw_only=True)
class OffersReached:
    """A partition of the offers was read so far."""

    partition: int
    next_offset: int


@dataclass(frozen=True, kw_only=True)
class OffersReadUp:
    """The topic was read up to an end offset taken after this actor began."""


@dataclass(frozen=True, kw_only=True)
class ShimHolds:
    """The contexts of all instances that live in the shim."""

    contexts: frozenset[ContextKey]


@dataclass(frozen=True, kw_only=True)
class InstanceSeen:
    """A Watchdog told how an instance stands, and by which word it goes."""

    instance: Instance
    gone: bool = False
    answers: KeepRunning | None = None


@dataclass(frozen=True, kw_only=True)
class WatchdogReplaced:
    """The context's Watchdog is another one: it knows nothing yet."""

    context: ContextKey


@dataclass(frozen=True, kw_only=True)
class Ticked:
    """Time passed."""


@dataclass(frozen=True, kw_only=True)
class TellRunner:
    """Tell the Runner, for the heartbeat."""

    instance: Instance
    gone: bool = False


@dataclass(frozen=True, kw_only=True)
class TellRunnerAll:
    """Tell the Runner of all instances: what it knows beyond them is out of date."""

    instances: tuple[Instance, ...]


Event: TypeAlias = (
    IncarnationKnown
    | DaemonOfferRead
    | OffersReached
    | OffersReadUp
    | ShimHolds
    | InstanceSeen
    | WatchdogReplaced
    | Ticked
)
Effect: TypeAlias = Word | AskEnd | FindWatchdog | TellRunner | TellRunnerAll


def step(daemons: Daemons, event: Event, boot: float) -> tuple[Daemons, list[Effect]]:
    """Take one event at a BOOTTIME; return the next state and what is to be told."""
    daemons, effects = _take(daemons, event)
    daemons, more = _compare(daemons, boot)
    return daemons, [*effects, *more]


def next_wake(daemons: Daemons) -> float | None:
    """Return the BOOTTIME at which something is to be repeated; None: all is as it should be."""
    owed = [context for context, _ in _differences(daemons)]
    return min((daemons.said[context].boot + REPEAT_SECONDS for context in owed), default=None)


def _take(daemons: Daemons, event: Event) -> tuple[Daemons, list[Effect]]:
    match event:
        case IncarnationKnown():
            return _new_incarnation(daemons, event.incarnation)
        case DaemonOfferRead():
            return _offer_read(daemons, event), []
        case OffersReached():
            reached = max(event.next_offset, daemons.read.get(event.partition, 0))
            return replace(daemons, read={**daemons.read, event.partition: reached}), []
        case OffersReadUp():
            return replace(daemons, read_up=True, checking=False), []
        case ShimHolds():
            return _looked(daemons, event.contexts)
        case InstanceSeen():
            return _seen(daemons, event)
        case WatchdogReplaced():
            return _forget(daemons, event.context), []
        case Ticked():
            return daemons, []


def _new_incarnation(daemons: Daemons, incarnation: Incarnation) -> tuple[Daemons, list[Effect]]:
    """Say everything again: older words bear a number that the shim refuses."""
    if daemons.incarnation is not None and incarnation <= daemons.incarnation:
        return daemons, []  # older, or told again
    tell: list[Effect] = [TellRunner(instance=instance) for instance in daemons.here.values()]
    return replace(daemons, incarnation=incarnation, answered={}, said={}), tell


def _looked(daemons: Daemons, found: frozenset[ContextKey]) -> tuple[Daemons, list[Effect]]:
    """Compare with the shim: whose instance is not there is to be told again what should be."""
    answered = {context: keep for context, keep in daemons.answered.items() if context in found}
    tell: list[Effect] = []
    if daemons.read_up and (found | _wanted(daemons)) <= set(daemons.here):
        tell.append(TellRunnerAll(instances=tuple(daemons.here.values())))
    return replace(daemons, found=found, answered=answered), tell


def _wanted(daemons: Daemons) -> frozenset[ContextKey]:
    offers = daemons.offers.items()
    return frozenset(context for context, offer in offers if daemons.host in offer.hosts)


def _offer_read(daemons: Daemons, event: DaemonOfferRead) -> Daemons:
    context, offer = event.context, event.offer
    if offer is None:
        return replace(daemons, offers=_without(daemons.offers, context))
    if offer.epoch < daemons.epochs.get(context, Epoch(0)):
        return daemons  # of a leader that a later one has replaced
    known = daemons.offers.get(context)
    newly = daemons.host in offer.leaving and (known is None or daemons.host not in known.leaving)
    return replace(
        daemons,
        # An earlier Arbiter may have spoken to a Watchdog: so let that one say that it is gone.
        maybe=daemons.maybe | {context} if newly else daemons.maybe,
        offers={**daemons.offers, context: offer},
        epochs={**daemons.epochs, context: offer.epoch},
    )


def _seen(daemons: Daemons, event: InstanceSeen) -> tuple[Daemons, list[Effect]]:
    context = event.instance.context
    tell: list[Effect] = [TellRunner(instance=event.instance, gone=event.gone)]
    if event.gone:
        said = daemons.said.get(context)
        daemons = _forget(daemons, context)
        found, maybe = daemons.found - {context}, daemons.maybe - {context}
        daemons = replace(daemons, found=found, maybe=maybe)
        if said is not None and isinstance(said.word, Keep):
            return _given_up(daemons, context, said), [*tell, AskEnd()]
        return daemons, tell
    answered = daemons.answered
    if event.answers is not None:
        answered = {**answered, context: event.answers}
    known = daemons.here.get(context) == event.instance
    daemons = replace(daemons, here={**daemons.here, context: event.instance}, answered=answered)
    return daemons, [] if known else tell


def _given_up(daemons: Daemons, context: ContextKey, said: Said) -> Daemons:
    """Say nothing before the offers are read to their end again, and this word not at once.

    A Watchdog gives up what it should keep when the host's lease has ended: the host was not heard,
    and the daemon may have been given to another by an offer that was not read yet.
    """
    return replace(daemons, checking=True, said={**daemons.said, context: said})


def _forget(daemons: Daemons, context: ContextKey) -> Daemons:
    return replace(
        daemons,
        here=_without(daemons.here, context),
        answered=_without(daemons.answered, context),
        said=_without(daemons.said, context),
    )


def _compare(daemons: Daemons, boot: float) -> tuple[Daemons, list[Effect]]:
    effects: list[Effect] = []
    said, maybe = dict(daemons.said), daemons.maybe
    for context, word in _differences(daemons):
        last = said.get(context)
        if last is None or last.word != word:
            effects.append(word)
        elif last.boot + REPEAT_SECONDS <= boot:
            effects += [FindWatchdog(context=context), word]
        else:
            continue
        said[context] = Said(word=word, boot=boot)
        maybe |= {context}
    return (replace(daemons, said=said, maybe=maybe) if effects else daemons), effects


def standing(daemons: Daemons) -> DaemonsStand | None:
    """Return what the heartbeat is to say; None before the offers are read up."""
    if not daemons.read_up or daemons.incarnation is None:
        return None
    read = tuple(daemons.read.get(each, 0) for each in range(max(daemons.read, default=-1) + 1))
    return DaemonsStand(read=read, here=tuple(sorted(_here(daemons))))


def _here(daemons: Daemons) -> set[ContextKey]:
    return {*daemons.maybe, *daemons.found, *daemons.here, *daemons.answered}


def _differences(daemons: Daemons) -> Iterator[tuple[ContextKey, Word]]:
    """Yield what should be told to the Watchdogs, as what is differs from what should be."""
    incarnation = daemons.incarnation
    if incarnation is None or not daemons.is_sure:
        return
    for context, offer in daemons.offers.items():
        if daemons.host not in offer.hosts:
            continue
        keep = KeepRunning(offer=offer_for(offer, daemons.host), incarnation=incarnation)
        if daemons.answered.get(context) != keep:
            yield context, Keep(keep=keep)
    for context in sorted(_here(daemons)):
        named = daemons.offers.get(context)
        if named is None or daemons.host not in named.hosts:
            reason = GONE_ELSEWHERE if named is not None and named.hosts else NOT_WANTED
            yield context, Release(context=context, incarnation=incarnation, reason=reason)


def _without(table: Mapping[ContextKey, V], context: ContextKey) -> Mapping[ContextKey, V]:
    return {key: value for key, value in table.items() if key != context}
