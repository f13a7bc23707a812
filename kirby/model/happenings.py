"""The tables of what happened: the projection of the topics `runs`, `hosts` and `leadership`.

No foreign keys lead out of here: a run outlives its context, and steps arrive in any order.
"""

from peewee import (
    BigIntegerField,
    BooleanField,
    CompositeKey,
    FloatField,
    IntegerField,
    TextField,
)

from kirby.core.nouns import AttemptEnd, NotStartedReason, RunEnd
from kirby.core.records import InstanceState
from kirby.model.definitions import Table
from kirby.model.fields import EnumField, InstantField, JsonField


class Run(Table):
    """A run of a scheduled context, or of one that a person asked for."""

    id = TextField(primary_key=True)
    context = TextField()
    due = InstantField()
    manual = BooleanField(default=False)
    asked_by = TextField(default="")
    attempts = IntegerField(default=0)
    begun = InstantField(null=True)  # the first attempt's first line, or its release
    end = EnumField(RunEnd, null=True, column_name="ended_as")
    reason = TextField(default="")
    ended = InstantField(null=True)


class Attempt(Table):
    """One try of a run, or one life of a daemon's instance, with its steps."""

    run = TextField()
    attempt = IntegerField()
    context = TextField()
    host = TextField(default="")
    incarnation = BigIntegerField(null=True)
    package = TextField(default="")
    offered = InstantField(null=True)
    not_before = InstantField(null=True)
    deadline = InstantField(null=True)
    claimed = InstantField(null=True)
    armed = InstantField(null=True)
    parked = InstantField(null=True)
    released = InstantField(null=True)
    first_line = InstantField(null=True)
    late_us = BigIntegerField(null=True)
    stop_asked = InstantField(null=True)
    stop_reason = TextField(default="")
    ended = InstantField(null=True)
    end = EnumField(AttemptEnd, null=True, column_name="ended_as")
    not_started = EnumField(NotStartedReason, null=True)
    reason = TextField(default="")
    exit_status = IntegerField(null=True)
    signal = IntegerField(null=True)
    seconds = FloatField(null=True)
    cpu_seconds = FloatField(null=True)
    peak_memory = BigIntegerField(null=True)
    tail = JsonField(null=True)
    log_partition = IntegerField(null=True)
    log_first = BigIntegerField(null=True)
    log_last = BigIntegerField(null=True)
    log_lines = BigIntegerField(null=True)
    dropped_bytes = BigIntegerField(null=True)
    seen = InstantField()  # the latest step, for the retention

    class Meta:
        """Steps are idempotent by (run, attempt)."""

        primary_key = CompositeKey("run", "attempt")


class StretchRow(Table):
    """A stretch of fires with one end and one reason."""

    context = TextField()
    first = InstantField(column_name="first_due")
    last = InstantField(column_name="last_due")
    fires = BigIntegerField()
    end = EnumField(RunEnd, column_name="ended_as")
    reason = TextField(default="")
    at = InstantField(column_name="told")

    class Meta:
        """The first fire names the stretch."""

        primary_key = CompositeKey("context", "first")


class HostRow(Table):
    """A host as its latest heartbeat tells it."""

    name = TextField(primary_key=True)
    incarnation = BigIntegerField()
    state_folder = TextField()
    address = TextField(default="")
    version = TextField(default="")
    started = InstantField()
    heard = InstantField()
    slots = IntegerField()
    free_slots = IntegerField()
    clock_offset_ms = FloatField(default=0.0)
    draining = BooleanField(default=False)
    held = JsonField()
    builds = JsonField()


class DaemonInstance(Table):
    """A daemon on a host, as its Watchdog sees it."""

    id = TextField(primary_key=True)
    context = TextField()
    host = TextField()
    state = EnumField(InstanceState)
    attempt = IntegerField(default=0)
    generation = IntegerField(default=0)
    package = TextField(default="")
    since = InstantField(null=True)
    restarts = IntegerField(default=0)
    reason = TextField(default="")
    memory = BigIntegerField(default=0)
    heard = InstantField()


class Leader(Table):
    """One row: who leads, and the last beat that was read."""

    id = IntegerField(primary_key=True)
    host = TextField()
    epoch = BigIntegerField()
    since = InstantField()
    beat = InstantField()


class OffsetRow(Table):
    """How far the projection has read a partition; advanced in the transaction of its rows."""

    topic = TextField()
    partition = IntegerField()
    next = BigIntegerField(column_name="next_offset")

    class Meta:
        """One row for each partition."""

        primary_key = CompositeKey("topic", "partition")
