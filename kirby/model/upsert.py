"""To write a row whether it is there or not."""

from typing import Any


def put(table: Any, key: Any, columns: dict[str, Any]) -> None:
    """Insert a row, or overwrite the one that has the same key.

    Args:
        table: a table.
        key: its key's column, or a tuple of them.
        columns: all of the row, by the names of the fields.
    """
    keys = key if isinstance(key, tuple) else (key,)
    names = {each.name for each in keys}
    rest = {getattr(table, name): value for name, value in columns.items() if name not in names}
    table.insert(columns).on_conflict(conflict_target=keys, update=rest).execute()
