"""A change of the cluster's key, as the web service announces it and hosts learn of it."""

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kirby.core.key_ring import Announced, KeyRing, RingKey
from kirby.host.key_changes import freshen_token, take_announced, told_url
from kirby.host.key_file import KeyFile, read_ring, write_ring
from kirby.host.keys import ClusterKeys
from kirby.host.state import StateFolder, write_private
from kirby.model.database import connection
from kirby.model.definitions import ConfigKey, Context
from kirby.web.key_changing import KeyChanging
from tests.builders.model import NOON
from tests.builders.web import KEY, Service, a_service

MINUTE = timedelta(minutes=1)
DOCUMENT = """
[secret]
MASTER = "open sesame"
[job.pump]
package = "pump==1.0"
[job.pump.prod]
schedule = "@daily"
secret.PIN = "1234"
set.RATE = 5
[job.tap]
package = "tap==1.0"
kind = "daemon"
prod.hosts = 1
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Give a web service on a database of its own."""
    (tmp_path / "web").mkdir()
    with a_service(tmp_path / "web") as service:
        yield service


def a_host(path: Path, service: Service) -> tuple[StateFolder, ClusterKeys]:
    folder = StateFolder(path=path)
    folder.prepare()
    write_ring(folder.key, KEY.ring())
    return folder, ClusterKeys(ring=KeyFile(path=folder.key).ring, now=lambda: service.clock[0])


def announced(service: Service, token: str) -> list[Announced]:
    admin, service.token = service.token, token
    answer = service.get("/keys/changes")
    service.token = admin
    assert answer.status == 200
    return [Announced(**each) for each in answer.json["changes"]]


def learns(service: Service, folder: StateFolder, keys: ClusterKeys) -> bool:
    return take_announced(folder, announced(service, keys.host_token()), service.clock[0])


def test_a_change_is_announced_a_minute_ahead_with_a_grace_period_of_a_day(service):
    told = service.post("/keys/rotation", {}).json

    assert told == {"since": "2026-11-23T12:01:00Z", "until": "2026-11-24T12:01:00Z"}


def test_a_host_learns_of_a_change_and_signs_with_the_new_key_when_it_counts(service, tmp_path):
    folder, keys = a_host(tmp_path / "alpha", service)
    service.post("/keys/rotation", {"after": "1 min"})
    before = keys.host_token()

    is_new, again = learns(service, folder, keys), learns(service, folder, keys)

    assert (is_new, again) == (True, False)
    assert keys.host_token() == before
    service.pass_time(60)
    assert keys.host_token() != before
    assert keys.is_host_token(before)


def test_a_host_that_was_down_within_the_grace_period_learns_both_of_two_changes(service, tmp_path):
    folder, keys = a_host(tmp_path / "alpha", service)
    changing = service.changing
    service.post("/keys/rotation", {"grace": "2 d"})
    service.pass_time(3600)
    service.post("/keys/rotation", {"grace": "2 d"})
    service.pass_time(3600)

    learns(service, folder, keys)

    assert len(read_ring(folder.key).keys) == 3
    assert keys.host_token() == changing.keys.host_token()


def test_a_second_change_before_the_first_one_counts_is_refused(service):
    service.post("/keys/rotation", {})

    answer = service.post("/keys/rotation", {})

    assert answer.status == 409
    assert "counts from 12:01:00 UTC: change it again after that" in answer.sentence


def test_a_host_that_was_down_for_longer_is_told_so_and_learns_nothing(service, tmp_path):
    _, keys = a_host(tmp_path / "alpha", service)
    service.post("/keys/rotation", {"grace": "1 h"})
    service.pass_time(3 * 3600)
    service.token = keys.host_token()

    answers = [service.get("/keys/changes"), service.get("/schedule")]

    assert [answer.status for answer in answers] == [410, 410]
    assert "is not taken since 2026-11-23 13:01 UTC" in answers[0].sentence
    assert "kirby key take --replace" in answers[0].sentence


def test_what_was_announced_is_handed_out_no_more_after_the_grace_period(service):
    service.post("/keys/rotation", {"grace": "1 h"})
    service.pass_time(3 * 3600)

    told = announced(service, service.changing.keys.host_token())

    assert [each.sealed for each in told] == [""]


def test_changes_are_for_hosts_and_not_for_people(service):
    assert service.get("/keys/changes").status == 403


