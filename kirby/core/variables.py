"""What a script's variables may be called, and which of several scopes gives a value."""

import re
from collections.abc import Mapping

from kirby.core.errors import InvalidVariable
from kirby.core.nouns import Variable

NAME = re.compile(r"[A-Z][A-Z0-9_]{0,127}", re.ASCII)
OWN_PREFIX = "KIRBY_"
# Linux takes 128 KiB for one string of the environment; the name is part of it.
LONGEST_VALUE = 120_000  # bytes in UTF-8


def check_variable_name(name: str) -> str:
    """Return the name if a variable may have it.

    Raises:
        InvalidVariable: it is not in upper case, or Kirby's own.
    """
    if name.startswith(OWN_PREFIX):
        raise InvalidVariable(f'variable "{name}": names that begin with {OWN_PREFIX} are Kirby\'s')
    if not NAME.fullmatch(name):
        near = re.sub(r"[^A-Z0-9]+", "_", name.upper().strip(), flags=re.ASCII).strip("_")
        hint = f"; did you mean {near}?" if NAME.fullmatch(near) and near != name else ""
        raise InvalidVariable(
            f'variable "{name}": use A-Z, 0-9 and "_", beginning with a letter{hint}'
        )
    return name


def check_variable_value(name: str, value: str) -> str:
    """Return the value if an environment can hold it. The value is in no message: it may be secret.

    Raises:
        InvalidVariable: it holds a NUL character, or is too long.
    """
    if "\x00" in value:
        raise InvalidVariable(f'variable "{name}": a value cannot hold the NUL character')
    if len(value.encode(errors="surrogatepass")) > LONGEST_VALUE:
        raise InvalidVariable(
            f'variable "{name}": a value has at most {LONGEST_VALUE:,} bytes; put more into a file'
        )
    return value


def merge_scopes(*scopes: Mapping[str, Variable]) -> tuple[Variable, ...]:
    """Return the variables of a context, by name: of two with one name the later scope's wins.

    Args:
        scopes: variables under their names, from the widest to the narrowest: global, job, context.
    """
    merged = {name: variable for scope in scopes for name, variable in scope.items()}
    return tuple(merged[name] for name in sorted(merged))
