"""The cluster's keys, and those derived from them: frames, seals, tokens of hosts and of runs.

Every host and web service holds the same ring of keys (32 random bytes each, `core.key_ring`). What
each use needs is derived from a key (BLAKE2b in keyed mode, RFC 7693, with the use as
personalisation), so that a derived key tells nothing of the others.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from cryptography.fernet import Fernet, InvalidToken

from kirby.core.errors import Insecure
from kirby.core.key_ring import KeyRing, RingKey
from kirby.core.nouns import Variable
from kirby.core.sealing import IDENTITY_BYTES, ciphertext_of, identity_of, sealed_text
from kirby.host.key_file import KEY_BYTES, KeyFile, write_ring
from kirby.host.state import StateFolder

TOKEN_PREFIX = "kby_"
RINGS_KEPT = 16


@dataclass(frozen=True, kw_only=True)
class ClusterKey:
    """One key that all hosts of a cluster share."""

    secret: bytes = field(repr=False)

    def derive(self, use: str) -> bytes:
        """Return 32 bytes for a use of at most 16 characters."""
        return hashlib.blake2b(key=self.secret, person=use.encode(), digest_size=KEY_BYTES).digest()

    @cached_property
    def frames(self) -> bytes:
        """Signs the frames between actors."""
        return self.derive("frames")

    @cached_property
    def sealer(self) -> Fernet:
        """Encrypts and authenticates."""
        return Fernet(base64.urlsafe_b64encode(self.derive("seal")))

    def opened(self, ciphertext: str) -> str | None:
        """Return what was sealed with this key; None: it was not, or was changed since."""
        try:
            return self.sealer.decrypt(ciphertext.encode()).decode()
        except InvalidToken:
            return None

    def token(self, use: str, text: str) -> str:
        """Return a token that only holders of this key can make."""
        digest = hmac.digest(self.derive(use), text.encode(), "sha256")
        return TOKEN_PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


@lru_cache(maxsize=RINGS_KEPT)
def key_of(secret: bytes) -> ClusterKey:
    """Return a key, whose derived keys are worked out once."""
    return ClusterKey(secret=secret)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class ClusterKeys:
    """The keys as they are at each moment: the active one makes, all that are taken are tried."""

    ring: Callable[[], KeyRing] = field(repr=False)
    now: Callable[[], datetime] = field(default=_utc_now, repr=False)

    @staticmethod
    def of(secret: bytes) -> "ClusterKeys":
        """Return a ring of one key that never changes."""
        ring = KeyRing(keys=(RingKey(secret=secret),))
        return ClusterKeys(ring=lambda: ring)

    @property
    def active(self) -> ClusterKey:
        """Return the key that makes."""
        return key_of(self.ring().active(self.now()).secret)

    @property
    def taken(self) -> tuple[ClusterKey, ...]:
        """Return the keys whose tokens and signatures are taken, the active one first."""
        return tuple(key_of(key.secret) for key in self.ring().taken(self.now()))

    @property
    def kept(self) -> tuple[ClusterKey, ...]:
        """Return all keys, also those that only open what was sealed long ago."""
        return tuple(key_of(key.secret) for key in self.ring().kept(self.now()))

    def frame_keys(self) -> tuple[bytes, ...]:
        """Return what signs frames, and then what else is taken."""
        return tuple(key.frames for key in self.taken)

    def seal(self, text: str) -> str:
        """Encrypt and authenticate a secret."""
        ciphertext = self.active.sealer.encrypt(text.encode()).decode()
        return sealed_text(secrets.token_hex(IDENTITY_BYTES), ciphertext)

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            Insecure: it was sealed with another key, or changed since.
        """
        for key in self.kept:
            text = key.opened(ciphertext_of(sealed))
            if text is not None:
                return text
        raise Insecure(
            "a secret cannot be opened with this host's key: copy the cluster's key to this host "
            "('kirby key show' there, 'kirby key take' here)"
        )

    def resealed(self, sealed: str) -> str:
        """Return the same secret sealed with the active key; one that is already stays as it is.

        Raises:
            Insecure: it cannot be opened.
        """
        active = self.active
        if active.opened(ciphertext_of(sealed)) is not None:
            return sealed
        ciphertext = active.sealer.encrypt(self.open(sealed).encode()).decode()
        return sealed_text(identity_of(sealed), ciphertext)

    def value_of(self, variable: Variable) -> str:
        """Return a variable's value, opened if it is sealed."""
        return self.open(variable.value) if variable.sealed else variable.value

    def host_token(self) -> str:
        """Return the token with which hosts ask the web service."""
        return self.active.token("host-token", "")

    def run_token(self, run: str) -> str:
        """Return the token of one run or instance; it is good for that run only."""
        return self.active.token("run-token", run)

    def run_tokens(self, run: str) -> tuple[str, ...]:
        """Return every token that this run may have been given."""
        return tuple(key.token("run-token", run) for key in self.kept)

    def is_host_token(self, token: str) -> bool:
        """Tell in constant time whether a host of this cluster asks."""
        return _is_one_of(token, (key.token("host-token", "") for key in self.taken))

    def was_host_token(self, token: str) -> bool:
        """Tell whether a host asks that missed a change of key for longer than its grace."""
        return _is_one_of(token, (key.token("host-token", "") for key in self.kept))

    def is_run_token(self, run: str, token: str) -> bool:
        """Tell in constant time whether `run` itself asks."""
        return _is_one_of(token, (key.token("run-token", run) for key in self.taken))

    def csrf(self, cookie: str) -> str:
        """Return what a page of a session must send with each change."""
        return hmac.digest(self.active.derive("csrf"), cookie.encode(), "sha256").hex()

    def is_csrf(self, cookie: str, given: str) -> bool:
        """Tell in constant time whether one of our pages of this session sends."""
        made = (hmac.digest(k.derive("csrf"), cookie.encode(), "sha256").hex() for k in self.taken)
        return _is_one_of(given, made)


def _is_one_of(given: str, good: Iterable[str]) -> bool:
    told = given.encode(errors="surrogatepass")
    return sum(hmac.compare_digest(told, each.encode()) for each in good) > 0


def load_keys(folder: StateFolder) -> ClusterKeys:
    """Read the cluster's keys; what is returned follows the file.

    Raises:
        Insecure: there is none, others may read it, or it is no key.
    """
    file = KeyFile(path=folder.key)
    file.ring()
    return ClusterKeys(ring=file.ring)


def load_or_create_keys(folder: StateFolder) -> ClusterKeys:
    """Read the cluster's keys, or make the first host's."""
    if not folder.key.exists():
        first = RingKey(secret=secrets.token_bytes(KEY_BYTES))
        write_ring(folder.key, KeyRing(keys=(first,)))
    return load_keys(folder)
