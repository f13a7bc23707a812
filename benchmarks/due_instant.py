"""How late is the first line of a script? Kirby's parked start beside what the machine can do.

    python benchmarks/due_instant.py [--rounds 20] [--rounds-of-many 5] [--many 100]

For one script and for many due at one instant, in the same run and interleaved:

- `parked`: the shim lets go processes that wait at the gate, in a virtual environment
- `python -m`: the same package, started at the due instant
- `pipe`: processes that wait on a pipe and note the time, forked beforehand: the limit for anything
  that waits
- `posix_spawn`: `/bin/true` started at the due instant, until its end: the limit for anything that
  is started

Ends with status 1 if the parked start is not 10 times sooner than `python -m` for one and 8 times
for a hundred, at the median.
"""

import argparse
import compileall
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kirby.core.names import AttemptId, ContextKey, Incarnation
from kirby.host import shim_process
from kirby.host.shim_client import ShimClient
from kirby.host.shim_messages import Arm
from kirby.host.state import StateFolder

BOOT = time.CLOCK_BOOTTIME
GATE = Path(shim_process.PROGRAM).parent
PACKAGE = "bread"
MAIN = "import time; moment = time.clock_gettime_ns(time.CLOCK_BOOTTIME)\nprint(moment)\n"
LEAD_NS = 500_000_000
LEAD_NS_EACH = 60_000_000  # an interpreter takes 20 ms of one core; other work may be going on
NEEDED = {1: 10.0, 100: 8.0}
MANY_AT_LEAST = 8.0
INCARNATION = Incarnation(1)

Measure = Callable[[int], list[int]]  # how many; how late each was, in nanoseconds


