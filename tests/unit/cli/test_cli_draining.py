"""`kirby drain`: what it asks of the service, what it waits for, and what it says."""

import io
from argparse import Namespace
from typing import Any

import pytest
from rich.console import Console

from kirby.cli.commands import draining
from kirby.cli.terminal import Terminal
from kirby.core.errors import Conflict


class Service:
    """A service that tells of a host, a little further at each look."""

    def __init__(self, *sentences: str | None) -> None:
        self.sentences = list(sentences)
        self.asked: list[str] = []

    def post(self, path: str) -> dict[str, Any]:
        self.asked.append(f"POST {path}")
        return self._next()

    def get(self, path: str) -> dict[str, Any]:
        self.asked.append(f"GET {path}")
        return self._next()

    def delete(self, path: str) -> dict[str, Any]:
        self.asked.append(f"DELETE {path}")
        return {"host": "beta", "changed": self.sentences.pop(0) is not None}

    def _next(self) -> dict[str, Any]:
        sentence = self.sentences.pop(0)
        if sentence is None:
            return {"drain": None}
        state = "drained" if sentence == "drained" else "draining"
        return {"drain": {"state": state, "sentence": sentence}}


@pytest.fixture
def drain(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give `kirby drain beta` against a service, without any waiting between its looks."""
    monkeypatch.setattr(draining, "POLL_SECONDS", 0.0)

    def run(service: Service, **flags: bool) -> str:
        monkeypatch.setattr(draining, "service_of", lambda _: service)
        out = io.StringIO()
        given = Namespace(**{"host": "beta", "undo": False, "wait": False, **flags})
        draining.drain(given, Terminal(out=Console(file=out, width=200), err=Console(stderr=True)))
        return out.getvalue().strip()

    return run


def test_without_waiting_it_says_what_the_host_still_holds(drain: Any) -> None:
    service = Service("draining (holds 2 runs)")

    said = drain(service)

    assert said == "beta is draining (holds 2 runs); see 'kirby hosts'"
    assert service.asked == ["POST /hosts/beta/drain"]


def test_it_waits_until_the_host_holds_nothing_any_more(drain: Any) -> None:
    service = Service("draining", "draining (holds 1 daemon)", "drained")

    said = drain(service, wait=True)

    assert said.startswith("beta is drained; it may be stopped")
    assert service.asked == ["POST /hosts/beta/drain", "GET /hosts/beta", "GET /hosts/beta"]


def test_while_it_waits_it_says_so_when_somebody_undoes_the_drain(drain: Any) -> None:
    with pytest.raises(Conflict, match="somebody undid the drain"):
        drain(Service("draining", None), wait=True)


@pytest.mark.parametrize(
    ("was_drained", "said"),
    [("draining", "beta takes work again"), (None, "beta was not being drained")],
)
def test_an_undone_drain_is_told(drain: Any, was_drained: str | None, said: str) -> None:
    service = Service(was_drained)

    assert drain(service, undo=True) == said
    assert service.asked == ["DELETE /hosts/beta/drain"]
