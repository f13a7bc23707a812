"""Kirby itself, as it is installed here, as a wheel for the environment of every script.

A public index carries an unrelated package of the same name, so Kirby is never installed from
an index: in a checkout uv builds the wheel, elsewhere it is put together again from the RECORD of
the installation. Either is kept by what it holds.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from kirby.core.errors import Bug, IndexUnreachable, InstallationError
from kirby.core.requirement import OWN_NAME
from kirby.packages.locks import held
from kirby.packages.uv import run_uv
from kirby.packages.verdicts import verdict
from kirby.packages.wheel_file import pack_wheel

_CODE = Path(__file__).parents[1]
_BUILD_LIMIT = timedelta(minutes=5)  # the build backend may have to be fetched
_DIGEST_LENGTH = 16  # hexadecimal digits: enough to tell installations of one host apart
# What an installer adds to a folder of metadata, and what it makes anew from it.
_INSTALLERS_OWN = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
)


@dataclass(frozen=True, kw_only=True)
class OwnWheel:
    """A wheel of this installation."""

    path: Path
    sha256: str

    @property
    def requirement(self) -> str:
        """Return the requirement that this wheel and no other meets."""
        return f"{OWN_NAME} @ {self.path.as_uri()}#sha256={self.sha256}"


@cache
def own_digest() -> str:
    """Return what tells this installation's content from another's, as it was at first asking."""
    digest = hashlib.sha256()
    for name, content in sorted(_parts()):
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()[:_DIGEST_LENGTH]


def own_wheel(
    folder: Path, *, surroundings: Mapping[str, str], default_index: str = ""
) -> OwnWheel:
    """Return the wheel of this installation, made where it was not made before.

    Args:
        folder: where wheels are kept.
        surroundings: the environment for uv, see `scrubbed`.
        default_index: where a checkout's build backend comes from; empty: the public index.

    Raises:
        InstallationError: the checkout cannot be built.
    """
    with held(folder / "lock"):
        place = folder / own_digest()
        if not any(place.glob("*.whl")):
            with TemporaryDirectory(dir=folder, prefix="new-") as draft:
                _make(Path(draft), surroundings, default_index)
                _move(Path(draft), place)
    path = next(place.glob("*.whl"))
    return OwnWheel(path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def _move(draft: Path, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for wheel in draft.glob("*.whl"):
        wheel.replace(place / wheel.name)


def _make(draft: Path, surroundings: Mapping[str, str], default_index: str) -> None:
    checkout = _checkout()
    if checkout:
        _build(checkout, draft, surroundings, default_index)
    else:
        installed = _installation()
        name = f"{OWN_NAME}-{installed.version}"
        wheel = pack_wheel(dict(_installed_members(installed)), f"{name}.dist-info")
        (draft / f"{name}-py3-none-any.whl").write_bytes(wheel)


def _build(
    checkout: Path, draft: Path, surroundings: Mapping[str, str], default_index: str
) -> None:
    index = ("--default-index", default_index) if default_index else ()
    asked = ("build", "--wheel", "--out-dir", draft, *index, checkout)
    # The backend is mostly in the cache, and then no index needs to be reached.
    for offline in (["--offline"], []):
        said = run_uv(*asked, *offline, environment=surroundings, folder=draft, limit=_BUILD_LIMIT)
        if said.went_well:
            return
    raise _cannot_build(said.error)


def _cannot_build(error: str) -> InstallationError:
    fault = verdict(OWN_NAME, error, folder="")
    if isinstance(fault, IndexUnreachable):
        return fault
    return InstallationError(f"this checkout of Kirby cannot be built as a wheel: {fault}")


def _checkout() -> Path | None:
    return _CODE.parent if (_CODE.parent / "pyproject.toml").exists() else None


def _installation() -> Distribution:
    try:
        installed = distribution(OWN_NAME)
    except PackageNotFoundError:
        installed = None
    if installed is None or installed.files is None:
        raise Bug("this installation of Kirby has no RECORD, so no wheel can be made of it")
    return installed


def _parts() -> Iterator[tuple[str, bytes]]:
    checkout = _checkout()
    if checkout is None:
        yield from _installed_members(_installation())
        return
    yield "pyproject.toml", (checkout / "pyproject.toml").read_bytes()
    for folder, folders, files in os.walk(_CODE):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            path = Path(folder) / name
            yield path.relative_to(checkout).as_posix(), path.read_bytes()


def _installed_members(installed: Distribution) -> Iterator[tuple[str, bytes]]:
    """Give what the wheel held that this installation came from."""
    for file in installed.files or ():
        outside = file.is_absolute() or ".." in file.parts  # console scripts are made anew
        compiled = "__pycache__" in file.parts
        theirs = file.parent.suffix == ".dist-info" and file.name in _INSTALLERS_OWN
        if not (outside or compiled or theirs):
            yield file.as_posix(), file.read_binary()
