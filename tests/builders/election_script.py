"""What befalls the hosts of a simulated election, in the order of time.

A script reads as it is written (`script.at(12.0).kill("alpha")`), and prints itself in that form.
"""

from dataclasses import dataclass, field


@dataclass
class Script:
    """What befalls the hosts, in order."""

    lines: list[tuple[float, str, tuple[object, ...]]] = field(default_factory=list)

    def at(self, when: float) -> "Moment":
        """Begin a line."""
        return Moment(self, when)

    def __str__(self) -> str:
        return "\n".join(
            f"at({when:.2f}).{what}({', '.join(map(repr, args))})"
            for when, what, args in self.lines
        )


@dataclass
class Moment:
    """One instant of a script; each method is one line of it."""

    script: Script
    when: float

    def _add(self, what: str, *args: object) -> Script:
        self.script.lines.append((self.when, what, args))
        return self.script

    def kill(self, host: str) -> Script:
        """The host is gone, with all that is on it."""
        return self._add("kill", host)

    def start(self, host: str) -> Script:
        """A killed host comes back with a new life."""
        return self._add("start", host)

    def pause(self, host: str, seconds: float) -> Script:
        """Everything on the host stands still, and goes on with what queued up."""
        return self._add("pause", host, seconds)

    def freeze_scheduler(self, host: str, seconds: float) -> Script:
        """Only the Scheduler stands still."""
        return self._add("freeze_scheduler", host, seconds)

    def cut(self, source: str, target: str) -> Script:
        """Nothing passes from one to the other; the way back is open."""
        return self._add("cut", source, target)

    def part(self, *hosts: str) -> Script:
        """Nothing passes between these and the others."""
        return self._add("part", *hosts)

    def cut_kafka(self, host: str) -> Script:
        """The host does not reach Kafka."""
        return self._add("cut_kafka", host)

    def set_clock(self, host: str, off_seconds: float) -> Script:
        """The host's wall clock is off the broker's."""
        return self._add("set_clock", host, off_seconds)

    def heal(self) -> Script:
        """All ways are open and all clocks right."""
        return self._add("heal")
