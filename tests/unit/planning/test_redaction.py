import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kirby.core.shipping.redaction import MASK, Redactor

KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n}\n-----END KEY-----\n"


def stream(redactor: Redactor, chunks: list[bytes]) -> bytes:
    held, seen = b"", b""
    for chunk in chunks:
        out, held = redactor.step(held, chunk)
        seen += out
    return seen + redactor.redact_bytes(held)


def test_a_secret_is_replaced_wherever_it_stands() -> None:
    redactor = Redactor.of(["hunter22"])

    assert redactor.redact("token=hunter22;hunter22hunter22") == "token=***;******"


def test_the_longer_of_two_secrets_leaves_nothing_behind() -> None:
    redactor = Redactor.of(["bread", "breadandbutter"])

    assert redactor.redact("breadandbutter bread") == "*** ***"


def test_overlapping_secrets_go_as_one() -> None:
    redactor = Redactor.of(["abcdef", "defghijk"])

    assert redactor.redact("xabcdefghijkx") == "x***x"


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_secret_across_a_boundary_is_found(cut: int) -> None:
    redactor = Redactor.of(["hunter22", "22-more-of-it"])
    text = b"the token hunter22-more-of-it is out"

    assert stream(redactor, [text[:cut], text[cut:]]) == b"the token *** is out"


def test_only_an_end_that_may_become_a_secret_is_held_back() -> None:
    redactor = Redactor.of(["hunter22"])

    assert redactor.step(b"", b"nothing to see\n") == (b"nothing to see\n", b"")
    assert redactor.step(b"", b"a hunt") == (b"a ", b"hunt")
    assert redactor.step(b"hunt", b"ing dog") == (b"hunting dog", b"")


@pytest.mark.parametrize("short", ["", "1", "yes", " ab \n"])
def test_a_value_too_short_to_be_a_secret_is_left_alone(short: str) -> None:
    assert Redactor.of([short]).redact("1 yes ab") == "1 yes ab"


def test_a_secret_of_several_lines_is_found_whole_and_line_by_line() -> None:
    redactor = Redactor.of([KEY])

    assert redactor.redact(f"key:\n{KEY}done") == "key:\n***done"
    assert redactor.redact("  | MIIEvQIBADANBgkq\n  | }") == "  | ***\n  | }"


def test_a_secret_inside_json_is_found() -> None:
    redactor = Redactor.of(['pass"word\nnext', "grüße-aus-köln"])

    assert redactor.redact(r'{"a": "pass\"word\nnext", "b": "gr\u00fc\u00dfe-aus-k\u00f6ln"}') == (
        '{"a": "***", "b": "***"}'
    )


def test_a_file_read_with_its_final_newline_is_redacted_without_it_too() -> None:
    assert Redactor.of(["hunter22\n"]).redact("(hunter22)") == "(***)"


def test_the_redactor_does_not_show_what_it_hides() -> None:
    assert "hunter22" not in repr(Redactor.of(["hunter22"]))


def test_bytes_that_are_no_text_pass() -> None:
    assert Redactor.of(["hunter22"]).redact_bytes(b"\xff\xfe hunter22 \x00") == b"\xff\xfe *** \x00"


@settings(max_examples=200, deadline=None)
@given(
    secrets=st.lists(st.text("ab", min_size=4, max_size=8), min_size=1, max_size=3),
    text=st.text("ab ", max_size=60),
    seed=st.integers(0, 1000),
)
def test_however_a_stream_is_cut_no_secret_is_seen_and_the_rest_is_kept(
    secrets: list[str], text: str, seed: int
) -> None:
    redactor = Redactor.of(secrets)
    chance = random.Random(seed)
    whole = text.encode()
    cuts = sorted(chance.randrange(len(whole) + 1) for _ in range(5))
    edges = [0, *cuts, len(whole)]
    chunks = [whole[begin:end] for begin, end in itertools.pairwise(edges)]

    seen = stream(redactor, chunks)

    assert seen == redactor.redact_bytes(whole)
    assert not any(secret.encode() in seen.replace(MASK, b"*") for secret in secrets)
