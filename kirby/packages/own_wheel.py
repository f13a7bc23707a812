"""Kirby itself, as it is installed here, as a wheel for the environment of every script.

A public index carries an unrelated package of the same name, so Kirby is never installed from
an index: in a checkout uv builds the wheel, elsewhere it is put together again from the RECORD of
the installation. Either is kept by what it holds.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from kirby.core.errors import IndexUnreachable, InstallationError, OwnWheelFailed
from kirby.core.requirement import OWN_NAME
from kirby.packages.installation import checkout, installation, installed_members
from kirby.packages.locks import held
from kirby.packages.uv import run_uv
from kirby.packages.verdicts import last_words, verdict
from kirby.packages.wheel_file import pack_wheel

_BUILD_LIMIT = timedelta(minutes=5)  # the build backend may have to be fetched


@dataclass(frozen=True, kw_only=True)
class OwnWheel:
    """A wheel of this installation."""

    path: Path
    sha256: str

    @property
    def requirement(self) -> str:
        """Return the requirement that this wheel and no other meets."""
        return f"{OWN_NAME} @ {self.path.as_uri()}#sha256={self.sha256}"


def own_wheel(
    folder: Path, *, digest: str, surroundings: Mapping[str, str], default_index: str = ""
) -> OwnWheel:
    """Return the wheel of this installation, made where it was not made before.

    Args:
        folder: where wheels are kept.
        digest: of this installation; what was kept under it is taken, so that a checkout that is
            being edited stays one and the same Kirby until the host is started again.
        surroundings: the environment for uv, see `scrubbed`.
        default_index: where a checkout's build backend comes from; empty: the public index.

    Raises:
        InstallationError: the checkout cannot be built.
    """
    with held(folder / "lock"):
        place = folder / digest
        if not any(place.glob("*.whl")):
            with TemporaryDirectory(dir=folder, prefix="new-") as draft:
                _make(Path(draft), surroundings, default_index)
                _move(Path(draft), place)
        os.utime(place)  # old ones are swept, see `eviction`
    path = next(place.glob("*.whl"))
    return OwnWheel(path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def _move(draft: Path, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for wheel in draft.glob("*.whl"):
        wheel.replace(place / wheel.name)


def _make(draft: Path, surroundings: Mapping[str, str], default_index: str) -> None:
    project = checkout()
    if project:
        _build(project, draft, surroundings, default_index)
    else:
        installed = installation()
        name = f"{OWN_NAME}-{installed.version}"
        wheel = pack_wheel(dict(installed_members(installed)), f"{name}.dist-info")
        (draft / f"{name}-py3-none-any.whl").write_bytes(wheel)


def _build(project: Path, draft: Path, surroundings: Mapping[str, str], default_index: str) -> None:
    index = ("--default-index", default_index) if default_index else ()
    asked = ("build", "--wheel", "--out-dir", draft, *index, project)
    # The backend is mostly in the cache, and then no index needs to be reached.
    for offline in (["--offline"], []):
        said = run_uv(*asked, *offline, environment=surroundings, folder=draft, limit=_BUILD_LIMIT)
        if said.went_well:
            return
    raise _cannot_build(said.error)


def _cannot_build(error: str) -> InstallationError:
    fault = verdict(OWN_NAME, error, folder="")
    return fault if isinstance(fault, IndexUnreachable) else OwnWheelFailed(last_words(error))
