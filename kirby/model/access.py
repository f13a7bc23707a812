"""The tables of who may ask, and of the packages that are kept."""

from peewee import AutoField, BigIntegerField, BlobField, TextField

from kirby.model.definitions import Table
from kirby.model.fields import InstantField


class ApiToken(Table):
    """A token of a person or a program; only its hash is kept."""

    id = AutoField()
    name = TextField()
    hash = TextField()
    made = InstantField()
    made_by = TextField(default="")
    last_used = InstantField(null=True)


class SignInLink(Table):
    """A link that opens the pages in a browser, once."""

    hash = TextField(primary_key=True)
    name = TextField()
    made = InstantField()
    expires = InstantField()


class Session(Table):
    """A signed-in browser; only the hash of its cookie is kept."""

    hash = TextField(primary_key=True)
    name = TextField()
    made = InstantField()
    expires = InstantField()


class PackageFile(Table):
    """A wheel or source archive of the built-in package index."""

    filename = TextField(primary_key=True)
    project = TextField()
    version = TextField()
    sha256 = TextField()
    size = BigIntegerField()
    content = BlobField()
    uploaded = InstantField()
    uploaded_by = TextField(default="")
