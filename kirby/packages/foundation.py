"""What all environments of one Python and one Kirby share: Kirby and its requirements, compiled.

It is built once and copied by hard links. So an environment takes the time and the disk of its
own packages only: compiling Kirby anew would be most of either.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kirby.packages.drafts import draft_of
from kirby.packages.environments import Places
from kirby.packages.installer import Installer
from kirby.packages.locks import held
from kirby.packages.uv import Said

_SHARED = "site-packages"
_LOCK_OF_UV = ".lock"  # shared, it would make the builds of different environments wait


def foundation(places: Places, installer: Installer, check: Callable[[Said], None]) -> Path:
    """Return an environment with Kirby only, built where there is none yet.

    Args:
        places: where it lies.
        installer: of the build that needs it.
        check: raises if the installer failed.
    """
    place = places.foundation
    with held(places.lock(place.name)):
        if not (place / "bin" / "python").exists():
            shutil.rmtree(place, ignore_errors=True)
            with draft_of(places, place.name) as draft:
                check(installer.create(draft / "environment"))
                check(installer.install(draft / "environment"))
                (draft / "environment").rename(place)
        os.utime(place)  # old ones are swept, see `eviction`
    return place


def copy_foundation(place: Path, environment: Path) -> None:
    """Make an environment that begins with what the foundation has."""
    shutil.copytree(
        place,
        environment,
        symlinks=True,
        ignore=shutil.ignore_patterns(_LOCK_OF_UV),
        copy_function=_link_or_copy,
    )


def _link_or_copy(source: str, target: str) -> str:
    # Installers replace files of packages, and may write into the few others.
    if _SHARED in source:
        with suppress(OSError):  # a file system without hard links
            os.link(source, target)
            return target
    return str(shutil.copy2(source, target))
