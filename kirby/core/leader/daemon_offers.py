"""What the leader says of daemons: which should run, and on which hosts (section "Daemons")."""

import msgspec

from kirby.core.leader.book import Book
from kirby.core.leader.offering import Desk
from kirby.core.leader.placement import place
from kirby.core.names import Host
from kirby.core.nouns import plan_of
from kirby.core.records import DaemonOffer, TopicName


def decide_daemon(desk: Desk, book: Book) -> None:
    """Post a daemon's offer, or its tombstone, where what stands in the log is no longer true."""
    wanted = _wanted(desk, book)
    if wanted is None:
        if book.posted is not None:
            _post(desk, book, None)
    elif book.posted is None or _says(wanted) != _says(book.posted):
        _post(desk, book, wanted)


def _wanted(desk: Desk, book: Book) -> DaemonOffer | None:
    definition = book.definition
    if definition is None or not book.is_daemon or definition.held or not definition.enabled:
        return None
    return DaemonOffer(
        context=book.context,
        epoch=desk.epoch,
        hosts=place(book.context, definition.hosts, _eligible(desk, book)),
        generation=book.generation,
        plan=plan_of(definition),
    )


def _eligible(desk: Desk, book: Book) -> list[Host]:
    """Return the living hosts, and those that hold it already and are not lost yet.

    A host that is silent for a desk keeps what it has: only its loss moves a daemon.
    """
    roster = desk.roster
    keeps = [
        host
        for host in (book.posted.hosts if book.posted is not None else ())
        if host not in roster.drained and not roster.view(host).is_lost
    ]
    return sorted({*roster.live(), *keeps})


def _says(offer: DaemonOffer) -> DaemonOffer:
    """Return the offer without what changes with the leader alone."""
    plan = msgspec.structs.replace(offer.plan, revision=0)
    return msgspec.structs.replace(offer, epoch=0, plan=plan)


def _post(desk: Desk, book: Book, offer: DaemonOffer | None) -> None:
    book.posted = offer
    desk.draft.touch(book.context)
    desk.draft.post(TopicName.DAEMONS, book.context, offer)
