"""What the leader says of daemons: which should run, and on which hosts (section "Daemons")."""

from datetime import timedelta

import msgspec

from kirby.core.leader.book import Book
from kirby.core.leader.holders import holders, remaining
from kirby.core.leader.moves import most_places, next_places
from kirby.core.leader.offering import Desk
from kirby.core.leader.placement import place
from kirby.core.leader.rollout import roll
from kirby.core.leader.sightings import eyes
from kirby.core.names import Host
from kirby.core.nouns import Definition, plan_of
from kirby.core.records import DaemonOffer, Edition, TopicName


def decide_daemon(desk: Desk, book: Book, *, is_settled: bool, probation: timedelta) -> None:
    """Post a daemon's offer, or its tombstone, where what stands in the log is no longer true.

    A new leader knows hosts that are long gone: it places nothing before it `is_settled`.
    """
    definition = _wanted(book)
    if definition is None and book.posted is None:
        return
    if definition is None:
        offer = _ending(desk, book)
    elif is_settled or book.posted is None:
        offer = _running(desk, book, definition, probation)
    else:
        return
    if definition is None and not offer.leaving:
        _post(desk, book, None)
    elif book.posted is None or _says(offer) != _says(book.posted):
        _post(desk, book, offer)


def _wanted(book: Book) -> Definition | None:
    definition = book.definition
    if definition is None or not book.is_daemon or definition.held or not definition.enabled:
        return None
    return definition


def _ending(desk: Desk, book: Book) -> DaemonOffer:
    """Have it end wherever something of it may be left."""
    posted = book.posted
    assert posted is not None  # else there is nothing to be said
    places = next_places((), None, _held(desk, book))
    return msgspec.structs.replace(
        posted,
        epoch=desk.epoch,
        hosts=(),
        leaving=places.leaving,
        earlier=(),
        roll_out=None,
        refused=None,
        at=desk.now,
    )


def _running(desk: Desk, book: Book, definition: Definition, probation: timedelta) -> DaemonOffer:
    held = _held(desk, book)
    target = place(book.context, definition.hosts, _eligible(desk, held))
    places = next_places(target, most_places(definition.hosts), held)
    wanted = Edition(plan=plan_of(definition), generation=book.generation)
    see = eyes(desk.roster, book.context)
    rolled = roll(wanted, book.posted, places.hosts, see, desk.now, probation)
    return DaemonOffer(
        context=book.context,
        epoch=desk.epoch,
        hosts=places.hosts,
        leaving=places.leaving,
        generation=rolled.main.generation,
        plan=rolled.main.plan,
        earlier=rolled.earlier,
        roll_out=rolled.roll_out,
        refused=rolled.refused,
        at=desk.now,
    )


def _held(desk: Desk, book: Book) -> frozenset[Host]:
    """Return the hosts that it was given to, and all on which something of it may be left."""
    roster, posted = desk.roster, book.posted
    given = posted.hosts if posted is not None else ()
    leaving = posted.leaving if posted is not None else ()
    left = remaining(roster, book.context, leaving, book.stands)
    return left | holders(roster, book.context) | _not_lost(desk, given)


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
    return msgspec.structs.replace(offer, epoch=0, plan=plan, at=None)


def _post(desk: Desk, book: Book, offer: DaemonOffer | None) -> None:
    book.posted, book.stands = offer, None
    desk.draft.touch(book.context)
    desk.draft.post(TopicName.DAEMONS, book.context, offer)
