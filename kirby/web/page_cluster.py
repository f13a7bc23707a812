"""The pages of daemons, hosts and tokens, and the entrance."""

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import quote

from kirby.core.prose import tell_instant
from kirby.model.cluster import DaemonView, HostView
from kirby.model.roll_outs import RollOutView, StepView
from kirby.model.runs import AttemptView
from kirby.model.tokens import TokenNote
from kirby.web.caller import Caller
from kirby.web.frame import bare_page, button, command, csrf, page, table
from kirby.web.html import Child, Html, e, join
from kirby.web.parts import Parts
from kirby.web.telling import (
    NOTHING,
    distance,
    instant,
    run_path,
    size,
    took,
    why_it_claims_nothing,
)

DAEMON_HEAD = ("daemon", "host", "state", "since", "restarts", "memory", "package", "why")
ROLL_OUT_HEAD = ("daemon", "how far it is", "since")
STEP_HEAD = ("when", "step")
HOST_HEAD = (
    *("host", "state", "since", "slots", "holds", "environments", "version", "clock"),
    *("obstacle", ""),
)
LIFE_HEAD = ("life", "host", "began", "took", "end", "package", "why")
TOKEN_HEAD = ("name", "made", "by", "last used", "")
CLOCK_NOTABLE_MS = 1.0


def daemons_page(
    parts: Parts,
    caller: Caller,
    found: Sequence[DaemonView],
    rolling: Sequence[RollOutView],
) -> str:
    """Write the page of daemons."""
    return page(
        parts,
        caller,
        "Daemons",
        e("h1", "Daemons ", command("kirby daemons")),
        table(DAEMON_HEAD, daemon_rows(found, parts.now()), "No daemon runs on any host."),
        e("h2", "Roll-outs"),
        table(ROLL_OUT_HEAD, _roll_out_rows(rolling, parts.now()), "None is under way."),
    )


def _roll_out_rows(rolling: Sequence[RollOutView], now: datetime) -> list[list[Child]]:
    return [
        [
            e("a", each.context, href=f"/contexts/{each.context}"),
            each.sentence,
            distance(each.at, now),
        ]
        for each in rolling
    ]


def step_rows(steps: Iterable[StepView], now: datetime) -> list[list[Child]]:
    """Write the steps of a daemon's roll-outs as rows."""
    return [[instant(each.at, now), each.sentence] for each in steps]


def daemon_rows(found: Iterable[DaemonView], now: datetime) -> list[list[Child]]:
    """Write daemons as rows."""
    return [
        [
            e("a", each.context, href=f"/contexts/{each.context}"),
            each.host,
            _state(each),
            distance(each.since, now),
            str(each.restarts),
            size(each.memory),
            e("small", each.package, class_="package"),
            join([e("small", each.reason), " ", _log_link(each.id)]),
        ]
        for each in found
    ]


def _state(each: DaemonView) -> Html:
    if not each.alive:
        return e("span", "host silent", class_="end end-lost")
    word = each.state.value
    return e("span", word, class_=f"end state-{word.replace(' ', '-')}")


def _log_link(instance: str) -> Html:
    return e("a", "log", href=f"{run_path(instance)}/log")


def life_rows(lives: Iterable[AttemptView], now: datetime) -> list[list[Child]]:
    """Write the lives of a daemon as rows."""
    return [
        [
            e("a", str(life.attempt), href=f"{run_path(life.run)}/log?attempt={life.attempt}"),
            life.host,
            instant(life.first_line or life.released or life.armed, now),
            took(life.seconds),
            life.end.value if life.end is not None else life.state.value,
            e("small", life.package, class_="package"),
            e("small", life.reason or life.stop_reason),
        ]
        for life in lives
    ]


def hosts_page(parts: Parts, caller: Caller, found: Sequence[HostView]) -> str:
    """Write the page of hosts, the leader marked."""
    rows = [[*_host(each, parts.now()), _drain_button(caller, each)] for each in found]
    return page(
        parts,
        caller,
        "Hosts",
        e("h1", "Hosts ", command("kirby hosts")),
        table(HOST_HEAD, rows, "No host was heard yet."),
    )


