"""Performs what the book decides, and brings it what happens. Decides nothing: see `book`."""

import os
import sys
from collections import deque

from kirby.shim import descriptors, effects, events, parking, proc, trash
from kirby.shim.book import Book
from kirby.shim.effects import Effect
from kirby.shim.events import Key
from kirby.shim.folder import RunFolder, mark_of, name_of
from kirby.shim.groups import Groups
from kirby.shim.kernel import SECOND, boot_ns
from kirby.shim.loop import Loop
from kirby.shim.memory import KEPT_NS, Memory
from kirby.shim.process import Process
from kirby.shim.refusals import Refused
from kirby.shim.requests import Request
from kirby.shim.scribe import LOOK_AGAIN_NS, Scribe
from kirby.shim.spawn import NotStarted
from kirby.shim.undertaker import Undertaker
from kirby.shim.wire import MOST_PEERS, Slot

SYNC_AGAIN_NS = SECOND  # a full disk is tried again
PRUNE_NS = 600 * SECOND
# A timer rings some 0.1 ms late, and a core that slept needs as long again: the rest is waited for
# awake.
WAKE_AHEAD_NS = 300_000


class Keeper:
    """The hands of the shim."""

    def __init__(self, state: str, loop: Loop, boot_id: str, groups: Groups) -> None:
        self.book = Book()
        self.book.identity = {"boot_id": boot_id, "pid": os.getpid()}
        self.runs = f"{state}/runs"
        self.trash = f"{state}/shim/removed"
        self.mark = mark_of(state)
        self.boot_id = boot_id
        self.groups = groups
        self.memory = Memory(f"{state}/shim/taken", self._snapshot)
        self.scribe = Scribe(self.memory, boot_id)
        self.processes: dict[Key, Process] = {}
        self.undertaker = Undertaker(self.processes, self._finish)
        self.done = False
        self._loop = loop
        self._by_pid: dict[int, Key] = {}
        self._answers: list[tuple[Slot, Request]] = []
        self._discarded: list[Process] = []
        self._sync_at = 0
        self._prune_at = boot_ns() + PRUNE_NS
        self._quits = False

    # ---- from outside ---------------------------------------------------------------------------

    def ask(self, slot: Slot, kind: str, request: Request, length: int) -> None:
        """Carry out a request, or refuse it."""
        try:
            self._step(self._event(slot, kind, request, length))
        except Refused as refused:
            self._refuse(slot, refused)
        except Exception as fault:
            self._refuse(slot, Refused("bug", f"the shim failed: {fault!r}"))
            sys.excepthook(*sys.exc_info())

    def turn(self) -> None:
        """Do what is due; called whenever the loop wakes, before anything else."""
        due = self.book.next_instant()
        now = boot_ns()
        while due is not None and now < due <= now + WAKE_AHEAD_NS:
            now = boot_ns()
        if due is not None and due <= now:
            self._step(events.Tick())
        if 0 < self.scribe.moment_at <= now:
            self._take_moment(now)
        if 0 < self.undertaker.next_look <= now:
            self.undertaker.sweep(now)
        if self._prune_at <= now:
            self._prune_at = now + PRUNE_NS
            self.memory.prune()
            self.book.forget(now - KEPT_NS)

    def settle(self) -> None:
        """Sync what was noted, then tell it; called when the loop has handled what was ready."""
        now = boot_ns()
        if self.memory.dirty and self._sync_at <= now:
            synced = self.memory.sync()
            self._sync_at = 0 if synced else now + SYNC_AGAIN_NS
            if synced:
                self._step(events.Synced())
        if not self.memory.dirty:
            self.scribe.publish()
            self._tell()

    def next_instant(self) -> int:
        """Return when `turn` is needed next."""
        instants = [self.scribe.moment_at, self.undertaker.next_look, self._sync_at]
        due = self.book.next_instant()
        set_ones = [instant for instant in instants if instant]
        return min([self._prune_at, *set_ones, *([] if due is None else [due - WAKE_AHEAD_NS])])

    def reap(self) -> None:
        """Take the statuses of all children that ended."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            self.undertaker.not_strays.discard(pid)
            key = self._by_pid.pop(pid, None)
            if process := self.processes.get(key) if key else None:
                process.cpu = usage.ru_utime, usage.ru_stime
                process.maxrss = usage.ru_maxrss * 1024
                self.left(process, status)
        if self.undertaker.is_busy:
            self.undertaker.sweep(boot_ns())

    def left(self, process: Process, status: int | None) -> None:
        """Take note that a script's own process ended; what it left behind is ended now."""
        process.status = status
        process.left = True
        if process.tree:
            process.tree.reaped = True
        self._see_first_line(process)
        self._step(events.Exited(process.key))
        self.undertaker.end(process)

    def hold(self, process: Process) -> None:
        """Take an attempt into the hands, with its process if it has one."""
        self.processes[process.key] = process
        if process.tree and not process.adopted:
            self._by_pid[process.tree.pid] = process.key

    def open(self, process: Process) -> None:
        """Begin to drain its output."""
        drain = process.open()
        for descriptor in drain.streams:
            self._loop.watch(descriptor, drain.ready)

    # ---- inside ---------------------------------------------------------------------------------

    def _event(self, slot: Slot, kind: str, request: Request, length: int) -> events.Asked:
        if kind not in events.REQUESTS:
            raise Refused("invalid", f'there is nothing like "{kind}" to be done')
        event = events.REQUESTS[kind](slot, request)
        if isinstance(event, events.Arm | events.Bar):
            event.room = self.memory.has_room(length, len(self.processes))
        return event

    def _refuse(self, slot: Slot, refused: Refused) -> None:
        fields = {"ok": False, "refused": refused.code, "sentence": refused.sentence}
        self._answers.append((slot, {**fields, **refused.more}))

    def _step(self, event: object) -> None:
        """Bring the book an event, perform what it decides, and what comes of that."""
        waiting: deque[object] = deque([event])
        while waiting:
            for effect in self.book.step(waiting.popleft(), boot_ns()):
                told = self._perform(effect)
                if told is not None:
                    waiting.append(told)

    def _perform(self, effect: Effect) -> object | None:
        """Do one thing; return what is to be told to the book of it."""
        match effect:
            case effects.Release():
                self.processes[effect.key].let_go(effect.company)
                self.scribe.be_quiet()
            case effects.Note():
                self.scribe.note(self.processes[effect.key], effect.step, effect.lazily)
            case effects.Take():
                return self._take(effect)
            case effects.Launch():
                return self._launch(self.processes[effect.key])
            case effects.Close() | effects.Kill():
                self._kill(self.processes[effect.key], isinstance(effect, effects.Close))
            case effects.Terminate():
                self._terminate(self.processes[effect.key])
            case _:
                self._keep(effect)
        return None

    def _keep(self, effect: Effect) -> None:
        """Do what touches no process."""
        match effect:
            case effects.Answer():
                if isinstance(effect.to, Slot):
                    self._answers.append((effect.to, effect.fields))
            case effects.Remember():
                self.scribe.remember(effect.key, effect.outcome)
            case effects.KeepCounters():
                for line in self._snapshot():
                    self.memory.append(line)
            case effects.Discard():
                self._discard(self.processes[effect.key])
            case effects.Quit():
                self._quits = True
            case _:
                raise TypeError(f"no such effect: {effect!r}")

    def _take(self, effect: effects.Take) -> object:
        order = effect.order
        held = sum(not process.finished for process in self.processes.values())
        if held >= descriptors.most_attempts(MOST_PEERS):
            sentence = f"this host holds {held} attempts, as many as its limit of open files allows"
            return events.NotTaken(effect.key, "no_room", sentence)
        name = name_of(*effect.key)
        process = Process(order, RunFolder(f"{self.runs}/{name}"), self.mark)
        try:
            process.folder.make(order, self.boot_id)
            process.group = self.groups.make(name, order.memory_limit)
            self.open(process)
            if effect.start and parking.has_gate(order.argv):
                process.start(parked=True)
            else:
                parking.require_program(order.argv[0])
        except NotStarted as fault:
            return self._undo(process, fault.code, fault.sentence)
        except OSError as fault:
            code = "full" if fault.errno in parking.DISK_FULL else "no_room"
            return self._undo(process, code, f"the run folder cannot be made: {fault.strerror}")
        self.hold(process)
        return taken(process)

    def _undo(self, process: Process, code: str, sentence: str) -> events.NotTaken:
        self._undrain(process)
        process.gone()
        process.folder.remove()
        return events.NotTaken(process.key, code, sentence)

    def _launch(self, process: Process) -> object:
        try:
            process.start(parked=False)
        except NotStarted as fault:
            return events.NotTaken(process.key, fault.code, fault.sentence)
        self.hold(process)
        return taken(process)

    def _terminate(self, process: Process) -> None:
        if process.tree:
            process.tree.look({} if process.group else proc.everyone())
            process.tree.terminate()

    def _kill(self, process: Process, closes: bool) -> None:
        if closes:
            process.close_gate()
        process.left = process.left or not process.tree
        self.undertaker.end(process)

    def _finish(self, process: Process) -> None:
        """Tell that nothing of an attempt is left."""
        self._undrain(process)
        self._step(process.gone())
        self.scribe.finish(process)
        process.finished = True
        if process.shipped:
            self._discard(process)

    def _discard(self, process: Process) -> None:
        """Have the folder removed, once nothing is left that uses it."""
        process.shipped = True
        if process.finished:
            self._discarded.append(self.processes.pop(process.key))

    def _undrain(self, process: Process) -> None:
        for descriptor in process.drain.streams if process.drain else ():
            self._loop.forget(descriptor)

    def _take_moment(self, now: int) -> None:
        """Write what waited for a quiet moment."""
        waits = False
        for process in list(self.processes.values()):
            self._see_first_line(process)
            waits = waits or (process.released and process.gate is not None)
            self.scribe.write_lazy(process)
        self.scribe.moment_at = now + LOOK_AGAIN_NS if waits else 0

    def _see_first_line(self, process: Process) -> None:
        moment = process.first_line() if process.released else 0
        if moment:
            self._step(events.FirstLine(process.key, moment))

    def _tell(self) -> None:
        discarded, self._discarded = self._discarded, []
        for process in discarded:
            if remover := trash.remove(process.folder, self.trash):
                self.undertaker.not_strays.add(remover)
        answers, self._answers = self._answers, []
        for slot, fields in answers:
            slot.fill(fields)
        self.done = self._quits and not self.undertaker.is_busy

    def _snapshot(self) -> list[Request]:
        return [self.book.lives.kept(), {"counters": self.book.counters}]


def taken(process: Process) -> events.Taken:
    """Return what the book is told of an attempt whose means are there."""
    tree = process.tree
    pid, started = (tree.pid, tree.started) if tree else (0, 0)
    return events.Taken(process.key, process.folder.path, pid, started)
