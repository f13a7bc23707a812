"""Taking a host out, and back in."""

import time
from argparse import Namespace
from typing import Any
from urllib.parse import quote

from kirby.cli.connecting import service_of
from kirby.cli.service import Service
from kirby.cli.terminal import Terminal
from kirby.core.draining import DrainState
from kirby.core.errors import Conflict, ExitCode

POLL_SECONDS = 1.0  # heartbeats come each 5 s, and sooner where something changed


def drain(given: Namespace, terminal: Terminal) -> ExitCode:
    """Take a host out, or undo that; with --wait until it holds nothing any more."""
    service, host = service_of(given), given.host
    if given.undo:
        return _undo(service, host, terminal)
    found: dict[str, Any] = service.post(f"/hosts/{quote(host, safe='')}/drain")
    if given.wait:
        with terminal.waiting(f"{host} {found['drain']['sentence']} …"):
            found = _wait(service, host, found)
    terminal.data(found)
    terminal.say(f"{host} is {found['drain']['sentence']}; {_next(host, found)}")
    return ExitCode.OK


def _undo(service: Service, host: str, terminal: Terminal) -> ExitCode:
    answer = service.delete(f"/hosts/{quote(host, safe='')}/drain")
    terminal.data(answer)
    told = "takes work again" if answer["changed"] else "was not being drained"
    terminal.say(f"{host} {told}")
    return ExitCode.OK


def _wait(service: Service, host: str, found: dict[str, Any]) -> dict[str, Any]:
    while found["drain"]["state"] != DrainState.DRAINED.value:
        time.sleep(POLL_SECONDS)
        found = service.get(f"/hosts/{quote(host, safe='')}")
        if found["drain"] is None:
            raise Conflict(f"{host} takes work again: somebody undid the drain while this waited")
    return found


def _next(host: str, found: dict[str, Any]) -> str:
    if found["drain"]["state"] == DrainState.DRAINED.value:
        return f"it may be stopped; let it take work again with 'kirby drain {host} --undo'"
    return "see 'kirby hosts'"
