"""What a fork of the shim does until it is the script."""

import errno
import fcntl
import os
import signal

from kirby.shim import descriptors, kernel
from kirby.shim.requests import Order
from kirby.shim.sockets import Socket

LOG_FD = 3
GATE_FD = 4
FAILED_FD = 5
ABOVE = 64  # descriptors are first moved above all places, so that none overwrites another
RESET = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CANNOT_BEGIN = 127  # as a shell says it; the parent reads the reason from the pipe


class Child:
    """A process between fork and exec."""

    def __init__(self, order: Order, folder: str, group: str, failed: int) -> None:
        self._order = order
        self._folder = folder
        self._group = group
        self._failed = failed

    def become(self, gate: Socket | None, parent: int) -> None:
        """Turn into the script; never returns. A failure's number goes into the pipe."""
        number = errno.EINVAL
        try:
            self._prepare(parent)
            env = self._environment(gate is not None)
            self._wire(gate)
            os.execve(self._order.argv[0], self._order.argv, env)
        except OSError as fault:
            number = fault.errno or number
        except BaseException:
            number = errno.EINVAL  # a text that cannot be an argument or a variable
        os.write(self._failed, str(number).encode())
        os._exit(CANNOT_BEGIN)

    def _prepare(self, parent: int) -> None:
        signal.set_wakeup_fd(-1)
        for number in (*RESET, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        if self._group:
            descriptor = os.open(f"{self._group}/cgroup.procs", os.O_WRONLY)
            os.write(descriptor, b"0")
            os.close(descriptor)
        if self._order.exclusive:
            kernel.die_with(parent)
        descriptors.restore_limit()
        os.umask(0o077)
        os.chdir(f"{self._folder}/work")

    def _environment(self, gated: bool) -> dict[str, str]:
        order = self._order
        own = {"KIRBY_RUN_ID": order.run, "KIRBY_ATTEMPT": str(order.attempt)}
        env = {**order.env, **own, "KIRBY_LOG_FD": str(LOG_FD)}
        env.pop("KIRBY_GATE_FD", None)
        return {**env, "KIRBY_GATE_FD": str(GATE_FD)} if gated else env

    def _wire(self, gate: Socket | None) -> None:
        """Put every descriptor into its place: 0 to 2, the log, the gate, the failure's pipe."""
        sources = [os.open(os.devnull, os.O_RDONLY)]
        sources += [os.open(f"{self._folder}/{name}", os.O_RDWR) for name in ("out", "err", "log")]
        places = dict(enumerate(sources)) | {FAILED_FD: self._failed}
        if gate:
            places[GATE_FD] = gate.fileno()
        high = {
            place: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, ABOVE)
            for place, source in places.items()
        }
        for place, descriptor in high.items():
            os.dup2(descriptor, place, inheritable=place != FAILED_FD)
        self._failed = FAILED_FD
