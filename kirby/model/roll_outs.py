"""How daemons' new editions come to their hosts: projected from the daemons' offers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import CompositeKey, TextField

from kirby.core.leader.rollout_words import RollOutState, done_sentence, told_of
from kirby.core.names import ContextKey
from kirby.core.records import DaemonOffer
from kirby.model.definitions import Table
from kirby.model.fields import EnumField, InstantField
from kirby.model.texts import storable
from kirby.model.upsert import put

STEPS_SHOWN = 20


class RollOut(Table):
    """How the editions of a daemon stand, by its newest offer."""

    context = TextField(primary_key=True)
    state = EnumField(RollOutState)
    sentence = TextField(default="")
    at = InstantField(column_name="told", null=True)


class RollOutStep(Table):
    """One step of a roll-out."""

    context = TextField()
    at = InstantField(column_name="told")
    sentence = TextField()

    class Meta:
        """Taken twice, a step is one all the same."""

        primary_key = CompositeKey("context", "at", "sentence")


@dataclass(frozen=True, kw_only=True)
class StepView:
    """A step of a roll-out, and when it was taken."""

    at: datetime
    sentence: str


@dataclass(frozen=True, kw_only=True)
class RollOutView:
    """A daemon's roll-out that is under way or was given up, and the latest steps."""

    context: str
    state: RollOutState
    sentence: str
    at: datetime | None
    steps: Sequence[StepView]


def see_daemon_offer(context: ContextKey, offer: DaemonOffer | None) -> None:
    """Take over what a daemon's offer says of its editions; None: it is not wanted any more."""
    known = RollOut.get_or_none(RollOut.context == context)
    if offer is None:
        RollOut.delete().where(RollOut.context == context).execute()
        return
    told = told_of(offer)
    sentence = storable(told.sentence)
    is_over = not sentence and known is not None and known.state is RollOutState.ROLLING
    step = storable(done_sentence(offer)) if is_over else sentence
    if step and told.at is not None and (known is None or known.sentence != step):
        columns = {"context": context, "at": told.at, "sentence": step}
        RollOutStep.insert(columns).on_conflict_ignore().execute()
    columns = {"context": context, "state": told.state, "sentence": sentence, "at": told.at}
    put(RollOut, RollOut.context, columns)


def roll_outs(context: str | None = None) -> list[RollOutView]:
    """Return the roll-outs that are under way or were given up, of one daemon or of all."""
    query = RollOut.select().where(RollOut.state != RollOutState.STANDING).order_by(RollOut.context)
    if context is not None:
        query = query.where(RollOut.context == context)
    rows = list(query)
    steps = _steps([row.context for row in rows])
    return [
        RollOutView(
            context=row.context,
            state=row.state,
            sentence=row.sentence,
            at=row.at,
            steps=steps[row.context],
        )
        for row in rows
    ]


def steps_of(context: str) -> list[StepView]:
    """Return the latest steps of a daemon's roll-outs, the latest first."""
    return _steps([context])[context]


def _steps(contexts: list[str]) -> dict[str, list[StepView]]:
    found: dict[str, list[StepView]] = defaultdict(list)
    for context in contexts:
        query: Any = RollOutStep.select().where(RollOutStep.context == context)
        for row in query.order_by(RollOutStep.at.desc()).limit(STEPS_SHOWN):
            found[context].append(StepView(at=row.at, sentence=row.sentence))
    return found
