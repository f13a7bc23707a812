"""What running scripts report of themselves: what they read, what they write, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kirby.core.errors import InvalidInput
from kirby.core.names import ContextKey
from kirby.model.contexts import find_context
from kirby.model.database import writing
from kirby.model.definitions import Direction, External, ExternalKind, Script, Usage

NAME_LIMIT = 1000
EXTERNALS_LIMIT = 500  # of one script; more is a script that names each record it reads


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One external that a script reads or writes."""

    kind: ExternalKind
    name: str
    direction: Direction


@dataclass(frozen=True, kw_only=True)
class UsageNote:
    """What is known of one external of a context."""

    context: ContextKey
    kind: ExternalKind
    name: str
    direction: Direction
    first_seen: datetime
    last_seen: datetime


def register(context: ContextKey, package: str, found: Iterable[Reported], now: datetime) -> None:
    """Note what a context's script reads and writes; again and again, with the same result.

    Raises:
        InvalidInput: an external without a name, or too many of them.
        NotFound: there is no such context.
    """
    reported = list(found)
    _refuse_odd(reported)
    with writing():
        find_context(context)
        _see_script(package, now)
        for each in reported:
            _see_external(context, each, now)


def usages(context: ContextKey | None = None) -> list[UsageNote]:
    """Return what contexts read and write, of one or of all, by name."""
    query = Usage.select(Usage, External).join(External).order_by(External.kind, External.name)
    if context is not None:
        query = query.where(Usage.context == context)
    return [
        UsageNote(
            context=ContextKey(row.context_id),
            kind=row.external.kind,
            name=row.external.name,
            direction=row.direction,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
        )
        for row in query
    ]


def _refuse_odd(reported: list[Reported]) -> None:
    if len(reported) > EXTERNALS_LIMIT:
        raise InvalidInput(
            f"a script reported {len(reported)} sources and destinations: "
            f"report at most {EXTERNALS_LIMIT}"
        )
    for each in reported:
        if not 0 < len(each.name) <= NAME_LIMIT:
            raise InvalidInput(
                f"a source or destination needs a name of 1 to {NAME_LIMIT} characters"
            )


def _see_script(package: str, now: datetime) -> None:
    name, _, version = package.partition("==")
    if not version:
        return
    chosen = (Script.name == name) & (Script.version == version)
    Script.update(first_seen=now).where(chosen & Script.first_seen.is_null()).execute()
    Script.update(last_seen=now).where(chosen & (Script.first_seen <= now)).execute()


def _see_external(context: ContextKey, each: Reported, now: datetime) -> None:
    external, _ = External.get_or_create(kind=each.kind, name=each.name)
    usage, created = Usage.get_or_create(
        external=external,
        context=context,
        direction=each.direction,
        defaults={"first_seen": now, "last_seen": now},
    )
    if not created and usage.last_seen < now:
        Usage.update(last_seen=now).where(Usage.id == usage.id).execute()
