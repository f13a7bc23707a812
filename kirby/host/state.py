"""Where a host keeps what: the layout of the state folder (ARCHITECTURE, "The state folder")."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from kirby.core.names import StateFolderId

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
LOCAL_FOLDER = ".kirby"


def default_state_folder(current: Path, home: Path) -> Path:
    """Return `.kirby` in the current folder where there is one, else the user's own."""
    local = current / LOCAL_FOLDER
    return local if local.is_dir() else home / ".local" / "state" / "kirby"


@dataclass(frozen=True, kw_only=True)
class StateFolder:
    """The paths below a state folder; makes none of them but the folder itself and its id."""

    path: Path

    @property
    def id_file(self) -> Path:
        """A random id, so that a copied or wiped folder is told from the one it was."""
        return self.path / "id"

    @property
    def lock(self) -> Path:
        """Held by the start process."""
        return self.path / "lock"

    @property
    def key(self) -> Path:
        """The cluster's key."""
        return self.path / "key"

    @property
    def token(self) -> Path:
        """Address and token of the command line."""
        return self.path / "token"

    @property
    def life(self) -> Path:
        """Counter of Supervisor lives."""
        return self.path / "life"

    @property
    def host(self) -> Path:
        """Name, address, pid and port of the start process while it runs."""
        return self.path / "host.json"

    @property
    def shim(self) -> Path:
        """The shim's own folder."""
        return self.path / "shim"

    @property
    def shim_socket(self) -> Path:
        """Where the shim listens."""
        return self.shim / "socket"

    @property
    def runs(self) -> Path:
        """One folder for each attempt."""
        return self.path / "runs"

    @property
    def environments(self) -> Path:
        """Virtual environments of scripts."""
        return self.path / "environments"

    @property
    def kafka(self) -> Path:
        """The embedded broker's folder."""
        return self.path / "kafka"

    @property
    def web(self) -> Path:
        """The web service's folder: database, packages, address."""
        return self.path / "web"

    @property
    def log(self) -> Path:
        """What the parts say."""
        return self.path / "log"

    def prepare(self) -> StateFolderId:
        """Make the folder (private) and its id where they lack; return the id."""
        for folder in (self.path, self.log, self.runs):
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        if not self.id_file.exists():
            write_private(self.id_file, secrets.token_hex(8))
        return StateFolderId(self.id_file.read_text().strip())


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read: whole or not at all, and synced."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def next_number(path: Path) -> int:
    """Raise a counter that is kept in a file, synced; return its new value (from 1)."""
    number = int(path.read_text()) + 1 if path.exists() else 1
    write_private(path, str(number))
    return number
