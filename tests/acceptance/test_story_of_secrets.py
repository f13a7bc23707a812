"""A secret is in its script's environment and nowhere else: on no disk, in no topic, on no page."""

from pathlib import Path

import pytest

from kirby.core.errors import ExitCode
from tests.stories.host import Host
from tests.stories.jobs import errand
from tests.stories.ledger import Run
from tests.stories.patience import eventually
from tests.stories.topics import all_records

pytestmark = pytest.mark.acceptance

SECRET = "the-sourdough-is-seven-years-old"
MASK = "***"


@pytest.fixture(scope="module")
def told(shared_host: Host) -> Run:
    """Have a run print its secret in all the ways it can; return the run."""
    host = shared_host
    job = errand("tell_secrets")
    job["prod"]["secret"] = {"SECRET": {"from": "OVEN_SECRET"}}
    variables = {"WITNESS": str(host.witness.path)}
    document = {"job": {"gossip": job}, "set": variables}
    host.applies_document(document, OVEN_SECRET=SECRET).well()
    return host.ledger.ended(host.runs("gossip"))


def test_the_script_had_the_secret_itself(shared_host: Host, told: Run) -> None:
    assert told["end"] == "failed"
    assert told["reason"] == "exit status 1"
    assert "could not sign in with" in shared_host.ledger.text(told["run"])


def test_no_log_shows_it_also_where_it_was_written_in_pieces(shared_host: Host, told: Run) -> None:
    text = shared_host.ledger.text(told["run"])

    assert SECRET not in text
    assert SECRET[-8:] not in text
    assert f"the secret is {MASK}" in text
    assert f"in pieces: {MASK}" in text


def test_neither_what_is_said_of_the_run_nor_the_document_shows_it(
    shared_host: Host, told: Run
) -> None:
    host = shared_host

    exported = host.kirby("export").well().out
    shown = [host.kirby(*words, "--json").out for words in (["runs", "gossip"], ["jobs"])]

    assert "keep = true" in exported
    assert SECRET not in exported + "".join(shown) + str(told)


def test_no_file_of_the_host_holds_it_once_the_run_is_told(shared_host: Host, told: Run) -> None:
    """The database lies there, the raw output of runs, and all that parts log."""
    host = shared_host
    eventually(lambda: not folders_of(host.state, "gossip"), what="the run folder is shipped")

    assert files_with(host.state, SECRET.encode()) == []


def test_no_topic_holds_it(shared_host: Host, told: Run) -> None:
    eventually(lambda: not folders_of(shared_host.state, "gossip"), what="all of it is in Kafka")

    records = list(all_records(shared_host.kafka()))

    assert [topic for topic, value in records if SECRET.encode() in value] == []
    assert [value for topic, value in records if f"the secret is {MASK}".encode() in value]


def folders_of(state: Path, job: str) -> list[Path]:
    return list((state / "runs").glob(f"{job}.*"))


def files_with(folder: Path, text: bytes) -> list[Path]:
    files = [
        path for path in folder.rglob("*") if path.is_file() and "environments" not in path.parts
    ]
    return [path for path in files if text in path.read_bytes()]


def test_an_export_that_is_applied_again_changes_nothing(shared_host: Host, told: Run) -> None:
    path = shared_host.folder / "exported.toml"
    path.write_text(shared_host.kirby("export").well().out)

    said = shared_host.kirby("apply", str(path), "--yes")

    assert said.code == ExitCode.OK
    assert "nothing to change" in said.out
