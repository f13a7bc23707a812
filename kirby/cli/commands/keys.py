"""The cluster's key: shown to be copied, taken on a further host, changed for another."""

import sys
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from kirby.cli.connecting import folder_of, service_of
from kirby.cli.terminal import Terminal
from kirby.core.errors import Conflict, ExitCode, Insecure, InvalidInput
from kirby.core.key_ring import KeyRing
from kirby.host.key_file import change_ring, parse_ring, read_ring, write_ring
from kirby.host.state import StateFolder

LONGEST = 64 * 1024  # characters; a key has 64


def key(given: Namespace, terminal: Terminal) -> ExitCode:
    """Do with the key what was typed."""
    match given.action:
        case "show":
            return _show(given, terminal)
        case "take":
            return _take(given, terminal)
        case "rotate":
            return _rotate(given, terminal)
        case _:
            return _list(given, terminal)


def _show(given: Namespace, terminal: Terminal) -> ExitCode:
    active = read_ring(folder_of(given).key).active(datetime.now(UTC))
    if terminal.out.is_terminal and not terminal.as_json:
        terminal.note(
            "whoever has this key can read every secret and command every host; to copy it without "
            "showing it: kirby key show | ssh HOST kirby key take"
        )
    terminal.data({"key": active.secret.hex(), "fingerprint": active.fingerprint})
    terminal.say(active.secret.hex())
    return ExitCode.OK


def _list(given: Namespace, terminal: Terminal) -> ExitCode:
    now = datetime.now(UTC)
    ring = read_ring(folder_of(given).key)
    shown = [
        {"fingerprint": each.fingerprint, "state": _state(ring, each.fingerprint, now)}
        | {"since": each.since, "until": each.until}
        for each in ring.keys
    ]
    terminal.data({"keys": shown})
    rows = [[str(each["fingerprint"]), str(each["state"])] for each in shown]
    times = [[_at(each.since), _at(each.until)] for each in ring.keys]
    told = [[*row, *time] for row, time in zip(rows, times, strict=True)]
    terminal.table(["fingerprint", "state", "signs from", "taken until"], told)
    return ExitCode.OK


def _state(ring: KeyRing, fingerprint: str, now: datetime) -> str:
    if ring.active(now).fingerprint == fingerprint:
        return "signs"
    upcoming = ring.upcoming(now)
    if upcoming is not None and upcoming.fingerprint == fingerprint:
        return "announced"
    taken = {each.fingerprint for each in ring.taken(now)}
    return "taken" if fingerprint in taken else "only opens"


def _at(instant: datetime | None) -> str:
    if instant is None or instant.year < 2000:
        return "–"
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _take(given: Namespace, terminal: Terminal) -> ExitCode:
    ring, folder = _offered(given, terminal), folder_of(given)
    folder.prepare()
    told = ring.active(datetime.now(UTC)).fingerprint
    is_new = _put(folder, ring, replace=given.replace)
    terminal.data({"fingerprint": told, "taken": is_new})
    terminal.say(
        f"{folder.key} holds the key {told} now"
        if is_new
        else f"{folder.key} holds the key {told} already"
    )
    return ExitCode.OK


def _offered(given: Namespace, terminal: Terminal) -> KeyRing:
    if given.file is None and sys.stdin.isatty():
        terminal.note("type the key that 'kirby key show' prints, and Enter:")
    text = sys.stdin.readline(LONGEST) if given.file is None else _read(given.file)
    ring = parse_ring(text)
    if ring is None:
        raise InvalidInput(
            "this is no cluster key: give the 64 hexadecimal digits that 'kirby key show' prints "
            "on another host, or the file 'key' of its state folder"
        )
    return ring


def _read(path: Path) -> str:
    try:
        with path.open() as file:
            return file.read(LONGEST)
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidInput(f"{path} cannot be read ({fault})") from None


def _put(folder: StateFolder, ring: KeyRing, *, replace: bool) -> bool:
    """Write the key down; return whether it was not there already."""
    now = datetime.now(UTC)
    if not folder.key.exists():
        write_ring(folder.key, ring)
        return True
    try:
        present = read_ring(folder.key)
    except Insecure:
        if not replace:
            raise
        write_ring(folder.key, ring)
        return True
    if present.active(now).secret == ring.active(now).secret:
        return False
    if not replace:
        raise Conflict(
            f"{folder.key} holds another key ({present.active(now).fingerprint}): if this host is "
            "to leave that key's cluster, add --replace"
        )
    change_ring(folder.key, lambda before: before.replaced(ring, now))
    return True


def _rotate(given: Namespace, terminal: Terminal) -> ExitCode:
    asked = {"grace": given.grace, "after": given.after}
    body = {name: value for name, value in asked.items() if value is not None}
    told = service_of(given).post("/keys/rotation", body)
    terminal.data(told)
    since, until = (datetime.fromisoformat(told[name]) for name in ("since", "until"))
    terminal.say(
        f"a new key signs and seals from {_at(since)}; the one before is taken until {_at(until)}; "
        "hosts that are down until then need 'kirby key take'"
    )
    return ExitCode.OK
