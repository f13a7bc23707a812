"""What a change will do: when a schedule next fires, how many fires a suspension takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from kirby.core.document.definitions import Definitions, SetSuspension
from kirby.core.document.difference_shown import shown_hosts
from kirby.core.durations import write_duration
from kirby.core.names import ContextKey
from kirby.core.nouns import CronLine, Hosts, JobKind
from kirby.core.planning.fires import fires_of
from kirby.core.prose import tell_instant, tell_next

SHOWN_FIRES = 3
COUNTED = timedelta(days=400)  # a longer suspension is told without a number


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Writes the notes of a difference, as seen at one instant."""

    now: datetime
    instances: Mapping[ContextKey, int]

    def next_fires(self, schedules: Sequence[CronLine]) -> str:
        """Say when a schedule fires next, in its own time zone."""
        fires = list(islice(fires_of(schedules).after(self.now), SHOWN_FIRES))
        return tell_next(fires, self.now, schedules[0].zone)

    def without_schedule(self, kind: JobKind, hosts: Hosts) -> str:
        """Say what a context without a schedule does."""
        if kind is JobKind.DAEMON:
            return f"on {shown_hosts(hosts)}{'' if isinstance(hosts, tuple) else ' hosts'}"
        return "runs only when asked for: it has no schedule"

    def replaced(self, context: ContextKey) -> str:
        """Say how many daemons a new version replaces."""
        count = self.instances.get(context, 0)
        if not count:
            return ""
        return "1 daemon replaced" if count == 1 else f"{count} daemons replaced, one at a time"

    def window(self, each: SetSuspension) -> str:
        """Say how long a suspension is, and from when."""
        length = write_duration(each.end - each.start)
        return f"{length} from {tell_instant(each.start, self.now)} UTC"

    def suspended(self, each: SetSuspension, wanted: Definitions, stored: Definitions) -> str:
        """Say how many fires a suspension takes."""
        context = wanted.contexts().get(each.context) or stored.contexts().get(each.context)
        start = max(each.start, self.now)
        if context is None or not context.schedules or each.end - start > COUNTED:
            return ""
        # a suspension has its start, and not its end
        tick = timedelta(microseconds=1)
        count = fires_of(context.schedules).count(start - tick, each.end - tick)
        return "1 fire will be suspended" if count == 1 else f"{count} fires will be suspended"
