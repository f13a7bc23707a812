"""Removes run folders; what a script left in its working directory may take long."""

import os

from kirby.shim.folder import RunFolder, remove_tree
from kirby.shim.kernel import boot_ns


def remove(folder: RunFolder, trash: str) -> int:
    """Remove a folder: at once if it is small, else by a process of its own, whose pid is returned.

    It leaves `runs/` at once in either case.
    """
    folder.close()
    try:
        os.rmdir(f"{folder.path}/work")
    except FileNotFoundError:
        pass
    except OSError:
        return remove_later(folder.path, trash)
    remove_tree(folder.path)
    return 0


def remove_later(path: str, trash: str) -> int:
    """Move a folder away and start a process that removes it; return its pid."""
    os.makedirs(trash, mode=0o700, exist_ok=True)
    os.rename(path, f"{trash}/{boot_ns()}.{os.path.basename(path)}")
    return empty(trash)


def empty(trash: str) -> int:
    """Start a process that removes everything in the trash; return its pid, 0: nothing to do."""
    if not os.path.isdir(trash) or not os.listdir(trash):
        return 0
    try:
        pid = os.fork()
    except OSError:
        return 0  # the next one removes this as well
    if pid:
        return pid
    try:
        os.nice(10)
        for entry in list(os.scandir(trash)):
            remove_tree(entry.path)
    finally:
        os._exit(0)
