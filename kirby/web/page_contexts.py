"""The page of all jobs, and the page of one context."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from kirby.core.document.contexts import SCHEDULED_ONLY
from kirby.core.document.definitions import DEFAULT_POLICIES
from kirby.core.document.difference_shown import shown_hosts, shown_policy, shown_schedules
from kirby.core.nouns import Definition, JobKind, Policies, Variable
from kirby.model.contexts import suspensions_of
from kirby.model.roll_outs import steps_of
from kirby.model.runs import lives_of
from kirby.web.caller import Caller
from kirby.web.contexts_view import ContextView, context_views
from kirby.web.drawing import durations, strip
from kirby.web.frame import button, command, csrf, page, table
from kirby.web.html import Child, Html, e, join
from kirby.web.page_cluster import (
    DAEMON_HEAD,
    LIFE_HEAD,
    STEP_HEAD,
    daemon_rows,
    life_rows,
    step_rows,
)
from kirby.web.page_runs import run_table
from kirby.web.parts import Parts
from kirby.web.telling import NOTHING, distance, instant, took

SHOWN_FIRES = 20
SHOWN_LIVES = 20
JOB_HEAD = ("job", "last 40 fires", "next", "takes", "", "reads", "writes", "package")


def jobs_page(parts: Parts, caller: Caller, views: Sequence[ContextView]) -> str:
    """Write the page of all jobs, a row for each context."""
    rows = [_row(view, parts) for view in views]
    empty = "There are no jobs yet. Write a document and apply it: kirby apply FILE"
    return page(
        parts,
        caller,
        "Jobs",
        e("h1", "Jobs ", command("kirby jobs")),
        table(JOB_HEAD, rows, empty),
    )


def _row(view: ContextView, parts: Parts) -> list[Child]:
    definition = view.definition
    return [
        e(
            "td",
            e("a", definition.context, href=f"/contexts/{definition.context}"),
            e("small", definition.about) if definition.about else None,
        ),
        _fires(view),
        _next(view, parts),
        took(view.median_seconds),
        durations(view.recent),
        _externals(view, "reads"),
        _externals(view, "writes"),
        e("small", definition.package, class_="package"),
    ]


def _fires(view: ContextView) -> Html:
    if view.definition.kind is JobKind.SCHEDULED:
        return strip(view.recent)
    if not view.instances:
        return e("span", "daemon, on no host", class_="quiet")
    counted = Counter(each.state.value for each in view.instances)
    return join(
        e("span", f"{count} {state}", class_=f"end state-{state.replace(' ', '-')}")
        for state, count in counted.items()
    )


def _next(view: ContextView, parts: Parts) -> Html:
    definition, now = view.definition, parts.now()
    if not definition.enabled:
        return e("span", "disabled", class_="end end-skipped")
    if definition.held:
        return e("span", "held", class_="end end-stopped")
    if view.suspension is not None:
        return join(["suspended until ", instant(view.suspension.end, now, zone_of(definition))])
    return distance(view.next, now)


def is_daemon(definition: Definition) -> bool:
    """Tell whether a context runs all the time."""
    return definition.kind is JobKind.DAEMON


def zone_of(definition: Definition) -> str:
    """Return the time zone that a context's people think in."""
    return definition.schedules[0].zone if definition.schedules else "UTC"


def _externals(view: ContextView, direction: str) -> Html:
    names = [note.name for note in view.usages if note.direction.value == direction]
    return join(e("span", name, class_="external") for name in names) if names else Html(NOTHING)


def context_page(parts: Parts, caller: Caller, definition: Definition) -> str:
    """Write the page of one context."""
    (view,) = context_views([definition], parts.now())
    return page(
        parts,
        caller,
        definition.context,
        e("h1", definition.context, e("small", definition.about)),
        _actions(caller, definition),
        _facts(view, parts),
        _happened(view, parts),
        _suspensions(parts, caller, definition) if not is_daemon(definition) else None,
        _variables(definition),
    )


def _actions(caller: Caller, definition: Definition) -> Html:
    context = definition.context
    path, patch = f"/contexts/{context}", ("_method", "PATCH")
    word, value = ("disable", "false") if definition.enabled else ("enable", "true")
    buttons = [button(caller, path, word, f"kirby {word} {context}", [patch, ("enabled", value)])]
    if definition.enabled and definition.kind is JobKind.SCHEDULED:
        buttons.insert(0, button(caller, f"{path}/run", "run now", f"kirby run {context}"))
    if definition.enabled and definition.kind is JobKind.DAEMON and not definition.held:
        restart = button(caller, f"{path}/restart", "restart", f"kirby restart {context}")
        buttons.insert(0, restart)
    return e("div", buttons, class_="actions")


