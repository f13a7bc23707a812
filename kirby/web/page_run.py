"""The page of one run: what happened, as a picture, and its log beside it."""

from datetime import datetime

from kirby.core.errors import KirbyError, NotFound
from kirby.model.runs import AttemptView, RunView
from kirby.model.schedule import definition_of
from kirby.web.caller import Caller
from kirby.web.drawing import moments, timeline
from kirby.web.frame import EVERY_S, button, command, page, table
from kirby.web.html import Child, Html, e, join
from kirby.web.log_view import LogAnswer, LogView
from kirby.web.parts import Parts
from kirby.web.telling import NOTHING, end_badge, instant, late, run_path, size, took

SHOWN_LINES = 1000
ASKED_STOP = "stop"
STEP_HEAD = ("step", "at", "from due")


def run_page(parts: Parts, caller: Caller, view: RunView, logs: LogView, asked: str = "") -> str:
    """Write the page of a run; `asked` is what its looker has just asked for."""
    now, zone = parts.now(), _zone(view.context, parts.now())
    return page(
        parts,
        caller,
        view.id,
        e(
            "h1",
            e("a", view.context, href=f"/contexts/{view.context}"),
            " ",
            instant(view.due, now, zone),
            " ",
            end_badge(view),
        ),
        e("p", view.reason) if view.reason else None,
        _asked_stop(view) if asked == ASKED_STOP else None,
        _actions(caller, view),
        _facts(view, now, zone),
        [_attempt(each, view, now) for each in reversed(view.tries)],
        _log(view, logs),
        every_s=EVERY_S if view.end is None else None,
    )


def _zone(context: str, now: datetime) -> str:
    try:
        definition = definition_of(context, now)  # type: ignore[arg-type]
    except NotFound:
        return "UTC"
    return definition.schedules[0].zone if definition.schedules else "UTC"


def _asked_stop(view: RunView) -> Html | None:
    """Tell that a stop is on its way, until a step of the run tells of it."""
    told = view.end is not None or (view.tries and view.tries[-1].stop_asked is not None)
    return None if told else e("p", "Asked to stop, waiting for the leader.", class_="notice")


def _actions(caller: Caller, view: RunView) -> Html:
    again = button(
        caller, f"/contexts/{view.context}/run", "run again", f"kirby run {view.context}"
    )
    stop = button(caller, f"{run_path(view.id)}/stop", "stop", f"kirby cancel {view.id}")
    return e("div", again if view.end is not None else stop, class_="actions")


def _facts(view: RunView, now: datetime, zone: str) -> Html:
    facts: list[tuple[str, Child]] = [
        ("run", e("code", view.id)),
        ("due", join([instant(view.due, now, zone), f" ({zone})"])),
        ("asked for by", view.asked_by) if view.manual else ("by", "its schedule"),
        ("attempts", str(view.attempts)),
        ("ended", instant(view.ended, now, zone)),
    ]
    return e("dl", [[e("dt", name), e("dd", value)] for name, value in facts], class_="facts")


def _attempt(attempt: AttemptView, view: RunView, now: datetime) -> Html:
    word = attempt.end.value if attempt.end is not None else attempt.state.value
    head = e(
        "h2",
        f"Attempt {attempt.attempt} ",
        e("span", word, class_=f"end end-{word.replace(' ', '-')}"),
        e("small", _summary(attempt)),
    )
    return e(
        "section",
        head,
        e("p", attempt.reason) if attempt.reason else None,
        timeline(attempt, view.due, now),
        e("details", e("summary", "steps"), _steps(attempt, view.due)),
    )


def _summary(attempt: AttemptView) -> str:
    told = [
        f"on {attempt.host}" if attempt.host else "",
        f"{late(attempt.late_us)} late" if attempt.late_us is not None else "",
        f"took {took(attempt.seconds)}" if attempt.seconds is not None else "",
        f"processor {took(attempt.cpu_seconds)}" if attempt.cpu_seconds else "",
        f"memory {size(attempt.peak_memory)}" if attempt.peak_memory else "",
        attempt.package,
    ]
    return " · ".join(each for each in told if each)


def _steps(attempt: AttemptView, due: datetime) -> Html:
    rows: list[list[Child]] = [
        [
            moment.name,
            f"{moment.at:%Y-%m-%d %H:%M:%S.%f}"[:-3],
            f"{(moment.at - due).total_seconds():+.3f} s",
        ]
        for moment in moments(attempt, due)
    ]
    return table(STEP_HEAD, rows, NOTHING)


def _log(view: RunView, logs: LogView) -> Html:
    if not view.tries:
        return Html("")
    head = e("h2", "Log ", command(f"kirby logs {view.id}"))
    try:
        answer = logs.read(view.id, None, 0, 0)
    except KirbyError as fault:
        tail = view.tries[-1].tail or ()
        return join(
            [head, e("p", f"The log cannot be read now: {fault}"), e("pre", "\n".join(tail))]
        )
    return join([head, log_lines(answer), _rest(view.id, answer)])


def _rest(run: str, answer: LogAnswer) -> Html:
    if len(answer.lines) < SHOWN_LINES:
        return Html("")
    return e("p", e("a", "the whole log", href=f"{run_path(run)}/log"))


def log_lines(answer: LogAnswer, most: int = SHOWN_LINES) -> Html:
    """Write lines of output: when, where it came from, and the text."""
    if not answer.lines:
        word = "It has written nothing." if answer.ended else "It has written nothing yet."
        return e("p", word, class_="quiet")
    return e(
        "div",
        [
            e(
                "p",
                e("time", f"{line.at:%H:%M:%S.%f}"[:-3], datetime=line.at.isoformat()),
                e("span", line.level or line.stream.value, class_=f"stream {line.stream.value}"),
                e("span", line.text + (" …" if line.cut else ""), class_="text"),
                class_=f"line level-{line.level.lower() or line.stream.value}",
            )
            for _, line in answer.lines[:most]
        ],
        class_="output",
    )


def log_page(parts: Parts, caller: Caller, answer: LogAnswer) -> str:
    """Write the log of an attempt alone."""
    address = f"{run_path(answer.run)}/log?attempt={answer.attempt}"
    more = e("a", "go on", href=f"{address}&after={answer.next}")
    return page(
        parts,
        caller,
        f"log of {answer.run}",
        e("h1", "Log of ", _back(answer.run), " ", command(f"kirby logs {answer.run}")),
        log_lines(answer, most=len(answer.lines)),
        None if answer.ended else e("p", more),
        every_s=None,
    )


def _back(run: str) -> Html:
    if "#" in run:
        return e("a", run, href=f"/contexts/{run.partition('#')[0]}")
    return e("a", run, href=run_path(run))
