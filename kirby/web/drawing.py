"""Small pictures in SVG: the strip of fires, the line of durations, the steps of an attempt.

Sizes are SVG attributes, never styles: the pages' policy lets no inline style through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from kirby.model.runs import STRIP, AttemptView, Fire, RunView
from kirby.web.html import Html, e
from kirby.web.telling import end_class, end_word, fire_title, run_path, took

BLOCK, GAP, SPACE, HEIGHT = 5, 12, 2, 18
GAP_FROM = 2.2  # times the usual distance between fires
# height and place of a block by its end, so that colour is not all that tells
SHAPES = {
    "succeeded": (4, 14),
    "failed": (0, 18),
    "timed out": (0, 18),
    "lost": (0, 18),
    "missed": (0, 18),
    "stopped": (9, 9),
    "skipped": (14, 4),
}
RUNNING_SHAPE = (7, 8)

LINE_WIDTH, LINE_TOP, LABELS_TOP, LABEL_ROW = 1000.0, 20.0, 44.0, 15.0
LABEL_CHARACTER = 6.6  # width of one at the size of the labels
LABEL_ROWS = 4


def strip(fires: Sequence[Fire]) -> Html:
    """Draw the last fires as blocks, the earliest first; a gap in time is a gap."""
    shown = list(reversed(fires))[-STRIP:]
    usual = _usual_distance(shown)
    blocks: list[Html] = []
    x = 0
    for at, fire in enumerate(shown):
        before = shown[at - 1] if at else None
        if before is not None and usual and fire.due - before.due > GAP_FROM * usual:
            blocks.append(e("rect", x=x, y=HEIGHT - 3, width=GAP, height=2, class_="gap"))
            x += GAP + SPACE
        blocks.append(_block(fire, x))
        x += BLOCK + SPACE
    width = max(x, STRIP * (BLOCK + SPACE))
    return e(
        "svg", blocks, viewBox=f"0 0 {width} {HEIGHT}", width=width, height=HEIGHT, class_="strip",
        role="img", aria_label=f"the last {len(shown)} fires",
    )  # fmt: skip


def _block(fire: Fire, x: int) -> Html:
    top, height = SHAPES.get(end_word(fire), RUNNING_SHAPE)
    title = e("title", fire_title(fire))
    block = e(
        "g",
        title,
        e("rect", x=x, y=top, width=BLOCK, height=height, rx=1),
        class_=end_class(fire),
    )
    if isinstance(fire, RunView):
        return e("a", block, href=run_path(fire.id))
    return block


def _usual_distance(fires: Sequence[Fire]) -> timedelta | None:
    distances = [(later.due - earlier.due).total_seconds() for earlier, later in pairwise(fires)]
    return timedelta(seconds=median(distances)) if distances else None


def durations(fires: Sequence[Fire]) -> Html:
    """Draw how long the last runs took, as a tiny line."""
    seconds = [
        fire.last.seconds
        for fire in reversed(fires)
        if isinstance(fire, RunView) and fire.last is not None and fire.last.seconds is not None
    ]
    if len(seconds) < 2:
        return Html("")
    longest = max(seconds) or 1.0
    points = " ".join(
        f"{at * 80 / (len(seconds) - 1):.1f},{17 - 15 * each / longest:.1f}"
        for at, each in enumerate(seconds)
    )
    label = f"from {took(min(seconds))} to {took(max(seconds))}"
    return e(
        "svg", e("title", label), e("polyline", points=points), viewBox="0 0 80 18", width=80,
        height=18, class_="durations", role="img", aria_label=label,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One step of an attempt on its line."""

    name: str
    at: datetime