def _facts(view: ContextView, parts: Parts) -> Html:
    definition = view.definition
    own = _daemon_facts(view) if is_daemon(definition) else _scheduled_facts(view, parts)
    facts: list[tuple[str, Child]] = [
        ("package", definition.package),
        *own,
        ("reads", _externals(view, "reads")),
        ("writes", _externals(view, "writes")),
        ("group", definition.group),
        ("policies", _policies(definition)),
    ]
    return e("dl", [[e("dt", name), e("dd", value)] for name, value in facts], class_="facts")


def _daemon_facts(view: ContextView) -> list[tuple[str, Child]]:
    return [("hosts", shown_hosts(view.definition.hosts)), ("state", _fires(view))]


def _scheduled_facts(view: ContextView, parts: Parts) -> list[tuple[str, Child]]:
    schedule = shown_schedules(view.definition.schedules)
    return [
        ("schedule", schedule or "runs only when asked for"),
        ("next", _next(view, parts)),
        ("takes", join([took(view.median_seconds), " ", durations(view.recent)])),
    ]


def _policies(definition: Definition) -> Html:
    foreign = SCHEDULED_ONLY if is_daemon(definition) else ()
    names = [name for name in Policies.__struct_fields__ if name not in foreign]
    return join(_policy(name, getattr(definition.policies, name)) for name in names)


def _policy(name: str, value: Any) -> Html:
    usual = value == getattr(DEFAULT_POLICIES, name)
    text = f"{name.replace('_', ' ')} {shown_policy(name, value)}"
    return e("span", text, class_="quiet item" if usual else "external")


def _happened(view: ContextView, parts: Parts) -> Html:
    definition = view.definition
    now, zone = parts.now(), zone_of(view.definition)
    if definition.kind is JobKind.DAEMON:
        lives = lives_of(definition.context, SHOWN_LIVES)
        return join(
            [
                e("h2", "Instances ", command("kirby daemons")),
                table(DAEMON_HEAD, daemon_rows(view.instances, now), "It runs on no host."),
                e("h2", "Roll-outs"),
                table(STEP_HEAD, step_rows(steps_of(definition.context), now), "None yet."),
                e("h2", "Lives"),
                table(LIFE_HEAD, life_rows(lives, now), "Nothing was heard of it yet."),
            ]
        )
    return join(
        [
            e("h2", "Fires ", command(f"kirby runs {definition.context}")),
            e("p", strip(view.recent)),
            run_table(view.recent[:SHOWN_FIRES], now, "It has not fired yet.", zone),
            e("p", e("a", "all of its runs", href=f"/runs?context={definition.context}")),
        ]
    )


def _suspensions(parts: Parts, caller: Caller, definition: Definition) -> Html:
    context, now, zone = definition.context, parts.now(), zone_of(definition)
    rows = [
        [
            instant(row.start, now, zone),
            instant(row.end, now, zone),
            e("span", row.reason, class_="value"),
            row.by,
            button(
                caller,
                f"/contexts/{context}/suspensions/{row.id}",
                "end it",
                f"kirby suspend {context} --remove {row.id}",
                [("_method", "DELETE")],
            ),
        ]
        for row in suspensions_of(context)
        if row.end > now
    ]
    form = e(
        "form",
        csrf(caller),
        e("label", "for ", e("input", name="duration", value="1 h", size=8, required=True)),
        e("label", "because ", e("input", name="reason", size=30, maxlength=200)),
        e("button", "suspend", type="submit"),
        command(f'kirby suspend {context} --for "1 h"'),
        method="post",
        action=f"/contexts/{context}/suspensions",
        class_="action",
    )
    head = ("from", f"to ({zone})", "reason", "by", "")
    return join([e("h2", "Suspensions"), table(head, rows, "It is not suspended."), form])


def _variables(definition: Definition) -> Html:
    rows = [[e("code", each.name), _value(each)] for each in definition.variables]
    return join([e("h2", "Variables"), table(("name", "value"), rows, "It has none.")])


def _value(variable: Variable) -> Html:
    if variable.sealed:
        return e("span", "secret", class_="quiet")
    return e("span", variable.value, class_="value")