def test_no_key_is_in_any_answer(service):
    told = service.post("/keys/rotation", {})
    secrets = [key.secret.hex() for key in read_ring(service.changing.folder.key).keys]

    assert not any(secret in told.text for secret in secrets)
    assert secrets[0] not in str(announced(service, service.changing.keys.host_token()))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"grace": "100 d"}, 'grace "100 d": use 0 s to 90 d'),
        ({"after": "1 s"}, 'after "1 s": use 15 s to 7 d'),
        ({"grace": "soon"}, 'duration "soon"'),
    ],
)
def test_times_that_make_no_sense_are_refused(service, asked, sentence):
    answer = service.post("/keys/rotation", asked)

    assert answer.status == 400
    assert sentence in answer.sentence


def test_secrets_are_sealed_anew_when_the_new_key_counts_and_not_before(service):
    assert service.post("/document/apply", {"document": tomllib.loads(DOCUMENT)}).status == 200
    service.post("/keys/rotation", {})
    with connection():
        service.changing.look()
        early = sealed_values()

        service.pass_time(61)
        service.changing.look()
        late = sealed_values()

    newest = ClusterKeys.of(read_ring(service.changing.folder.key).keys[-1].secret)
    assert early.keys() == late.keys() == {"MASTER", "PIN"}
    assert not set(early.values()) & set(late.values())
    assert {newest.open(value) for value in late.values()} == {"open sesame", "1234"}


def sealed_values() -> dict[str, str]:
    return {row.name: row.value for row in ConfigKey.select().where(ConfigKey.sealed)}


def test_the_leader_hears_of_what_was_sealed_anew_and_another_look_changes_nothing(service):
    assert service.post("/document/apply", {"document": tomllib.loads(DOCUMENT)}).status == 200
    revision = service.get("/schedule").json["revision"]
    service.post("/keys/rotation", {})
    service.pass_time(61)

    with connection():
        service.changing.look()
        service.changing.look()
        revisions = {row.key: row.revision for row in Context.select()}

    assert service.get("/schedule").json["revision"] == revision + 1
    assert revisions == {"pump/prod": revision + 1, "tap/prod": revision + 1}


def test_another_web_service_of_the_database_learns_and_takes_tokens_of_the_new_key(
    service, tmp_path
):
    folder, keys = a_host(tmp_path / "second", service)
    second = KeyChanging(folder=folder, keys=keys, now=lambda: service.clock[0])
    service.post("/keys/rotation", {})

    with connection():
        second.look()

    service.pass_time(61)
    assert keys.is_host_token(service.changing.keys.host_token())


def test_a_web_service_that_was_down_for_longer_than_the_grace_period_does_not_start(
    service, tmp_path
):
    folder, keys = a_host(tmp_path / "second", service)
    second = KeyChanging(folder=folder, keys=keys, now=lambda: service.clock[0])
    service.post("/keys/rotation", {"grace": "1 h"})
    service.pass_time(3 * 3600)

    with pytest.raises(Exception, match="is not taken since"):
        second.begin()


def test_secrets_are_sealed_anew_at_the_start_after_a_key_was_put_in_by_hand(service):
    assert service.post("/document/apply", {"document": tomllib.loads(DOCUMENT)}).status == 200
    folder = service.changing.folder
    new = KeyRing(keys=(RingKey(secret=b"n" * 32),))
    write_ring(folder.key, read_ring(folder.key).replaced(new, NOON))

    with connection():
        service.changing.look()
        values = sealed_values().values()

    alone = ClusterKeys.of(b"n" * 32)
    assert {alone.open(value) for value in values} == {"open sesame", "1234"}


def test_the_token_of_the_command_line_follows_the_key(service, tmp_path):
    folder, keys = a_host(tmp_path / "alpha", service)
    write_private(folder.token, f'{{"url": "http://web", "token": "{keys.host_token()}"}}')
    service.post("/keys/rotation", {})
    learns(service, folder, keys)
    service.pass_time(61)

    freshen_token(folder, keys)

    assert keys.host_token() in folder.token.read_text()
    assert told_url(folder) == "http://web"


def test_a_token_of_a_person_is_left_alone(service, tmp_path):
    folder, keys = a_host(tmp_path / "alpha", service)
    write_private(folder.token, '{"url": "http://web", "token": "kby_of-anna"}')

    freshen_token(folder, keys)

    assert "kby_of-anna" in folder.token.read_text()
