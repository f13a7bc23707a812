"""The variables of a script, typed by the annotations of a class."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from kirby.script.variables import Unfit, is_optional, value_of

if TYPE_CHECKING:
    from kirby.script.surroundings import Surroundings

_SECRET_WORDS = ("secret", "token", "password", "key")  # shown as "…" by repr
_LONGEST_SHOWN = 40  # characters of a faulty value in its sentence


class Context:
    """Base of a class whose annotations are the script's variables.

    `sales_url: str` is read from `SALES_URL`; a variable with a default, or one that may be
    `None`, may be missing. Values given by name take the place of variables (for tests).

    Raises:
        WrongVariables: naming each variable that is missing or cannot be read.
    """

    def __init__(self, **given: Any) -> None:
        faults: dict[str, str] = {}
        for name, kind in self._kinds(given).items():
            try:
                setattr(self, name, given[name] if name in given else _read(type(self), name, kind))
            except Unfit as unfit:
                faults[name.upper()] = str(unfit)
        if faults:
            from kirby.script.wrong_variables import WrongVariables

            wrong = WrongVariables(faults)
            sys.stderr.write(f"{wrong}\n")
            raise wrong

    @property
    def kirby(self) -> "Surroundings":
        """Return which run this is: `settings.kirby.scheduled_at`, `.attempt`, `.fencing_token`."""
        from kirby.script.surroundings import surroundings_of

        return surroundings_of(os.environ)

    @classmethod
    def _kinds(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        kinds = {name: kind for name, kind in get_type_hints(cls).items() if name[0] != "_"}
        if unknown := sorted(given.keys() - kinds.keys()):
            raise TypeError(f"{cls.__name__} has no variable {', '.join(unknown)}")
        return kinds

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_shown(name, value)}" for name, value in vars(self).items())
        return f"{type(self).__name__}({shown})"


def _read(cls: type[Context], name: str, kind: Any) -> Any:
    variable = name.upper()
    text = os.environ.get(variable)
    if text is None:
        return _default(cls, name, kind)
    try:
        return value_of(text, kind)
    except Unfit as unfit:
        raise Unfit(f'"{_brief(name, text)}" {unfit}') from None
    except TypeError as fault:
        raise TypeError(f"{cls.__name__}.{name}: {fault}") from None


def _default(cls: type[Context], name: str, kind: Any) -> Any:
    if hasattr(cls, name):
        return getattr(cls, name)
    if is_optional(kind):
        return None
    raise Unfit("is not set, and has no default")


def _brief(name: str, text: str) -> str:
    if _is_secret(name):
        return "…"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _shown(name: str, value: Any) -> str:
    return "…" if _is_secret(name) else repr(value)
