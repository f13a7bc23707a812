"""Heartbeats and beats: which hosts live, what they hold, who leads."""

from datetime import timedelta
from typing import Any

import msgspec

from kirby.core.names import instance_id, is_instance
from kirby.core.records import Beat, Heartbeat, Instance
from kirby.model.happenings import DaemonInstance, HostRow, Leader
from kirby.model.texts import storable
from kirby.model.upsert import put

LEADER_ROW = 1
ANOTHER_LOG_AFTER = timedelta(seconds=30)  # an incarnation that was superseded ends at once
BEAT_NOTED_EVERY = timedelta(seconds=2)  # leaders beat each 0.3 s; the pages look each few seconds


def see_heartbeat(heartbeat: Heartbeat) -> None:
    """Take over what a host says of itself, unless a later one was read before."""
    row = HostRow.get_or_none(HostRow.name == heartbeat.host)
    if row is not None and _is_later(row, heartbeat):
        return
    put(HostRow, HostRow.name, _host_columns(heartbeat))
    _see_instances(heartbeat)


def _is_later(row: HostRow, heartbeat: Heartbeat) -> bool:
    """Whether what is known is later; in another log a host's incarnations begin again below."""
    if row.incarnation > heartbeat.incarnation:
        return bool(row.heard > heartbeat.sent - ANOTHER_LOG_AFTER)
    return bool(row.incarnation == heartbeat.incarnation and row.heard > heartbeat.sent)


def _host_columns(heartbeat: Heartbeat) -> dict[str, Any]:
    return {
        "name": heartbeat.host,
        "incarnation": heartbeat.incarnation,
        "state_folder": heartbeat.state_folder,
        "address": heartbeat.address,
        "version": heartbeat.version,
        "started": heartbeat.started,
        "heard": heartbeat.sent,
        "slots": heartbeat.slots,
        "free_slots": heartbeat.free_slots,
        "clock_offset_ms": heartbeat.clock_offset_ms,
        "draining": heartbeat.draining,
        "held": msgspec.to_builtins(heartbeat.held),
        "builds": msgspec.to_builtins(heartbeat.builds),
    }


def _see_instances(heartbeat: Heartbeat) -> None:
    listed: list[str] = [instance_id(each.context, heartbeat.host) for each in heartbeat.instances]
    # A Runner that is new hears of its daemons from the Watchdogs, but the shim holds them already.
    listed += [each.run for each in heartbeat.held if is_instance(each.run)]
    of_host = DaemonInstance.host == heartbeat.host
    DaemonInstance.delete().where(of_host & DaemonInstance.id.not_in(listed)).execute()
    for each in heartbeat.instances:
        put(DaemonInstance, DaemonInstance.id, _instance_columns(heartbeat, each))


def _instance_columns(heartbeat: Heartbeat, each: Instance) -> dict[str, Any]:
    return {
        "id": instance_id(each.context, heartbeat.host),
        "context": each.context,
        "host": heartbeat.host,
        "state": each.state,
        "attempt": each.attempt,
        "generation": each.generation,
        "package": each.package,
        "since": each.since,
        "restarts": each.restarts,
        "reason": storable(each.reason),
        "memory": each.memory,
        "heard": heartbeat.sent,
    }


def see_beat(beat: Beat) -> None:
    """Note who leads; a beat of an earlier epoch changes nothing."""
    row = Leader.get_or_none(Leader.id == LEADER_ROW)
    if row is not None:
        if row.epoch > beat.epoch:
            return
        if row.epoch == beat.epoch and beat.at - row.beat < BEAT_NOTED_EVERY:
            return
    columns = {
        "id": LEADER_ROW,
        "host": beat.host,
        "epoch": beat.epoch,
        "since": beat.since,
        "beat": beat.at,
    }
    put(Leader, Leader.id, columns)
