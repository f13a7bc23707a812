import pytest

from kirby.core.names import ContextKey, run_id
from tests.builders.records import DUE, an_ended
from tests.builders.web import Service
from tests.unit.web.test_web_runs import tell

JOBS = {
    "pump": {
        "package": "pump==1.0",
        "prod": {"schedule": {"cron": "*/10 * * * *", "zone": "Europe/Brussels"}},
        "dev": {"schedule": "*/10 * * * *"},
    },
    "fan": {"package": "fan==1.0", "test": {"schedule": "0 * * * *"}},
    "mill": {"package": "mill==1.0", "dev": {}, "test": {}},
}


@pytest.fixture(autouse=True)
def applied(service: Service) -> None:
    assert service.post("/document/apply", {"document": {"job": JOBS}}).status == 200


def test_a_job_is_its_only_environment(service: Service) -> None:
    chosen = service.get("/resolve", name="fan").json

    assert chosen["context"] == "fan/test"
    assert chosen["chose"] == "fan/test, its only environment"


def test_a_job_of_several_environments_is_prod(service: Service) -> None:
    assert service.get("/resolve", name="pump").json["context"] == "pump/prod"


def test_another_environment_can_be_asked_for(service: Service) -> None:
    assert service.get("/resolve", name="pump", env="dev").json["context"] == "pump/dev"


def test_a_name_that_may_be_several_lists_them(service: Service) -> None:
    answer = service.get("/resolve", name="mill")

    assert answer.status == 409
    assert answer.json["candidates"] == ["mill/dev", "mill/test"]


def test_a_misspelt_name_is_answered_with_the_one_that_was_meant(service: Service) -> None:
    answer = service.get("/resolve", name="pmup")

    assert answer.status == 404
    assert answer.sentence == 'there is no job "pmup"; did you mean pump?'


def test_a_time_is_the_latest_run_that_was_due_then_in_the_contexts_own_zone(
    service: Service,
) -> None:
    run = run_id(ContextKey("pump/prod"), DUE)
    tell(an_ended(run=run))

    chosen = service.get("/resolve", name="pump@13:00").json

    assert chosen["run"] == run


def test_a_whole_run_id_is_itself(service: Service) -> None:
    run = "pump/prod@2026-01-01T00:00:00Z~abc"

    assert service.get("/resolve", name=run).json["run"] == run


def test_a_time_at_which_nothing_was_due_lists_what_was(service: Service) -> None:
    tell(an_ended(run=run_id(ContextKey("pump/prod"), DUE)))

    answer = service.get("/resolve", name="pump@03:33")

    assert answer.status == 404
    assert answer.json["candidates"] == ["pump/prod@2026-11-23T12:00:00Z"]


@pytest.mark.parametrize("name", ["", "@", "pump@", "pump/", "pump@x", "pump#", "#", "/", "ü@1:00"])
def test_an_odd_name_is_answered_in_a_sentence(name: str, service: Service) -> None:
    answer = service.get("/resolve", name=name)

    assert answer.status in (200, 404, 409)
    assert answer.status == 200 or answer.sentence
