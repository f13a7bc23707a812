"""What a receiver takes for a frame of its cluster's."""

import pickle

import pytest

from kirby.actors.frames import (
    MESSAGE_LIMIT,
    NOT_TAKEN,
    REMEMBERED_S,
    TAKEN,
    FrameBuffer,
    FrameRefused,
    Signer,
    always,
)

KEY = b"k" * 32
ALPHA, BETA = "127.0.0.1:8641", "127.0.0.2:8641"


class Clocks:
    """A wall clock and one that never jumps, moved by hand."""

    def __init__(self) -> None:
        self.wall_s, self.monotonic_s = 1_700_000_000.0, 50.0

    def signer(self, key: bytes = KEY) -> Signer:
        return Signer(always(key), wall=lambda: self.wall_s, monotonic=lambda: self.monotonic_s)

    def pass_by(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds


def body_of(frame: bytes) -> bytes:
    return frame[8:]


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def buffer(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> FrameBuffer:
    monkeypatch.setattr(FrameBuffer, "signer", clocks.signer(), raising=False)
    monkeypatch.setattr(FrameBuffer, "own", {ALPHA})
    return FrameBuffer()


def test_what_one_seals_the_other_opens(clocks: Clocks) -> None:
    sender, receiver = clocks.signer(), clocks.signer()

    payload = receiver.open(body_of(sender.seal(b"rise", ALPHA)), {ALPHA})

    assert payload == b"rise"


def test_a_frame_of_another_key_is_refused(clocks: Clocks) -> None:
    forged = clocks.signer(b"x" * 32).seal(b"rise", ALPHA)

    with pytest.raises(FrameRefused, match="not signed"):
        clocks.signer().open(body_of(forged), {ALPHA})


@pytest.mark.parametrize("place", [0, 9, 20, 40, -1])
def test_a_frame_with_any_bit_changed_is_refused(clocks: Clocks, place: int) -> None:
    body = bytearray(body_of(clocks.signer().seal(b"rise", ALPHA)))
    body[place] ^= 1

    with pytest.raises(FrameRefused):
        clocks.signer().open(bytes(body), {ALPHA})


def test_a_frame_for_another_receiver_is_refused(clocks: Clocks) -> None:
    frame = clocks.signer().seal(b"rise", BETA)

    with pytest.raises(FrameRefused, match="another receiver"):
        clocks.signer().open(body_of(frame), {ALPHA})


def test_a_frame_passes_once(clocks: Clocks) -> None:
    receiver = clocks.signer()
    frame = body_of(clocks.signer().seal(b"rise", ALPHA))
    receiver.open(frame, {ALPHA})
    clocks.pass_by(59)

    with pytest.raises(FrameRefused, match="came before"):
        receiver.open(frame, {ALPHA})


@pytest.mark.parametrize("off", [-61.0, 61.0])
def test_a_frame_more_than_a_minute_off_is_refused(clocks: Clocks, off: float) -> None:
    receiver = clocks.signer()
    clocks.pass_by(REMEMBERED_S)
    clocks.wall_s += off
    frame = body_of(clocks.signer().seal(b"rise", ALPHA))
    clocks.wall_s -= off

    with pytest.raises(FrameRefused, match="a minute off"):
        receiver.open(frame, {ALPHA})


def test_no_number_is_forgotten_while_its_frame_is_fresh(clocks: Clocks) -> None:
    receiver = clocks.signer()
    clocks.wall_s += 59
    frame = body_of(clocks.signer().seal(b"rise", ALPHA))
    clocks.wall_s -= 59
    receiver.open(frame, {ALPHA})

    for _ in range(118):
        clocks.pass_by(1)
        receiver.open(body_of(clocks.signer().seal(b"bake", ALPHA)), {ALPHA})
        with pytest.raises(FrameRefused):
            receiver.open(frame, {ALPHA})


def test_numbers_are_not_remembered_for_ever(clocks: Clocks) -> None:
    receiver = clocks.signer()

    for _ in range(2000):
        clocks.pass_by(1)
        receiver.open(body_of(clocks.signer().seal(b"rise", ALPHA)), {ALPHA})

    assert len(receiver.numbers._recent | receiver.numbers._before) <= 2 * REMEMBERED_S + 2


def test_a_new_receiver_on_an_old_port_refuses_what_its_predecessor_took(clocks: Clocks) -> None:
    frame = body_of(clocks.signer().seal(b"rise", ALPHA))
    clocks.pass_by(1)
    successor = clocks.signer()

    with pytest.raises(FrameRefused, match="before this receiver"):
        successor.open(frame, {ALPHA})


def test_nothing_is_unpickled_before_the_check(buffer: FrameBuffer) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (pytest.fail, ("it was unpickled",))

    forged = Signer(always(b"x" * 32)).seal(pickle.dumps(Bomb()), ALPHA)

    with pytest.raises(FrameRefused):
        buffer.addMore(forged)
    assert buffer.completed() is None


def test_a_frame_may_come_byte_by_byte(clocks: Clocks, buffer: FrameBuffer) -> None:
    frame = clocks.signer().seal(pickle.dumps(("from", "message")), ALPHA)

    for place in range(len(frame)):
        assert not buffer.isDone()
        assert buffer.remainingAmount() > 0
        buffer.addMore(frame[place : place + 1])

    assert buffer.completed() == (("from", "message"), b"")


@pytest.mark.parametrize(
    "start",
    [
        b"49>\x80\x04\x95bare!",
        b"KF1\x01" + (MESSAGE_LIMIT * 2).to_bytes(4, "big"),
        b"KF1\x02\x00\x00\x00\x01",
        b"KF1\x09\x00\x00\x00\x00",
    ],
    ids=["no frame", "too large", "a swollen acknowledgement", "an unknown kind"],
)
def test_what_is_no_frame_is_refused_by_its_header(buffer: FrameBuffer, start: bytes) -> None:
    with pytest.raises(FrameRefused):
        buffer.addMore(start)


def test_an_acknowledgement_is_a_bare_header(buffer: FrameBuffer) -> None:
    refused = FrameBuffer()

    buffer.addMore(TAKEN)
    refused.addMore(NOT_TAKEN)

    assert buffer.completed() == ("ACK", b"")
    assert refused.completed() == ("ACK+DATAERR", b"")


def test_a_message_that_nobody_would_take_is_refused_where_it_is_sent(clocks: Clocks) -> None:
    with pytest.raises(FrameRefused, match="at most 4194304"):
        clocks.signer().seal(bytes(MESSAGE_LIMIT + 1), ALPHA)