def _host(each: HostView, now: datetime) -> list[Child]:
    return [
        _host_name(each),
        join([_host_state(each), " ", _drain_word(each, now)]),
        distance(each.started, now),
        f"{each.free_slots} free of {each.slots}",
        _held(each),
        _builds(each),
        each.version,
        _clock(each.clock_offset_ms),
        e("small", why_it_claims_nothing(each, now)),
    ]


def _drain_word(each: HostView, now: datetime) -> Html | None:
    if each.drain is None:
        return None
    since = f"since {tell_instant(each.drain.since, now)}, by {each.drain.by}"
    return e("span", each.drain.sentence, title=since, class_="end end-skipped")


def _drain_button(caller: Caller, each: HostView) -> Html:
    path = f"/hosts/{each.name}/drain"
    if each.drain is None:
        return button(caller, path, "drain", f"kirby drain {each.name}")
    command = f"kirby drain {each.name} --undo"
    return button(caller, path, "undo", command, [("_method", "DELETE")])


def _host_name(each: HostView) -> Html:
    crown = e("span", "leads", class_="end leads") if each.leads else None
    return join([each.name, " ", crown])


def _host_state(each: HostView) -> Html:
    if not each.alive:
        return e("span", "silent", class_="end end-lost")
    return e("span", "lives", class_="end end-succeeded")


def _held(host: HostView) -> Html:
    runs = [held for held in host.held if "#" not in held["run"]]
    links = [e("a", each["phase"], href=run_path(each["run"]), title=each["run"]) for each in runs]
    daemons = len(host.held) - len(runs)
    word = f"{daemons} daemon{'' if daemons == 1 else 's'}" if daemons else ""
    return join([[[link, " "] for link in links], word]) if host.held else Html(NOTHING)


def _builds(each: HostView) -> Html:
    if not each.builds:
        return e("span", "ready", class_="quiet")
    return join(
        e("span", f"{entry['package']} {entry['state']} ", title=entry.get("reason") or "")
        for entry in each.builds
    )


def _clock(offset_ms: float) -> str:
    return "right" if abs(offset_ms) < CLOCK_NOTABLE_MS else f"{offset_ms:+.1f} ms"


def tokens_page(
    parts: Parts,
    caller: Caller,
    found: Sequence[TokenNote],
    made: tuple[str, str] | None = None,
) -> str:
    """Write the page of tokens; a new one is shown this once."""
    rows = [_token(caller, each, parts.now()) for each in found]
    return page(
        parts,
        caller,
        "Tokens",
        e("h1", "Tokens"),
        _new_token(*made) if made is not None else None,
        table(TOKEN_HEAD, rows, "There are no tokens."),
        _token_form(caller),
        every_s=None,
    )


def _token(caller: Caller, each: TokenNote, now: datetime) -> list[Child]:
    same = shlex.join(["kirby", "token", "delete", each.name])
    gone = [("_method", "DELETE")]
    return [
        each.name,
        instant(each.made, now),
        each.made_by,
        distance(each.last_used, now),
        button(caller, f"/tokens/{quote(each.name, safe='')}", "delete", same, gone),
    ]


def _new_token(name: str, token: str) -> Html:
    told = f"The token of {name}, shown this once: "
    return e("p", told, e("code", token), class_="notice")


def _token_form(caller: Caller) -> Html:
    return e(
        "form",
        csrf(caller),
        e("label", "for ", e("input", name="name", required=True, maxlength=100)),
        e("button", "make a token", type="submit"),
        command("kirby token create NAME"),
        method="post",
        action="/tokens",
        class_="action below",
    )


def entrance_page(parts: Parts) -> str:
    """Tell somebody who is not known how to come in."""
    return bare_page(
        "Kirby",
        e("p", "To look at these pages, open a link that is good once:"),
        e("p", command("kirby sign-in")),
        e("p", f"version {parts.version}", class_="quiet"),
    )
