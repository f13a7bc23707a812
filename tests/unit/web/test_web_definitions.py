import msgspec
import pytest

from kirby.core.nouns import Schedule
from kirby.core.records import RestartRequest, RunRequest
from tests.builders.web import KEY, Service

PUMP = {"job": {"pump": {"package": "pump==1.0", "prod": {"schedule": "*/10 * * * *"}}}}
TAP = {"job": {"tap": {"kind": "daemon", "package": "tap==1.0", "prod": {}}}}


def apply(service: Service, document: object = PUMP) -> None:
    answer = service.post("/document/apply", {"document": document})
    assert answer.status == 200, answer.text


def test_a_plan_shows_what_would_change_and_changes_nothing(service: Service) -> None:
    planned = service.post("/document/plan", {"document": PUMP})

    assert [change["what"] for change in planned.json["changes"]] == ["pump", "pump/prod"]
    assert service.get("/jobs").json["contexts"] == []


def test_an_applied_document_is_in_the_schedule_of_the_hosts(service: Service) -> None:
    apply(service)

    schedule = msgspec.json.decode(service.get("/schedule").body, type=Schedule)

    assert [each.context for each in schedule.contexts] == ["pump/prod"]


def test_the_schedule_is_not_told_again_to_who_has_it(service: Service) -> None:
    apply(service)
    revision = service.get("/schedule").json["revision"]

    again = service.get("/schedule", since=revision)

    assert (again.status, again.body) == (304, b"")


def test_only_what_changed_is_told_to_who_has_the_rest(service: Service) -> None:
    apply(service)
    revision = service.get("/schedule").json["revision"]
    service.patch("/contexts/pump/prod", {"enabled": False})

    changed = service.get("/schedule", since=revision).json

    assert changed["gone"] == ["pump/prod"]
    assert not changed["whole"]


def test_all_faults_of_a_document_come_with_their_fields(service: Service) -> None:
    service.catalogue.lacking.add("pump==1.0")
    wrong = {"job": {"pump": {"prod": {"schedule": "*/70 * * * *", "overlap": "never"}}}}

    answer = service.post("/document/apply", {"document": wrong})

    assert answer.status == 400
    assert {fault["field"] for fault in answer.json["faults"]} == {
        "job.pump.prod.schedule",
        "job.pump.prod.overlap",
        "job.pump.prod.package",
    }


def test_a_package_that_the_index_lacks_is_a_fault(service: Service) -> None:
    service.catalogue.lacking.add("pump==1.0")

    answer = service.post("/document/apply", {"document": PUMP})

    assert answer.json["faults"] == [
        {
            "field": "job.pump.package",
            "sentence": 'package "pump==1.0": no such package in the index',
        }
    ]


def test_a_plan_that_is_out_of_date_is_refused(service: Service) -> None:
    revision = service.post("/document/plan", {"document": PUMP}).json["revision"]
    apply(service, TAP)

    answer = service.post("/document/apply", {"document": PUMP, "revision": revision})

    assert answer.status == 409


def test_the_topics_of_a_document_are_created(service: Service) -> None:
    apply(service, PUMP | {"topic": {"pressure": {"partitions": 3}}})

    assert service.kafka.topics == {"pressure": 3}


def test_what_is_exported_changes_nothing(service: Service) -> None:
    apply(service)

    planned = service.post("/document/plan", {"document": service.get("/document").json})

    assert planned.json["changes"] == []


@pytest.mark.parametrize(
    ("raw", "status"),
    [(b"{", 400), (b"[]", 400), (b"{}", 400), (b"[" * 100_000, 400), (b" " * 5_000_000, 413)],
)
def test_what_is_no_document_is_refused_in_a_sentence(
    raw: bytes, status: int, service: Service
) -> None:
    answer = service.call("POST", "/document/apply", raw=raw)

    assert answer.status == status
    assert answer.json["faults"]


