"""Parked at the gate: nothing of the package runs before its instant, then it is Python's -m."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kirby.host.shim_messages import NotDone, Refusal, ShimPhase, Taken
from tests.builders.shim_host import LIMIT_S, Host, boot_ns, in_seconds, install_gate, is_gone

pytestmark = pytest.mark.integration
CLOSED = 113
UV = Path(sys.executable).parent / "uv"
TELLS = """
import os, sys, json
print(json.dumps([sys.argv, sys.orig_argv, sys.path, __name__, __file__, __package__, __spec__.name,
                  sorted(os.environ), sorted(name for name in sys.modules if "gate" in name)]))
"""

BRIEF = """
import atexit, os, sys
atexit.register(print, "ended")
print("begun", flush=True)
if not os.fork():
    print("child", flush=True)
    os._exit(0)
os.wait()
sys.exit(3)
"""
STOPPED = """
import os, signal, threading, time
def stop(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGTERM, stop)
def late():
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=late, daemon=True).start()
"""


def parked(host: Host, python: str, package: str = "bread", **fields: object) -> Taken:
    """Arm a package of the environment."""
    argv = (python, "-m", package)
    return host.client.arm(host.order(**{"argv": argv, "prestart": True, **fields}))


def test_a_parked_package_is_let_go_at_its_instant_and_not_before(
    one_host: Host, python: str
) -> None:
    due = in_seconds(1.5)

    taken = parked(one_host, python, not_before_boot_ns=due)
    early = one_host.output(taken)
    one_host.said(taken, b"bread")
    said_at = boot_ns()

    assert taken.phase is ShimPhase.PARKED
    assert early == b""
    assert said_at > due
    assert one_host.end_of(taken).status == 0
    assert one_host.steps(taken) == [
        "armed",
        "parked",
        "releasing",
        "released",
        "first_line",
        "exited",
    ]
    assert one_host.step(taken, "first_line").late_us < 1_000_000


def test_one_that_is_barred_while_parked_never_runs(one_host: Host, python: str) -> None:
    taken = parked(one_host, python, not_before_boot_ns=in_seconds(600))
    pid = one_host.step(taken, "parked").pid

    phase = one_host.client.bar(taken.key, one_host.order().incarnation, sentence="suspended")

    assert phase is ShimPhase.BARRED
    assert is_gone(pid)
    assert one_host.end_of(taken).sentence == "suspended"
    assert one_host.output(taken) == b""
    with pytest.raises(NotDone) as refused:
        parked(one_host, python, run=taken.run)
    assert refused.value.refusal is Refusal.BARRED


def test_a_stop_while_parked_bars(one_host: Host, python: str) -> None:
    taken = parked(one_host, python, not_before_boot_ns=in_seconds(600))

    one_host.stop(taken.key)

    assert one_host.end_of(taken).why == "withdrawn"


def test_a_bar_after_the_release_leaves_it_alone(one_host: Host, python: str) -> None:
    taken = parked(one_host, python, "slow")
    one_host.said(taken, b"slow")

    phase = one_host.client.bar(taken.key, one_host.order().incarnation)

    assert phase is ShimPhase.RUNNING
    assert one_host.client.holdings()[0].lives


def test_a_dead_shim_closes_the_gate(one_host: Host, python: str) -> None:
    taken = parked(one_host, python, not_before_boot_ns=in_seconds(600))
    pid = one_host.step(taken, "parked").pid

    one_host.kill()

    assert is_gone(pid)
    one_host.start()
    end = one_host.end_of(taken)
    assert (end.step, end.why) == ("not_started", "interrupted")
    assert one_host.output(taken) == b""


def through_the_gate(
    python: Path, *arguments: str, cwd: Path, byte: bytes = b"g"
) -> tuple[bytes, int]:
    """Run python with a gate that is opened at once; return what it printed and its status."""
    shim, own = socket.socketpair()
    with shim, own:
        os.set_inheritable(own.fileno(), True)
        process = subprocess.Popen(
            [python, *arguments],
            env={"KIRBY_GATE_FD": str(own.fileno())},
            pass_fds=[own.fileno()],
            stdout=subprocess.PIPE,
            cwd=cwd,
        )
        own.close()
        assert shim.recv(1) == b"r"
        shim.send(byte)
        said, _ = process.communicate(timeout=LIMIT_S)
        return said, process.returncode


@pytest.fixture
def relocatable(tmp_path: Path) -> Path:
    """The interpreter of an environment that uv made, with the gate and a package that tells."""
    folder = tmp_path / "environment"
    command = [str(UV), "venv", "--quiet", "--relocatable", "--python", sys.executable, str(folder)]
    subprocess.run(command, check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    install_gate(site)
    (site / "telling").mkdir()
    (site / "telling" / "__main__.py").write_text(TELLS)
    (site / "single.py").write_text(TELLS)
    return folder / "bin" / "python"


@pytest.mark.parametrize(
    "arguments", [("-m", "telling"), ("-mtelling", "a", "-m"), ("-u", "-m", "single", "--flag")]
)
def test_what_follows_the_gate_is_pythons_own_m(
    relocatable: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    bare = subprocess.run(
        [relocatable, *arguments], env={}, stdout=subprocess.PIPE, cwd=tmp_path, check=True
    )

    said, status = through_the_gate(relocatable, *arguments, cwd=tmp_path)

    assert status == 0
    assert said.replace(b'["_kirby_gate"]', b"[]") == bare.stdout


def test_a_package_that_is_missing_is_told_in_pythons_own_words(
    relocatable: Path, tmp_path: Path
) -> None:
    said, status = through_the_gate(relocatable, "-m", "nothing_like_it", cwd=tmp_path)

    assert (said, status) == (b"", 1)


def test_in_company_it_rests_after_all_that_the_script_does_at_its_end(
    relocatable: Path, tmp_path: Path
) -> None:
    site = next(relocatable.parent.parent.glob("lib/python*/site-packages"))
    (site / "brief.py").write_text(BRIEF)

    alone = through_the_gate(relocatable, "-m", "brief", cwd=tmp_path)
    begun = boot_ns()
    in_company = through_the_gate(relocatable, "-m", "brief", cwd=tmp_path, byte=b"\xff")
    ended = boot_ns()

    assert alone == in_company == (b"begun\nchild\nended\n", 3)
    assert ended - begun > 250_000_000


def test_what_ends_in_its_own_way_does_so_in_company_too(relocatable: Path, tmp_path: Path) -> None:
    site = next(relocatable.parent.parent.glob("lib/python*/site-packages"))
    (site / "quits.py").write_text("import os\nprint('lost')\nos._exit(4)\n")
    (site / "dies.py").write_text("import os\nos.kill(os.getpid(), 15)\n")

    quits = through_the_gate(relocatable, "-m", "quits", cwd=tmp_path, byte=b"\xff")
    dies = through_the_gate(relocatable, "-m", "dies", cwd=tmp_path, byte=b"\xff")

    assert (quits, dies) == ((b"", 4), (b"", -15))


def test_a_signal_while_it_rests_is_handled_as_the_script_wants(
    relocatable: Path, tmp_path: Path
) -> None:
    site = next(relocatable.parent.parent.glob("lib/python*/site-packages"))
    (site / "stopped.py").write_text(STOPPED)

    assert through_the_gate(relocatable, "-m", "stopped", cwd=tmp_path, byte=b"\xff") == (b"", 0)


def test_a_closed_gate_ends_the_process_before_anything_of_the_package(
    relocatable: Path, tmp_path: Path
) -> None:
    shim, own = socket.socketpair()
    with own:
        process = subprocess.Popen(
            [relocatable, "-m", "telling"],
            env={"KIRBY_GATE_FD": str(own.fileno())},
            pass_fds=[own.fileno()],
            stdout=subprocess.PIPE,
        )
    shim.recv(1)

    shim.close()

    said, _ = process.communicate(timeout=LIMIT_S)
    assert (said, process.returncode) == (b"", CLOSED)


def test_without_the_variable_the_gate_is_not_even_imported(
    relocatable: Path, tmp_path: Path
) -> None:
    said = subprocess.run(
        [relocatable, "-m", "telling"], env={}, stdout=subprocess.PIPE, cwd=tmp_path, check=True
    ).stdout

    assert b"_kirby_gate" not in said


def test_a_hundred_parked_ones_are_let_go_together(one_host: Host, python: str) -> None:
    due = in_seconds(12)
    taken = [parked(one_host, python, not_before_boot_ns=due) for _ in range(100)]
    assert boot_ns() < due, "this machine is too slow for this test"

    ends = [one_host.end_of(one) for one in taken]

    late = [one_host.step(one, "first_line").late_us for one in taken]
    assert {end.status for end in ends} == {0}
    assert max(late) < 5_000_000


def test_an_environment_without_a_gate_is_not_started_ahead(
    one_host: Host, relocatable: Path
) -> None:
    site = next(relocatable.parent.parent.glob("lib/python*/site-packages"))
    (site / "_kirby_gate.pth").unlink()

    taken = parked(one_host, str(relocatable), "telling", not_before_boot_ns=in_seconds(600))

    assert taken.phase is ShimPhase.ARMED
    assert one_host.client.holdings()[0].pid == 0
