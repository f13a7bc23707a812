"""Does what its variable DO says, and tells of it in a file that it syncs. Imports no kirby."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

__version__ = "1.0.0"

MEGABYTE = 1_000_000


def witness(step: str, **more: Any) -> None:
    """Append one line, in one piece, and see it on the disk."""
    line = {
        "step": step,
        "run": os.environ["KIRBY_RUN_ID"],
        "attempt": int(os.environ["KIRBY_ATTEMPT"]),
        "due": os.environ.get("KIRBY_SCHEDULED_AT"),
        "token": int(os.environ.get("KIRBY_FENCING_TOKEN", "0")),
        "host": os.environ["KIRBY_HOST"],
        "at": time.time(),
        "pid": os.getpid(),
    }
    file = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, json.dumps({**line, **more}).encode() + b"\n")
    os.fsync(file)
    os.close(file)


def succeed() -> None:
    time.sleep(float(os.environ.get("LASTS", "0")))


def tick() -> None:
    """Tell of each moment of its life, so that nobody need believe Kirby when it ended."""
    until = time.monotonic() + float(os.environ["LASTS"])
    while time.monotonic() < until:
        witness("ticks")
        time.sleep(0.02)


def wait_for_go() -> None:
    while not Path(os.environ["GO"]).exists():
        time.sleep(0.05)


def fail() -> None:
    print("the oven is cold", file=sys.stderr)
    sys.exit(3)


def fail_at_first() -> None:
    if int(os.environ["KIRBY_ATTEMPT"]) < int(os.environ["SUCCEEDS_AT"]):
        fail()


def blow_up() -> None:
    raise RuntimeError("no flour")


def hang() -> None:
    while True:
        time.sleep(60)


def ignore_the_end() -> None:
    signal.signal(signal.SIGTERM, lambda *_: witness("asked to end"))
    hang()


def stop_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def leave_children() -> None:
    for _ in range(3):
        if os.fork() == 0:
            witness("child")
            hang()
    time.sleep(0.5)  # all have told of themselves


def hide_a_child() -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            null = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(null, stream)
            witness("child")
            hang()
        os._exit(0)
    os.wait()
    time.sleep(0.5)


def shout() -> None:
    line = "x" * 99 + "\n"
    for _ in range(100):
        sys.stdout.write(line * (MEGABYTE // 100))
    print("hoarse", flush=True)


def exit_at_once() -> None:
    os._exit(0)


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(os.urandom(1024)) * 8 * 1024)
        time.sleep(0.05)


def tell_secrets() -> None:
    secret = os.environ["SECRET"]
    print(f"the secret is {secret}")
    print(f"twice: {secret}{secret}", file=sys.stderr)
    print("in pieces: ", end="")
    half = len(secret) // 2
    for piece in (secret[:half], secret[half:]):
        print(piece, end="", flush=True)
        time.sleep(0.3)
    print()
    raise RuntimeError(f"could not sign in with {secret}")


def serve() -> None:
    def end(*_: Any) -> None:
        witness("ended")
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    print("serves", flush=True)
    hang()


witness("began")
globals()[os.environ["DO"]]()
witness("ended")