def moments(attempt: AttemptView, due: datetime | None) -> list[Moment]:
    """Return the steps that are known, in the order of their instants."""
    known = {
        "due": due if attempt.attempt <= 1 else attempt.not_before,
        "offered": attempt.offered,
        "claimed": attempt.claimed,
        "armed": attempt.armed,
        "parked": attempt.parked,
        "released": attempt.released,
        "first line": attempt.first_line,
        "stop asked": attempt.stop_asked,
        "end": attempt.ended,
    }
    found = [Moment(name=name, at=at) for name, at in known.items() if at is not None]
    return sorted(found, key=lambda moment: moment.at)


def timeline(attempt: AttemptView, due: datetime | None, now: datetime) -> Html:
    """Draw the steps of an attempt on one line, to scale."""
    steps = moments(attempt, due)
    if not steps:
        return Html("")
    first = steps[0].at
    last = steps[-1].at if attempt.ended is not None else max(now, steps[-1].at)
    span = max((last - first).total_seconds(), 0.001)
    lines, labels, used = [], [], []
    ends = [0.0] * LABEL_ROWS
    for step in steps:
        x = _x(step.at, first, span)
        row = _row(ends, step, x)
        used.append(row)
        lines.append(_line(step, x, row))
        labels.append(_label(step, x, row, due or first))
    drawn = [_bars(attempt, first, span, last), lines, labels]
    height = LABELS_TOP + (max(used, default=0) + 1) * LABEL_ROW
    return e(
        "svg", drawn, viewBox=f"-10 0 {LINE_WIDTH + 20} {height:.0f}", class_="timeline",
        role="img", aria_label=f"steps of attempt {attempt.attempt}",
        preserveAspectRatio="xMinYMid meet",
    )  # fmt: skip


def _x(at: datetime, first: datetime, span: float) -> float:
    return LINE_WIDTH * (at - first).total_seconds() / span


def _bars(attempt: AttemptView, first: datetime, span: float, last: datetime) -> list[Html]:
    bars = [e("rect", x=0, y=LINE_TOP - 1, width=LINE_WIDTH, height=2, class_="axis")]
    begun = attempt.first_line or attempt.released
    if attempt.armed is not None and begun is not None:
        bars.append(_bar(attempt.armed, begun, first, span, "prepared"))
    if begun is not None:
        end = attempt.end.value.replace(" ", "-") if attempt.end is not None else "running"
        bars.append(_bar(begun, attempt.ended or last, first, span, f"ran end-{end}"))
    return bars


def _bar(begin: datetime, end: datetime, first: datetime, span: float, name: str) -> Html:
    x, until = _x(begin, first, span), _x(end, first, span)
    width = max(until - x, 1.0)
    return e(
        "rect", x=f"{x:.1f}", y=LINE_TOP - 7, width=f"{width:.1f}", height=14, rx=2, class_=name
    )


def _row(ends: list[float], step: Moment, x: float) -> int:
    """Choose the first row in which a label meets no other; the last one, if all do."""
    width = LABEL_CHARACTER * (len(step.name) + 1)
    begin = min(x, LINE_WIDTH - width)
    row = next((at for at, end in enumerate(ends) if end <= begin), LABEL_ROWS - 1)
    ends[row] = begin + width
    return row


def _line(step: Moment, x: float, row: int) -> Html:
    until = LABELS_TOP + row * LABEL_ROW - 9
    return e(
        "line", x1=f"{x:.1f}", y1=LINE_TOP - 12, x2=f"{x:.1f}", y2=f"{until:.0f}",
        class_=f"step-{step.name.replace(' ', '-')}",
    )  # fmt: skip


def _label(step: Moment, x: float, row: int, due: datetime) -> Html:
    anchor = "end" if x > LINE_WIDTH - LABEL_CHARACTER * (len(step.name) + 1) else "start"
    distance = (step.at - due).total_seconds()
    sign = "−" if distance < 0 else "+"
    return e(
        "text",
        e("title", f"{step.name} {step.at:%H:%M:%S.%f} ({sign}{took(abs(distance))})"),
        step.name,
        x=f"{x:.1f}",
        y=f"{LABELS_TOP + row * LABEL_ROW:.0f}",
        text_anchor=anchor,
    )
