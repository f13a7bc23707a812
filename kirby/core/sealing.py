"""Which sealed texts hold the same secret, though each sealing looks different.

A sealed text is `IDENTITY:CIPHERTEXT`. The identity is drawn when a person sets the secret, and is
kept when it is sealed anew with another key of the cluster: so a daemon whose secrets were only
sealed anew goes on (`core.guarding.fitting`).
"""

import hashlib

SEPARATOR = ":"  # no character of a ciphertext, which is base64
IDENTITY_BYTES = 8


def identity_of(sealed: str) -> str:
    """Return what stays when a secret is sealed anew; of a bare ciphertext, its digest."""
    identity, separator, _ = sealed.rpartition(SEPARATOR)
    if separator:
        return identity
    return hashlib.blake2b(sealed.encode(), digest_size=IDENTITY_BYTES).hexdigest()


def ciphertext_of(sealed: str) -> str:
    """Return the part that a key opens."""
    return sealed.rpartition(SEPARATOR)[2]


def sealed_text(identity: str, ciphertext: str) -> str:
    """Put a sealed text together."""
    return f"{identity}{SEPARATOR}{ciphertext}"
