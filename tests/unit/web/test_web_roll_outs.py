"""Roll-outs, by the API and the pages."""

from tests.builders.daemons import MIXER
from tests.builders.web import Service
from tests.unit.model.test_model_roll_outs import OLD, Log, rolling
from tests.unit.web.test_web_access import signed_in

SENTENCE = "rolling out 2.0: 1 of 2 hosts, watching alpha until 12:01:00 UTC"


def test_a_roll_out_is_told_with_the_daemons(service: Service) -> None:
    Log().holds(OLD, rolling(0))

    (found,) = service.get("/daemons", context=MIXER).json["roll_outs"]

    assert (found["context"], found["state"], found["sentence"]) == (MIXER, "rolling out", SENTENCE)
    assert [step["sentence"] for step in found["steps"]] == [SENTENCE]


def test_a_roll_out_stands_on_the_page_of_daemons(service: Service) -> None:
    Log().holds(OLD, rolling(0))
    signed_in(service)
    service.html = True

    assert SENTENCE in service.get("/daemons").text
