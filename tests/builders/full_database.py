"""A database in which every table has rows, made from what the columns are."""

from datetime import timedelta
from typing import Any

import peewee

from kirby.model.database import connection, database
from kirby.model.definitions import ConfigKey, Scope
from kirby.model.fields import DurationField, EnumField, InstantField, JsonField
from kirby.model.tables import tables
from tests.builders.model import NOON

BY_HAND: dict[str, dict[str, Any]] = {  # where a constraint wants more than its type says
    "environment": {"name": "pre", "topic_prefix": "pre."},
    "context": {"key": "pump/pre", "job": "pump", "environment": "pre", "hosts_named": None},
    "config_key": {"scope": Scope.CONTEXT, "job": None, "value": "sealed \N{SNOWMAN}"},
    "external": {"partitions": None, "kind": "web"},
    "suspension_row": {"end": NOON + timedelta(hours=1)},
    "job": {"name": "pump"},
    "leader": {"id": 1},
    "web_service_row": {"seen": NOON - timedelta(hours=1)},
}
KEPT = {"revision"}  # the migrations make its one row


def fill() -> None:
    """Put a row into every table of the bound database; draw and lose some numbers, too."""
    with connection(), database.atomic():
        for table in tables():
            name = table._meta.table_name
            if name not in KEPT:
                table.insert(_row(table) | BY_HAND.get(name, {})).execute()
        gone = ConfigKey.insert(scope=Scope.GLOBAL, name="GONE", value="1").execute()
        ConfigKey.delete().where(ConfigKey.id == gone).execute()


def _row(table: Any) -> dict[str, Any]:
    fields = table._meta.sorted_fields
    return {each.name: _value(each) for each in fields if not isinstance(each, peewee.AutoField)}


def _value(field: Any) -> Any:
    match field:
        case peewee.ForeignKeyField():
            return field.rel_model.select(field.rel_field).order_by(-field.rel_field).tuples()[0][0]
        case InstantField():
            return NOON
        case DurationField():
            return timedelta(seconds=3)
        case EnumField():
            return next(iter(field.members))
        case JsonField():
            return [{"a": 1}]
        case peewee.BooleanField():
            return True
        case peewee.BlobField():
            return b"\x00\xff" * 1000
        case peewee.FloatField():
            return 1.25
        case peewee.IntegerField():
            return 3
        case _:
            return _text(field)


def _text(field: Any) -> str:
    own = {"job": "pump", "context": "pump/pre"}
    return own.get(field.name, f"{field.name} \N{SNOWMAN}")
