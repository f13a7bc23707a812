from datetime import timedelta

import pytest

from kirby.core.names import Host
from kirby.core.nouns import AttemptEnd, RunEnd
from kirby.core.records import (
    Armed,
    FirstLine,
    Line,
    Lines,
    Logged,
    StopRequest,
    Stream,
    TopicName,
)
from kirby.model.database import connection
from kirby.model.projection import Placed, offsets, take
from kirby.web.log_view import LogView
from tests.builders.records import (
    DUE,
    RUN,
    a_beat,
    a_heartbeat,
    an_ended,
    an_exited,
    an_offered,
    of_step,
)
from tests.builders.web import Service


def tell(*records: object, topic: TopicName = TopicName.RUNS) -> None:
    with connection():
        begin = offsets().get((topic, 0), 0)
        take(
            [
                Placed(topic=topic, partition=0, offset=begin + at, record=record)  # type: ignore[arg-type]
                for at, record in enumerate(records)
            ]
        )


def a_finished_run() -> None:
    tell(
        an_offered(),
        Armed(**of_step(), package="pump==1.0"),
        FirstLine(**of_step(), late_us=1400),
        an_exited(),
        an_ended(),
    )


def lines(*texts: str, first: int = 0, attempt: int = 1) -> Lines:
    return Lines(
        run=RUN,
        attempt=attempt,
        host=Host("alpha"),
        first=first,
        lines=tuple(Line(at=DUE, stream=Stream.OUT, text=text) for text in texts),
    )


def test_a_run_is_told_with_its_end_and_how_late_it_was(service: Service) -> None:
    a_finished_run()

    (run,) = service.get("/runs").json["runs"]

    assert (run["run"], run["end"], run["late_us"], run["seconds"]) == (RUN, "succeeded", 1400, 0.4)


def test_runs_are_told_page_by_page_until_there_are_no_more(service: Service) -> None:
    for at in range(5):
        due = DUE + at * timedelta(minutes=1)
        tell(an_ended(run=f"pump/prod@{due:%Y-%m-%dT%H:%M:%SZ}", due=due))  # type: ignore[arg-type]

    seen, more = [], None
    for _ in range(3):
        answer = service.get("/runs", limit=2, before=more).json
        seen += [run["due"] for run in answer["runs"]]
        more = answer["more"]

    assert len(set(seen)) == 5
    assert more is None


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": "x"}, {"since": "soon"}, {"end": "well"}, {"before": "x"}]
)
def test_an_odd_filter_is_refused_in_a_sentence(query: dict[str, object], service: Service) -> None:
    answer = service.get("/runs", **query)

    assert answer.status == 400
    assert answer.json["faults"][0]["field"] == next(iter(query))


def test_one_run_is_told_with_all_its_steps(service: Service) -> None:
    a_finished_run()

    run = service.get(f"/runs/{RUN}").json

    assert run["tries"][0]["first_line"] == "2026-11-23T12:00:00Z"
    assert run["tries"][0]["exit_status"] == 0


def test_a_running_run_is_stopped_by_request_and_an_ended_one_is_not(service: Service) -> None:
    tell(an_offered())
    assert service.post(f"/runs/{RUN}/stop").json == {"asked": True}

    tell(an_ended(end=RunEnd.STOPPED))
    assert service.post(f"/runs/{RUN}/stop").status == 409

    (request,) = service.kafka.posted
    assert isinstance(request, StopRequest)
    assert request.run == RUN


def test_a_log_is_read_where_the_runs_steps_say_that_it_stands(service: Service) -> None:
    service.kafka.batches = [lines("118 sales", "sent")]
    tell(Logged(**of_step(), partition=2, first_offset=0, last_offset=0, lines=2), an_exited())

    answer = service.get(f"/runs/{RUN}/log").json

    assert [line["text"] for line in answer["lines"]] == ["118 sales", "sent"]
    assert (answer["next"], answer["ended"]) == (2, True)
    assert service.kafka.asked[0].partition == 2


def test_a_log_is_followed_from_the_lines_that_were_seen(service: Service) -> None:
    service.kafka.batches = [lines("one", "two"), lines("three", first=2)]
    tell(Logged(**of_step(), partition=2, first_offset=0, last_offset=1, lines=3))

    service.get(f"/runs/{RUN}/log", after=2)
    answer = service.get(f"/runs/{RUN}/log", after=2).json

    assert [line["text"] for line in answer["lines"]] == ["three"]
    assert not answer["ended"]
    assert service.kafka.asked[-1].first == 1


def test_a_living_run_of_which_no_log_was_told_is_looked_for_in_all_of_it(
    service: Service,
) -> None:
    service.kafka.batches = [lines("hello")]
    tell(Armed(**of_step()), FirstLine(**of_step(), late_us=1))

    answer = service.get(f"/runs/{RUN}/log").json

    assert [line["text"] for line in answer["lines"]] == ["hello"]
    assert service.kafka.asked[0].partition is None


def test_the_log_of_an_earlier_attempt_is_there_too(service: Service) -> None:
    service.kafka.batches = [lines("first try"), lines("second try", attempt=2)]
    tell(
        Logged(**of_step(attempt=1), partition=0, first_offset=0, last_offset=0, lines=1),
        an_exited(attempt=1, end=AttemptEnd.FAILED),
        Logged(**of_step(attempt=2), partition=0, first_offset=1, last_offset=1, lines=1),
        an_exited(attempt=2),
    )

    latest = service.get(f"/runs/{RUN}/log").json
    earlier = service.get(f"/runs/{RUN}/log", attempt=1).json

    assert (latest["attempt"], latest["lines"][0]["text"]) == (2, "second try")
    assert earlier["lines"][0]["text"] == "first try"


def test_who_follows_a_log_waits_for_the_next_line(service: Service) -> None:
    tell(Armed(**of_step()), FirstLine(**of_step(), late_us=1))
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            service.kafka.batches = [lines("at last")]

    with connection():
        answer = LogView(logs=service.kafka, pause=pause).read(RUN, None, 0, 10)

    assert [line.text for _, line in answer.lines] == ["at last"]
    assert len(pauses) == 2


def test_the_log_of_an_unknown_run_is_not_found(service: Service) -> None:
    assert service.get(f"/runs/{RUN}/log").status == 404


def test_hosts_and_status_tell_who_leads(service: Service) -> None:
    tell(a_heartbeat(), topic=TopicName.HOSTS)
    tell(a_beat(), topic=TopicName.LEADERSHIP)

    (host,) = service.get("/hosts").json["hosts"]
    status = service.get("/status").json

    assert host["leads"]
    assert host["leads_since"] == status["leader"]["since"]
    assert status["firing"]
    assert status["sentence"] == "firing · leader alpha for 1 h · 1 host · 0 missed in 24 h"


def test_without_a_beat_nothing_fires_and_the_line_says_so(service: Service) -> None:
    tell(a_beat(), topic=TopicName.LEADERSHIP)
    service.pass_time(60)

    status = service.get("/status").json

    assert not status["firing"]
    assert status["sentence"].startswith("not firing: leader alpha was last heard 1 min ago")


def test_while_kafka_is_not_read_nothing_is_known(service: Service) -> None:
    service.kafka.down = "Kafka at h:1 does not answer"

    assert service.get("/status").json["sentence"] == "not known: Kafka at h:1 does not answer"