def environment(folder: Path) -> Path:
    """Make a virtual environment as Kirby makes them, with one small package; return its python."""
    uv = str(Path(sys.executable).parent / "uv")
    options = ["--quiet", "--relocatable", "--python", sys.executable]
    subprocess.run([uv, "venv", *options, str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    shutil.copy(GATE / "gate.py", packages / "_kirby_gate.py")
    shutil.copy(GATE / "gate.pth", packages / "_kirby_gate.pth")
    (packages / PACKAGE).mkdir()
    (packages / PACKAGE / "__init__.py").touch()
    (packages / PACKAGE / "__main__.py").write_text(MAIN)
    compileall.compile_dir(packages, quiet=1)
    return folder / "bin" / "python"


def sleep_until(instant_ns: int) -> None:
    """Sleep until an instant, as precisely as Python can."""
    time.sleep(max(0.0, (instant_ns - time.clock_gettime_ns(BOOT)) / 1e9 - 0.001))
    while time.clock_gettime_ns(BOOT) < instant_ns:
        pass


class Parked:
    """Measures the shim."""

    def __init__(self, client: ShimClient, python: Path) -> None:
        self._client = client
        self._python = python
        self._runs = 0

    def __call__(self, count: int) -> list[int]:
        due = time.clock_gettime_ns(BOOT) + LEAD_NS + count * LEAD_NS_EACH
        folders = [self._arm(due) for _ in range(count)]
        time.sleep(max(0.0, (due - time.clock_gettime_ns(BOOT)) / 1e9) + 0.2)
        late = [self._first_line(folder) - due for _, folder in folders]
        for attempt, _ in folders:
            self._client.shipped(attempt)
        return late

    def _arm(self, due: int) -> tuple[AttemptId, Path]:
        self._runs += 1
        order = Arm(
            incarnation=INCARNATION,
            run=f"bread/prod@{self._runs}",
            attempt=1,
            context=ContextKey("bread/prod"),
            argv=(str(self._python), "-m", PACKAGE),
            not_before_boot_ns=due,
        )
        taken = self._client.arm(order)
        return taken.key, Path(taken.folder)

    def _first_line(self, folder: Path) -> int:
        output = folder / "output.000001"
        for _ in range(500):
            if b'"exited"' in (folder / "journal").read_bytes():
                return int(output.read_bytes()[13:])  # after the frame's head
            time.sleep(0.02)
        raise SystemExit(f"{folder.name} did not end: {(folder / 'journal').read_text()}")


class Started:
    """Measures `python -m` at the due instant."""

    def __init__(self, python: Path) -> None:
        self._command = [str(python), "-m", PACKAGE]

    def __call__(self, count: int) -> list[int]:
        due = time.clock_gettime_ns(BOOT) + LEAD_NS
        sleep_until(due)
        started = [
            subprocess.Popen(self._command, stdout=subprocess.PIPE, cwd="/", env={})
            for _ in range(count)
        ]
        return [int(process.communicate()[0]) - due for process in started]


def waiting_on_a_pipe(count: int) -> list[int]:
    """Measure processes that do nothing but wait."""
    gates = [os.pipe() for _ in range(count)]
    reading, writing = os.pipe()
    children = [_wait(gates[number][0], writing) for number in range(count)]
    due = time.clock_gettime_ns(BOOT) + LEAD_NS
    sleep_until(due)
    for _, gate in gates:
        os.write(gate, b"g")
    for child in children:
        os.waitpid(child, 0)
    moments = os.read(reading, 8 * count)
    for descriptor in (reading, writing, *(end for gate in gates for end in gate)):
        os.close(descriptor)
    return [int.from_bytes(moments[at : at + 8], "big") - due for at in range(0, len(moments), 8)]


def _wait(gate: int, told: int) -> int:
    child = os.fork()
    if child:
        return child
    os.read(gate, 1)
    os.write(told, time.clock_gettime_ns(BOOT).to_bytes(8, "big"))
    os._exit(0)


def spawned(count: int) -> list[int]:
    """Measure a tiny program, from the due instant to its end."""
    due = time.clock_gettime_ns(BOOT) + LEAD_NS
    sleep_until(due)
    pids = [os.posix_spawn("/bin/true", ["true"], {}) for _ in range(count)]
    late = []
    for pid in pids:
        os.waitpid(pid, 0)
        late.append(time.clock_gettime_ns(BOOT) - due)
    return late


def median_and_p95(late: Sequence[int]) -> tuple[float, float]:
    """Return both in milliseconds."""
    ordered = sorted(late)
    return statistics.median(ordered) / 1e6, ordered[int(0.95 * (len(ordered) - 1))] / 1e6


def compare(measures: dict[str, Measure], count: int, rounds: int) -> float:
    """Measure everything in turn, print it, return how many times sooner the parked start is."""
    late: dict[str, list[int]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            late[name] += measure(count)
    print(f"\n{count} due at one instant, {rounds} rounds    median ms    95 % ms")
    for name, values in late.items():
        median, p95 = median_and_p95(values)
        print(f"  {name:<34} {median:>9.2f}  {p95:>9.2f}")
    ratio = median_and_p95(late["python -m"])[0] / median_and_p95(late["parked"])[0]
    print(
        f"  parked is {ratio:.1f} times sooner than python -m ({NEEDED.get(count, 8.0):g} needed)"
    )
    return ratio


def main() -> int:
    """Measure, print, and say whether it is good enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--rounds-of-many", type=int, default=5)
    parser.add_argument("--many", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kirby-bench-") as name:
        folder = StateFolder(path=Path(name) / "state")
        folder.prepare()
        python = environment(Path(name) / "environment")
        shim_process.ensure(folder)
        try:
            client = ShimClient(folder.shim)
            client.hello(INCARNATION)
            measures: dict[str, Measure] = {
                "parked": Parked(client, python),
                "python -m": Started(python),
                "pipe": waiting_on_a_pipe,
                "posix_spawn": spawned,
            }
            print(
                f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version[:6]}"
            )
            one = compare(measures, 1, asked.rounds)
            many = compare(measures, asked.many, asked.rounds_of_many)
        finally:
            shim_process.end(folder, with_scripts=True)
    return 0 if one >= NEEDED[1] and many >= NEEDED.get(asked.many, MANY_AT_LEAST) else 1


if __name__ == "__main__":
    sys.exit(main())
