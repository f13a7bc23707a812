"""Scripts that misbehave, all at once on one host: each has its end, and nobody else notices."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.stories import processes
from tests.stories.host import Host
from tests.stories.jobs import Job, errand, servant
from tests.stories.ledger import Run, instant, stands_for
from tests.stories.patience import eventually

pytestmark = pytest.mark.acceptance

NEIGHBOUR_EVERY = timedelta(seconds=2)
SHORT = {"time_limit": "2 s", "grace": "1 s"}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """How the run of a script ends: with which end, and with a reason that matches."""

    job: Job
    end: str
    reason: str = "^$"
    begins: bool = True


MISBEHAVING = {
    "fails": Expected(job=errand("fail"), end="failed", reason="exit status 3"),
    "blows-up": Expected(job=errand("blow_up"), end="failed", reason="exit status 1"),
    "hangs": Expected(
        job=errand("hang", **SHORT), end="timed out", reason="over its time limit of 2 s"
    ),
    "ignores-the-end": Expected(
        job=errand("ignore_the_end", **SHORT), end="timed out", reason="over its time limit"
    ),
    "stops-itself": Expected(
        job=errand("stop_itself", **SHORT), end="timed out", reason="over its time limit"
    ),
    "leaves-children": Expected(job=errand("leave_children"), end="succeeded"),
    "hides-a-child": Expected(job=errand("hide_a_child"), end="succeeded"),
    "shouts": Expected(job=errand("shout", output_limit="1 MB"), end="succeeded"),
    "exits-at-once": Expected(job=errand("exit_at_once"), end="succeeded"),
    "is-killed": Expected(job=errand("be_killed"), end="failed", reason="killed by SIGKILL"),
    "crashes": Expected(job=errand("crash"), end="failed", reason="killed by SIGSEGV"),
    "eats-memory": Expected(
        job=errand("eat", memory_limit="64 MB"), end="failed", reason="memory limit of 64 MB"
    ),
    "is-mute": Expected(
        job={**errand("fail"), "package": "mute==1.0.0"},
        end="failed",
        reason="no __main__",
        begins=False,
    ),
    "wants-too-much": Expected(
        job={**errand("fail"), "package": "wanting==1.0.0"},
        end="failed",
        reason="its requirements cannot be met.*no-such-flour-anywhere",
        begins=False,
    ),
    "uses-the-library": Expected(
        job={**errand("fail", LOAF="rye"), "package": "sender==1.0.0"}, end="succeeded"
    ),
}
NEIGHBOURS = {
    "neighbour": errand("succeed", "*/2 * * * * *"),
    "lodger": servant(),
}


@dataclass(frozen=True, kw_only=True)
class Street:
    """A host with all of them begun at once, and the neighbours who lived there before."""

    host: Host
    runs: dict[str, str]
    since: datetime
    lodger: int

    def end_of(self, job: str) -> Run:
        return self.host.ledger.ended(self.runs[job])


@pytest.fixture(scope="module")
def street(shared_host: Host) -> Street:
    host = shared_host
    host.publishes("sender.py", "wanting.py", "mute")
    host.applies({**NEIGHBOURS, **{name: each.job for name, each in MISBEHAVING.items()}})
    eventually(lambda: host.witness.began("neighbour/prod"), what="the neighbour has begun")
    (lodger,) = eventually(lambda: host.witness.pids("lodger/prod"), what="the lodger lives")
    since = datetime.now(UTC)
    runs = {name: host.runs(name) for name in MISBEHAVING}
    return Street(host=host, runs=runs, since=since, lodger=lodger)


@pytest.mark.parametrize("name", MISBEHAVING)
def test_each_run_ends_in_the_right_state_with_the_right_reason(street: Street, name: str) -> None:
    expected = MISBEHAVING[name]

    run = street.end_of(name)

    assert run["end"] == expected.end, run
    assert re.search(expected.reason, run["reason"]), run
    assert len(street.host.witness.began(f"{name}/prod")) == (
        1 if expected.begins and name != "uses-the-library" else 0
    )


@pytest.mark.parametrize("name", [name for name, each in MISBEHAVING.items() if each.begins])
def test_nothing_of_its_tree_is_left(street: Street, name: str) -> None:
    run = street.end_of(name)["run"]

    born = street.host.witness.pids(run)

    assert [pid for pid in born if processes.lives(pid)] == []
    assert processes.of_run(run) == []


def test_one_that_ignores_the_end_was_asked_before_it_was_killed(street: Street) -> None:
    run = street.end_of("ignores-the-end")

    assert [e.step for e in street.host.witness.entries(of=run["run"])] == ["began", "asked to end"]
    assert run["tries"][0]["signal"] == 9
    assert 2.9 < run["seconds"] < 8


def test_children_were_there_before_they_were_gone(street: Street) -> None:
    for name, children in (("leaves-children", 3), ("hides-a-child", 1)):
        run = street.end_of(name)

        assert len(street.host.witness.entries("child", of=run["run"])) == children


def test_of_100_megabytes_a_bounded_part_is_kept_and_the_cut_is_marked(street: Street) -> None:
    run = street.end_of("shouts")

    lines = street.host.ledger.lines(run["run"])

    kept = sum(len(line["text"]) for line in lines)
    assert 100_000 < kept < 1_100_000
    assert run["tries"][0]["dropped_bytes"] > 98_000_000
    assert any(line["stream"] == "kirby" and "dropped" in line["text"] for line in lines)
    assert lines[-1]["text"] == "hoarse"


def test_the_last_words_of_one_that_blows_up_are_kept(street: Street) -> None:
    run = street.end_of("blows-up")

    assert "RuntimeError: no flour" in "\n".join(run["tries"][0]["tail"])
    assert "RuntimeError: no flour" in street.host.ledger.text(run["run"])


def test_what_the_library_logs_is_in_the_log_with_its_level(street: Street) -> None:
    run = street.end_of("uses-the-library")

    (line,) = street.host.ledger.lines(run["run"])
    assert (line["text"], line["level"]) == ("sent rye", "info")


def test_the_neighbours_notice_nothing(street: Street) -> None:
    host = street.host
    for name in MISBEHAVING:
        street.end_of(name)
    until = datetime.now(UTC) - timedelta(seconds=5)

    due = _instants(street.since, until)
    fires = eventually(
        lambda: host.ledger.fires("neighbour"),
        what="each fire of the neighbour has ended",
        until=lambda fires: all(any(stands_for(f, i) and f["end"] for f in fires) for i in due),
    )

    ours = [f for f in fires if street.since <= instant(f["due"]) <= until]
    assert {f["end"] for f in ours} == {"succeeded"}
    assert len(ours) == len(due)
    assert host.witness.twice() == {}
    assert host.witness.pids("lodger/prod") == {street.lodger}
    assert processes.lives(street.lodger)


def _instants(since: datetime, until: datetime) -> list[datetime]:
    second = since.replace(microsecond=0, second=since.second // 2 * 2) + NEIGHBOUR_EVERY
    found = []
    while second <= until:
        found.append(second)
        second += NEIGHBOUR_EVERY
    return found
