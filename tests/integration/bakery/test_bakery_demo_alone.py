"""The demo keeps to itself: one in a folder, and its shop ends with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kirby.cli.demo.alone import only_demo, wait_for_the_last_host
from kirby.core.errors import ExitCode
from kirby.host.locks import take
from kirby.host.state import StateFolder
from tests.builders.bakery import BAKERY

pytestmark = pytest.mark.integration
PATIENCE_S = 60.0
# What `kirby demo` does with its shop, without the rest of it. Ctrl-C ends what runs in front of a
# terminal; tests may run behind one, where whatever is started ignores it.
KEEPER = """
import signal, sys, time
from pathlib import Path
from kirby.cli.demo.bakery import open_shop
signal.signal(signal.SIGINT, signal.default_int_handler)
with open_shop(Path(sys.argv[1]), Path(sys.argv[2])) as url:
    print(url, flush=True)
    time.sleep(600)
"""

HOLDER = """
import sys, time
from pathlib import Path
from kirby.host.locks import take
lock = take(Path(sys.argv[1]))
print(flush=True)
time.sleep(0.5)
"""


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    found = StateFolder(path=tmp_path / "state")
    found.prepare()
    return found


def test_a_second_demo_in_the_folder_is_refused_in_one_sentence(folder: StateFolder) -> None:
    with only_demo(folder):
        second = subprocess.run(
            [sys.executable, "-m", "kirby.cli.main", "demo", "--state", str(folder.path)],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    assert second.returncode == ExitCode.STATE_IN_USE
    assert second.stdout == ""
    assert second.stderr.startswith(f"another demo (pid {os.getpid()}, since ")
    assert second.stderr.count("\n") == 1


def test_a_demo_that_has_ended_leaves_the_folder_free(folder: StateFolder) -> None:
    with only_demo(folder):
        pass

    with only_demo(folder):
        pass


def test_a_host_that_is_still_ending_is_waited_for(folder: StateFolder) -> None:
    ending = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder.lock)], stdout=subprocess.PIPE
    )
    assert ending.stdout is not None
    ending.stdout.readline()

    wait_for_the_last_host(folder)

    take(folder.lock).release()
    assert ending.wait(PATIENCE_S) == 0


@contextmanager
def a_keeper(state: Path) -> Iterator[subprocess.Popen[str]]:
    state.mkdir()
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(BAKERY), str(state)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert keeper.stdout is not None
        keeper.stdout.readline()
        yield keeper
    finally:
        keeper.kill()
        keeper.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_shop_ends_with_the_demo_however_that_ends(number: int, tmp_path: Path) -> None:
    with a_keeper(tmp_path / "bakery") as keeper:
        (shop,) = children_of(keeper.pid)

        keeper.send_signal(number)
        keeper.wait(PATIENCE_S)

    wait_until(lambda: not is_alive(shop))


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(what: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)
