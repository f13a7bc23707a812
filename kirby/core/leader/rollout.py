"""How a daemon's new edition comes to its hosts: one after the other, and back if it fails.

A host proves the new edition when one life of it has lasted the probation; only then is the next
one given it. All that is known stands in the daemon's offer, so another leader goes on where this
one stopped. Where an edition fails on any host, all hosts go back to the one before at once, and it
is not tried again until the definition changes, or somebody restarts the daemon.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from kirby.core.leader.editions import (
    assigned,
    freshly_sealed,
    grouped,
    main_edition,
    name_of,
    shown,
    without_hosts,
)
from kirby.core.leader.sightings import Failed, NotYet, Runs, See, sight
from kirby.core.names import Host
from kirby.core.records import DaemonOffer, Edition, Refused, RollOut, Watch


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """What the next offer says of editions."""

    main: Edition
    editions: dict[Host, Edition] = field(default_factory=dict)
    roll_out: RollOut | None = None
    refused: Refused | None = None

    @property
    def earlier(self) -> tuple[Edition, ...]:
        """Return what some hosts go on with."""
        return grouped(self.editions, self.main)

    @property
    def waiting(self) -> list[Host]:
        """Return the hosts that do not have the main edition yet, by name."""
        return [host for edition in self.earlier for host in edition.hosts]


def roll(
    wanted: Edition,
    posted: DaemonOffer | None,
    hosts: tuple[Host, ...],
    see: See,
    now: datetime,
    probation: timedelta,
) -> Rolled:
    """Take the next step of a roll-out, begin one, or say that there is none."""
    if posted is None:
        return Rolled(main=wanted)  # nothing runs that could be spared
    standing = freshly_sealed(main_edition(posted), wanted)
    if posted.refused is not None and posted.refused.edition == name_of(wanted):
        return Rolled(main=standing, refused=posted.refused)
    back = freshly_sealed(posted.roll_out.back, wanted) if posted.roll_out else standing
    if name_of(wanted) == name_of(back):
        return Rolled(main=wanted)  # it has proved itself before
    if name_of(wanted) == name_of(standing):
        assert posted.roll_out is not None  # else it were what to go back to
        roll_out = msgspec.structs.replace(posted.roll_out, back=back)
    else:
        roll_out = RollOut(began=now, back=without_hosts(back))
    runs = assigned(posted)
    editions = {host: freshly_sealed(runs.get(host, back), wanted) for host in hosts}
    return _go_on(Rolled(main=wanted, editions=editions, roll_out=roll_out), see, now, probation)


def _go_on(rolled: Rolled, see: See, now: datetime, probation: timedelta) -> Rolled:
    roll_out = rolled.roll_out
    assert roll_out is not None
    refused = _failure(rolled, roll_out, see, now)
    if refused is not None:
        return Rolled(main=roll_out.back, refused=refused)
    watch = roll_out.watch
    if watch is not None and watch.host in rolled.editions:
        watched = _watched(watch, name_of(rolled.main), see, now, probation)
        if watched is not None:
            return _with(rolled, roll_out, watched)
    return _next(rolled, roll_out)


def _next(rolled: Rolled, roll_out: RollOut) -> Rolled:
    """Give the edition to one more host, or be done."""
    if rolled.waiting:
        host = rolled.waiting[0]
        given = replace(rolled, editions={**rolled.editions, host: rolled.main})
        return _with(given, roll_out, Watch(host=host))
    if not rolled.editions:  # on its way from host to host
        return _with(rolled, roll_out, None)
    return Rolled(main=rolled.main)


def _with(rolled: Rolled, roll_out: RollOut, watch: Watch | None) -> Rolled:
    return replace(rolled, roll_out=msgspec.structs.replace(roll_out, watch=watch))


def _watched(
    watch: Watch, edition: str, see: See, now: datetime, probation: timedelta
) -> Watch | None:
    """Return what is known of the watched host now; None: it has proved the edition."""
    match sight(see(watch.host), edition, watch):
        case Runs(attempt=attempt) if attempt == watch.attempt and watch.until is not None:
            return None if now >= watch.until else watch
        case Runs(attempt=attempt):
            first = watch.first or attempt
            return Watch(host=watch.host, attempt=attempt, first=first, until=now + probation)
        case NotYet() | Failed():
            return msgspec.structs.replace(watch, until=None)


def _failure(rolled: Rolled, roll_out: RollOut, see: See, now: datetime) -> Refused | None:
    name = name_of(rolled.main)
    for host in sorted(rolled.editions.keys() - set(rolled.waiting)):
        watch = roll_out.watch if roll_out.watch and roll_out.watch.host == host else None
        sighting = sight(see(host), name, watch)
        if isinstance(sighting, Failed):
            reason = f"on {host} {shown(rolled.main.plan)} {sighting.reason}"
            package = rolled.main.plan.package
            return Refused(edition=name, package=package, at=now, reason=reason)
    return None
