"""Makes a service anew in a process of its own, so that the start process waits for nobody.

A process and no thread: the start process forks the actors, and a fork of several threads may find
a lock held for ever. The kernel ends it with the start process; what it had begun is found again.
"""

import contextlib
import os
import select
import signal

import msgspec

from kirby.actors import parents
from kirby.actors.service import Service
from kirby.core.errors import KafkaPortTaken, KirbyError
from kirby.core.mending import InTheWay, Mended, NotMended
from kirby.host.processes import reap

Outcome = Mended | NotMended | InTheWay

_under_way: set[int] = set()


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the process writes before it ends."""

    because: str = ""
    is_in_the_way: bool = False


class Undertaking:
    """One try to start a service; readable when it has come to its end."""

    def __init__(self, service: Service) -> None:
        self._service = service.name
        self._reader, writer = os.pipe2(os.O_CLOEXEC)
        self._pid = os.fork()
        if self._pid == 0:
            _report_and_end(service, writer)
        os.close(writer)
        self._process = os.pidfd_open(self._pid)  # a number may have gone to another by then
        _under_way.add(self._pid)

    def fileno(self) -> int:
        """Return what to wait on."""
        return self._reader

    def outcome(self) -> Outcome:
        """Return what came of it, and let go of the process; waits for its end."""
        with open(self._reader, "rb", closefd=False) as reader:
            said = reader.read()
        self._let_go()
        if not said:
            return NotMended(service=self._service, because="whoever started it was killed")
        report = msgspec.json.decode(said, type=_Report)
        if not report.because:
            return Mended(service=self._service)
        kind = InTheWay if report.is_in_the_way else NotMended
        return kind(service=self._service, because=report.because)

    def give_up(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        select.select([self._process], [], [])
        self._let_go()

    def _let_go(self) -> None:
        os.close(self._reader)
        os.close(self._process)
        reap(self._pid)
        _under_way.discard(self._pid)


def is_undertaking(pid: int) -> bool:
    """Whether a process is one of these, and no part of the actor system."""
    return pid in _under_way


def _report_and_end(service: Service, writer: int) -> None:
    """Start the service, tell how that went, and leave without what a fork inherited at exit."""
    report = _Report(because="a fault of Kirby's own")
    try:
        parents.die_with_whoever_forked()
        service.start()
        report = _Report()
    except KafkaPortTaken as fault:
        report = _Report(because=str(fault), is_in_the_way=True)
    except (KirbyError, OSError) as fault:
        report = _Report(because=str(fault))
    except Exception as fault:
        report = _Report(because=f"{type(fault).__name__}: {fault}")
    finally:
        with contextlib.suppress(OSError):
            os.write(writer, msgspec.json.encode(report))
        os._exit(0)
