"""What a leader reads: up to the ends first, then as it comes (step 4)."""

from kirby.core.leader.events import (
    AskEnds,
    Committed,
    EndsKnown,
    ReadFrom,
    ReadTo,
    RecordRead,
    ScheduleFailed,
    ScheduleFetched,
    SchedulerEffect,
    SchedulerEvent,
    WatermarkKnown,
)
from kirby.core.leader.holders import Stands
from kirby.core.leader.ledger import Ledger
from kirby.core.leader.read_up import READ_UP_TOPICS, ReadUp
from kirby.core.leader.roster import Roster
from kirby.core.leader.state import Lead, Scheduling, broker_now, stand_down
from kirby.core.messages import LeadFailure
from kirby.core.moment import Moment
from kirby.core.names import ContextKey, Epoch
from kirby.core.records import (
    Claim,
    Cursor,
    DaemonOffer,
    Drained,
    Exited,
    Heartbeat,
    LeaderClaim,
    Mirrored,
    NotStarted,
    Probe,
    Released,
    RestartRequest,
    RunRequest,
    StopRequest,
    Ticket,
    TopicName,
)


def became(state: Scheduling, epoch: Epoch, now: Moment) -> list[SchedulerEffect]:
    """Take that every earlier leader is fenced, and begin to read up."""
    term = state.attempt.term if state.attempt is not None else 0
    state.attempt = None
    since = broker_now(state, now)
    roster = Roster(own=state.host)
    ledger = Ledger(host=state.host, compile=state.compile, epoch=epoch, roster=roster)
    state.lead = Lead(
        term=term,
        epoch=epoch,
        since=since,
        ledger=ledger,
        committed=now.boot,
        asked_ends=now.boot,
    )
    state.epoch, state.leader, state.leader_since = epoch, state.host, since
    return [AskEnds(topics=READ_UP_TOPICS)]


def take(state: Scheduling, event: SchedulerEvent, now: Moment) -> list[SchedulerEffect]:
    """Take what concerns a leader only."""
    lead = state.lead
    if lead is None:
        return []  # told too late: the link is gone
    match event:
        case Committed():
            lead.is_committing, lead.committed = False, now.boot
        case EndsKnown():
            return _begin_read_up(state, lead, event, now)
        case RecordRead():
            if event.topic is TopicName.HOSTS and lead.hosts_behind is None:
                lead.hosts_behind = now.boot
            _read(lead, event, now)
            return _progress(state, lead, (event.topic, event.partition), event.offset + 1, now)
        case ReadTo(topic=topic, partition=partition, offset=offset):
            _note_position(lead, topic, partition, offset)
            if topic is TopicName.HOSTS:
                lead.hosts_behind = None
            return _progress(state, lead, (topic, partition), offset, now)
        case WatermarkKnown(offsets=offsets):
            lead.ledger.watermark_answered(offsets)
        case ScheduleFetched(schedule=schedule):
            lead.is_fetching, lead.fetched, lead.schedule_fault = False, now.boot, ""
            if schedule is not None:
                lead.mirror.fetched(schedule, lead.ledger, broker_now(state, now))
        case ScheduleFailed(sentence=sentence):
            lead.is_fetching, lead.fetched, lead.schedule_fault = False, now.boot, sentence
        case _:
            pass
    return []


def _begin_read_up(
    state: Scheduling, lead: Lead, event: EndsKnown, now: Moment
) -> list[SchedulerEffect]:
    if event.beginnings is None or event.ends is None:
        return stand_down(state, LeadFailure.FAILED, "Kafka does not tell the ends of its topics")
    lead.read_up = ReadUp(beginnings=event.beginnings, ends=event.ends)
    starts = lead.read_up.begin(now.boot)
    return [ReadFrom(starts=starts), *_end_of_half(state, lead, now)]


def _progress(
    state: Scheduling, lead: Lead, place: tuple[TopicName, int], offset: int, now: Moment
) -> list[SchedulerEffect]:
    if lead.read_up is None:
        return []
    lead.read_up.reached(place, offset, now.boot)
    return _end_of_half(state, lead, now)


def _end_of_half(state: Scheduling, lead: Lead, now: Moment) -> list[SchedulerEffect]:
    read_up = lead.read_up
    if read_up is None or read_up.missing:
        return []
    if not read_up.is_recent:
        starts = read_up.go_on(lead.ledger)
        return [ReadFrom(starts=starts), *_end_of_half(state, lead, now)]
    lead.read_up, lead.is_leading, lead.led = None, True, now.boot
    state.read_ups += 1
    lead.ledger.roster.begin(now.boot)
    lead.mirror.take_up(lead.ledger, broker_now(state, now))
    lead.ledger.mark_all()
    return []


def _read(lead: Lead, event: RecordRead, now: Moment) -> None:
    """Take what stands in the log."""
    ledger, record = lead.ledger, event.record
    _note_position(lead, event.topic, event.partition, event.offset + 1)
    if event.topic is TopicName.DAEMONS:
        if record is None or isinstance(record, DaemonOffer):
            stands = Stands(partition=event.partition, offset=event.offset)
            take = ledger.read_daemon_back if lead.is_leading else ledger.restore_daemon
            take(ContextKey(event.key), record, stands)
        return
    if event.topic is TopicName.SCHEDULE:
        if not lead.is_leading and (record is None or isinstance(record, Mirrored | Drained)):
            lead.mirror.read(event.key, record)
        return
    match record:
        case Cursor() if not lead.is_leading:
            ledger.restore_cursor(record)
        case Claim() | LeaderClaim():
            ledger.read_claim(record)
        case Ticket():
            ledger.read_ticket(record, event.offset)
        case Heartbeat():
            ledger.read_heartbeat(record, event.offset, now.boot)
        case Probe(epoch=epoch) if epoch == lead.epoch:
            ledger.roster.read_probe(record, now.boot)
        case RunRequest() | StopRequest() | RestartRequest():
            ledger.read_request(event.partition, event.offset, record)
        case Exited() | NotStarted() | Released():
            ledger.read_run(record)
        case _:
            pass


def _note_position(lead: Lead, topic: TopicName, partition: int, offset: int) -> None:
    read = {
        TopicName.CLAIMS: lead.ledger.claims_read,
        TopicName.RUNS: lead.ledger.runs_read,
    }.get(topic)
    if read is not None:
        read[partition] = max(read.get(partition, 0), offset)
