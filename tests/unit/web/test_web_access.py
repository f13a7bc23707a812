import pytest

from kirby.model.database import bind, connect, connection
from kirby.model.tokens import create_link
from tests.builders.model import NOON
from tests.builders.web import KEY, Service

GUARDED = [
    ("GET", "/schedule"), ("GET", "/registration"), ("PATCH", "/registration"),
    ("POST", "/document/plan"), ("POST", "/document/apply"), ("GET", "/document"),
    ("GET", "/jobs"), ("GET", "/contexts/pump/prod"), ("PATCH", "/contexts/pump/prod"),
    ("GET", "/contexts/pump/prod/variables"), ("POST", "/contexts/pump/prod/run"),
    ("POST", "/contexts/pump/prod/restart"), ("GET", "/contexts/pump/prod/suspensions"),
    ("POST", "/contexts/pump/prod/suspensions"), ("DELETE", "/contexts/pump/prod/suspensions/1"),
    ("GET", "/runs"), ("GET", "/runs/pump/prod@x"), ("POST", "/runs/pump/prod@x/stop"),
    ("GET", "/runs/pump/prod@x/log"), ("GET", "/next"), ("GET", "/resolve"), ("GET", "/daemons"),
    ("GET", "/hosts"), ("GET", "/web-services"), ("GET", "/tokens"), ("POST", "/tokens"),
    ("DELETE", "/tokens/anna"),
    ("POST", "/sign-in"), ("POST", "/sign-out"), ("POST", "/topics"), ("GET", "/status"),
    ("GET", "/packages/simple/"), ("POST", "/packages/"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nothing_but_health_is_told_without_a_token(
    method: str, path: str, service: Service
) -> None:
    service.token = ""

    answer = service.call(method, path, body={"run": "pump/prod@x"} if method != "GET" else None)

    assert answer.status in (401, 403)


@pytest.mark.parametrize("token", ["kby_wrong", "é", "x" * 10_000])
def test_a_token_of_nobody_is_refused_in_one_sentence(token: str, service: Service) -> None:
    service.token = token.encode().decode("latin-1")

    answer = service.get("/jobs")

    assert answer.status == 401
    assert "unknown" in answer.sentence


@pytest.mark.parametrize("path", ["/health", "/ready", "/version"])
def test_health_needs_no_token(path: str, service: Service) -> None:
    service.token = ""

    assert service.get(path).status == 200


def test_a_service_without_kafka_lives_and_is_not_ready(service: Service) -> None:
    service.kafka.down = "Kafka at 127.0.0.1:9092 does not answer"

    assert service.get("/health").status == 200
    ready = service.get("/ready")
    assert ready.status == 503
    assert ready.json["kafka"] == "Kafka at 127.0.0.1:9092 does not answer"


def test_a_service_whose_database_is_gone_lives_and_says_so(service: Service) -> None:
    bind(connect("postgresql://nobody@127.0.0.1:1/gone"))

    assert service.get("/health").status == 200
    ready = service.get("/ready")
    assert ready.status == 503
    assert "the database does not answer" in ready.json["database"]
    assert ready.json["kafka"] is True
    assert service.get("/jobs").status == 503


def test_a_host_comes_in_with_the_token_that_the_clusters_key_gives(service: Service) -> None:
    service.token = KEY.host_token()

    assert service.get("/schedule").status == 200


def test_a_new_token_opens_the_door_until_it_is_deleted(service: Service) -> None:
    made = service.post("/tokens", {"name": "robot"}).json

    admin, service.token = service.token, made["token"]
    assert service.get("/jobs").status == 200
    service.token = admin
    assert service.delete("/tokens/robot").json == {"deleted": True}
    service.token = made["token"]
    assert service.get("/jobs").status == 401


def test_no_token_is_ever_told_again(service: Service) -> None:
    made = service.post("/tokens", {"name": "robot"}).json["token"]

    listed = service.get("/tokens")

    assert [each["name"] for each in listed.json["tokens"]] == ["anna", "robot"]
    assert made not in listed.text


def test_two_tokens_of_one_name_are_refused_unless_the_old_one_is_replaced(
    service: Service,
) -> None:
    assert service.post("/tokens", {"name": "anna"}).status == 409
    assert service.post("/tokens", {"name": "anna", "replace": True}).status == 200


def test_the_one_time_link_signs_a_browser_in_once(service: Service) -> None:
    path = service.post("/sign-in").json["path"]
    service.token, service.html = "", True

    first = service.call("GET", path)
    second = service.call("GET", path)

    assert first.status == 303
    assert "HttpOnly" in first.headers["Set-Cookie"]
    assert "SameSite=lax" in first.headers["Set-Cookie"]
    assert second.status == 403
    service.cookie = first.headers["Set-Cookie"].split(";")[0].partition("=")[2]
    assert service.get("/jobs").status == 200


def test_a_link_is_good_for_an_hour_only(service: Service) -> None:
    path = service.post("/sign-in").json["path"]
    service.token = ""
    service.pass_time(3601)

    assert service.call("GET", path).status == 403


def signed_in(service: Service) -> Service:
    with connection():
        secret = create_link("anna", NOON)
    service.token = ""
    answer = service.get("/sign-in", once=secret)
    service.cookie = answer.headers["Set-Cookie"].split(";")[0].partition("=")[2]
    return service


def test_a_change_from_another_site_is_refused(service: Service) -> None:
    signed_in(service)

    answer = service.post("/tokens", {"name": "thief"})

    assert answer.status == 403
    assert "reload the page" in answer.sentence


def test_a_change_from_one_of_our_pages_is_taken(service: Service) -> None:
    signed_in(service)
    service.html = True
    page = service.get("/tokens").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]

    answer = service.form("/tokens", name="robot", csrf=csrf)

    assert answer.status == 200
    assert "shown this once" in answer.text


def test_who_signed_out_is_nobody(service: Service) -> None:
    signed_in(service)
    service.html = True
    csrf = service.get("/tokens").text.split('name="csrf" value="')[1].split('"')[0]

    service.form("/sign-out", csrf=csrf)

    assert service.get("/jobs").headers["Location"] == "/sign-in"


def test_every_answer_tells_browsers_to_take_nothing_from_elsewhere(service: Service) -> None:
    for path in ("/jobs", "/nothing/here", "/static/kirby.css"):
        headers = service.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
