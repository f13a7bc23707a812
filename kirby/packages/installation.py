"""What this installation of Kirby consists of, and what tells it from another."""

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from kirby.core.errors import Bug
from kirby.core.requirement import OWN_NAME

_CODE = Path(__file__).parents[1]
_DIGEST_LENGTH = 16  # hexadecimal digits: enough to tell installations of one host apart
# What an installer adds to a folder of metadata, and what it makes anew from it.
_INSTALLERS_OWN = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
)


@cache
def own_digest() -> str:
    """Return what tells this installation's content from another's, as it was at first asking."""
    digest = hashlib.sha256()
    for name, content in sorted(_parts()):
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()[:_DIGEST_LENGTH]


def checkout() -> Path | None:
    """Return the folder of the project, None where Kirby was installed from a wheel."""
    return _CODE.parent if (_CODE.parent / "pyproject.toml").exists() else None


def installation() -> Distribution:
    """Return what the installer noted of this installation."""
    try:
        installed = distribution(OWN_NAME)
    except PackageNotFoundError:
        installed = None
    if installed is None or installed.files is None:
        raise Bug("this installation of Kirby has no RECORD, so no wheel can be made of it")
    return installed


def _parts() -> Iterator[tuple[str, bytes]]:
    project = checkout()
    if project is None:
        yield from installed_members(installation())
        return
    yield "pyproject.toml", (project / "pyproject.toml").read_bytes()
    for folder, folders, files in os.walk(_CODE):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            path = Path(folder) / name
            yield path.relative_to(project).as_posix(), path.read_bytes()


def installed_members(installed: Distribution) -> Iterator[tuple[str, bytes]]:
    """Give what the wheel held that this installation came from."""
    for file in installed.files or ():
        outside = file.is_absolute() or ".." in file.parts  # console scripts are made anew
        compiled = "__pycache__" in file.parts
        theirs = file.parent.suffix == ".dist-info" and file.name in _INSTALLERS_OWN
        if not (outside or compiled or theirs):
            yield file.as_posix(), file.read_binary()
