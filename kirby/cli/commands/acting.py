"""What a person asks for: run now, stop, restart, enable, disable, suspend, a token."""

import time
from argparse import Namespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kirby.cli.connecting import service_of
from kirby.cli.service import Service
from kirby.cli.terminal import Terminal
from kirby.cli.words import at, took
from kirby.core.errors import ExitCode, NotFound

if TYPE_CHECKING:
    from kirby.cli.main import Commands

POLL_SECONDS = 0.5  # while waiting for a run to end
ENDED = "ended"


def register(commands: "Commands") -> None:
    """Add the commands."""
    command = _of_job(commands, "run", run, "run a job now")
    command.add_argument("--wait", action="store_true", help="until it ends; fail if it does")
    command = commands.add("cancel", cancel, "stop a run")
    command.add_argument("run_name", metavar="RUN", help="a run id, or JOB for its latest run")
    command.add_argument("--env", help="the environment")
    _of_job(commands, "restart", restart, "replace the running instances of a daemon")
    _of_job(commands, "enable", enable, "let a job run again")
    _of_job(commands, "disable", disable, "let a job run no more")
    command = _of_job(commands, "suspend", suspend, "let a job not fire for a while")
    command.add_argument("--for", dest="duration", metavar="DURATION", help='"2 h", "30 min"')
    command.add_argument("--from", dest="start", metavar="INSTANT", help="default: now")
    command.add_argument("--until", dest="end", metavar="INSTANT", help="RFC 3339")
    command.add_argument("--reason", default="", help="why; shown wherever it is skipped")
    tokens = commands.add("token", token, "make a token for a person or a program")
    tokens.add_argument("action", choices=["create"])
    tokens.add_argument("name", metavar="NAME", help="whom it is for")
    tokens.add_argument("--replace", action="store_true", help="the one of this name, if there is")


def _of_job(commands: "Commands", name: str, action: Any, about: str) -> Any:
    command = commands.add(name, action, about)
    command.add_argument("job", metavar="JOB")
    command.add_argument("--env", help="the environment (default: the only one, or prod)")
    return command


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
    run_id = chosen["run"]
    if not run_id:
        raise NotFound(f"\"{given.run_name}\" names no run: see 'kirby runs {given.run_name}'")
    service.post(f"/runs/{quote(run_id)}/stop")
    terminal.data({"run": run_id, "asked": True})
    terminal.say(f"{run_id} is asked to stop")
    return ExitCode.OK


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
    asked = {"start": given.start, "end": given.end, "duration": given.duration}
    body = {name: value for name, value in asked.items() if value is not None}
    made = service.post(f"/contexts/{context}/suspensions", {**body, "reason": given.reason})
    terminal.data(made)
    terminal.say(f"{context} is suspended from {at(made['start'])} until {at(made['end'])} UTC")
    return ExitCode.OK


def token(given: Namespace, terminal: Terminal) -> ExitCode:
    """Make a token; it is shown this once."""
    made = service_of(given).post("/tokens", {"name": given.name, "replace": given.replace})
    terminal.data(made)
    terminal.say(made["token"])
    terminal.note(f"the token of {made['name']}, shown this once: keep it, or create another")
    return ExitCode.OK


def _context(given: Namespace, terminal: Terminal) -> tuple[Service, str]:
    """Find the context that a loose name means, and say which was chosen."""
    service = service_of(given)
    chosen = service.get("/resolve", name=given.job, env=given.env)
    context: str = chosen["context"]
    if context != given.job and chosen["chose"]:
        terminal.note(chosen["chose"])
    return service, context
