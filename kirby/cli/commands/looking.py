"""What a person looks at: jobs, what comes next, daemons, hosts."""

from argparse import Namespace
from typing import Any

from rich.text import Text

from kirby.cli.connecting import service_of
from kirby.cli.terminal import Terminal
from kirby.cli.words import DASH, STYLES, ago, at, styled, took
from kirby.core.durations import write_size
from kirby.core.errors import ExitCode

BLOCKS = {"succeeded": "▇", "skipped": "·", "missed": "×", "stopped": "▁"}
FAILED, OPEN = "✖", "▷"
STRIP = 20  # of the last fires, so that a row fits a terminal of 120 columns


def jobs(given: Namespace, terminal: Terminal) -> ExitCode:
    """List all contexts."""
    answer = service_of(given).get("/jobs", job=given.job)
    terminal.data(answer)
    rows = [_job(context) for context in answer["contexts"]]
    if not rows:
        terminal.say("no jobs yet: write a document and run 'kirby apply FILE'")
        return ExitCode.OK
    terminal.table(("job", "kind", "package", "last fires", "next", "takes"), rows)
    return ExitCode.OK


def _job(context: dict[str, Any]) -> tuple[str | Text, ...]:
    is_daemon = context["kind"] == "daemon"
    running = ", ".join(f"{n} {state}" for state, n in (context.get("instances") or {}).items())
    return (
        context["context"],
        context["kind"],
        context["package"],
        Text(running) if is_daemon else _strip(context["recent"]),
        DASH if is_daemon else _when(context),
        took(context.get("median_seconds")),
    )


def _strip(recent: list[dict[str, Any]]) -> Text:
    strip = Text()
    for fire in recent[-STRIP:]:
        end = fire["end"] or ""
        block = OPEN if not end else BLOCKS.get(end, FAILED)
        strip.append(block, style=STYLES.get(end or "running"))
    return strip


def _when(context: dict[str, Any]) -> str:
    if not context["enabled"]:
        return "disabled"
    if context.get("suspension"):
        return f"suspended until {at(context['suspension']['end'])}"
    return at(context.get("next"))


def following(given: Namespace, terminal: Terminal) -> ExitCode:
    """List the next fires."""
    service = service_of(given)
    asked: dict[str, Any] = {"count": given.count}
    if given.job:
        asked["context"] = service.get("/resolve", name=given.job, env=given.env)["context"]
    answer = service.get("/next", **asked)
    terminal.data(answer)
    rows = [
        (
            at(fire["due"], zone=fire["zone"]),
            fire["zone"],
            fire["context"],
            f"suspended: {fire['reason']}" if fire["suspended"] else "",
        )
        for fire in answer["next"]
    ]
    terminal.table(("due", "zone", "job", ""), rows)
    return ExitCode.OK


def daemons(given: Namespace, terminal: Terminal) -> ExitCode:
    """List the daemons."""
    answer = service_of(given).get("/daemons")
    terminal.data(answer)
    rows = [
        (
            each["context"],
            each["host"],
            styled(each["state"]),
            ago(each["since"]),
            str(each["restarts"]),
            write_size(each["memory"]) if each["memory"] else DASH,
            each["package"],
            each["reason"] or "",
        )
        for each in answer["daemons"]
    ]
    terminal.table(
        ("daemon", "host", "state", "since", "restarts", "memory", "package", "reason"), rows
    )
    for each in answer.get("roll_outs", ()):
        terminal.say(f"{each['context']}: {each['sentence']}")
    return ExitCode.OK


def _host_state(host: dict[str, Any]) -> Text:
    word = styled("running" if host["alive"] else "lost")
    if host.get("drain") is None:
        return word
    if host["drain"]["state"] == "drained":
        return Text("drained")
    return word.append(f", {host['drain']['sentence']}", style="yellow")


def hosts(given: Namespace, terminal: Terminal) -> ExitCode:
    """List the hosts; the leader is marked."""
    answer = service_of(given).get("/hosts")
    terminal.data(answer)
    rows = [
        (
            f"{each['host']} *" if each["leads"] else each["host"],
            _host_state(each),
            ago(each["started"]),
            f"{each['slots'] - each['free_slots']} of {each['slots']}",
            str(len(each["held"])),
            f"{each['clock_offset_ms']:.1f} ms",
            each["version"],
            each.get("obstacle", ""),
        )
        for each in answer["hosts"]
    ]
    heads = ("host", "state", "started", "slots used", "holds", "clock", "version", "obstacle")
    terminal.table(heads, rows)
    for each in answer["hosts"]:
        if each["leads"]:
            terminal.say(f"* leads; took the lead {ago(each['leads_since'])}")
    return ExitCode.OK
