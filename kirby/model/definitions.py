"""The tables of what is to be run: jobs, contexts, schedules, suspensions, variables, externals.

The columns are those that the migrations make (`kirby.model.migrations`); constraints stand
there, once, in SQL.
"""

from enum import Enum

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from kirby.core.nouns import CatchUp, JobKind, Lost, Overlap
from kirby.model.database import database
from kirby.model.fields import DurationField, EnumField, InstantField, JsonField


class Scope(Enum):
    """How far a variable reaches; the narrower one wins."""

    GLOBAL = "global"
    JOB = "job"
    CONTEXT = "context"


class ExternalKind(Enum):
    """What a script reads from or writes to."""

    TOPIC = "topic"
    WEB = "web"
    FILES = "files"
    OTHER = "other"


class Direction(Enum):
    """Which way the data moves, as the script sees it."""

    READS = "reads"
    WRITES = "writes"


class Table(Model):
    """The manner of every table."""

    class Meta:
        """Bound by the application factory."""

        database = database
        legacy_table_names = False


class Environment(Table):
    """Where a job runs: `prod`, `dev`, `test`, and what the document declares."""

    name = TextField(primary_key=True)
    topic_prefix = TextField()
    about = TextField(default="")


class Script(Table):
    """A version of a package; seen when one of its runs reports itself."""

    id = AutoField()
    name = TextField()
    version = TextField()
    first_seen = InstantField(null=True)
    last_seen = InstantField(null=True)

    @property
    def requirement(self) -> str:
        """Return `name==version`."""
        return f"{self.name}=={self.version}"


class Job(Table):
    """What is to be done."""

    name = TextField(primary_key=True)
    kind = EnumField(JobKind)
    about = TextField(default="")
    script = ForeignKeyField(Script, null=True)


class Context(Table):
    """A job in an environment: the key of everything below."""

    key = TextField(primary_key=True)
    job = ForeignKeyField(Job, column_name="job", on_delete="CASCADE")
    environment = ForeignKeyField(Environment, column_name="environment")
    script = ForeignKeyField(Script, null=True)  # None: the job's
    enabled = BooleanField(default=True)
    held = BooleanField(default=False)
    hosts_count = IntegerField(null=True)  # with hosts_named None, too: all hosts
    hosts_named = JsonField(null=True)
    catch_up = EnumField(CatchUp, default=CatchUp.LATEST)
    start_window = DurationField(null=True)
    overlap = EnumField(Overlap, default=Overlap.ALLOW)
    exclusive = BooleanField(default=False)
    time_limit = DurationField(null=True)
    attempts = IntegerField(default=1)
    back_off = DurationField()
    back_off_limit = DurationField()
    lost = EnumField(Lost, default=Lost.FAIL)
    grace = DurationField()
    memory_limit = BigIntegerField(null=True)
    output_limit = BigIntegerField()
    prestart = BooleanField(default=True)
    source_builds = BooleanField(default=False)
    revision = BigIntegerField()


class CronRow(Table):
    """One schedule of a context, kept by field; `second` is empty in one of five fields."""

    id = AutoField()
    context = ForeignKeyField(Context, column_name="context", on_delete="CASCADE")
    position = IntegerField()
    second = TextField(default="")
    minute = TextField()
    hour = TextField()
    day = TextField()
    month = TextField()
    weekday = TextField()
    zone = TextField()


class SuspensionRow(Table):
    """A window in which a context does not fire."""

    id = AutoField()
    context = ForeignKeyField(Context, column_name="context", on_delete="CASCADE")
    start = InstantField(column_name="starts")
    end = InstantField(column_name="ends")
    reason = TextField(default="")
    by = TextField(column_name="made_by", default="")
    by_document = BooleanField(default=False)  # only such a one is pruned by a document
    made = InstantField()


class Absence(Table):
    """A stretch in which a context was disabled or deleted; outlives the context (rule P1)."""

    id = AutoField()
    context = TextField()
    start = InstantField(column_name="starts")
    end = InstantField(column_name="ends", null=True)
    deleted = BooleanField(default=False)
    revision = BigIntegerField()  # that began it


class ConfigKey(Table):
    """A variable that scripts find in their environment."""

    id = AutoField()
    scope = EnumField(Scope)
    job = ForeignKeyField(Job, column_name="job", null=True, on_delete="CASCADE")
    context = ForeignKeyField(Context, column_name="context", null=True, on_delete="CASCADE")
    name = TextField()
    value = TextField()
    sealed = BooleanField(default=False)


class External(Table):
    """A topic, web service or folder that scripts read or write."""

    id = AutoField()
    kind = EnumField(ExternalKind)
    name = TextField()
    partitions = IntegerField(null=True)  # of a topic that a document declares


class Usage(Table):
    """Who reads and who writes an external, as running scripts report it."""

    id = AutoField()
    external = ForeignKeyField(External, on_delete="CASCADE")
    context = ForeignKeyField(Context, column_name="context", on_delete="CASCADE")
    direction = EnumField(Direction)
    first_seen = InstantField()
    last_seen = InstantField()


class Revision(Table):
    """One row: the number of the last change to any context."""

    id = IntegerField(primary_key=True)
    number = BigIntegerField()
