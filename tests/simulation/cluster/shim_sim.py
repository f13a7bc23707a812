"""A simulated shim: the real one's decisions (`kirby.shim.book`) over a simulated disk.

What was synced survives it, scripts survive it (exclusive ones excepted), parked ones do not. What
a new shim makes of the disk follows `kirby.shim.recovery`, whose reading of the memory is used.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field

import msgspec

from kirby.core.shipping.folders import Progress
from kirby.core.shipping.run_folder import Entry
from kirby.core.shipping.run_folder import Order as KeptOrder
from kirby.shim import effects, events, recovery, steps
from kirby.shim.attempt import Attempt
from kirby.shim.book import Book
from kirby.shim.events import Key
from kirby.shim.held import BARRED, SHIPPED
from kirby.shim.phases import Phase
from kirby.shim.refusals import Refused
from kirby.shim.requests import Order, Request
from tests.simulation.cluster.life import Life, Timeline

SYNC_SECONDS = 0.002
MOMENT_SECONDS = 0.1  # what can wait is written then
SECOND_NS = 1_000_000_000
ANSWER_SECONDS = 5.0  # a shim that has not answered by then is hung up on

Heard = Callable[[dict[str, object] | None], None]


@dataclass(kw_only=True, eq=False)
class Script:
    """A process: parked, let go, ended."""

    key: Key
    order: Order
    host: str
    life: Life  # of the host's processes: frozen with the host, not with the shim
    started: float | None = None
    ended: float | None = None
    status: int = 0
    grace_until: float = 0.0

    @property
    def lives(self) -> bool:
        """Whether it runs its package."""
        return self.started is not None and self.ended is None


@dataclass(kw_only=True)
class Folder:
    """A run folder."""

    order: Order
    kept: KeptOrder
    boot: int  # the life of the machine in which it was armed
    journal: list[Entry] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)

    def has(self, *names: str) -> bool:
        """Whether one of these steps stands in the journal."""
        return any(entry.step in names for entry in self.journal)


@dataclass(kw_only=True)
class Disk:
    """What outlives every process of a host."""

    folder_id: str
    lines: list[Request] = field(default_factory=list)  # the memory, as far as synced
    folders: dict[Key, Folder] = field(default_factory=dict)
    life: int = 0  # the counter of the Supervisor's lives

    def copied(self) -> "Disk":
        """Return the same disk in another machine."""
        folders = {
            key: Folder(
                order=copy(each.order),
                kept=each.kept,
                boot=each.boot,
                journal=list(each.journal),
                progress=each.progress,
            )
            for key, each in self.folders.items()
        }
        return Disk(
            folder_id=self.folder_id, lines=list(self.lines), folders=folders, life=self.life
        )


class Machine:
    """What a shim stands on: the disk, the processes, the chance; and who watches them start."""

    def __init__(self, timeline: Timeline, name: str, disk: Disk, boot: Callable[[], int]) -> None:
        self.timeline = timeline
        self.name = name
        self.disk = disk
        self.boot_ns = boot
        self.processes = Life(timeline)
        self.boots = 0  # lives of the machine; a copied disk comes from another one
        self.scripts: dict[Key, Script] = {}
        self.all_scripts: list[Script] = []  # whatever ever began: the witness
        self.disk_full = False
        self.slow_disk = False
        self.duration: Callable[[str], tuple[float, int]] = lambda _context: (1.0, 0)
        self.shim: Shim | None = None  # the one that lives

    def wall_ns(self) -> int:
        """Return the wall clock, for people."""
        return self.boot_ns()


class Shim:
    """One life of the shim of a host."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.life = Life(machine.timeline)
        self.book = Book()
        self.users: list[Callable[[], None]] = []  # told when it is gone
        self.watchers: list[Callable[[Key, Entry], None]] = []
        self._noted: list[tuple[Request, Key | None, Entry | None]] = []
        self._lazy: dict[Key, list[Request]] = {}
        self._answers: list[tuple[Heard, dict[str, object]]] = []
        self._discarded: list[Key] = []
        self._settling = False
        self._tick_at: int | None = None
        self._recover()
        self._plan_tick()

    # -- from outside

    def ask(self, kind: str, request: Request, heard: Heard) -> None:
        """Take a request off the wire; `heard` gets the answer's fields, None where none comes."""
        answered = False

        def once(fields: dict[str, object] | None) -> None:
            nonlocal answered
            if not answered:
                answered = True
                heard(fields)

        if not self.life.alive:
            heard(None)
            return
        self.life.do(lambda: self._ask(kind, request, once))
        if not answered and (self.life.frozen or self.machine.slow_disk):
            self.machine.timeline.after(ANSWER_SECONDS, lambda: once(None))

    def kill(self) -> None:
        """End it at once: what was not synced is lost, gates close, exclusive scripts die."""
        self.life.kill()
        waiting, self._answers = self._answers, []
        for script in list(self.machine.scripts.values()):
            if script.started is None:
                del self.machine.scripts[script.key]
            elif script.order.exclusive:
                self.end_script(script, 9)
        for heard, _ in waiting:
            heard(None)
        for gone in self.users:
            gone()

    # -- inside

    def _ask(self, kind: str, request: Request, heard: Heard) -> None:
        self._turn_first()
        try:
            event = events.REQUESTS[kind](heard, request)
            if isinstance(event, events.Arm | events.Bar):
                event.room = not self.machine.disk_full
            self.step(event)
        except Refused as refused:
            fields = {"ok": False, "refused": refused.code, "sentence": refused.sentence}
            self._answers.append((heard, fields))
        self._settle_soon()

    def _turn_first(self) -> None:
        """See what is due before anything is asked, as the real one does when it wakes."""
        self._turn()

    def _turn(self) -> None:
        due = self.book.next_instant()
        if due is not None and due <= self.machine.boot_ns():
            self.step(events.Tick())

    def step(self, event: object) -> None:
        """Bring the book an event, perform what it decides, and what comes of that."""
        waiting = [event]
        while waiting:
            for effect in self.book.step(waiting.pop(0), self.machine.boot_ns()):
                told = self._perform(effect)
                if told is not None:
                    waiting.append(told)
        self._settle_soon()
        self._plan_tick()

    def _plan_tick(self) -> None:
        due = self.book.next_instant()
        if due is None or (self._tick_at is not None and self._tick_at <= due):
            return
        self._tick_at = due
        wait = max(0, due - self.machine.boot_ns()) / SECOND_NS + 0.0001

        def ring() -> None:
            if self._tick_at == due:
                self._tick_at = None
            self._turn()
            self._plan_tick()

        self.life.after(wait, ring)

    def _settle_soon(self) -> None:
        if not self._settling:
            self._settling = True
            slow = self.machine.timeline.chance.uniform(0.0, 2.0) if self.machine.slow_disk else 0.0
            self.life.after(SYNC_SECONDS + slow, self._settle)

    def _settle(self) -> None:
        """Sync what was noted, then tell it."""
        self._settling = False
        noted, self._noted = self._noted, []
        answers, self._answers = self._answers, []
        discarded, self._discarded = self._discarded, []
        disk = self.machine.disk
        for line, key, entry in noted:
            disk.lines.append(line)
            if key is not None and entry is not None and key in disk.folders:
                disk.folders[key].journal.append(entry)
        if noted:
            self.step(events.Synced())
        for _, key, entry in noted:
            if key is not None and entry is not None:
                for watcher in self.watchers:
                    watcher(key, entry)
        for key in discarded:
            disk.folders.pop(key, None)
        for heard, fields in answers:
            heard(fields)

    def _perform(self, effect: effects.Effect) -> object | None:
        match effect:
            case effects.Note(key=key, step=step, lazily=lazily):
                self._note(key, step, lazily)
            case effects.Take(key=key, order=order, start=start):
                return self._take(key, order, start)
            case effects.Launch(key=key):
                script = self._script(key, self.book.attempts[key].order)
                self.start_script(script)
                return events.Taken(key, "", 1, 1)
            case effects.Release(key=key):
                self.start_script(self.machine.scripts[key])
            case effects.Close(key=key):
                self.machine.scripts.pop(key, None)
            case effects.Terminate(key=key):
                self._end_soon(key, self.machine.timeline.chance.uniform(0.0, 1.0), 15)
            case effects.Kill(key=key):
                self._end_soon(key, 0.001, 9)
            case _:
                self._keep(effect)
        return None

    def _keep(self, effect: effects.Effect) -> None:
        """Do what touches no process."""
        match effect:
            case effects.Answer(to=to, fields=fields):
                if callable(to):
                    self._answers.append((to, {"ok": True, **fields}))
            case effects.Remember(key=key, outcome=outcome):
                line: Request = {"run": key[0], "attempt": key[1], "outcome": outcome}
                self._noted.append((line, None, None))
            case effects.KeepCounters():
                self._noted.append((self.book.lives.kept(), None, None))
                self._noted.append(({"counters": dict(self.book.counters)}, None, None))
            case effects.Discard(key=key):
                self._discarded.append(key)
            case _:
                raise TypeError(f"no such effect: {effect!r}")

    def _note(self, key: Key, step: Request, lazily: bool) -> None:
        now = self.machine.boot_ns()
        step = {**step, "at_ns": self.machine.wall_ns(), "boot_ns": now}
        if lazily:
            self._lazy.setdefault(key, []).append(step)
            self.life.after(MOMENT_SECONDS, lambda: self._write_lazy(key))
            return
        self._write_lazy(key)
        self._write(key, step)

    def _write_lazy(self, key: Key) -> None:
        for step in self._lazy.pop(key, ()):
            self._write(key, step)
            self._settle_soon()

    def _write(self, key: Key, step: Request) -> None:
        line: Request = {"run": key[0], "attempt": key[1], **step}
        if step["step"] == "armed":
            line["order"] = {"attempt": key[1]}  # the folder itself keeps the order here
        self._noted.append((line, key, msgspec.convert(step, Entry)))

    def _take(self, key: Key, order: Order, start: bool) -> object:
        kept = KeptOrder(
            run=order.run,
            attempt=order.attempt,
            context=order.context,  # type: ignore[arg-type]
            kind=order.kind,
            incarnation=order.incarnation,  # type: ignore[arg-type]
            at_ns=self.machine.wall_ns(),
            meta=order.meta,  # type: ignore[arg-type]
        )
        self.machine.disk.folders[key] = Folder(order=order, kept=kept, boot=self.machine.boots)
        if start:
            self._script(key, order)
        return events.Taken(key, "", 1 if start else 0, 1 if start else 0)

    # -- scripts

    def _script(self, key: Key, order: Order) -> Script:
        machine = self.machine
        script = Script(key=key, order=order, host=machine.name, life=machine.processes)
        machine.scripts[key] = script
        return script

    def start_script(self, script: Script) -> None:
        """Let it go."""
        machine = self.machine
        script.started = machine.timeline.now
        machine.all_scripts.append(script)
        seconds, status = machine.duration(script.order.context)
        machine.processes.after(seconds, lambda: exit_of(machine, script, status))

    def _end_soon(self, key: Key, seconds: float, signal: int) -> None:
        script = self.machine.scripts.get(key)
        if script is None:
            return
        machine = self.machine
        machine.processes.after(seconds, lambda: exit_of(machine, script, signal))

    def end_script(self, script: Script, status: int) -> None:
        """End it without a shim that could learn of it."""
        exit_of(self.machine, script, status)

    def exited(self, script: Script) -> None:
        """Learn that a script ended."""
        key = script.key
        if key in self.book.attempts:
            self._turn()
            self.step(events.Exited(key))
            self.step(events.Gone(key, script.status))

    # -- what an earlier shim left

    def _recover(self) -> None:
        disk = self.machine.disk
        past = recovery.Past(disk.lines)
        self.book.lives, self.book.counters = past.lives, past.counters
        now = self.machine.boot_ns()
        for key, folder in disk.folders.items():
            if past.outcomes.get(key) != SHIPPED:
                self._judge(key, folder, now)
        for key in past.steps.keys() - disk.folders.keys():
            past.outcomes.setdefault(key, SHIPPED)
        for key, outcome in past.outcomes.items():
            self.book.remember(key, outcome, now)

    def _judge(self, key: Key, folder: Folder, now: int) -> None:
        attempt = Attempt(folder.order, now)
        self.book.adopt(attempt)
        script = self.machine.scripts.get(key)
        if folder.has(*steps.FINAL):
            attempt.phase = Phase.ENDED
            return
        begun = folder.has("releasing", "released")
        stopped = [entry.reason for entry in folder.journal if entry.step == "stop_asked"]
        attempt.stop = stopped[-1] if stopped else ""
        same_boot = folder.boot == self.machine.boots
        if begun and script is not None and script.lives:
            attempt.pid, attempt.released = 1, round((script.started or 0.0) * SECOND_NS)
            attempt.phase = Phase.STOPPING if attempt.stop else Phase.RUNNING
            if attempt.stop:
                attempt.kill_at = now + attempt.order.grace
            if not folder.has("released"):
                self._note(key, steps.released(attempt), False)
        else:
            attempt.phase = Phase.ENDED
            self._note(key, recovery._end(begun, same_boot), False)
        self._settle_soon()


def exit_of(machine: Machine, script: Script, status: int) -> None:
    """End a script; the shim, if one lives, hears of it."""
    if script.started is None or script.ended is not None:
        return
    script.ended, script.status = machine.timeline.now, status
    machine.scripts.pop(script.key, None)
    shim = machine.shim
    if shim is not None:
        shim.life.do(lambda: shim.exited(script))


__all__ = ["BARRED", "Disk", "Folder", "Machine", "Script", "Shim", "exit_of"]
