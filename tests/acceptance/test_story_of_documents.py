"""A document with faults changes nothing, and says of each fault where it is and what to do."""

from pathlib import Path

import pytest

from kirby.core.errors import ExitCode
from tests.stories.host import Host

pytestmark = pytest.mark.acceptance

BROKEN = """\
[job.broken]
package = "errend==1.0.0"

[job.broken.prod]
schedule = "*/70 * * * *"
overlap = "forbidden"
time_limit = "soon"

[job.broken.prd]
schedule = "* * * * *"

[job.odd]
kind = "daemon"
package = "errand>=1.0.0"
prod.schedule = "* * * * *"

[job.far]
package = "errand==1.0.0"
prod.schedule = { cron = "0 5 * * *", zone = "Europe/Brusels" }

[[suspension]]
context = "far/prod"
from = 2026-12-27T06:00:00Z
to = 2026-12-24T18:00:00Z
"""
FAULTS = {
    5: "minute",
    6: "forbid",
    7: "soon",
    9: "prd",
    14: "exact",
    15: "daemon",
    19: "Europe/Brussels",
    24: "",
}


def refused(host: Host, text: str, path: Path) -> list[str]:
    """Apply a document that must be refused; return the lines that say why."""
    path.write_text(text)
    said = host.kirby("apply", str(path), "--yes")
    assert said.code == ExitCode.USAGE
    return said.err.splitlines()


def test_all_faults_are_told_at_once_with_line_and_column(
    shared_host: Host, tmp_path: Path
) -> None:
    lines = refused(shared_host, BROKEN, tmp_path / "broken.toml")

    placed = {int(line.split(":")[1]): line for line in lines if "broken.toml:" in line}
    assert placed.keys() >= FAULTS.keys(), lines
    for number, hint in FAULTS.items():
        assert hint in placed[number]
        assert int(placed[number].split(":")[2].split()[0]) >= 1
    assert "Traceback" not in "".join(lines)


def test_a_package_that_is_nowhere_is_refused_and_a_near_name_offered(
    shared_host: Host, tmp_path: Path
) -> None:
    text = '[job.typo]\npackage = "errend==1.0.0"\nprod.schedule = "0 0 * * *"\n'

    (line,) = refused(shared_host, text, tmp_path / "typo.toml")

    assert "typo.toml:2:" in line
    assert "did you mean errand?" in line


def test_nothing_of_a_document_with_faults_is_there(shared_host: Host, tmp_path: Path) -> None:
    refused(shared_host, BROKEN, tmp_path / "broken.toml")

    names = {each["context"] for each in shared_host.kirby.json("jobs")["contexts"]}

    assert names.isdisjoint({"broken/prod", "odd/prod", "far/prod"})


def test_the_same_document_twice_changes_nothing(shared_host: Host, tmp_path: Path) -> None:
    path = tmp_path / "same.toml"
    path.write_text('[job.same]\npackage = "errand==1.0.0"\nprod.schedule = "0 0 1 1 *"\n')

    first = shared_host.kirby("apply", str(path), "--yes").well()
    second = shared_host.kirby("apply", str(path), "--yes").well()

    assert "same/prod" in first.out
    assert "nothing to change" in second.out
