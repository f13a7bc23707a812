"""What a person asks for: run now, stop, restart, enable, disable, suspend, a token."""

import time
from argparse import Namespace
from typing import Any
from urllib.parse import quote

from kirby.cli.connecting import service_of
from kirby.cli.service import Service
from kirby.cli.terminal import Terminal
from kirby.cli.words import at, took
from kirby.core.errors import ExitCode, NotFound

POLL_SECONDS = 0.5  # while waiting for a run to end
ENDED = "ended"
LOOKED_THROUGH = 200  # runs back, for one that is still on


def run(given: Namespace, terminal: Terminal) -> ExitCode:
    """Ask for a run; with --wait tell its end, and fail if it did."""
    service, context = _context(given, terminal)
    run_id = service.post(f"/contexts/{context}/run")["run"]
    if not given.wait:
        terminal.data({"run": run_id})
        terminal.say(f"{run_id} asked for; see 'kirby logs {run_id} -f'")
        return ExitCode.OK
    with terminal.waiting(f"{run_id} …"):
        found = wait_for(service, run_id)
    terminal.data(found)
    reason = f": {found['reason']}" if found["reason"] else ""
    terminal.say(f"{run_id} {found['end']} after {took(found['seconds'])}{reason}")
    return ExitCode.OK if found["end"] == "succeeded" else ExitCode.FAILED


def wait_for(service: Service, run_id: str) -> dict[str, Any]:
    """Return a run when it has ended; one that nobody has heard of yet is waited for."""
    while True:
        try:
            found: dict[str, Any] = service.get(f"/runs/{quote(run_id)}")
        except NotFound:
            found = {"state": "waiting"}
        if found["state"] == ENDED:
            return found
        time.sleep(POLL_SECONDS)


def cancel(given: Namespace, terminal: Terminal) -> ExitCode:
    """Ask for the end of a run."""
    service = service_of(given)
    chosen = service.get("/resolve", name=given.run_name, env=given.env)
    run_id = chosen["run"] or _latest_open(service, chosen["context"])
    service.post(f"/runs/{quote(run_id)}/stop")
    terminal.data({"run": run_id, "asked": True})
    terminal.say(f"{run_id} is asked to stop")
    return ExitCode.OK


def _latest_open(service: Service, context: str) -> str:
    """Return the run of a context that was due last and has not ended."""
    for run in service.get("/runs", context=context, limit=LOOKED_THROUGH)["runs"]:
        if not run.get("stretch") and run["state"] != ENDED:
            return str(run["run"])
    raise NotFound(f"no run of {context} is on: see 'kirby runs {context}'")


def restart(given: Namespace, terminal: Terminal) -> ExitCode:
    """Ask for new instances of a daemon."""
    service, context = _context(given, terminal)
    terminal.data({"context": context, **service.post(f"/contexts/{context}/restart")})
    terminal.say(f"{context} is restarted, host by host")
    return ExitCode.OK


def enable(given: Namespace, terminal: Terminal) -> ExitCode:
    """Let a context run again; a daemon that is held is let go, too."""
    service, context = _context(given, terminal)
    changed = service.patch(f"/contexts/{context}", {"enabled": True, "held": False})
    terminal.data(changed)
    due = f"; next {at(changed['next'])}" if changed["next"] else ""
    terminal.say(f"{context} is enabled{due}")
    return ExitCode.OK


def disable(given: Namespace, terminal: Terminal) -> ExitCode:
    """Let a context run no more; what runs goes on."""
    service, context = _context(given, terminal)
    terminal.data(service.patch(f"/contexts/{context}", {"enabled": False}))
    terminal.say(f"{context} is disabled; let it run again with 'kirby enable {given.job}'")
    return ExitCode.OK


def suspend(given: Namespace, terminal: Terminal) -> ExitCode:
    """Let a context not fire for a while."""
    service, context = _context(given, terminal)
    if given.remove is not None:
        terminal.data(service.delete(f"/contexts/{context}/suspensions/{given.remove}"))
        terminal.say(f"suspension {given.remove} of {context} is ended")
        return ExitCode.OK
    asked = {"start": given.start, "end": given.end, "duration": given.duration}
    body = {name: value for name, value in asked.items() if value is not None}
    made = service.post(f"/contexts/{context}/suspensions", {**body, "reason": given.reason})
    terminal.data(made)
    terminal.say(
        f"{context} is suspended from {at(made['start'])} until {at(made['end'])} UTC; "
        f"end that with 'kirby suspend {context} --remove {made['id']}'"
    )
    return ExitCode.OK


def token(given: Namespace, terminal: Terminal) -> ExitCode:
    """Make a token, which is shown this once, or delete one."""
    if given.action == "delete":
        terminal.data(service_of(given).delete(f"/tokens/{quote(given.name)}"))
        terminal.say(f"the token of {given.name} is good for nothing from now on")
        return ExitCode.OK
    made = service_of(given).post("/tokens", {"name": given.name, "replace": given.replace})
    terminal.data(made)
    terminal.say(made["token"])
    terminal.note(f"the token of {made['name']}, shown this once: keep it, or create another")
    return ExitCode.OK


def sign_in(given: Namespace, terminal: Terminal) -> ExitCode:
    """Make a link that opens the pages, once."""
    service = service_of(given)
    path = service.post("/sign-in", {"name": given.name})["path"]
    link = service.url.rstrip("/") + path
    terminal.data({"link": link})
    terminal.say(link)
    return ExitCode.OK


def _context(given: Namespace, terminal: Terminal) -> tuple[Service, str]:
    """Find the context that a loose name means, and say which was chosen."""
    service = service_of(given)
    chosen = service.get("/resolve", name=given.job, env=given.env)
    context: str = chosen["context"]
    if context != given.job and chosen["chose"]:
        terminal.note(chosen["chose"])
    return service, context
