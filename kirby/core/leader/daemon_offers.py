"""What the leader says of daemons: which should run, and on which hosts (section "Daemons")."""

import msgspec

from kirby.core.leader.book import Book
from kirby.core.leader.holders import holders, remaining
from kirby.core.leader.moves import Places, most_places, next_places
from kirby.core.leader.offering import Desk
from kirby.core.leader.placement import place
from kirby.core.names import Host
from kirby.core.nouns import Definition, plan_of
from kirby.core.records import DaemonOffer, TopicName


def decide_daemon(desk: Desk, book: Book, *, is_settled: bool = True) -> None:
    """Post a daemon's offer, or its tombstone, where what stands in the log is no longer true.

    A new leader knows hosts that are long gone: it places nothing before it `is_settled`.
    """
    definition = _wanted(book)
    if definition is None and book.posted is None:
        return
    offer = _offer(desk, book, definition, is_settled=is_settled)
    if definition is None and not offer.leaving:
        _post(desk, book, None)
    elif book.posted is None or _says(offer) != _says(book.posted):
        _post(desk, book, offer)


def _wanted(book: Book) -> Definition | None:
    definition = book.definition
    if definition is None or not book.is_daemon or definition.held or not definition.enabled:
        return None
    return definition


def _offer(
    desk: Desk, book: Book, definition: Definition | None, *, is_settled: bool
) -> DaemonOffer:
    places = _places(desk, book, definition, is_settled=is_settled)
    if definition is not None:
        plan = plan_of(definition)
    else:
        assert book.posted is not None  # else there is nothing to be said
        plan = book.posted.plan
    return DaemonOffer(
        context=book.context,
        epoch=desk.epoch,
        hosts=places.hosts,
        leaving=places.leaving,
        generation=book.generation,
        plan=plan,
    )


def _places(desk: Desk, book: Book, definition: Definition | None, *, is_settled: bool) -> Places:
    posted = book.posted
    given = posted.hosts if posted is not None else ()
    left = remaining(
        desk.roster, book.context, posted.leaving if posted is not None else (), book.stands
    )
    held = left | holders(desk.roster, book.context) | _not_lost(desk, given)
    if definition is None:
        return next_places((), None, held)
    if not is_settled:
        return Places(hosts=given, leaving=posted.leaving if posted is not None else ())
    target = place(book.context, definition.hosts, _eligible(desk, held))
    return next_places(target, most_places(definition.hosts), held)


def _eligible(desk: Desk, held: frozenset[Host]) -> list[Host]:
    """Return the living hosts, and those that hold it already and are not lost yet.

    A host that is silent for a while keeps what it has: only its loss moves a daemon.
    """
    return sorted({*desk.roster.heard(), *held} - desk.roster.drained)


def _not_lost(desk: Desk, hosts: tuple[Host, ...]) -> frozenset[Host]:
    return frozenset(host for host in hosts if not desk.roster.view(host).is_lost)


def _says(offer: DaemonOffer) -> DaemonOffer:
    """Return the offer without what changes with the leader alone."""
    plan = msgspec.structs.replace(offer.plan, revision=0)
    return msgspec.structs.replace(offer, epoch=0, plan=plan)


def _post(desk: Desk, book: Book, offer: DaemonOffer | None) -> None:
    book.posted, book.stands = offer, None
    desk.draft.touch(book.context)
    desk.draft.post(TopicName.DAEMONS, book.context, offer)