def test_a_context_tells_all_of_itself(service: Service) -> None:
    apply(service)

    context = service.get("/contexts/pump/prod").json

    assert context["next"] == "2026-11-23T12:10:00Z"
    assert context["schedules"] == [{"cron": "*/10 * * * *", "zone": "UTC"}]
    assert context["policies"]["attempts"] == 1
    assert context["policies"]["grace"] == 10.0


def test_an_unknown_context_is_not_found(service: Service) -> None:
    answer = service.get("/contexts/pump/prod")

    assert answer.status == 404
    assert answer.sentence == 'there is no context "pump/prod": see kirby jobs'


def test_a_run_that_is_asked_for_is_posted_with_who_asked(service: Service) -> None:
    apply(service)

    answer = service.post("/contexts/pump/prod/run")

    (request,) = service.kafka.posted
    assert isinstance(request, RunRequest)
    assert answer.json["run"] == request.run == "pump/prod@2026-11-23T12:00:00Z~abc123"
    assert request.asked_by == "anna"


def test_a_run_of_a_disabled_context_is_refused(service: Service) -> None:
    apply(service)
    service.patch("/contexts/pump/prod", {"enabled": False})

    answer = service.post("/contexts/pump/prod/run")

    assert answer.status == 409
    assert "enable it first" in answer.sentence
    assert service.kafka.posted == []


def test_a_run_is_refused_while_kafka_does_not_answer(service: Service) -> None:
    apply(service)
    service.kafka.down = "Kafka does not answer"

    assert service.post("/contexts/pump/prod/run").status == 503


def test_a_daemon_is_restarted_and_a_scheduled_job_is_not(service: Service) -> None:
    apply(service, {"job": PUMP["job"] | TAP["job"]})

    assert service.post("/contexts/tap/prod/restart").status == 200
    assert service.post("/contexts/pump/prod/restart").status == 409
    assert isinstance(service.kafka.posted[0], RestartRequest)


def test_a_daemon_is_held_and_let_go(service: Service) -> None:
    apply(service, TAP)

    assert service.patch("/contexts/tap/prod", {"held": True}).json["held"]
    assert not service.patch("/contexts/tap/prod", {"held": False}).json["held"]


def test_a_scheduled_job_is_never_held_so_letting_it_go_changes_nothing(service: Service) -> None:
    apply(service)

    assert service.patch("/contexts/pump/prod", {"enabled": True, "held": False}).status == 200
    assert service.patch("/contexts/pump/prod", {"held": True}).status == 409


def test_a_suspension_begins_now_and_lasts_as_long_as_was_said(service: Service) -> None:
    apply(service)

    made = service.post(
        "/contexts/pump/prod/suspensions", {"duration": "2 h", "reason": "cleaning"}
    ).json

    assert (made["start"], made["end"]) == ("2026-11-23T12:00:00Z", "2026-11-23T14:00:00Z")
    assert made["by"] == "anna"
    assert service.get("/contexts/pump/prod").json["next"] == "2026-11-23T14:00:00Z"


def test_a_daemon_does_not_fire_so_it_is_not_suspended(service: Service) -> None:
    apply(service, TAP)
    window = {"context": "tap/prod", "from": "2026-12-24T18:00:00Z", "to": "2026-12-27T06:00:00Z"}

    by_hand = service.post("/contexts/tap/prod/suspensions", {"duration": "2 h"})
    by_document = service.post("/document/plan", {"document": TAP | {"suspension": [window]}})

    assert by_hand.status == 409
    assert by_document.json["faults"][0]["field"] == "suspension.0.context"


def test_a_suspension_is_taken_away(service: Service) -> None:
    apply(service)
    made = service.post("/contexts/pump/prod/suspensions", {"duration": "2 h"}).json

    service.delete(f"/contexts/pump/prod/suspensions/{made['id']}")

    assert service.get("/contexts/pump/prod/suspensions").json["suspensions"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "end"),
        ({"end": "2026-11-23T11:00:00Z"}, "end"),
        ({"end": "soon"}, "end"),
        ({"duration": "2"}, ""),
        ({"start": "2026-11-23T13:00:00", "duration": "1 h"}, "start"),
    ],
)
def test_a_suspension_that_makes_no_sense_is_refused(
    body: dict[str, str], field: str, service: Service
) -> None:
    apply(service)

    answer = service.post("/contexts/pump/prod/suspensions", body)

    assert answer.status == 400
    assert answer.json["faults"][0]["field"] == field


