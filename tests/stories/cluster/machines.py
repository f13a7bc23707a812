"""Machines as network namespaces with addresses of their own, joined by a bridge (needs root).

Whatever a story starts on a machine is in its namespace, so nothing of it is lost sight of: it is
killed, paused and swept away as a whole, also after a test that was killed itself.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from tests.stories.patience import eventually

_PREFIX = "kc"
_OF_A_STORY = re.compile(rf"{_PREFIX}(\d+)(-\w+)?")
_OUTSIDE = 254  # the last part of this machine's own address on the bridge


class Way(Enum):
    """Which packets a cut drops."""

    BOTH = "both"
    TO_IT = "to it"
    FROM_IT = "from it"


def can_make_machines() -> bool:
    """Whether this process may make namespaces and filter packets."""
    return os.geteuid() == 0 and all(map(shutil.which, ("ip", "iptables", "ss")))


class Machine:
    """One namespace: an address, and all the processes that were started in it."""

    def __init__(self, tag: str, name: str, address: str, number: int) -> None:
        self.name = name
        self.address = address
        self.space = f"{tag}-{name}"
        self._plug = f"{tag}-{number}"
        self._bridge = tag
        self._make()

    @property
    def inside(self) -> tuple[str, ...]:
        """Return what stands before a command so that it runs here."""
        return ("ip", "netns", "exec", self.space)

    # -- its processes

    def pids(self) -> list[int]:
        """Return all that lives here."""
        return _pids_of(self.space)

    def kill(self) -> None:
        """Kill everything here, whoever starts others meanwhile."""

        def none_is_left() -> bool:
            return not _signal(self.pids(), signal.SIGKILL)

        eventually(none_is_left, what=f"nothing lives on {self.name}", every_s=0.01)

    def pause(self) -> None:
        """Stop everything here in its tracks."""
        paused: set[int] = set()
        while new := set(self.pids()) - paused:  # what was just being forked
            _signal(new, signal.SIGSTOP)
            paused |= new

    def go_on(self) -> None:
        """Let everything here go on."""
        _signal(self.pids(), signal.SIGCONT)

    # -- its wires

    def cut_off(self) -> None:
        """Pull the plug: nothing comes here nor goes from here."""
        ip("link", "set", self._plug, "down")

    def cut(self, *others: "Machine", way: Way = Way.BOTH) -> None:
        """Drop all packets between this machine and some others, or those of one way only."""
        for other in others:
            if way in (Way.BOTH, Way.TO_IT):
                self._filter("-A", "INPUT", "-s", other.address, "-j", "DROP")
            if way in (Way.BOTH, Way.FROM_IT):
                self._filter("-A", "OUTPUT", "-d", other.address, "-j", "DROP")

    def heal(self) -> None:
        """Let everything through again."""
        self._filter("-F")
        ip("link", "set", self._plug, "up")

    def listens_on(self) -> set[str]:
        """Return the addresses on which anything here listens, as `ss -ltn` tells."""
        command = [*self.inside, "ss", "-ltnH"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return {line.split()[3].rpartition(":")[0] for line in said.splitlines()}

    def ports(self) -> list[int]:
        """Return the ports on which anything here listens."""
        command = [*self.inside, "ss", "-ltnH"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return sorted({int(line.split()[3].rpartition(":")[2]) for line in said.splitlines()})

    def _filter(self, *words: str) -> None:
        subprocess.run([*self.inside, "iptables", "-w", *words], check=True)

    def _make(self) -> None:
        ip("netns", "add", self.space)
        ip("link", "add", self._plug, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ip("link", "set", self._plug, "master", self._bridge, "up")
        ip("-n", self.space, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", self.space, "link", "set", device, "up")


class Network:
    """The bridge, the machines on it, and this machine's own address there."""

    def __init__(self) -> None:
        sweep()
        pid = os.getpid()
        _leave_a_janitor(pid)
        self.tag = f"{_PREFIX}{pid}"
        self._net = f"10.{64 + (pid >> 8) % 128}.{pid % 256}"
        self.outside = f"{self._net}.{_OUTSIDE}"
        self.machines: dict[str, Machine] = {}
        ip("link", "add", self.tag, "type", "bridge")
        ip("addr", "add", f"{self.outside}/24", "dev", self.tag)
        ip("link", "set", self.tag, "up")

    def machine(self, name: str) -> Machine:
        """Plug in a machine."""
        number = len(self.machines) + 1
        self.machines[name] = Machine(self.tag, name, f"{self._net}.{number}", number)
        return self.machines[name]

    def folder(self, name: str) -> Path:
        """Make a folder that goes with the network and that any user may enter.

        Not below pytest's own: each session of pytest shuts that again for all others.
        """
        folder = _folders(self.tag) / name
        folder.mkdir(parents=True)
        return folder

    def clean_up(self) -> None:
        """Leave neither processes nor interfaces behind."""
        _remove(self.tag)


def _leave_a_janitor(pid: int) -> None:
    """See to it that all is swept away when this process is gone, however it goes."""
    subprocess.Popen(
        [sys.executable, "-m", "tests.stories.cluster.janitor", str(pid)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).parents[3],
    )


def sweep() -> None:
    """Take away what stories left whose process is gone."""
    for tag in {f"{_PREFIX}{pid}" for pid in _owners() if not Path(f"/proc/{pid}").exists()}:
        _remove(tag)


def ip(*words: str) -> None:
    """Have `ip` do something that must go well."""
    subprocess.run(["ip", *words], check=True)


def _remove(tag: str) -> None:
    for space in _spaces():
        if space.startswith(f"{tag}-"):
            while _signal(_pids_of(space), signal.SIGKILL):
                pass
            subprocess.run(["ip", "netns", "del", space], check=False)
    if Path(f"/sys/class/net/{tag}").exists():
        subprocess.run(["ip", "link", "del", tag], check=False)
    shutil.rmtree(_folders(tag), ignore_errors=True)


def _folders(tag: str) -> Path:
    return Path(tempfile.gettempdir()) / tag


def _owners() -> set[int]:
    names = [*_spaces(), *os.listdir("/sys/class/net")]  # noqa: PTH208 # names are wanted
    return {int(found[1]) for name in names if (found := _OF_A_STORY.fullmatch(name))}


def _spaces() -> list[str]:
    said = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    return [line.split()[0] for line in said.stdout.splitlines() if line]


def _pids_of(space: str) -> list[int]:
    command = ["ip", "netns", "pids", space]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in said.split()]


def _signal(pids: Iterable[int], number: int) -> list[int]:
    """Send a signal; return who was there to get it, zombies excepted."""
    got = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            os.kill(pid, number)
            if _state(pid) != "Z":
                got.append(pid)
    return got


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
