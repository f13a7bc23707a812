"""Text from elsewhere as it may be shown: what a terminal would obey is replaced by what is seen.

Each character becomes one other, so that styles and columns stay where they were.
"""

PICTURES = 0x2400  # "␀", the picture of NUL; those of the other control characters follow
DELETE, DELETE_PICTURE = 0x7F, 0x2421
KEPT = "\n\t"
INSTEAD = "\ufffd"  # of what has no picture

_C1 = range(0x80, 0xA0)  # a terminal may take 0x9B for ESC [
_DIRECTION = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # text that reads otherwise
_LINES = (0x2028, 0x2029)
_SURROGATES = range(0xD800, 0xE000)  # no encoding of a terminal takes one

_SHOWN = {
    **{code: chr(PICTURES + code) for code in range(0x20) if chr(code) not in KEPT},
    DELETE: chr(DELETE_PICTURE),
    **dict.fromkeys((*_C1, *_DIRECTION, *_LINES, *_SURROGATES), INSTEAD),
}
_ESCAPED = {code: f"\\u{code:04x}" for code in _SHOWN if code >= 0x20}


def visible(text: str) -> str:
    """Replace what a terminal would obey; lines and tabs stay."""
    return text.translate(_SHOWN)


def escaped_json(text: str) -> str:
    """Escape, in JSON that is written already, what JSON itself would let through."""
    return text.translate(_ESCAPED)
