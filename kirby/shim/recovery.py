"""What a new shim makes of everything that an earlier one left, before it answers anyone.

What had begun and lives is adopted; what had begun and is gone, or ran before the machine was
restarted, is lost; what was only parked never began.
"""

import json
import os
import select
import sys
import time

from kirby.shim import adoption, steps, trash
from kirby.shim.attempt import Attempt
from kirby.shim.events import Key
from kirby.shim.folder import RECORD, RunFolder, name_of
from kirby.shim.held import BARRED, SHIPPED
from kirby.shim.keeper import Keeper
from kirby.shim.kernel import boot_ns
from kirby.shim.lives import Lives
from kirby.shim.loop import Loop
from kirby.shim.phases import Phase
from kirby.shim.process import Process
from kirby.shim.requests import Order, Request, kept_order

LEFTOVERS_S = 2.0  # what has not died by then is killed on while others are answered
LOOK_S = 0.005
NOTED_WITH_ARMED = ("order", "run", "attempt")


class Past:
    """What the memory holds, by attempt."""

    def __init__(self, lines: list[Request]) -> None:
        self.orders: dict[Key, Request] = {}
        self.steps: dict[Key, list[Request]] = {}
        self.outcomes: dict[Key, str] = {}
        self.lives = Lives()
        self.counters: dict[str, int] = {}
        for line in lines:
            self._read(line)

    def _read(self, line: Request) -> None:
        if "newest" in line:
            self.lives.read(line)
        elif isinstance(counters := line.get("counters"), dict):
            self.counters.update(counters)
        else:
            self._read_attempt((str(line["run"]), int(str(line["attempt"]))), line)

    def _read_attempt(self, key: Key, line: Request) -> None:
        if "outcome" in line:
            if self.outcomes.get(key) != BARRED:
                self.outcomes[key] = str(line["outcome"])
            if line["outcome"] == SHIPPED:
                self.orders.pop(key, None)
            return
        if isinstance(order := line.get("order"), dict):
            self.orders[key] = order
        step = {name: value for name, value in line.items() if name not in NOTED_WITH_ARMED}
        self.steps.setdefault(key, []).append(step)


def recover(keeper: Keeper, loop: Loop) -> None:
    """Take over what is there."""
    past = Past(keeper.memory.read())
    keeper.book.lives = past.lives
    keeper.book.counters = past.counters
    if remover := trash.empty(keeper.trash):
        keeper.undertaker.not_strays.add(remover)
    seen: set[Key | None] = set()
    for name in sorted(os.listdir(keeper.runs)):
        try:
            seen.add(_take_over(keeper, loop, past, name))
        except Exception:  # one that is damaged must not keep the others from being guarded
            sys.stderr.write(f"{keeper.runs}/{name} cannot be taken over:\n")
            sys.excepthook(*sys.exc_info())
    for key, order in past.orders.items():
        if key not in seen:
            _restore(keeper, loop, past, key, order)
            seen.add(key)
    now = boot_ns()
    for key in past.steps.keys() - seen:
        past.outcomes.setdefault(key, SHIPPED)
    for key, outcome in past.outcomes.items():
        keeper.book.remember(key, outcome, now)
    _end_leftovers(keeper)


def _take_over(keeper: Keeper, loop: Loop, past: Past, name: str) -> Key | None:
    folder = RunFolder(f"{keeper.runs}/{name}")
    found = _order(folder, past, name)
    if found is None:
        if name.rpartition(".")[2].isdigit():  # killed while it was made: nobody was told of it
            trash.remove_later(folder.path, keeper.trash)
        return None
    order, boot_id = found
    folder.load()
    process = Process(order, folder, keeper.mark)
    _judge(keeper, loop, past, process, boot_id == keeper.boot_id)
    return order.run, order.attempt


def _restore(keeper: Keeper, loop: Loop, past: Past, key: Key, record: Request) -> None:
    """Make a folder again that a power failure took away, so that its end is told."""
    order = kept_order(record)
    folder = RunFolder(f"{keeper.runs}/{name_of(*key)}")
    try:
        folder.make(order, str(record["boot_id"]))
    except OSError:
        return  # the disk is full; the next shim tries again
    process = Process(order, folder, keeper.mark)
    _judge(keeper, loop, past, process, record["boot_id"] == keeper.boot_id)


