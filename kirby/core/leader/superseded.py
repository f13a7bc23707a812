"""Which claims of an earlier life of a Runner are void (rules L3 and L4).

A claim of an incarnation that a newer one of its host has superseded is lost if the newer one's
heartbeat does not list it and the runs topic has no end of it. The second half is only known when
that topic was read past the high watermark taken after the heartbeat was read: so suspects wait for
a watermark, and the watermark waits for the reader. One such inquiry is under way at a time.
"""

from dataclasses import dataclass

from kirby.core.names import AttemptId
from kirby.core.records import Offsets


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """What is known of the suspects, and how far the runs topic must be read to judge them."""

    suspects: frozenset[AttemptId] = frozenset()  # found since the watermark was asked for
    accused: frozenset[AttemptId] = frozenset()  # found before
    watermark: Offsets | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no watermark has been asked for."""
        return not self.accused


def suspect(inquiry: Inquiry, attempts: frozenset[AttemptId]) -> Inquiry:
    """Take what the newest heartbeats do not list."""
    fresh = attempts - inquiry.accused
    return Inquiry(
        suspects=inquiry.suspects | fresh, accused=inquiry.accused, watermark=inquiry.watermark
    )


def ask(inquiry: Inquiry) -> tuple[Inquiry, bool]:
    """Begin to judge the suspects; tell whether a high watermark must be asked for now."""
    if not inquiry.is_idle or not inquiry.suspects:
        return inquiry, False
    return Inquiry(accused=inquiry.suspects), True


def answered(inquiry: Inquiry, watermark: Offsets | None) -> Inquiry:
    """Take the high watermark; None (no answer) sends the accused back to the suspects."""
    if watermark is None:
        return Inquiry(suspects=inquiry.suspects | inquiry.accused)
    return Inquiry(suspects=inquiry.suspects, accused=inquiry.accused, watermark=watermark)


def judge(inquiry: Inquiry, read: Offsets) -> tuple[Inquiry, frozenset[AttemptId]]:
    """Return who can be judged now that the runs topic was read up to `read`."""
    if inquiry.watermark is None or not _has_passed(read, inquiry.watermark):
        return inquiry, frozenset()
    return Inquiry(suspects=inquiry.suspects), inquiry.accused


def _has_passed(read: Offsets, watermark: Offsets) -> bool:
    return len(read) >= len(watermark) and all(
        have >= want for have, want in zip(read, watermark, strict=False)
    )
