"""Where environments lie, what each is called, and what is known of one that is ready.

The folder of environments holds one folder for each (package, version, Python and Kirby), and
beside them, with a dot in front, locks, drafts of builds, the wheels of Kirby itself and, where
the user's own cache lies on another disk, the installer's cache.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from kirby.core.requirement import Requirement

MANIFEST = "kirby.json"  # written last of all, so it says that the environment is whole
PRIVATE_FOLDER = 0o700
_DIGEST_LENGTH = 12


def base_python() -> str:
    """Return the interpreter that this process's own environment was made from."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment that is ready."""

    path: Path
    module: str

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.path / "bin" / "python"

    @property
    def command(self) -> tuple[str, ...]:
        """What runs the script, without arguments of its own."""
        return str(self.python), "-m", self.module


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an environment says of itself."""

    package: str
    module: str
    python: str
    own_digest: str
    own_bytes: int = 0  # what its removal frees: hard links share the rest with the cache


@dataclass(frozen=True, kw_only=True)
class Places:
    """The paths below a folder of environments, for one Python and one Kirby."""

    folder: Path
    python: str
    own_digest: str

    @cached_property
    def _stamp(self) -> str:
        told = f"{self.python}\0{self.own_digest}"
        return hashlib.sha256(told.encode()).hexdigest()[:_DIGEST_LENGTH]

    def key(self, requirement: Requirement) -> str:
        """Return what the folder of an environment is called."""
        return f"{requirement.name}-{requirement.version}-{self._stamp}"

    def environment(self, requirement: Requirement) -> Path:
        """Where an environment lies once it is ready."""
        return self.folder / self.key(requirement)

    def lock(self, key: str) -> Path:
        """Held by whoever builds or removes an environment."""
        return self.locks / key

    @property
    def locks(self) -> Path:
        """A file for each key."""
        return self.folder / ".locks"

    @property
    def drafts(self) -> Path:
        """Builds that are not ready, `<key>@<something>`, and what is being removed."""
        return self.folder / ".drafts"

    @property
    def foundation(self) -> Path:
        """What all environments of this Python and this Kirby share."""
        return self.folder / f".foundation-{self._stamp}"

    @property
    def wheels(self) -> Path:
        """Kirby itself."""
        return self.folder / ".wheels"

    def all_keys(self) -> list[str]:
        """Return the keys of all environments, whatever their Python and Kirby."""
        if not self.folder.is_dir():
            return []
        return sorted(e.name for e in os.scandir(self.folder) if not e.name.startswith("."))

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self.folder, self.locks, self.drafts, self.wheels):
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def read_environment(path: Path) -> Environment | None:
    """Return the environment at `path`, None where there is none that could run anything."""
    try:
        manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None
    environment = Environment(path=path, module=manifest.module)
    # The interpreter is a link to the one outside, which may have been removed since.
    return environment if environment.python.exists() else None


def cache_folder(folder: Path, environ: Mapping[str, str]) -> Path | None:
    """Return where uv keeps its cache; None: where it always does.

    Its usual place serves all that a user does, unless no hard link leads from there to `folder`.
    """
    home = environ.get("HOME")
    caches = environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    usual = Path(caches) / "uv"
    nearest = next((path for path in (usual, *usual.parents) if path.exists()), usual)
    writable = usual.is_absolute() and os.access(nearest, os.W_OK)
    if writable and nearest.stat().st_dev == folder.stat().st_dev:
        return None
    return folder / ".cache"
