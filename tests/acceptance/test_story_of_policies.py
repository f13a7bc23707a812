"""What a person lays down for a context, and what a person asks for, seen from outside."""

import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from kirby.core.errors import ExitCode
from tests.stories import processes
from tests.stories.host import Host
from tests.stories.jobs import errand, servant
from tests.stories.ledger import Run, instant
from tests.stories.patience import eventually

pytestmark = pytest.mark.acceptance

EACH_SECOND = "* * * * * *"
EACH_TWO_SECONDS = "*/2 * * * * *"


@pytest.fixture(scope="module")
def host(shared_host: Host) -> Host:
    """Give the shared host with a job for each story; what a story begins, it ends."""
    host = shared_host
    host.applies(
        {
            "stubborn": errand(
                "fail_at_first", SUCCEEDS_AT=3, attempts=4, back_off="1 s", back_off_limit="2 s"
            ),
            "hopeless": errand("fail", attempts=2, back_off="0 s"),
            "patient": errand("wait_for_go", GO=host.folder / "never", grace="1 s"),
            "deaf": errand("ignore_the_end", grace="1 s"),
            "good": errand("succeed"),
            "bad": errand("fail"),
            "slow": errand("succeed", EACH_SECOND, LASTS=3, overlap="forbid", enabled=False),
            "ticking": errand("succeed", EACH_TWO_SECONDS, enabled=False),
            "crowd": errand("succeed", EACH_TWO_SECONDS, LASTS=3, enabled=False),
            "server": servant(),
            "dying": servant("fail"),
        }
    )
    return host


def held(host: Host, job: str) -> str:
    """Begin a run that goes on until it is stopped; return its id when it is told to run."""
    run = host.runs(job)
    eventually(
        lambda: host.ledger.run(run),
        what=f"{run} is told to run",
        until=lambda told: told is not None and told["state"] == "running",
    )
    return run


def attempts(run: Run) -> list[tuple[str, str]]:
    return [(each["end"], each["reason"]) for each in run["tries"]]


def test_a_run_that_fails_is_tried_again_after_its_back_off_until_it_succeeds(host: Host) -> None:
    run = host.ledger.ended(host.runs("stubborn"))

    assert (run["end"], run["attempts"]) == ("succeeded", 3)
    assert [end for end, _ in attempts(run)] == ["failed", "failed", "succeeded"]
    first, second, third = host.witness.began(run["run"])
    assert second.at - first.at > timedelta(seconds=0.8)  # 1 s, ±20 %
    assert third.at - second.at > timedelta(seconds=1.6)  # doubled
    assert first.token < second.token < third.token


def test_a_run_that_never_succeeds_fails_when_its_attempts_are_spent(host: Host) -> None:
    run = host.ledger.ended(host.runs("hopeless"))

    assert (run["end"], run["attempts"]) == ("failed", 2)
    assert attempts(run) == [("failed", "exit status 3")] * 2
    assert len(host.witness.began(run["run"])) == 2


def test_a_cancelled_run_ends_stopped_and_says_by_whom(host: Host) -> None:
    run = held(host, "patient")

    said = host.kirby("cancel", run).well()
    end = host.ledger.ended(run)

    assert "asked to stop" in said.out
    assert end["end"] == "stopped"
    assert "stopped by" in end["reason"]
    assert processes.of_run(run) == []


def test_a_run_that_is_deaf_to_a_cancel_is_killed_after_its_grace(host: Host) -> None:
    run = held(host, "deaf")

    host.kirby("cancel", "deaf").well()
    end = host.ledger.ended(run)

    assert (end["end"], end["tries"][0]["signal"]) == ("stopped", 9)
    assert [e.step for e in host.witness.entries(of=run)] == ["began", "asked to end"]
    assert processes.of_run(run) == []


def test_a_run_that_is_waited_for_is_told_with_its_end_and_its_exit_code(host: Host) -> None:
    good, bad = host.kirby("run", "good", "--wait"), host.kirby("run", "bad", "--wait")

    assert (good.code, bad.code) == (ExitCode.OK, ExitCode.FAILED)
    assert "succeeded" in good.out
    assert "failed" in bad.out
    assert "exit status 3" in bad.out


def test_fires_during_a_run_are_skipped_where_overlap_is_forbidden(host: Host) -> None:
    host.kirby("enable", "slow").well()
    eventually(lambda: len(host.witness.entries("ended", of="slow/prod")) >= 2, what="two ended")
    host.kirby("disable", "slow").well()
    skipped = eventually(lambda: host.ledger.fires("slow", end="skipped"), what="some are skipped")

    steps = [entry.step for entry in host.witness.entries(of="slow/prod")]
    assert steps[:4] == ["began", "ended", "began", "ended"]
    assert any(re.search("the run of .* was still on", fire["reason"]) for fire in skipped)


