"""Ten runs and ten daemons go on while one part of their host after the other is killed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.stories import processes
from tests.stories.host import Host
from tests.stories.jobs import errand, servant
from tests.stories.ledger import instant
from tests.stories.patience import eventually
from tests.stories.schedules import due_instants, without_an_end

pytestmark = pytest.mark.acceptance

TEN = range(10)
CLOCK = "*/5 * * * * *"
PARTS = (
    "scheduler",
    "runner",
    "arbiter",
    "recorder",
    "watchdogs",
    "supervisor",
    "admin",
    "all actors",
    "web service",
    "Kafka",
)


@dataclass(frozen=True, kw_only=True)
class House:
    """A host where ten daemons live, ten runs can be begun, and a clock fires each 5 s."""

    host: Host
    since: datetime
    servants: dict[str, int]

    def begin_ten_runs(self) -> dict[str, int]:
        """Ask for ten runs that wait for a word; return their processes when all have begun."""
        for number in TEN:
            self._gate(number).unlink(missing_ok=True)
        runs = [self.host.runs(f"errand-{number}") for number in TEN]
        eventually(
            lambda: {entry.run for entry in self.host.witness.began()},
            what="ten runs have begun",
            until=lambda begun: begun.issuperset(runs),
        )
        return {entry.run: entry.pid for entry in self.host.witness.began() if entry.run in runs}

    def let_end(self, *numbers: int) -> None:
        """Let some of the ten runs end."""
        for number in numbers:
            self._gate(number).touch()

    def _gate(self, number: int) -> Path:
        return gate(self.host, number)

    def is_undisturbed(self, runs: dict[str, int]) -> None:
        """Insist that each run began once, ended well and is told so; that no daemon moved."""
        told = self.host.ledger.all_ended(runs)
        assert {run["end"] for run in told.values()} == {"succeeded"}
        assert {run["attempts"] for run in told.values()} == {1}
        assert {e.run for e in self.host.witness.entries("ended")} >= runs.keys()
        assert self.host.witness.twice() == {}
        self.daemons_are_the_same()

    def daemons_are_the_same(self) -> None:
        for context, pid in self.servants.items():
            assert self.host.witness.pids(context) == {pid}
            assert processes.lives(pid)
        eventually(
            lambda: {d["context"]: (d["state"], d["restarts"]) for d in self.host.ledger.daemons()},
            what="ten daemons are told to run",
            until=lambda states: (
                states.keys() >= self.servants.keys() and set(states.values()) == {("running", 0)}
            ),
        )


def gate(host: Host, number: int) -> Path:
    return host.folder / f"go-{number}"


@pytest.fixture(scope="module")
def house(own_host: Host) -> Iterator[House]:
    host = own_host
    runs = {f"errand-{n}": errand("wait_for_go", GO=gate(host, n)) for n in TEN}
    servants = {f"servant-{number}": servant() for number in TEN}
    host.applies({**runs, **servants, "clock": errand("succeed", CLOCK)})
    names = [f"{name}/prod" for name in servants]
    eventually(
        lambda: all(host.witness.began(name) for name in names), what="ten daemons have begun"
    )
    pids = {name: host.witness.began(name)[0].pid for name in names}
    house = House(host=host, since=datetime.now(UTC), servants=pids)
    yield house
    house.let_end(*TEN)


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_disturbs_no_run_and_no_daemon(house: House, part: str) -> None:
    runs = house.begin_ten_runs()

    killed = house.host.kill(part)
    house.let_end(0, 1, 2, 3, 4)
    house.host.is_whole(without=killed)
    house.let_end(5, 6, 7, 8, 9)

    house.is_undisturbed(runs)


def test_a_killed_start_process_is_started_again_and_finds_all(house: House) -> None:
    runs = house.begin_ten_runs()
    services = {s["name"]: s["pid"] for s in house.host.status()["services"]}

    house.host.kill("start process")
    house.let_end(0, 1, 2, 3, 4)
    house.host.start()
    house.let_end(5, 6, 7, 8, 9)

    house.is_undisturbed(runs)
    assert {s["name"]: s["pid"] for s in house.host.status()["services"]} == services


def test_all_but_the_shim_killed_at_once_comes_back_and_finds_all(house: House) -> None:
    runs = house.begin_ten_runs()

    house.host.kill("all but the shim")
    house.host.wait_for_the_end()
    house.let_end(0, 1, 2, 3, 4)
    house.host.start()
    house.let_end(5, 6, 7, 8, 9)

    house.is_undisturbed(runs)


def test_a_stop_and_a_start_disturb_nobody_and_the_stop_names_what_stays(house: House) -> None:
    runs = house.begin_ten_runs()
    shim = house.host.status()["services"][1]["pid"]

    said = house.host.stop().out
    house.let_end(0, 1, 2, 3, 4)
    house.host.start()
    house.let_end(5, 6, 7, 8, 9)

    house.is_undisturbed(runs)
    for run, pid in runs.items():
        assert f"{run} goes on (pid {pid})" in said
    for context, pid in house.servants.items():
        assert f"{context}#alpha goes on (pid {pid})" in said
    assert f"(pid {shim})" in said


def test_the_clock_fired_once_at_each_due_instant_all_along(house: House) -> None:
    host, until = house.host, datetime.now(UTC) - timedelta(seconds=1)
    due = due_instants([(CLOCK, "UTC")], house.since, until)

    fires = eventually(
        lambda: host.ledger.fires("clock"),
        what="each fire of the clock has its end",
        until=lambda fires: not without_an_end(due, fires),
    )

    ours = [fire for fire in fires if house.since < instant(fire["due"]) <= until]
    assert [fire for fire in ours if fire["end"] != "succeeded"] == []
    assert host.witness.dues("clock/prod", among=due) == due
