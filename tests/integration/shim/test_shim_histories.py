"""Random histories with a shim that is killed again and again: nothing twice, no end that lies."""

import contextlib
import os
import random
import time
from pathlib import Path

import pytest

from kirby.core.shipping.run_folder import Entry
from kirby.host.shim_messages import Arm, NotDone, Taken
from tests.builders.shim_host import INCARNATION, Host, environment, in_seconds

pytestmark = pytest.mark.integration
RUNS = 24
KILLS = 4
SECONDS = 3.0


class History:
    """Arms runs at random, kills the shim at random, and looks at what came of it."""

    def __init__(self, host: Host, seed: int, python: str) -> None:
        self.host = host
        self.dice = random.Random(seed)
        self.python = python
        self.taken: dict[str, Taken] = {}
        self.barred: set[str] = set()

    def order(self, number: int) -> Arm:
        """A run that is due within the history, some of them parked, some barred, some stopped."""
        script = 'echo "$KIRBY_RUN_ID" >> ../../../witness; sleep $0; exit 0'
        argv: tuple[str, ...] = ("/bin/sh", "-c", script, str(self.dice.choice([0, 0.2, 1.0])))
        if self.dice.random() < 0.3:
            argv = (self.python, "-m", "witness")
        return self.host.order(
            run=f"pump/prod@{number}",
            argv=argv,
            not_before_boot_ns=in_seconds(self.dice.uniform(-1, SECONDS)),
            deadline_boot_ns=in_seconds(60),
            prestart=True,
        )

    def run(self) -> None:
        deeds = ["arm"] * RUNS + ["kill"] * KILLS + ["bar"] * 4 + ["stop"] * 4 + ["repeat"] * 8
        self.dice.shuffle(deeds)
        orders: list[Arm] = []
        for deed in deeds:
            time.sleep(self.dice.uniform(0, SECONDS / len(deeds)))
            if deed == "arm":
                orders.append(self.order(len(orders)))
                self.arm(orders[-1])
            elif deed == "kill":
                self.host.kill()
                self.host.start()
            elif orders:
                self.disturb(deed, self.dice.choice(orders))

    def arm(self, order: Arm) -> None:
        self.taken[order.run] = self.host.client.arm(order)

    def disturb(self, deed: str, order: Arm) -> None:
        attempt = self.taken[order.run].key
        if deed == "bar":
            phase = self.host.client.bar(attempt, INCARNATION)
            self.barred |= {order.run} if phase.value == "barred" else set()
        elif deed == "stop":
            self.host.stop(attempt)
        else:
            with contextlib.suppress(NotDone):  # barred
                self.host.client.arm(order)

    def ends(self) -> dict[str, Entry]:
        return {run: self.host.end_of(taken) for run, taken in self.taken.items()}

    def witnessed(self) -> list[str]:
        path = self.host.folder.path / "witness"
        return path.read_text().split() if path.exists() else []


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An environment with a package that leaves its run id behind."""
    source = (
        "import os\n"
        "with open('../../../witness', 'a') as file:\n"
        "    file.write(os.environ['KIRBY_RUN_ID'] + '\\n')\n"
    )
    folder = tmp_path_factory.mktemp("witness")
    environment(folder, f"witness={source}")
    return str(folder / "bin" / "python")


@pytest.mark.parametrize(
    "seed", [int(os.environ.get("KIRBY_TEST_SEED", "0")) + n for n in range(4)]
)
@pytest.mark.parametrize("groups", [True, False])
def test_whatever_is_killed_no_run_begins_twice_and_no_end_lies(
    tmp_path: Path, witness: str, seed: int, groups: bool
) -> None:
    print(f"seed {seed}")
    host = Host(tmp_path / "state", groups=groups).start()
    history = History(host, seed, witness)
    try:
        history.run()
        ends = history.ends()
    finally:
        host.end()

    began = history.witnessed()
    assert len(began) == len(set(began))
    for run, end in ends.items():
        steps = host.steps(history.taken[run])
        assert steps.count("released") <= 1, (run, steps)
        assert sum(step in ("exited", "not_started", "lost") for step in steps) == 1, (run, steps)
        if end.step == "not_started":
            assert run not in began, (run, end)
        if end.step == "exited" and end.status == 0:
            assert run in began, (run, end)
        if run in history.barred:
            assert end.step == "not_started", (run, end)
