"""What of a run folder goes to Kafka next: steps in order, lines in order, the end ahead of lines.

A load is what is posted together; only when Kafka has all of it does the progress move on, so that
everything is told at least once, whatever dies in between (a repeated batch of lines bears the same
first number, a repeated step is the same step). One load at a time leaves each folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import dropwhile
from typing import TypeAlias

import msgspec

from kirby.core.names import Host
from kirby.core.nouns import Noun
from kirby.core.records import Line, Lines, Step, Stream
from kirby.core.shipping.output import (
    Frame,
    Unfinished,
    frames_in,
    last_frames,
    last_line,
    lines_of,
)
from kirby.core.shipping.redaction import Redactor
from kirby.core.shipping.run_folder import Entry, Order, has_ended
from kirby.core.shipping.steps import Teller

BATCH_BYTES = 262_144  # of lines as JSON in one record; Kafka takes up to 1 MB
TAIL_LINES = 20  # that an end carries
TAIL_BYTES = 65_536  # of raw output, among which they are looked for
TAIL_LINE_CHARACTERS = 500
TOLD_AGAIN = timedelta(seconds=2)  # how often a running attempt tells where its log stands
_STREAMS = (Stream.OUT, Stream.ERR, Stream.LOG)


class Progress(Noun, frozen=True, kw_only=True):
    """How far the Recorder has got with a folder; kept in it."""

    v: int = 1
    steps: int = 0  # lines of the journal that were told
    file: int = 1  # of the output, and where in it the next frame begins
    offset: int = 0
    lines: int = 0
    unfinished: tuple[Unfinished, Unfinished, Unfinished] = (
        Unfinished(),
        Unfinished(),
        Unfinished(),
    )
    partition: int = -1  # of the log, and the offsets of its first and last batch
    first_offset: int = -1
    last_offset: int = -1
    told_lines: int = 0  # by the last step that said where the log stands
    told_at: datetime | None = None
    drained: bool = False  # nothing is left of the output


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Raw output from where the progress stands."""

    data: bytes = b""
    is_last: bool = True  # nothing stood behind it when it was read
    next_file: int | None = None  # the number of the file that follows, where this one is over


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What was found in a run folder: the journal is read before the output."""

    host: Host
    order: Order
    journal: tuple[Entry, ...]
    redactor: Redactor


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is to be posted now, and the progress once Kafka has it (without the log's offsets)."""

    steps: tuple[Step, ...] = ()
    batches: tuple[Lines, ...] = ()
    after: Progress


@dataclass(frozen=True, kw_only=True)
class NothingYet:
    """All that there is was told; more will come. `again`: something is to be told then."""

    again: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AllShipped:
    """The attempt ended and everything was told: the folder can go."""


Next: TypeAlias = Load | NothingYet | AllShipped


def next_steps(folder: Folder, progress: Progress, tail: tuple[str, ...]) -> Load | None:
    """Return the steps that were not told yet, the end included; None: all were."""
    fresh = folder.journal[progress.steps :]
    if not fresh:
        return None
    teller = Teller(folder.host, folder.order)
    told = (teller.step(entry, folder.journal, tail) for entry in fresh)
    after = msgspec.structs.replace(progress, steps=len(folder.journal))
    return Load(steps=tuple(step for step in told if step is not None), after=after)


def next_output(folder: Folder, progress: Progress, chunk: Chunk, now: datetime) -> Next:
    """Return what is to be told of the output, once all steps were told.

    Raises:
        Damaged: the output has no frame where one should begin.
    """
    if progress.drained:
        return _where_log_stands(folder, progress, now) or AllShipped()
    load = _lines_of_chunk(folder, progress, chunk)
    if load.after != progress:
        return load
    return _where_log_stands(folder, progress, now) or NothingYet(again=_again(progress))


def shipped(load: Load, places: Sequence[tuple[int, int]]) -> Progress:
    """Return the progress once Kafka has a load; places are partition and offset of each batch."""
    after = load.after
    if not places:
        return after
    first = after.first_offset if after.first_offset >= 0 else min(at for _, at in places)
    return msgspec.structs.replace(
        after,
        partition=places[0][0],
        first_offset=first,
        last_offset=max(at for _, at in places),
    )


