"""A document as TOML text: what `kirby export` prints."""

import re
from datetime import datetime
from typing import Any

import tomli_w

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def write_toml(document: Any) -> str:
    """Write a document that came as JSON; its instants become TOML's own."""
    return tomli_w.dumps(_with_instants(document))


def _with_instants(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_instants(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_with_instants(each) for each in value]
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return datetime.fromisoformat(value)
    return value
