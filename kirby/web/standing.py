"""How things stand, in one line: whether the cluster fires, who leads, what was missed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kirby.core.prose import tell_distance
from kirby.model.cluster import LeaderView, hosts, leader
from kirby.model.revisions import current_revision
from kirby.model.runs import missed_since, open_runs
from kirby.web.parts import Parts

LOOKED_BACK = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How things stand."""

    firing: bool
    sentence: str
    leader: LeaderView | None
    hosts: int  # that were heard lately
    missed_24h: int
    open_runs: int
    revision: int
    trouble: str | None  # why what is told may be old

    def shape(self) -> dict[str, Any]:
        """Return what the API answers."""
        leading = self.leader
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "leader": None if leading is None else vars(leading),
        }


def standing(parts: Parts) -> Standing:
    """Find out how things stand."""
    now = parts.now()
    leading = leader(now)
    trouble = parts.readiness.trouble()
    alive = sum(host.alive for host in hosts(now))
    missed = missed_since(now - LOOKED_BACK)
    firing = leading is not None and leading.beats and trouble is None
    return Standing(
        firing=firing,
        sentence=_sentence(parts, leading, trouble, alive, missed),
        leader=leading,
        hosts=alive,
        missed_24h=missed,
        open_runs=open_runs(),
        revision=current_revision(),
        trouble=trouble,
    )


def _sentence(
    parts: Parts, leading: LeaderView | None, trouble: str | None, alive: int, missed: int
) -> str:
    count = f"{alive} host{'' if alive == 1 else 's'} · {missed} missed in 24 h"
    if trouble is not None:
        return f"not known: {trouble}"
    if leading is None:
        return f"not firing: no host has led yet · {count}"
    if not leading.beats:
        heard = tell_distance(leading.beat, parts.now())
        return f"not firing: leader {leading.host} was last heard {heard} · {count}"
    since = _age(parts.now() - leading.since, parts.now())
    return f"firing · leader {leading.host} for {since} · {count}"


def _age(age: timedelta, now: datetime) -> str:
    """Tell an age; of more than a day nobody needs the seconds."""
    rounded = age - age % timedelta(hours=1) if age > timedelta(days=1) else age
    return tell_distance(now - rounded, now).removesuffix(" ago")
