"""A status that is being gathered from the children, until all have answered or time is up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kirby.actors.crew import Member
from kirby.core.messages import StatusIs


@dataclass(kw_only=True)
class Gathering:
    """Who asked, who was asked, and what was answered (by the name of the child)."""

    asked_by: Any
    members: list[Member]
    answers: dict[str, StatusIs] = field(default_factory=dict)

    def take(self, answer: StatusIs, sender: Any) -> None:
        """Note a child's answer."""
        for member in self.members:
            if member.address == sender:
                self.answers[member.name] = answer

    def lose(self, member: Member) -> None:
        """Wait no longer for one that died."""
        if member in self.members:
            self.members.remove(member)

    @property
    def is_complete(self) -> bool:
        """Whether all that were asked and live have answered."""
        return all(member.name in self.answers for member in self.members)

    def actors(self, members: Iterable[Member]) -> list[dict[str, Any]]:
        """Return one entry for each child, also for those that are not there."""
        return [self._entry(member) for member in members]

    def _entry(self, member: Member) -> dict[str, Any]:
        answer = self.answers.get(member.name)
        if answer is not None:
            state = "running"
        elif member.address is not None:
            state = "does not answer"
        else:
            state = "waits to be created anew"
        return {
            "name": member.name,
            "state": state,
            "pid": member.pid,
            "recreated": member.lives.recreated,
            "contexts": sorted(member.contexts),
            "facts": dict(answer.facts) if answer else {},
        }
