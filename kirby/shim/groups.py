"""Control groups of the unified hierarchy, one for each attempt, where they can be written.

`cgroup.procs` finds what escaped, `cgroup.kill` ends it, `cgroup.events` says that nothing is
left; none of the three needs a controller. Memory is limited where the controller is there.
"""

import os
import signal

from kirby.shim.folder import mark_of


class Groups:
    """Makes the groups below one group of this shim; `root` is empty where that is impossible."""

    def __init__(self, root: str) -> None:
        self.root = root

    def make(self, name: str, memory_limit: int) -> str:
        """Make the group of an attempt; return its folder, empty where there are no groups."""
        if not self.root:
            return ""
        path = f"{self.root}/{name}"
        try:
            os.makedirs(path, exist_ok=True)
        except OSError:
            return ""
        if memory_limit and os.path.exists(f"{path}/memory.max"):
            write(f"{path}/memory.max", str(memory_limit))
        return path

    def find(self, name: str) -> str:
        """Return the folder of a group that an earlier shim made; empty: there is none."""
        path = f"{self.root}/{name}"
        return path if self.root and os.path.isdir(path) else ""

    def remove_root(self) -> None:
        """Remove the group of this shim, if no script is left in it."""
        if self.root:
            remove(self.root)

    @property
    def limits_memory(self) -> bool:
        """Whether the kernel keeps the memory limit."""
        return bool(self.root) and "memory" in read(f"{self.root}/cgroup.subtree_control").split()


def find_root(state: str) -> str:
    """Return a group for the scripts of this state folder, empty where none can be used."""
    mount, own = _mount(), _own()
    if not mount or own is None:
        return ""
    root = f"{mount}{own.rstrip('/')}/kirby-{mark_of(state)}"
    try:
        os.makedirs(f"{root}/probe", exist_ok=True)
        usable = _can_join(f"{root}/probe")
        os.rmdir(f"{root}/probe")
    except OSError:
        return ""
    return root if usable else ""


def _mount() -> str:
    for line in read("/proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            return before.split()[4]
    return ""


def _own() -> str | None:
    for line in read("/proc/self/cgroup").splitlines():
        if line.startswith("0::"):
            return line[3:]
    return None


def _can_join(group: str) -> bool:
    """Try it with a process: a folder that can be made may still let nobody in."""
    pid = os.fork()
    if not pid:
        os._exit(0 if write(f"{group}/cgroup.procs", "0") else 1)
    return os.waitpid(pid, 0)[1] == 0


def is_empty(group: str) -> bool:
    """Tell whether no process is left, zombies aside."""
    return "populated 0" in read(f"{group}/cgroup.events") or not os.path.isdir(group)


def kill(group: str) -> None:
    """Kill all that is in a group."""
    if write(f"{group}/cgroup.kill", "1"):
        return
    for pid in read(f"{group}/cgroup.procs").split():  # a kernel before 5.14
        try:
            os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass


def ran_out_of_memory(group: str) -> bool:
    """Tell whether the kernel killed something of it for its memory limit."""
    counts = dict(line.split() for line in read(f"{group}/memory.events").splitlines())
    return counts.get("oom_kill", "0") != "0"


def remove(group: str) -> None:
    """Remove an empty group, with those that the script made below."""
    for path, _, _ in os.walk(group, topdown=False):
        try:
            os.rmdir(path)
        except OSError:
            pass  # not empty after all: it stays, and is found by the next shim


def read(path: str) -> str:
    """Return a file's text, empty where it cannot be read."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def write(path: str, text: str) -> bool:
    """Write a control file; tell whether the kernel took it."""
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except OSError:
        return False
    try:
        os.write(descriptor, text.encode())
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
