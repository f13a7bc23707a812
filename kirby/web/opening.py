"""What a web service does before it answers: its database, its address, a first token."""

import getpass
import hashlib
import socket
from datetime import datetime

import msgspec

from kirby.host.state import PRIVATE_FOLDER, StateFolder
from kirby.host.token_file import TokenFile, read_token_file, write_token_file
from kirby.model.database import bind, connect, connection
from kirby.model.migrations import upgrade
from kirby.model.tokens import create_link, owner_of_token, replace_token

NO_DATABASE = 0  # the version of an empty one
COMMAND_LINE = "command line of {user}@{host}, folder {folder}"


def database_url(folder: StateFolder) -> str:
    """Return where the database of this state folder lies, unless another is named."""
    return f"sqlite:///{(folder.web / 'kirby.db').absolute()}"


def open_database(folder: StateFolder, url: str = "") -> tuple[int, int]:
    """Bind and upgrade the database; return its version before and after.

    Raises:
        DatabaseError: it does not answer, or cannot be upgraded.
        DatabaseNewer: a later Kirby made it.
    """
    folder.web.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    bind(connect(url or database_url(folder)))
    return upgrade()


def see_to_token(folder: StateFolder, url: str, now: datetime) -> None:
    """See to it that the command line of this machine has a token that is good."""
    present = _token_file(folder)
    with connection():
        if present is None or owner_of_token(present.token, now) is None:
            # Several web services of one machine may share a database, each with its own folder.
            name = COMMAND_LINE.format(
                user=getpass.getuser(), host=socket.gethostname(), folder=_short(folder)
            )
            token = replace_token(name, "the first start", now)
        else:
            token = present.token
    wanted = TokenFile(url=url, token=token)
    if wanted != present:
        write_token_file(folder, wanted)


def _short(folder: StateFolder) -> str:
    return hashlib.sha256(str(folder.path.absolute()).encode()).hexdigest()[:8]


def first_link_path(now: datetime) -> str:
    """Make the link with which the first browser signs in; return what follows the address."""
    with connection():
        return f"/sign-in?once={create_link(getpass.getuser(), now)}"


def _token_file(folder: StateFolder) -> TokenFile | None:
    try:
        return read_token_file(folder)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
