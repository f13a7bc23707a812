"""Whether a process will stop at the gate: only then may it be started ahead of its instant."""

import errno
import os

from kirby.shim.spawn import NotStarted

GATE = "_kirby_gate.pth"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
WITHOUT_SITE = "S"  # this flag of Python leaves .pth files unread


def has_gate(argv: list[str]) -> bool:
    """Tell whether this is `python -m ...` of an environment in which the gate is installed."""
    if "-m" not in argv[1:]:
        return False
    flags = argv[1 : argv.index("-m")]
    if any(flag.startswith("-") and WITHOUT_SITE in flag for flag in flags):
        return False
    return any(os.path.exists(f"{folder}/{GATE}") for folder in site_folders(argv[0]))


def require_program(path: str) -> None:
    """Refuse at once what could not be started at its instant.

    Raises:
        NotStarted: there is nothing that can be executed.
    """
    if not os.path.isfile(path):
        raise NotStarted("not_found", f"{path} cannot be started: there is no such file")
    if not os.access(path, os.X_OK):
        raise NotStarted("not_found", f"{path} cannot be started: it is not executable")


def site_folders(python: str) -> list[str]:
    """Return the site-packages folders of the environment that an interpreter belongs to."""
    environment = os.path.dirname(os.path.dirname(python))
    folders = []
    for library in ("lib", "lib64"):
        try:
            names = os.listdir(f"{environment}/{library}")
        except OSError:
            continue
        folders += [
            f"{environment}/{library}/{name}/site-packages"
            for name in names
            if name.startswith("python")
        ]
    return folders