def test_runs_overlap_where_it_is_allowed(host: Host) -> None:
    host.kirby("enable", "crowd").well()
    eventually(lambda: len(host.witness.began("crowd/prod")) >= 3, what="three have begun")
    host.kirby("disable", "crowd").well()

    steps = [entry.step for entry in host.witness.entries(of="crowd/prod")]

    assert steps[:2] == ["began", "began"]


def test_a_disabled_job_fires_no_more_until_it_is_enabled(host: Host) -> None:
    host.kirby("enable", "ticking").well()
    eventually(lambda: host.witness.began("ticking/prod"), what="it fires")

    host.kirby("disable", "ticking").well()
    time.sleep(2.5)  # what had begun to be offered is withdrawn within a second
    since = datetime.now(UTC)
    time.sleep(4)
    quiet = [e for e in host.witness.began("ticking/prod") if e.at > since]
    host.kirby("enable", "ticking").well()
    eventually(
        lambda: [e for e in host.witness.began("ticking/prod") if e.at > since],
        what="it fires again",
    )

    assert quiet == []


def test_a_suspended_job_skips_with_the_reason_and_goes_on_by_itself(host: Host) -> None:
    host.kirby("enable", "ticking").well()
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)

    host.kirby("suspend", "ticking", "--until", until.isoformat(), "--reason", "flood").well()
    after = eventually(
        lambda: [e for e in host.witness.began("ticking/prod") if e.due and e.due >= until],
        what="it goes on",
    )

    skipped = eventually(
        lambda: [f for f in host.ledger.fires("ticking", end="skipped") if "flood" in f["reason"]],
        what="the skipped ones are told",
    )
    assert after[0].due is not None
    assert after[0].due - until < timedelta(seconds=2)
    assert instant(skipped[-1]["due"]) < until
    rested = [e for e in host.witness.began("ticking/prod") if e.due and e.due < until]
    assert all(e.due and until - e.due > timedelta(seconds=3) for e in rested)
    host.kirby("disable", "ticking").well()


def test_a_restarted_daemon_is_another_process_and_ends_in_good_order(host: Host) -> None:
    (first,) = eventually(lambda: host.witness.began("server/prod"), what="it serves")

    host.kirby("restart", "server").well()
    _, second = eventually(
        lambda: host.witness.began("server/prod"), what="another serves", until=lambda b: len(b) > 1
    )

    steps = [e.step for e in host.witness.entries(of="server/prod")]
    assert steps == ["began", "ended", "began"]
    assert not processes.lives(first.pid)
    assert processes.lives(second.pid)


def test_a_killed_daemon_is_started_again_by_itself(host: Host) -> None:
    last = eventually(lambda: host.witness.began("server/prod"), what="it serves")[-1]

    processes.kill([last.pid])
    again = eventually(
        lambda: host.witness.began("server/prod")[-1],
        what="it serves again",
        until=lambda entry: entry.pid != last.pid,
    )

    assert again.attempt == last.attempt + 1
    eventually(
        lambda: host.ledger.daemon("server"),
        what="the restart is told",
        until=lambda d: d.get("state") == "running" and d["restarts"] >= 1,
    )


def test_a_crash_loop_is_a_visible_state_with_its_reason(host: Host) -> None:
    seen = eventually(
        lambda: host.ledger.daemon("dying"),
        what="the crash loop is shown",
        until=lambda d: d.get("restarts", 0) >= 3 and d["state"] != "running",
    )

    assert "exit status 3" in seen["reason"]
    assert seen["state"] in ("crash loop", "waiting", "backing off")
    before = len(host.witness.began("dying/prod"))
    time.sleep(1)
    assert len(host.witness.began("dying/prod")) - before <= 1  # no storm
    assert "the oven is cold" in host.kirby("logs", "dying").well().out
    host.kirby("disable", "dying").well()


def test_a_disabled_daemon_ends_and_an_enabled_one_begins(host: Host) -> None:
    last = eventually(lambda: host.witness.began("server/prod"), what="it serves")[-1]

    host.kirby("disable", "server").well()
    eventually(lambda: not processes.lives(last.pid), what="it has ended")
    host.kirby("enable", "server").well()
    again = eventually(
        lambda: host.witness.began("server/prod")[-1],
        what="it serves again",
        until=lambda entry: entry.pid != last.pid,
    )

    assert processes.lives(again.pid)


def test_all_that_is_shown_has_a_json_twin(host: Host) -> None:
    for words in (["jobs"], ["next"], ["runs"], ["daemons"], ["hosts"], ["status"]):
        assert json.loads(host.kirby(*words, "--json").well().out)
