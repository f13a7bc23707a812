"""Which Runner is the newest: numbers its lives, whichever log their tickets stand in.

An incarnation is an offset, so it says nothing without the log that it is an offset of. When
Kafka's data is lost, or the host is pointed to another Kafka, tickets begin again at low offsets.
So every life gets a number of the shim's own, which only ever rises: within one log with the
incarnation, and beyond everything before when another log is begun. All that is asked bears it.

A log that was left can be returned to, by a life that it has not seen before: its ticket is a
higher one. What said hello there earlier stays superseded.
"""

from kirby.shim import refusals
from kirby.shim.requests import Request


class Lives:
    """The life that is the newest, and the highest incarnation of each log."""

    __slots__ = ("_ahead", "_highest", "log", "newest")

    def __init__(self) -> None:
        self.newest = -1  # so that the first ticket of a log, at offset 0, is newer
        self.log = ""  # of the newest
        self._ahead = 0  # of this log's incarnations, so that lives went on rising
        self._highest: dict[str, int] = {}

    def greet(self, log: str, incarnation: int) -> bool:
        """Take a hello; return whether it begins another log than the one before.

        Raises:
            Refused: a newer Runner has said hello.
        """
        returns = log != self.log
        highest = self._highest.get(log, -1)
        if incarnation < highest + returns:
            raise refusals.superseded(self.newest, incarnation)
        if returns and log:  # a Runner that names no log knows of none: its number is its life
            self._ahead = max(0, self.newest + 1 - incarnation)
        life = incarnation + (self._ahead if log else 0)
        if life < self.newest:
            raise refusals.superseded(self.newest, incarnation)
        known = bool(self.log)
        self.newest, self.log, self._highest[log] = life, log, incarnation
        return returns and known

    def kept(self) -> Request:
        """Return what is written down."""
        line: Request = {"newest": self.newest, "log": self.log, "ahead": self._ahead}
        return {**line, "highest": dict(self._highest)}

    def read(self, line: Request) -> None:
        """Take back what was written down last; it may be of a shim that knew of no logs."""
        newest = int(str(line["newest"]))
        if newest < self.newest:
            return
        self.newest = newest
        self.log = str(line.get("log", ""))
        self._ahead = int(str(line.get("ahead", 0)))
        highest = line.get("highest")
        self._highest = dict(highest) if isinstance(highest, dict) else {}