def _armed(folder: RunFolder) -> Request:
    try:
        with open(f"{folder.path}/{RECORD}") as file:
            content = json.load(file)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _order(folder: RunFolder, past: Past, name: str) -> tuple[Order, object] | None:
    """Return what was armed, and in which life of the machine."""
    records = [_armed(folder)]
    records += [record for key, record in past.orders.items() if name_of(*key) == name]
    for record in records:
        try:
            return kept_order(record), record["boot_id"]
        except KeyError:
            continue
    return None


def _judge(keeper: Keeper, loop: Loop, past: Past, process: Process, same_boot: bool) -> None:
    """Say what became of one attempt, and hold it."""
    folder = process.folder
    for step in past.steps.get(process.key, ()):
        if not folder.has(str(step["step"])):
            folder.append(step)
    attempt = _attempt(process)
    keeper.hold(process)
    keeper.book.adopt(attempt)
    if any(folder.has(final) for final in steps.FINAL):
        attempt.phase = Phase.ENDED
        process.finished = True
        folder.close()
        return
    process.group = keeper.groups.find(name_of(*process.key)) if same_boot else ""
    tree = adoption.find(process, attempt) if same_boot else None
    begun = folder.has("releasing") or folder.has("released")
    if begun and tree and not tree.reaped and _adopt(keeper, loop, process, attempt):
        return
    attempt.phase = Phase.ENDED
    keeper.scribe.note(process, _end(begun, same_boot))
    process.left = True
    keeper.undertaker.end(process)


def _end(begun: bool, same_boot: bool) -> Request:
    what = "Kirby's shim was killed" if same_boot else "the host was restarted"
    if begun:
        return steps.lost(f"{what} while it ran, and its exit status is lost")
    return steps.not_started(steps.INTERRUPTED, f"{what} before it was let go")


def _attempt(process: Process) -> Attempt:
    """Build the book's side of an attempt from its journal."""
    attempt = Attempt(process.order, boot_ns())
    attempt.folder = process.folder.path
    for step in process.folder.steps:
        attempt.pid = int(str(step.get("pid", attempt.pid)))
        attempt.started = int(str(step.get("started", attempt.started)))
        attempt.released = int(str(step.get("released_boot_ns", attempt.released)))
        attempt.since = int(str(step.get("boot_ns", attempt.since)))
        if step["step"] == "stop_asked":
            attempt.stop = str(step.get("reason", ""))
    return attempt


def _adopt(keeper: Keeper, loop: Loop, process: Process, attempt: Attempt) -> bool:
    """Go on guarding a script that lives; False: it has just died."""
    assert process.tree
    try:
        descriptor = os.pidfd_open(process.tree.pid)
    except ProcessLookupError:
        process.tree.reaped = True
        return False
    attempt.pid, attempt.started = process.tree.pid, process.tree.started
    attempt.released = attempt.released or max(attempt.order.not_before, attempt.since)
    order = attempt.order
    attempt.phase = Phase.STOPPING if attempt.stop else Phase.RUNNING
    if attempt.stop:
        attempt.kill_at = attempt.since + order.grace
    elif order.time_limit:
        attempt.limit_at = attempt.released + order.time_limit
    if not process.folder.has("released"):
        keeper.scribe.note(process, steps.released(attempt))
        process.unproven = True
    process.adopted = True
    keeper.open(process)

    def ended(pidfd: int, _: int) -> None:
        loop.forget(pidfd)
        end = adoption.end_of(process, pidfd)
        os.close(pidfd)
        keeper.left(process, end)

    loop.watch(descriptor, ended, select.EPOLLIN)
    return True


def _end_leftovers(keeper: Keeper) -> None:
    """Give what an earlier shim's scripts left behind a moment to die."""
    until = time.monotonic() + LEFTOVERS_S
    while keeper.undertaker.is_busy and time.monotonic() < until:
        keeper.undertaker.sweep(boot_ns())
        time.sleep(LOOK_S)
