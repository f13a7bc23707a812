"""The children of the Supervisor: who they are, where they are, and when each is made anew."""

import importlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kirby.core.names import ContextKey
from kirby.core.recreation import Lives, created, died

WATCHDOG = "watchdog"
ROLL_CALL = "roll-call"


@dataclass(kw_only=True, eq=False)
class Member:
    """One child; `address` is None while it is not there."""

    role: str
    name: str  # the role, for Watchdogs with a number
    class_name: str
    address: Any = None
    pid: int | None = None
    lives: Lives = field(default_factory=Lives)
    contexts: set[ContextKey] = field(default_factory=set)  # of a Watchdog


class Crew:
    """All children. Addresses cannot be hashed, so they are found by comparing."""

    def __init__(self, classes: dict[str, str], watchdogs: int) -> None:
        self._watchdog_class = classes[WATCHDOG]
        self._watchdogs = watchdogs
        self.members = {
            role: Member(role=role, name=role, class_name=path)
            for role, path in classes.items()
            if role != WATCHDOG
        }

    def address(self, role: str) -> Any:
        """Return where a role is; None while it is not there."""
        return self.members[role].address

    @property
    def address_of_the_roll_call(self) -> Any:
        """Return where this host's roll-call is; None where nobody came yet."""
        member = self.members.get(ROLL_CALL)
        return member.address if member else None

    def with_roll_call(self, class_name: str) -> Member:
        """Return the roll-call, which is a member from the first time that it is asked for."""
        if ROLL_CALL not in self.members:
            member = Member(role=ROLL_CALL, name=ROLL_CALL, class_name=class_name)
            self.members[ROLL_CALL] = member
        return self.members[ROLL_CALL]

    def present(self, *roles: str) -> Iterator[Member]:
        """Yield the members that are there; all, or only those of some roles."""
        for member in list(self.members.values()):
            if member.address is not None and (not roles or member.role in roles):
                yield member

    def at(self, address: Any) -> Member | None:
        """Return who is at an address."""
        return next((m for m in self.members.values() if m.address == address), None)

    def watchdog_of(self, context: ContextKey) -> Member:
        """Return the Watchdog of a context: its own, up to the limit; else the least burdened."""
        dogs = [member for member in self.members.values() if member.role == WATCHDOG]
        for dog in dogs:
            if context in dog.contexts:
                return dog
        if len(dogs) < self._watchdogs:
            name = f"{WATCHDOG}-{len(dogs) + 1}"
            dog = Member(role=WATCHDOG, name=name, class_name=self._watchdog_class)
            self.members[name] = dog
        else:
            dog = min(dogs, key=lambda each: len(each.contexts))
        dog.contexts.add(context)
        return dog


def create(member: Member, make: Callable[[type], Any], now: float) -> bool:
    """Create a member's actor; tell whether that went well.

    The class is found by name, so that a role whose module is broken brings down no other.
    """
    module, _, name = member.class_name.rpartition(".")
    member.lives = created(member.lives, now)
    try:
        member.address = make(getattr(importlib.import_module(module), name))
    except Exception:
        logging.getLogger("kirby.supervisor").exception("%s cannot be created", member.name)
        return False
    return True


def bury(member: Member, now: float) -> float:
    """Note that a member died; return for how many seconds to wait before it is made anew."""
    member.address = member.pid = None
    member.lives, wait = died(member.lives, now)
    return wait
