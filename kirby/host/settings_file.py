"""What a process is told by its machine and by a file of settings, before anything is checked."""

import os
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path

from kirby.core.configuration import Machine
from kirby.core.errors import InvalidConfiguration
from kirby.host.state import default_state_folder


def this_machine() -> Machine:
    """Return what the defaults of a configuration are taken from."""
    return Machine(
        hostname=socket.gethostname(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        state=str(default_state_folder(Path.cwd(), Path.home())),
    )


def read_settings(path: str | None) -> Mapping[str, object]:
    """Read a TOML file of settings; without a path there are none.

    Raises:
        InvalidConfiguration: it cannot be read, or is no TOML.
    """
    if path is None:
        return {}
    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except OSError as fault:
        raise InvalidConfiguration(f"cannot be read: {fault.strerror}", field=path) from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise InvalidConfiguration(f"is no TOML: {fault}", field=path) from fault
