"""How a token travels to a package index: as the password that installers and twine send."""

import base64
import binascii

USER = "__token__"  # the user name that package indexes take for "the password is a token"


def token_of(authorization: str) -> str | None:
    """Return the token of an `Authorization` header, None where there is none."""
    scheme, _, rest = authorization.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip() or None
        case "basic":
            try:
                pair = base64.b64decode(rest.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return None
            return pair.partition(":")[2] or None
        case _:
            return None
