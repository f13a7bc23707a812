"""The lines of a difference that concern one context."""

from collections.abc import Iterator

from kirby.core.document.definitions import DEFAULT_POLICIES, Definitions, SetContext
from kirby.core.document.difference_notes import Notes
from kirby.core.document.difference_shown import shown_hosts, shown_policy, shown_schedules
from kirby.core.document.difference_variables import Change, Sign
from kirby.core.nouns import Policies


def created(context: SetContext, wanted: Definitions, notes: Notes) -> Change:
    """Describe a new context in one line."""
    package = wanted.package_of(context) or ""
    if context.schedules:
        return Change(
            sign=Sign.NEW,
            what=context.key,
            field="schedule",
            after=shown_schedules(context.schedules),
            note=f"{package}, {notes.next_fires(context.schedules)}",
        )
    job = wanted.jobs[context.key.partition("/")[0]]
    return Change(
        sign=Sign.NEW,
        what=context.key,
        field=job.kind.value,
        after=package,
        note=notes.without_schedule(job.kind, context.hosts),
    )


def differing(
    old: SetContext, new: SetContext, stored: Definitions, wanted: Definitions, notes: Notes
) -> Iterator[Change]:
    """Give a change for each field of a context that differs."""
    if old.schedules != new.schedules:
        yield Change(
            sign=Sign.CHANGED,
            what=new.key,
            field="schedule",
            before=shown_schedules(old.schedules),
            after=shown_schedules(new.schedules),
            note=notes.next_fires(new.schedules) if new.schedules else "it fires no more by itself",
        )
    yield from _package(old, new, stored, wanted, notes)
    if old.hosts != new.hosts:
        yield _changed(new, "hosts", shown_hosts(old.hosts), shown_hosts(new.hosts))
    if new.enabled is not None and old.enabled != new.enabled:
        yield _changed(new, "enabled", str(old.enabled).lower(), str(new.enabled).lower())
    for name in Policies.__struct_fields__:
        before, after = getattr(old.policies, name), getattr(new.policies, name)
        if before != after:
            yield _changed(new, name, shown_policy(name, before), shown_policy(name, after))


def has_defaults(context: SetContext, name: str) -> bool:
    """Tell whether a policy is what a document need not say."""
    return bool(getattr(context.policies, name) == getattr(DEFAULT_POLICIES, name))


def _package(
    old: SetContext, new: SetContext, stored: Definitions, wanted: Definitions, notes: Notes
) -> Iterator[Change]:
    before, after = stored.package_of(old) or "", wanted.package_of(new) or ""
    if before != after:
        replaced = notes.replaced(new.key)
        yield Change(
            sign=Sign.CHANGED,
            what=new.key,
            field="package",
            before=before,
            after=after,
            note=replaced,
        )
    elif old.package != new.package:
        yield _changed(new, "package", _whose(old), _whose(new))


def _whose(context: SetContext) -> str:
    return f"{context.package} of its own" if context.package else "its job's"


def _changed(context: SetContext, field: str, before: str, after: str) -> Change:
    return Change(sign=Sign.CHANGED, what=context.key, field=field, before=before, after=after)