def tail_of(data: bytes, redactor: Redactor) -> tuple[str, ...]:
    """Return the last lines of raw output that begins with a whole frame.

    Raises:
        Damaged: the output has no frame where one should begin.
    """
    last = last_frames(data, TAIL_BYTES)
    frames, _ = frames_in(last)
    lines, states = _lines_of_frames(frames, (Unfinished(),) * 3, redactor)
    lines += _flushed(states, redactor)
    if len(last) < len(data):
        # It may begin in the middle of a secret; of a long line, all pieces but the last are "cut".
        lines = list(dropwhile(lambda line: line.cut, lines))[1:]
    return tuple(line.text[:TAIL_LINE_CHARACTERS] for line in lines[-TAIL_LINES:])


def _lines_of_chunk(folder: Folder, progress: Progress, chunk: Chunk) -> Load:
    frames, taken = frames_in(chunk.data)
    lines, states = _lines_of_frames(frames, progress.unfinished, folder.redactor)
    over = chunk.is_last and has_ended(folder.journal)
    if over:
        lines += _flushed(states, folder.redactor)
        states = (Unfinished(),) * 3
    moved = chunk.next_file is not None
    after = msgspec.structs.replace(
        progress,
        file=chunk.next_file if chunk.next_file is not None else progress.file,
        offset=0 if moved else progress.offset + taken,
        lines=progress.lines + len(lines),
        unfinished=states,
        drained=over,
    )
    return Load(batches=_batches(folder, progress.lines, lines), after=after)


def _lines_of_frames(
    frames: Sequence[Frame], states: tuple[Unfinished, ...], redactor: Redactor
) -> tuple[list[Line], tuple[Unfinished, Unfinished, Unfinished]]:
    found: list[Line] = []
    unfinished = dict(zip(_STREAMS, states, strict=True))
    for frame in frames:
        state = unfinished.get(frame.stream, Unfinished())
        lines, state = lines_of(frame, state, redactor)
        found.extend(lines)
        if frame.stream in unfinished:
            unfinished[frame.stream] = state
    out, err, log = (unfinished[stream] for stream in _STREAMS)
    return found, (out, err, log)


def _flushed(states: Sequence[Unfinished], redactor: Redactor) -> list[Line]:
    pairs = zip(_STREAMS, states, strict=True)
    return [line for stream, state in pairs for line in last_line(stream, state, redactor)]


def _batches(folder: Folder, first: int, lines: Sequence[Line]) -> tuple[Lines, ...]:
    """Put lines into records that Kafka takes."""
    batches: list[Lines] = []
    batch: list[Line] = []
    size = 0
    for line in lines:
        length = len(msgspec.json.encode(line))
        if batch and size + length > BATCH_BYTES:
            batches.append(_batch(folder, first, batch))
            first, batch, size = first + len(batch), [], 0
        batch.append(line)
        size += length
    if batch:
        batches.append(_batch(folder, first, batch))
    return tuple(batches)


def _batch(folder: Folder, first: int, lines: Sequence[Line]) -> Lines:
    order = folder.order
    return Lines(
        run=order.run, attempt=order.attempt, host=folder.host, first=first, lines=tuple(lines)
    )


def _where_log_stands(folder: Folder, progress: Progress, now: datetime) -> Load | None:
    """Return the step that says so, where it was not said yet; None: it was, or not again yet."""
    ended = progress.drained
    dropped = sum(entry.dropped_bytes for entry in folder.journal)
    owed = progress.lines > progress.told_lines
    too_soon = progress.told_at is not None and now < progress.told_at + TOLD_AGAIN
    if not owed or (too_soon and not ended):
        return None
    step = Teller(folder.host, folder.order).logged(
        now,
        partition=progress.partition,
        first=progress.first_offset,
        last=progress.last_offset,
        lines=progress.lines,
        dropped=dropped,
    )
    after = msgspec.structs.replace(progress, told_lines=progress.lines, told_at=now)
    return Load(steps=(step,), after=after)


def _again(progress: Progress) -> datetime | None:
    if progress.told_at is None or progress.lines <= progress.told_lines:
        return None
    return progress.told_at + TOLD_AGAIN