def test_variables_are_opened_for_who_may_see_them(service: Service) -> None:
    document = {
        "job": {
            "pump": {
                "package": "pump==1.0",
                "set": {"RATE": 5},
                "prod": {"secret": {"PIN": "1234"}},
            }
        }
    }
    apply(service, document)

    answer = service.get("/contexts/pump/prod/variables").json

    assert answer["variables"] == {"PIN": "1234", "RATE": "5"}
    assert answer["group"] == "prod.pump"
    assert "1234" not in service.get("/contexts/pump/prod").text
    assert "1234" not in service.get("/schedule").text


def test_a_running_script_reports_what_it_reads_and_writes(service: Service) -> None:
    apply(service)
    run = "pump/prod@2026-11-23T12:00:00Z"
    admin, service.token = service.token, KEY.run_token(run)

    answer = service.patch(
        "/registration",
        {
            "run": run,
            "sources": [{"kind": "web", "name": "https://pump.example"}],
            "destinations": [{"kind": "topic", "name": "pressure"}],
        },
    )

    assert answer.status == 200
    service.token = admin
    context = service.get("/contexts/pump/prod").json
    assert context["reads"] == [{"kind": "web", "name": "https://pump.example"}]
    assert context["writes"] == [{"kind": "topic", "name": "pressure"}]


def test_a_script_reports_for_its_own_run_only(service: Service) -> None:
    apply(service)
    service.token = KEY.run_token("pump/prod@2026-11-23T12:00:00Z")

    other = service.patch("/registration", {"run": "pump/prod@2026-11-23T12:10:00Z"})

    assert other.status == 403
    assert service.get("/jobs").status == 401


@pytest.mark.parametrize("entry", [{"kind": "river", "name": "x"}, {"kind": "topic"}, "sales", 5])
def test_an_odd_report_is_refused(entry: object, service: Service) -> None:
    apply(service)
    run = "pump/prod@2026-11-23T12:00:00Z"
    service.token = KEY.run_token(run)

    assert service.patch("/registration", {"run": run, "sources": [entry]}).status == 400


def test_the_next_fires_of_all_contexts_come_in_order(service: Service) -> None:
    fan = {"fan": {"package": "fan==1", "prod": {"schedule": "5 * * * *"}}}
    apply(service, {"job": PUMP["job"] | fan})
    service.post("/contexts/pump/prod/suspensions", {"duration": "11 min", "reason": "cleaning"})

    coming = service.get("/next", count=3).json["next"]

    assert [(each["context"], each["due"][11:16], each["suspended"]) for each in coming] == [
        ("fan/prod", "12:05", False),
        ("pump/prod", "12:10", True),
        ("pump/prod", "12:20", False),
    ]


@pytest.mark.parametrize("names", [[], "sales", ["a b"], [".."], [5]])
def test_a_topic_of_an_odd_name_is_refused(names: object, service: Service) -> None:
    assert service.post("/topics", {"names": names}).status == 400


def test_there_is_a_sentence_for_what_is_not_there(service: Service) -> None:
    answer = service.get("/no/such/page")

    assert answer.status == 404
    assert answer.sentence == "there is nothing at /no/such/page"


def test_a_fault_of_our_own_is_told_without_a_traceback(service: Service) -> None:
    service.catalogue.lacks = None  # type: ignore[assignment,method-assign]

    answer = service.post("/document/apply", {"document": PUMP})

    assert answer.status == 500
    assert "Traceback" not in answer.text
    assert answer.sentence == "the web service failed at this; its log says more"
