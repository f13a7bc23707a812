"""Build an environment: in a draft beside the others, moved into its place when it is whole.

A build that is killed leaves a draft, which the next build of that environment removes. Two
builds of one environment wait for each other, and the second finds what the first has made.
"""

import errno
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kirby.core.errors import BuildInterrupted, InstallationError, NoDiskSpace, PackageNotFound
from kirby.core.requirement import Requirement
from kirby.packages.built_in import Shelf, look, near_name
from kirby.packages.drafts import draft_of
from kirby.packages.environments import (
    MANIFEST,
    Environment,
    Manifest,
    Places,
    cache_folder,
    read_environment,
)
from kirby.packages.foundation import copy_foundation, foundation
from kirby.packages.installer import Installer
from kirby.packages.locks import held
from kirby.packages.main_module import main_module
from kirby.packages.own_wheel import own_wheel
from kirby.packages.sources import Sources, netrc_text, users_netrc
from kirby.packages.uv import Said, scrubbed
from kirby.packages.verdicts import verdict

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to build, and from where."""

    requirement: Requirement
    places: Places
    sources: Sources
    source_builds: bool
    environ: Mapping[str, str]


def build(order: Order) -> Environment:
    """Return the environment of a package, built if it is not there yet.

    Raises:
        InstallationError: it cannot be built; the class and the sentence say why.
    """
    order.places.prepare()
    key = order.places.key(order.requirement)
    place = order.places.environment(order.requirement)
    with held(order.places.lock(key)), _faults_told(order):
        ready = read_environment(place)
        if ready:
            return ready
        with draft_of(order.places, key) as draft:
            _fill(order, draft)
            if place.exists():  # it was whole once, and its interpreter is gone
                place.rename(draft / "broken")
            (draft / "environment").rename(place)
    ready = read_environment(place)
    if ready is None:
        raise BuildInterrupted(str(order.requirement), "was undone by another process")
    return ready


@contextmanager
def _faults_told(order: Order) -> Iterator[None]:
    """Turn faults of the machine into sentences."""
    try:
        yield
    except TimeoutError as fault:
        raise BuildInterrupted(str(order.requirement), str(fault)) from fault
    except OSError as fault:
        if fault.errno in _FULL:
            raise NoDiskSpace(str(order.requirement), str(order.places.folder)) from fault
        raise


def _fill(order: Order, draft: Path) -> None:
    shelf = look(order.requirement, order.sources)
    installer = _installer(order, shelf, draft)
    environment = draft / "environment"

    def check(said: Said) -> None:
        if not said.went_well:
            raise _fault(order, shelf, said)

    copy_foundation(foundation(order.places, installer, check), environment)
    check(installer.install(environment, str(order.requirement)))
    site_packages = next(environment.glob("lib/python*/site-packages"))
    manifest = Manifest(
        package=str(order.requirement),
        module=main_module(order.requirement, site_packages),
        python=order.places.python,
        own_digest=order.places.own_digest,
        own_bytes=_own_bytes(environment),
    )
    (environment / MANIFEST).write_bytes(msgspec.json.encode(manifest))


def _installer(order: Order, shelf: Shelf, draft: Path) -> Installer:
    surroundings = _surroundings(order, draft)
    default = order.sources.default_address
    return Installer(
        surroundings=surroundings,
        python=order.places.python,
        own=own_wheel(
            order.places.wheels,
            digest=order.places.own_digest,
            surroundings=surroundings,
            default_index=default,
        ),
        index=shelf.address,
        default_index=default,
        source_builds=order.source_builds,
    )


def _surroundings(order: Order, draft: Path) -> dict[str, str]:
    netrc = draft / "netrc"  # the draft is private, and gone after the build
    netrc.write_text(netrc_text(order.sources, users_netrc(order.environ)))
    return scrubbed(
        order.environ,
        netrc=netrc,
        direct=order.sources.hosts,
        cache=cache_folder(order.places.folder, order.environ),
    )


def _fault(order: Order, shelf: Shelf, said: Said) -> InstallationError:
    package = str(order.requirement)
    if said.status < 0:
        return BuildInterrupted(package, f"was killed by signal {-said.status}")
    fault = verdict(
        package, said.error, folder=str(order.places.folder), python=platform.python_version()
    )
    return _with_hint(order, shelf, fault)


def _with_hint(order: Order, shelf: Shelf, fault: InstallationError) -> InstallationError:
    """Add to "not found" what the built-in index has instead."""
    if not isinstance(fault, PackageNotFound):
        return fault
    package = str(order.requirement)
    if shelf.versions:
        return PackageNotFound(package, versions=shelf.versions)
    near = near_name(order.requirement, shelf, order.sources.token)
    return PackageNotFound(package, near=near)


def _own_bytes(environment: Path) -> int:
    """Return the bytes of files that have no other name; the rest is the cache's as well."""
    total = 0
    for folder, _, files in os.walk(environment):
        for name in files:
            status = os.lstat(os.path.join(folder, name))  # noqa: PTH118 # thousands of files
            total += status.st_blocks * 512 if status.st_nlink == 1 else 0
    return total
