"""The variables of a document: `set.NAME`, and `secret.NAME` with the value already fetched."""

from collections.abc import Mapping
from typing import Any

from kirby.core.document.definitions import Path, SecretState, SetVariable
from kirby.core.document.table import Table, Unfit
from kirby.core.variables import check_variable_name, check_variable_value

KEEP = {"keep": True}


def read_variables(table: Table) -> dict[str, SetVariable]:
    """Read the tables `set` and `secret` of a table."""
    plain, secret = table.table("set"), table.table("secret")
    found = {}
    for name in plain.data:
        value = plain.read(name, _plain(name), None)
        if value is not None:
            found[name] = SetVariable(name=name, value=value, path=Path(plain.at(name)))
    for name in secret.data:
        if name in plain.data:
            secret.blame(name, f"{name} is both set and secret: give it once")
        variable = secret.read(name, _secret(name, secret.at(name)), None)
        if variable is not None:
            found[name] = variable
    return found


def _plain(name: str) -> Any:
    def read(value: Any) -> str:
        check_variable_name(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str | int | float):
            raise Unfit(" is no text, number or truth: write it in quotes")
        return check_variable_value(name, str(value))

    return read


def _secret(name: str, path: str) -> Any:
    def read(value: Any) -> SetVariable:
        check_variable_name(name)
        if value == KEEP:
            return SetVariable(name=name, value="", secret=SecretState.KEPT, path=Path(path))
        if isinstance(value, Mapping) and set(value) == {"from"}:
            raise Unfit(": its value was not fetched; set the variable in the shell that applies")
        if not isinstance(value, str):
            raise Unfit(f': write secret.{name} = {{ from = "{name}" }}, and export {name}')
        checked = check_variable_value(name, value)
        return SetVariable(name=name, value=checked, secret=SecretState.SECRET, path=Path(path))

    return read
