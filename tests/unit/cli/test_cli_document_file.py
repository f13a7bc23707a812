"""Documents as `kirby apply` reads them: places of faults, secrets, what is no TOML."""

import pytest

from kirby.cli.document_file import read_document
from kirby.cli.positions import Position, position_of, positions_of
from kirby.cli.toml_text import write_toml
from kirby.core.errors import Fault, InvalidDocument, NotFound

DOCUMENT = """\
[job.pump]
package = "pump==1.0"

[job.pump.prod]
schedule = ["*/70 * * * *", { cron = "5 4 * * *", zone = "Europe/Brüssel" }]
set."GRÖSSE" = 3
prod.hosts = "all"

[[suspension]]
context = "pump/prod"

[[suspension]]
context = "pump/dev"
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        path = tmp_path / "jobs.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("job.pump", 1, 2),
        ("job.pump.package", 2, 11),
        ("job.pump.prod.schedule", 5, 12),
        ("job.pump.prod.schedule.0", 5, 13),
        ("job.pump.prod.schedule.1.zone", 5, 58),
        ("job.pump.prod.set.GRÖSSE", 6, 16),
        ("job.pump.prod.prod.hosts", 7, 14),
        ("suspension.0.context", 10, 11),
        ("suspension.1.context", 13, 11),
    ],
)
def test_every_value_has_its_place(path, line, column):
    assert positions_of(DOCUMENT)[path] == Position(line=line, column=column)


def test_what_is_missing_is_told_at_the_table_that_lacks_it():
    positions = positions_of(DOCUMENT)

    assert position_of(positions, "job.pump.prod.attempts") == Position(line=4, column=2)


def test_faults_are_told_in_the_order_of_the_file_with_name_line_and_column(written):
    path = written(DOCUMENT)
    document = read_document(path, {})

    error = document.blame(
        [
            Fault(field="suspension.0.context", sentence="second"),
            Fault(field="job.pump.package", sentence="first"),
        ]
    )

    assert str(error) == f"{path}:2:11: first\n{path}:10:11: second"


def test_secrets_are_taken_from_the_shell_and_never_from_the_file(written):
    path = written('[job.a.prod]\nsecret.TOKEN = { from = "SHOP_TOKEN" }\n')

    document = read_document(path, {"SHOP_TOKEN": "s3cret"})

    assert document.data["job"]["a"]["prod"]["secret"] == {"TOKEN": "s3cret"}


def test_a_secret_that_the_shell_lacks_is_left_for_the_service_to_tell(written):
    path = written('[secret]\nTOKEN = { from = "SHOP_TOKEN" }\n')

    document = read_document(path, {})

    assert document.data["secret"] == {"TOKEN": {"from": "SHOP_TOKEN"}}


def test_instants_travel_as_text_with_their_offset(written):
    path = written("[[suspension]]\nfrom = 2026-12-24T18:00:00+01:00\n")

    document = read_document(path, {})

    assert document.data["suspension"] == [{"from": "2026-12-24T18:00:00+01:00"}]


@pytest.mark.parametrize(
    ("text", "place"), [("a = \n", "1:5"), ("a = 1\nb = [1, 2\n", "3:1"), ("a = 1\na = 2\n", "2:6")]
)
def test_what_is_no_toml_is_told_with_its_place(written, text, place):
    path = written(text)

    with pytest.raises(InvalidDocument) as raised:
        read_document(path, {})

    assert str(raised.value).startswith(f"{path}:{place}: is no TOML: ")


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(NotFound, match="no such file"):
        read_document(tmp_path / "none.toml", {})


def test_a_file_that_is_no_text_is_a_sentence(tmp_path):
    path = tmp_path / "jobs.toml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InvalidDocument, match="cannot be read"):
        read_document(path, {})


def test_an_exported_document_is_toml_with_instants_of_its_own():
    document = {
        "set": {"A": "1"},
        "suspension": [{"from": "2026-12-24T17:00:00Z", "reason": "closed"}],
    }

    text = write_toml(document)

    assert "from = 2026-12-24 17:00:00Z" in text or "from = 2026-12-24 17:00:00+00:00" in text
    assert 'reason = "closed"' in text
