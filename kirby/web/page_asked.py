"""The page of a run that was just asked for, of which nothing has been heard yet."""

from datetime import datetime, timedelta

from kirby.core.errors import NotFound
from kirby.core.names import RunId, context_of, due_of
from kirby.model.contexts import find_context
from kirby.web.caller import Caller
from kirby.web.frame import command, page
from kirby.web.html import Child, Html, e, join
from kirby.web.parts import Parts
from kirby.web.telling import run_path, took

PATIENCE = timedelta(seconds=30)  # a leader offers within a second; a failover takes two
EVERY_S = 0.7


def asked_page(parts: Parts, caller: Caller, run: str) -> str:
    """Write the page; it is fetched anew until the run is heard of.

    Raises:
        NotFound: nobody can have asked for such a run.
    """
    context, age = context_of(run), parts.now() - _asked(run)
    find_context(context)
    since = took(max(0.0, age.total_seconds()))
    return page(
        parts,
        caller,
        run,
        e(
            "h1",
            e("a", context, href=f"/contexts/{context}"),
            " ",
            e("span", "asked for", class_="end end-waiting"),
        ),
        e("p", e("code", run)),
        _waiting(since) if age < PATIENCE else _what_to_look_at(since),
        e("p", e("a", "look again", href=f"{run_path(run)}?asked=now"), class_="quiet"),
        every_s=EVERY_S,
    )


def _asked(run: str) -> datetime:
    try:
        return due_of(RunId(run))
    except ValueError:
        raise NotFound(f"nothing is known of a run {run}: see kirby runs") from None


def _waiting(since: str) -> Html:
    return e(
        "p",
        f"Asked for {since} ago, waiting for the leader to offer it. "
        "This page shows the run as soon as there is one.",
    )


def _what_to_look_at(since: str) -> Html:
    steps: list[Child] = [
        "The line on top: does a leader fire? If none does, no host leads, or Kafka is silent.",
        join([e("a", "Hosts", href="/hosts"), ": does one live that claims? ",
              command("kirby hosts")]),
        join(["A host's own view of its parts, on that host: ", command("kirby status")]),
    ]  # fmt: skip
    return join(
        [
            e("p", f"Asked for {since} ago, and no leader has offered it yet. What to look at:"),
            e("ul", [e("li", step) for step in steps]),
            e("p", "What was asked for is kept in Kafka: it runs when a leader reads it.",
              class_="quiet"),
        ]
    )  # fmt: skip
