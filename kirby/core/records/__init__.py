"""What stands in Kafka: one struct for each kind of record, and which topic holds which.

Records are JSON with a tag (`type`) and a version. A reader of a later version finds defaults for
what an older one did not write; a reader of an older version passes over fields it does not know.
What cannot be decoded raises `Unreadable`, and the shell sends it to the dead-letter topic.
"""

from kirby.core.records.claims import Claim, LeaderClaim
from kirby.core.records.coding import (
    AnyRecord,
    HostRecord,
    RequestRecord,
    RunRecord,
    decode,
    encode,
)
from kirby.core.records.hosts import (
    Build,
    BuildState,
    Heartbeat,
    Held,
    Instance,
    InstanceState,
    Phase,
    Probe,
    Ticket,
)
from kirby.core.records.leadership import (
    Beat,
    Cursor,
    Drained,
    Leadership,
    Mirrored,
    Offsets,
    OpenFire,
)
from kirby.core.records.logs import DeadLetter, Line, Lines, Stream
from kirby.core.records.offers import DaemonOffer, Edition, Offer, Refused, RollOut, Watch
from kirby.core.records.record import VERSION, Record, TopicName
from kirby.core.records.requests import RestartRequest, RunRequest, StopRequest
from kirby.core.records.runs import (
    Armed,
    Ended,
    Exited,
    FirstLine,
    Logged,
    NotStarted,
    Offered,
    Parked,
    Released,
    Step,
    StopAsked,
    Stretch,
)

__all__ = [
    "VERSION",
    "AnyRecord",
    "Armed",
    "Beat",
    "Build",
    "BuildState",
    "Claim",
    "Cursor",
    "DaemonOffer",
    "DeadLetter",
    "Drained",
    "Edition",
    "Ended",
    "Exited",
    "FirstLine",
    "Heartbeat",
    "Held",
    "HostRecord",
    "Instance",
    "InstanceState",
    "LeaderClaim",
    "Leadership",
    "Line",
    "Lines",
    "Logged",
    "Mirrored",
    "NotStarted",
    "Offer",
    "Offered",
    "Offsets",
    "OpenFire",
    "Parked",
    "Phase",
    "Probe",
    "Record",
    "Refused",
    "Released",
    "RequestRecord",
    "RestartRequest",
    "RollOut",
    "RunRecord",
    "RunRequest",
    "Step",
    "StopAsked",
    "StopRequest",
    "Stream",
    "Stretch",
    "Ticket",
    "TopicName",
    "Watch",
    "decode",
    "encode",
]
