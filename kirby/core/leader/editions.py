"""Which edition of a daemon each host is to run, as its offer says."""

import msgspec

from kirby.core.guarding.fitting import fitting
from kirby.core.names import Host
from kirby.core.nouns import RunPlan, Variable
from kirby.core.records import DaemonOffer, Edition
from kirby.core.sealing import identity_of


def main_edition(offer: DaemonOffer) -> Edition:
    """Return what all hosts run that are not named with an earlier edition."""
    return Edition(plan=offer.plan, generation=offer.generation)


def name_of(edition: Edition) -> str:
    """Name an edition: two of one name start the very same instances."""
    return fitting(edition.plan, edition.generation).name


def without_hosts(edition: Edition) -> Edition:
    """Return the edition as such."""
    return msgspec.structs.replace(edition, hosts=())


def assigned(offer: DaemonOffer) -> dict[Host, Edition]:
    """Return what each host of an offer runs by it."""
    found = dict.fromkeys(offer.hosts, main_edition(offer))
    for edition in offer.earlier:
        found.update(dict.fromkeys(edition.hosts, without_hosts(edition)))
    return found


def grouped(editions: dict[Host, Edition], main: Edition) -> tuple[Edition, ...]:
    """Gather the hosts of each edition but the main one."""
    groups: dict[str, Edition] = {}
    for host in sorted(editions):
        edition = editions[host]
        name = name_of(edition)
        if name != name_of(main):
            known = groups.get(name, without_hosts(edition))
            groups[name] = msgspec.structs.replace(known, hosts=(*known.hosts, host))
    return tuple(groups.values())


def offer_for(offer: DaemonOffer, host: Host) -> DaemonOffer:
    """Return the offer as one host is to follow it: with its own edition, and nothing of others."""
    edition = next((each for each in offer.earlier if host in each.hosts), main_edition(offer))
    return msgspec.structs.replace(
        offer,
        plan=edition.plan,
        generation=edition.generation,
        earlier=(),
        roll_out=None,
        refused=None,
        at=None,
    )


def freshly_sealed(edition: Edition, wanted: Edition) -> Edition:
    """Take over the secrets of the newest definition: the cluster's key may have changed."""
    fresh = {(each.name, identity_of(each.value)): each for each in _sealed(wanted.plan)}
    variables = tuple(
        fresh.get((each.name, identity_of(each.value)), each) if each.sealed else each
        for each in edition.plan.variables
    )
    plan = msgspec.structs.replace(edition.plan, variables=variables)
    return msgspec.structs.replace(edition, plan=plan)


def _sealed(plan: RunPlan) -> list[Variable]:
    return [each for each in plan.variables if each.sealed]


def shown(plan: RunPlan) -> str:
    """Return the version of a plan's package, as people say it."""
    return plan.package.partition("==")[2] or plan.package
