"""Which key signs at an instant, and which are taken besides."""

from datetime import UTC, datetime, timedelta

from kirby.core.key_ring import (
    KEPT_MOST,
    SKEW,
    Announced,
    KeyRing,
    RingKey,
    Succession,
    fingerprint_of,
    learn,
)

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
FIRST, SECOND, THIRD = b"1" * 32, b"2" * 32, b"3" * 32
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def a_ring(*secrets: bytes) -> KeyRing:
    return KeyRing(keys=tuple(RingKey(secret=secret) for secret in secrets or (FIRST,)))


def change(of: bytes, to: bytes, *, since: datetime, grace: timedelta = DAY) -> Announced:
    """Announce a key; what a test seals is the plain text beside the key that sealed it."""
    sealed = f"{of.hex()} {to.hex()} {since.isoformat()} {(since + grace).isoformat()}"
    return Announced(of=fingerprint_of(of), key=fingerprint_of(to), sealed=sealed)


def opened(key: RingKey, sealed: str) -> Succession | None:
    of, to, since, until = sealed.split()
    if bytes.fromhex(of) != key.secret:
        return None
    return Succession(
        secret=bytes.fromhex(to),
        since=datetime.fromisoformat(since),
        until=datetime.fromisoformat(until),
    )


def learnt(ring: KeyRing, *told: Announced, now: datetime = NOON) -> KeyRing:
    return learn(ring, told, now, opened)


def secrets(keys: tuple[RingKey, ...]) -> list[bytes]:
    return [key.secret for key in keys]


def test_an_announced_key_is_taken_at_once_and_signs_from_its_instant():
    ring = learnt(a_ring(), change(FIRST, SECOND, since=NOON + MINUTE))

    assert ring.active(NOON).secret == FIRST
    assert secrets(ring.taken(NOON)) == [FIRST, SECOND]
    assert ring.active(NOON + MINUTE).secret == SECOND


def test_the_old_key_is_taken_for_the_grace_period_and_for_the_skew_of_clocks():
    ring = learnt(a_ring(), change(FIRST, SECOND, since=NOON, grace=DAY))

    assert secrets(ring.taken(NOON + DAY + SKEW - timedelta(seconds=1))) == [SECOND, FIRST]
    assert secrets(ring.taken(NOON + DAY + SKEW)) == [SECOND]


def test_a_host_whose_clock_is_late_goes_on_with_the_old_key_and_is_understood():
    change_at = NOON + MINUTE
    ring = learnt(a_ring(), change(FIRST, SECOND, since=change_at, grace=timedelta(0)))

    late, early = change_at - SKEW, change_at

    assert ring.active(late).secret == FIRST
    assert FIRST in secrets(ring.taken(early))
    assert SECOND in secrets(ring.taken(late))


def test_an_old_key_still_opens_what_it_sealed_when_it_is_taken_no_more():
    ring = learnt(a_ring(), change(FIRST, SECOND, since=NOON))

    assert secrets(ring.kept(NOON + 9 * DAY)) == [SECOND, FIRST]


def test_two_changes_within_one_grace_period_leave_three_keys_that_are_taken():
    first = change(FIRST, SECOND, since=NOON)
    second = change(SECOND, THIRD, since=NOON + MINUTE)

    ring = learnt(a_ring(), first, second)

    assert secrets(ring.taken(NOON + 2 * MINUTE)) == [THIRD, SECOND, FIRST]


def test_a_host_that_was_down_for_both_learns_them_one_after_the_other():
    told = [change(FIRST, SECOND, since=NOON), change(SECOND, THIRD, since=NOON + MINUTE)]

    ring = learnt(a_ring(), *told, now=NOON + DAY)

    assert ring.active(NOON + DAY).secret == THIRD


def test_learning_the_same_change_again_changes_nothing():
    told = change(FIRST, SECOND, since=NOON)
    ring = learnt(a_ring(), told)

    assert learnt(ring, told, now=NOON + MINUTE) == ring


def test_a_host_that_was_down_for_longer_than_the_grace_period_learns_nothing():
    expired = Announced(of=fingerprint_of(FIRST), key=fingerprint_of(SECOND), sealed="")

    assert learnt(a_ring(), expired, now=NOON + 2 * DAY) == a_ring()


def test_whoever_holds_an_expired_key_can_announce_none():
    ring = learnt(a_ring(), change(FIRST, SECOND, since=NOON))

    forged = learnt(ring, change(FIRST, THIRD, since=NOON), now=NOON + 2 * DAY)

    assert forged == ring


def test_a_key_that_is_not_the_one_that_was_named_is_not_taken():
    told = change(FIRST, SECOND, since=NOON)
    swapped = Announced(of=told.of, key=fingerprint_of(THIRD), sealed=told.sealed)

    assert learnt(a_ring(), swapped) == a_ring()


def test_a_change_of_another_cluster_is_passed_over():
    assert learnt(a_ring(), change(SECOND, THIRD, since=NOON)) == a_ring()


def test_a_key_that_is_announced_is_told_until_it_counts():
    ring = learnt(a_ring(), change(FIRST, SECOND, since=NOON + MINUTE))

    upcoming = ring.upcoming(NOON)

    assert upcoming is not None
    assert upcoming.secret == SECOND
    assert ring.upcoming(NOON + MINUTE) is None
    assert a_ring().upcoming(NOON) is None


def test_a_key_put_in_by_hand_counts_at_once_and_the_old_one_only_opens():
    ring = a_ring().replaced(a_ring(SECOND), NOON)

    assert ring.active(NOON).secret == SECOND
    assert secrets(ring.taken(NOON)) == [SECOND]
    assert secrets(ring.kept(NOON)) == [SECOND, FIRST]


def test_a_ring_keeps_so_many_keys_and_no_more():
    ring = a_ring()
    for number in range(20):
        before = ring.active(NOON + number * MINUTE).secret
        after = bytes([number]) * 32
        now = NOON + number * MINUTE
        ring = learnt(ring, change(before, after, since=now), now=now)

    assert len(ring.keys) == KEPT_MOST
    assert ring.active(NOON + 30 * MINUTE).secret == bytes([19]) * 32


def test_no_key_shows_where_a_ring_is_printed():
    assert "1111" not in repr(a_ring())
    assert FIRST.hex() not in repr(a_ring())
