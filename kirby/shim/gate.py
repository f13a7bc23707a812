"""The gate: where the interpreter of a parked script waits for its due instant.

It is installed as the top-level module `_kirby_gate` beside `_kirby_gate.pth`, whose one line
calls `enter()` while Python starts, and only if `KIRBY_GATE_FD` is set. Everything that makes a
start of Python slow is over by then, and not a line of the script's package has been executed;
what follows the gate is Python's own `-m`.

The descriptor is a socket to the shim. The gate says `READY`, and waits: for one byte, which lets
it pass, or for the end of the socket, at which it ends the process without running the package.
Once let go it answers with the moment: CLOCK_BOOTTIME in nanoseconds, 8 bytes, big endian.

The byte says how much company it has. The end of an interpreter costs four times as much as its way
from here to the first line, so where many are let go at once, one that ends early would take the
cores from those that have not begun. In company it therefore rests before it ends: after everything
that the script has registered for its end, and only until the others have begun.
"""

import atexit
import gc
import importlib.machinery
import os
import sys
import time

VARIABLE = "KIRBY_GATE_FD"
READY = b"r"
REST = 128  # a byte from here on: rest until so many steps after this moment
REST_STEP_NS = 2_000_000
CLOSED = 113  # exit status: the gate was closed; not one of the shell's, of sysexits.h or of Kirby
LATER = ("runpy", "importlib.util", "pkgutil")  # what `python -m` imports after this point


def enter() -> None:
    """Wait at the gate, unless `site` will come by here once more.

    In a virtual environment `site` reads each .pth file twice, the first time below `site.venv`;
    only in the last pass is everything else of the environment set up.
    """
    if _below_site_venv():
        return
    descriptor = int(os.environ.pop(VARIABLE))
    _warm()
    gc.collect()
    gc.freeze()  # spares the interpreter's own objects at exit
    _wait(descriptor)


def _below_site_venv() -> bool:
    frame = sys._getframe().f_back
    while frame is not None:
        if frame.f_code.co_name == "venv" and frame.f_globals.get("__name__") == "site":
            return True
        frame = frame.f_back
    return False


def _wait(descriptor: int) -> None:
    try:
        os.write(descriptor, READY)
        let_go = os.read(descriptor, 1)
    except OSError:
        let_go = b""  # the shim died: its end of the socket is gone
    if not let_go:
        os._exit(CLOSED)
    moment = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    try:
        os.write(descriptor, moment.to_bytes(8, "big"))
    except OSError:
        pass  # the shim died just now; the script runs all the same
    os.close(descriptor)
    if let_go[0] > REST:
        atexit.register(_rest, os.getpid(), moment + (let_go[0] - REST) * REST_STEP_NS)


def _rest(pid: int, until: int) -> None:
    """Wait for the others; registered first, this is called last. A child has nothing to wait for.

    What a handler of the script raises meanwhile would have come too late to matter without this.
    """
    try:
        left = until - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if left > 0 and os.getpid() == pid:
            time.sleep(left / 1e9)
    except BaseException:
        pass


def _warm() -> None:
    """Fill the caches that the next imports use, without executing anything of the package."""
    for name in LATER:
        __import__(name)
    package = _package()
    if not package:
        return
    find = importlib.machinery.PathFinder.find_spec
    try:
        spec = find(package.partition(".")[0], [os.getcwd(), *sys.path])
        if spec and spec.submodule_search_locations:
            find("__main__", list(spec.submodule_search_locations))
    except (OSError, ImportError, ValueError):
        return  # whatever is wrong, `python -m` says it in its own words


def _package() -> str:
    """Return what `-m` names on the command line."""
    arguments = sys.orig_argv[1:]
    for position, argument in enumerate(arguments):
        if argument == "-m":
            return "".join(arguments[position + 1 : position + 2])
        if not argument.startswith("-"):
            break
        if argument.startswith("-m"):
            return argument[2:]
    return ""
