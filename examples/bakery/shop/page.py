"""The shop's page: the last days, by its own book and as `profit` reports them."""

from html import escape
from typing import Any

SHOWN_DAYS = 21
COLUMNS = ("day", "sales", "revenue", "cost", "salvage", "profit")
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:right;padding:.2rem .6rem;border-bottom:1px solid #8884}"
    "th:first-child,td:first-child{text-align:left}.differs{color:#c60}"
)


def page_of(summary: dict[str, dict[str, Any]], reported: dict[str, dict[str, Any]]) -> str:
    """Return the page; a number that `profit` reports otherwise is marked, with what it says."""
    days = sorted(summary, reverse=True)[:SHOWN_DAYS]
    rows = "".join(_row(summary[day], reported.get(day, {})) for day in days)
    head = "".join(f"<th>{name}</th>" for name in COLUMNS)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">'
        f"<title>The shop</title><style>{STYLE}</style><h1>The shop</h1>"
        "<p>What was handed out, baked and left over, day by day; in brackets where "
        "<code>profit</code> has not (or not yet) the same number.</p>"
        f"<table><tr>{head}</tr>{rows}</table></html>"
    )


def _row(own: dict[str, Any], reported: dict[str, Any]) -> str:
    return f"<tr>{''.join(_cell(name, own[name], reported.get(name)) for name in COLUMNS)}</tr>"


def _cell(name: str, own: object, reported: object) -> str:
    if name == "day" or str(own) == str(reported):
        return f"<td>{escape(str(own))}</td>"
    other = "–" if reported is None else str(reported)
    return f'<td class="differs">{escape(str(own))} ({escape(other)})</td>'
