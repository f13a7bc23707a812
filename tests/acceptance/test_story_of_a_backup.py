"""What the page about backups says: key, web and Kafka's folder make a host again."""

import shutil

import pytest

from tests.stories.host import Host
from tests.stories.jobs import errand
from tests.stories.patience import eventually

pytestmark = pytest.mark.acceptance

KEPT = ("key", "web", "kafka")


@pytest.mark.timeout(400)
def test_a_host_that_is_restored_goes_on_where_the_copy_was_made(own_host, tmp_path):
    own_host.applies({"before": errand("succeed", "*/2 * * * * *")})
    told = eventually(
        lambda: own_host.kirby.json("runs", "before", "--end", "succeeded")["runs"],
        what="it runs",
        within_s=120,
    )
    own_host.stop("--with-scripts")
    restored = Host(tmp_path / "restored")
    restored.state.mkdir(mode=0o700)
    for name in KEPT:
        kept = own_host.state / name
        (shutil.copytree if kept.is_dir() else shutil.copy2)(kept, restored.state / name)

    try:
        restored.start()
        again = eventually(
            lambda: restored.kirby.json("runs", "before", "--all", "--end", "succeeded")["runs"],
            what="it runs again",
            until=lambda runs: len(runs) > len(told) and runs[0]["due"] > told[0]["due"],
        )
    finally:
        restored.clean_up()

    assert {run["run"] for run in told} <= {run["run"] for run in again}
    assert len({run["run"] for run in again}) == len(again)
