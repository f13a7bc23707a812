"""Where the web service is, and with which token it is asked."""

import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kirby.cli.service import Service
from kirby.core.errors import NotPermitted, ServiceUnreachable
from kirby.host.state import StateFolder, default_state_folder
from kirby.host.token_file import TokenFile, read_token_file

URL, TOKEN = "KIRBY_URL", "KIRBY_TOKEN"


def folder_of(given: Namespace) -> StateFolder:
    """Return the state folder that the command line means."""
    path = given.state or os.environ.get("KIRBY_STATE")
    chosen = Path(path) if path else default_state_folder(Path.cwd(), Path.home())
    return StateFolder(path=chosen.absolute())


def service_of(given: Namespace, environment: Mapping[str, str] = os.environ) -> Service:
    """Return the web service to ask: KIRBY_URL and KIRBY_TOKEN, else what the state folder says.

    Raises:
        ServiceUnreachable: neither says where it is.
        NotPermitted: the state folder's token cannot be read.
    """
    url, token = environment.get(URL), environment.get(TOKEN)
    if url and token:
        return Service(url=url, token=token)
    known = _token_file(folder_of(given))
    return Service(url=url or known.url, token=token or known.token)


def _token_file(folder: StateFolder) -> TokenFile:
    try:
        return read_token_file(folder)
    except FileNotFoundError:
        raise ServiceUnreachable(
            f"no Kirby was started in {folder.path}: run 'kirby start', name its folder with "
            f"--state, or set {URL} and {TOKEN}"
        ) from None
    except (OSError, msgspec.MsgspecError) as fault:
        raise NotPermitted(
            f"{folder.token} cannot be read ({fault}): set {URL} and {TOKEN}, "
            "or have it written anew by 'kirby start'"
        ) from None
