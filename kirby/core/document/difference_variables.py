"""One line of a difference, and the lines of variables, in which no secret is ever shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from kirby.core.document.definitions import SecretState, SetVariable

HIDDEN = "(secret)"


class Sign(Enum):
    """What happens with the thing."""

    NEW = "+"
    CHANGED = "~"
    GONE = "-"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One line: what changes, from what to what, and what that will do."""

    sign: Sign
    what: str
    field: str = ""
    before: str = ""
    after: str = ""
    note: str = ""


def compare_variables(
    what: str, before: Mapping[str, SetVariable], after: Mapping[str, SetVariable]
) -> Iterator[Change]:
    """Give the changes from the variables of a scope to others; what is missing stays."""
    for name, variable in after.items():
        old = before.get(name)
        if variable.secret is SecretState.KEPT or _same(old, variable):
            continue
        yield Change(
            sign=Sign.NEW if old is None else Sign.CHANGED,
            what=what,
            field=name,
            before=shown_variable(old) if old is not None else "",
            after=shown_variable(variable),
        )


def shown_variable(variable: SetVariable) -> str:
    """Return a value for a person's eyes."""
    return variable.value if variable.secret is SecretState.PLAIN else HIDDEN


def _same(old: SetVariable | None, new: SetVariable) -> bool:
    return old is not None and (old.value, old.secret) == (new.value, new.secret)
