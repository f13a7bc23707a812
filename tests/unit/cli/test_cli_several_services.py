"""The command line asks the first of several web services that answers."""

from typing import Any

import httpx
import pytest

from kirby.cli.service import Service
from kirby.core.errors import ServiceUnreachable

ONE, TWO = "http://one:1", "http://two:1"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the first be gone, and note who is asked."""
    asked: list[str] = []

    def request(method: str, url: str, **_: Any) -> httpx.Response:
        asked.append(f"{method} {url}")
        if url.startswith(ONE):
            raise faults.pop(0) if faults else httpx.ConnectError("refused")
        return httpx.Response(200, json={"ok": True})

    monkeypatch.setattr(httpx, "request", request)
    faults.clear()
    return asked


faults: list[Exception] = []


def test_where_the_first_is_gone_the_second_is_asked_and_kept(asked):
    service = Service(url=f"{ONE},{TWO}", token="t")

    assert service.get("/jobs") == {"ok": True}
    service.post("/sign-in")

    assert asked == [f"GET {ONE}/jobs", f"GET {TWO}/jobs", f"POST {TWO}/sign-in"]


def test_a_change_that_may_have_been_made_is_not_made_again_elsewhere(asked):
    faults.append(httpx.ReadTimeout("no answer"))
    service = Service(url=f"{ONE},{TWO}", token="t")

    with pytest.raises(ServiceUnreachable, match="http://one:1, http://two:1"):
        service.post("/contexts/pump/prod/run")

    assert asked == [f"POST {ONE}/contexts/pump/prod/run"]


def test_a_package_goes_to_one_that_answers(asked):
    assert Service(url=f"{ONE},{TWO}", token="t").settle() == TWO
