"""The output of a run, as it is written."""

from argparse import Namespace
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from rich.text import Text

from kirby.cli.connecting import service_of
from kirby.cli.service import Service
from kirby.cli.terminal import Terminal
from kirby.cli.words import instant
from kirby.core.errors import ExitCode, NotFound
from kirby.core.visible import visible

LATEST = 20  # of these, stretches that never ran are passed over
WAIT_SECONDS = 15  # for further lines, held open by the service
STREAM_STYLES = {"err": "red", "log": "cyan", "kirby": "yellow"}


def logs(given: Namespace, terminal: Terminal) -> ExitCode:
    """Print the lines of a run."""
    service = service_of(given)
    run = chosen_run(service, given.run_name, given.env)
    if run != given.run_name:
        terminal.note(run)
    for line in lines_of(service, run, attempt=given.attempt, follow=given.follow):
        terminal.line(line)
        terminal.say(_worded(line))
    return ExitCode.OK


def chosen_run(service: Service, name: str, env: str | None) -> str:
    """Return the run or instance that a loose name means: of a job, the latest.

    Raises:
        NotFound: nothing of it has run yet.
    """
    chosen = service.get("/resolve", name=name, env=env)
    found: str | None = chosen["instance"] or chosen["run"]
    if found:
        return found
    context = chosen["context"]
    instances = service.get("/daemons", context=context)["daemons"]
    if instances:
        return str(instances[0]["instance"])
    runs = service.get("/runs", context=context, limit=LATEST)["runs"]
    run = next((each["run"] for each in runs if each.get("run")), None)
    if run is None:
        raise NotFound(f"nothing of {context} has run yet: see 'kirby next {context}'")
    return str(run)


def lines_of(
    service: Service, run: str, *, attempt: int | None, follow: bool
) -> Iterator[dict[str, Any]]:
    """Ask for lines until there are no more, or until the run has ended."""
    after = 0
    while True:
        answer = service.get(
            f"/runs/{quote(run)}/log",
            attempt=attempt,
            after=after,
            wait=WAIT_SECONDS if follow else None,
        )
        yield from answer["lines"]
        after = answer["next"]
        if not answer["lines"] and (not follow or answer["ended"]):
            return


def _worded(line: dict[str, Any]) -> Text:
    moment = instant(line["at"])
    clock = moment.strftime("%H:%M:%S.%f")[:-3] if moment is not None else ""
    mark = line["level"] or line["stream"]
    text = Text(f"{clock}  ", style="dim")
    text.append(f"{mark:<7} ", style=STREAM_STYLES.get(line["stream"], ""))
    text.append(visible(line["text"]) + (" … (cut)" if line["cut"] else ""))
    return text
