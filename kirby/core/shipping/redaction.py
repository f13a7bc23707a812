"""Secrets taken out of output by their values, wherever these are cut into chunks or lines.

What is looked for: each secret as it is, without the white space around it, as JSON writes it, and
each longer line of one that has several. A value of fewer than `SHORTEST` characters is left alone:
to take out every "1" or "yes" would spoil the output and tell nobody anything.

Overlapping secrets go as one: nothing of the longer is left when the shorter is taken out.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

SHORTEST = 4  # characters of a secret that is taken out
SHORTEST_LINE = 8  # of one line of it: a line such as "}" is no secret
MASK = b"***"


@dataclass(frozen=True, kw_only=True)
class Redactor:
    """The values that may not be seen; longest first."""

    patterns: tuple[bytes, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, secrets: Iterable[str]) -> "Redactor":
        """Make a redactor for the values of a script's secret variables."""
        forms = {form.encode(errors="replace") for secret in secrets for form in _forms(secret)}
        return cls(patterns=tuple(sorted(forms, key=lambda form: (-len(form), form))))

    def redact(self, text: str) -> str:
        """Return a whole text without secrets."""
        return self.redact_bytes(text.encode(errors="surrogateescape")).decode(
            errors="surrogateescape"
        )

    def redact_bytes(self, whole: bytes) -> bytes:
        """Return a whole output without secrets."""
        return _masked(whole, self._spans(whole))

    def step(self, held: bytes, chunk: bytes) -> tuple[bytes, bytes]:
        """Take the next chunk of a stream; return what may be seen, and what is held back.

        Held back is only an end that may be the beginning of a secret. Begin with `held=b""`; at
        the end of the stream, `redact_bytes(held)` is the rest.
        """
        text = held + chunk
        spans = self._spans(text)
        cut = self._open_from(text)
        for begin, end in spans:
            if begin < cut < end:
                cut = begin  # what overlaps the open end waits with it
        closed = [(begin, end) for begin, end in spans if end <= cut]
        return _masked(text[:cut], closed), text[cut:]

    def _spans(self, text: bytes) -> list[tuple[int, int]]:
        """Return where secrets are, in order; those that overlap are one."""
        found = sorted(span for pattern in self.patterns for span in _all(text, pattern))
        spans: list[tuple[int, int]] = []
        for begin, end in found:
            if spans and begin < spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], end))
            else:
                spans.append((begin, end))
        return spans

    def _open_from(self, text: bytes) -> int:
        """Return the first position from which on the text may become a secret."""
        return min((_open_from(text, pattern) for pattern in self.patterns), default=len(text))


def _forms(secret: str) -> Iterator[str]:
    """Give the ways in which a secret may show up."""
    bare = secret.strip()
    if len(bare) < SHORTEST:
        return
    yield from (secret, bare)
    yield json.dumps(bare)[1:-1]
    yield json.dumps(bare, ensure_ascii=False)[1:-1]
    lines = [line.strip() for line in bare.splitlines()]
    if len(lines) > 1:
        yield "\r\n".join(bare.splitlines())
        yield from (line for line in lines if len(line) >= SHORTEST_LINE)


def _all(text: bytes, pattern: bytes) -> Iterator[tuple[int, int]]:
    at = text.find(pattern)
    while at >= 0:
        yield at, at + len(pattern)
        at = text.find(pattern, at + 1)


def _open_from(text: bytes, pattern: bytes) -> int:
    at = max(len(text) - len(pattern) + 1, 0)
    while (at := text.find(pattern[:1], at)) >= 0:
        if pattern.startswith(text[at:]):
            return at
        at += 1
    return len(text)


def _masked(text: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Replace the spans by the mask."""
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    kept = [text[begin:end] for begin, end in list(pairwise(edges))[::2]]
    return MASK.join(kept)
