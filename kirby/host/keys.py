"""The cluster's key, and the keys derived from it: frames, seals, tokens of hosts and of runs.

Every host and web service holds the one cluster key (32 random bytes). What each use needs is
derived from it (BLAKE2b in keyed mode, RFC 7693, with the use as personalisation), so that a
derived key tells nothing of the others.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.fernet import Fernet, InvalidToken

from kirby.core.errors import Insecure
from kirby.core.nouns import Variable
from kirby.host.state import StateFolder, write_private

KEY_BYTES = 32
TOKEN_PREFIX = "kby_"


@dataclass(frozen=True, kw_only=True)
class ClusterKey:
    """The secret that all hosts of a cluster share."""

    secret: bytes = field(repr=False)

    def derive(self, use: str) -> bytes:
        """Return 32 bytes for a use of at most 16 characters."""
        return hashlib.blake2b(key=self.secret, person=use.encode(), digest_size=KEY_BYTES).digest()

    @cached_property
    def frames(self) -> bytes:
        """Signs the frames between actors."""
        return self.derive("frames")

    @cached_property
    def _sealer(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self.derive("seal")))

    def seal(self, text: str) -> str:
        """Encrypt and authenticate a secret."""
        return self._sealer.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            Insecure: it was sealed with another key, or changed since.
        """
        try:
            return self._sealer.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Insecure(
                "a secret cannot be opened with this host's key: "
                "copy the cluster's key to this host"
            ) from None

    def value_of(self, variable: Variable) -> str:
        """Return a variable's value, opened if it is sealed."""
        return self.open(variable.value) if variable.sealed else variable.value

    def host_token(self) -> str:
        """Return the token with which hosts ask the web service."""
        return self._token("host-token", "")

    def run_token(self, run: str) -> str:
        """Return the token of one run or instance; it is good for that run only."""
        return self._token("run-token", run)

    def is_host_token(self, token: str) -> bool:
        """Tell in constant time whether a host of this cluster asks."""
        return hmac.compare_digest(token.encode(), self.host_token().encode())

    def is_run_token(self, run: str, token: str) -> bool:
        """Tell in constant time whether `run` itself asks."""
        return hmac.compare_digest(token.encode(), self.run_token(run).encode())

    def _token(self, use: str, text: str) -> str:
        digest = hmac.digest(self.derive(use), text.encode(), "sha256")
        return TOKEN_PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def load_key(folder: StateFolder) -> ClusterKey:
    """Read the cluster's key.

    Raises:
        Insecure: there is none, others may read it, or it is no key.
    """
    path = folder.key
    if not path.exists():
        raise Insecure(
            f"{path} is missing: start Kirby once, or copy the key of another host there"
        )
    if path.stat().st_mode & 0o077:
        raise Insecure(f"{path} can be read by others: run 'chmod 600 {path}'")
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise Insecure(f"{path} is no cluster key: it needs {KEY_BYTES * 2} hexadecimal digits")
    return ClusterKey(secret=secret)


def load_or_create_key(folder: StateFolder) -> ClusterKey:
    """Read the cluster's key, or make the first host's."""
    if not folder.key.exists():
        write_private(folder.key, secrets.token_hex(KEY_BYTES))
    return load_key(folder)


def new_token() -> str:
    """Draw a token for a person or a program."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is kept of a token: it is random and long, so one round is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
