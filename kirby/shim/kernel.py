"""What the standard library does not offer of Linux: timers on CLOCK_BOOTTIME, prctl, pidfd info.

All through the C library that the interpreter itself is linked with.
"""

import ctypes
import fcntl
import os
import signal
import struct
import time

CLOCK_BOOTTIME = 7  # counts while the machine sleeps, and never jumps
TFD_FLAGS = 0o4000 | 0o2000000  # TFD_NONBLOCK | TFD_CLOEXEC
TFD_TIMER_ABSTIME = 1
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PIDFD_GET_INFO = 0xC040FF0B  # _IOWR(0xFF, 11, 64 bytes); Linux 6.13, exit codes from 6.15 on
PIDFD_INFO_EXIT = 1 << 3
PIDFD_INFO = struct.Struct("=QQ11Ii")  # mask, control group, ids, exit code
SECOND = 1_000_000_000
MILLISECOND = 1_000_000

_libc = ctypes.CDLL(None, use_errno=True)
_prctl = _libc.prctl
_timerfd_settime = _libc.timerfd_settime
_timer = struct.Struct("=qqqq")  # interval, then first expiry, each in seconds and nanoseconds


def boot_ns() -> int:
    """Return CLOCK_BOOTTIME in nanoseconds."""
    return time.clock_gettime_ns(CLOCK_BOOTTIME)


def wall_ns() -> int:
    """Return the wall clock in nanoseconds since 1970: for people, never for decisions."""
    return time.time_ns()


def boot_id() -> str:
    """Return the name of this life of the machine."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


class Alarm:
    """A timer that makes a descriptor readable at an instant of CLOCK_BOOTTIME."""

    def __init__(self) -> None:
        self.descriptor: int = _libc.timerfd_create(CLOCK_BOOTTIME, TFD_FLAGS)
        self._set = 0
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def set(self, instant_ns: int | None) -> None:
        """Ring at an instant (a passed one: at once), or never."""
        instant = 0 if instant_ns is None else max(instant_ns, 1)
        if instant == self._set:
            return
        self._set = instant
        value = _timer.pack(0, 0, instant // SECOND, instant % SECOND)
        if _timerfd_settime(self.descriptor, TFD_TIMER_ABSTIME, value, None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def clear(self) -> None:
        """Take note that it rang."""
        self._set = 0
        try:
            os.read(self.descriptor, 8)
        except BlockingIOError:
            pass


def become_subreaper() -> None:
    """Become the parent of every orphan below this process."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """Be killed when the parent dies; called by a child between fork and exec."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it died before the line above


def exit_status(pidfd: int) -> int | None:
    """Return the wait status of a process that is gone and was never a child; None: unknown."""
    try:
        answer = fcntl.ioctl(pidfd, PIDFD_GET_INFO, PIDFD_INFO.pack(PIDFD_INFO_EXIT, *([0] * 13)))
    except OSError:
        return None  # an older kernel
    fields = PIDFD_INFO.unpack(answer)
    return int(fields[-1]) if fields[0] & PIDFD_INFO_EXIT else None
