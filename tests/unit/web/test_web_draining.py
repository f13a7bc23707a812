"""Hosts taken out, and back in, by the API and the pages."""

from kirby.core.names import ContextKey
from kirby.core.records import Held, Instance, InstanceState, Phase, TopicName
from tests.builders.records import RUN, a_heartbeat
from tests.builders.web import Service
from tests.unit.web.test_web_runs import tell


def heard(*, draining: bool = False, held: tuple[Held, ...] = ()) -> None:
    tell(a_heartbeat(draining=draining, held=held), topic=TopicName.HOSTS)


def drained_in_schedule(service: Service) -> list[str]:
    found: list[str] = service.get("/schedule").json["drained"]
    return found


def test_a_drained_host_is_told_to_the_leader_with_the_next_revision(service: Service) -> None:
    heard()
    before = service.get("/schedule").json["revision"]

    answer = service.post("/hosts/alpha/drain")

    changed = service.get("/schedule", since=before).json
    assert answer.json["drain"]["state"] == "draining"
    assert (changed["drained"], changed["whole"]) == (["alpha"], False)


def test_who_drained_a_host_and_since_when_is_kept(service: Service) -> None:
    heard()

    drain = service.post("/hosts/alpha/drain").json["drain"]

    assert drain["by"]
    assert drain["since"]


def test_a_host_that_nobody_has_heard_of_cannot_be_drained(service: Service) -> None:
    for answer in (service.post("/hosts/omega/drain"), service.delete("/hosts/omega/drain")):
        assert answer.status == 404
        assert answer.sentence == 'there is no host "omega": see kirby hosts'


def test_draining_twice_changes_nothing(service: Service) -> None:
    heard()
    service.post("/hosts/alpha/drain")
    revision = service.get("/schedule").json["revision"]

    again = service.post("/hosts/alpha/drain")

    assert again.status == 200
    assert service.get("/schedule").json["revision"] == revision


def test_an_undone_drain_is_told_to_the_leader(service: Service) -> None:
    heard()
    service.post("/hosts/alpha/drain")

    first, again = service.delete("/hosts/alpha/drain"), service.delete("/hosts/alpha/drain")

    assert (first.json["changed"], again.json["changed"]) == (True, False)
    assert drained_in_schedule(service) == []
    assert service.get("/hosts/alpha").json["drain"] is None


def test_a_host_says_what_it_still_holds_until_it_is_drained(service: Service) -> None:
    heard()
    service.post("/hosts/alpha/drain")

    heard(draining=True, held=(Held(run=RUN, attempt=1, phase=Phase.RUNNING),))
    holding = service.get("/hosts/alpha").json["drain"]["sentence"]
    heard(draining=True)

    assert holding == "draining (holds 1 run)"
    assert service.get("/hosts/alpha").json["drain"]["sentence"] == "drained"


def test_a_daemon_that_is_restarted_again_and_again_keeps_its_host_from_being_drained(
    service: Service,
) -> None:
    waits = Instance(context=ContextKey("tap/prod"), state=InstanceState.BACKING_OFF)
    tell(a_heartbeat(draining=True, instances=(waits,)), topic=TopicName.HOSTS)

    drain = service.post("/hosts/alpha/drain").json["drain"]

    assert drain["sentence"] == "draining (holds 1 daemon)"


def test_a_heartbeat_that_says_draining_is_no_order_to_drain(service: Service) -> None:
    heard(draining=True)

    assert drained_in_schedule(service) == []
