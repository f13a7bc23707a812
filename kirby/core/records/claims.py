"""Who takes an attempt, or withdraws it."""

from kirby.core.names import (
    Epoch,
    Host,
    Incarnation,
    RunId,
    StateFolderId,
)
from kirby.core.nouns import (
    LeaderReason,
)
from kirby.core.records.record import Record


class Claim(Record, frozen=True, kw_only=True, tag="claim"):
    """A Runner takes an attempt. The first claim of an attempt in the log wins. Key: run id."""

    run: RunId
    attempt: int
    host: Host
    incarnation: Incarnation
    state_folder: StateFolderId


class LeaderClaim(Record, frozen=True, kw_only=True, tag="leader-claim"):
    """The leader withdraws an attempt, or stops it (rule C6). Key: run id."""

    run: RunId
    attempt: int
    epoch: Epoch
    reason: LeaderReason
    asked_by: str = ""
