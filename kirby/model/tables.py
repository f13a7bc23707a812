"""All tables, in an order in which each comes after those that it refers to."""

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from peewee import sort_models

import kirby.model
from kirby.model.definitions import Table


@cache
def tables() -> tuple[Any, ...]:
    """Return the tables of all modules, so that a new one is never forgotten."""
    for module in pkgutil.iter_modules(kirby.model.__path__):
        import_module(f"kirby.model.{module.name}")
    return tuple(sort_models(sorted(Table.__subclasses__(), key=lambda each: each.__name__)))
