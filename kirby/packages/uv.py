"""Run uv, with nothing in its surroundings that a user of this machine left for another purpose.

What the machine needs to reach others is kept: certificates, proxies, the place of caches.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from uv import find_uv_bin

KEPT = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
        "XDG_CACHE_HOME", "LD_LIBRARY_PATH",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT",
        "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
        "http_proxy", "https_proxy", "all_proxy", "no_proxy",
        # What a build from source is told, where a context allows one.
        "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "PKG_CONFIG_PATH",
    }
)  # fmt: skip
QUIET = ("--no-config", "--color", "never", "--no-progress", "--no-python-downloads")

_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


@dataclass(frozen=True, kw_only=True)
class Said:
    """What uv left behind."""

    status: int
    error: str

    @property
    def went_well(self) -> bool:
        """Whether it did what it was asked."""
        return self.status == 0


def scrubbed(
    environ: Mapping[str, str],
    *,
    netrc: Path | None = None,
    direct: Sequence[str] = (),
    cache: Path | None = None,
) -> dict[str, str]:
    """Return the environment for uv.

    Args:
        environ: of this process.
        netrc: the file with names and passwords of the indexes.
        direct: hosts that are reached without a proxy, whatever the proxy of this machine is.
        cache: where uv keeps its cache, None: where it always does.
    """
    kept = {name: value for name, value in environ.items() if name in KEPT}
    if netrc:
        kept["NETRC"] = str(netrc)
    if cache:
        kept["UV_CACHE_DIR"] = str(cache)
    if direct:
        without = [kept.get("NO_PROXY") or kept.get("no_proxy") or "", *direct]
        kept["NO_PROXY"] = kept["no_proxy"] = ",".join(filter(None, without))
    return kept


def run_uv(
    *arguments: str | Path,
    environment: Mapping[str, str],
    folder: Path,
    limit: timedelta,
    quiet: Sequence[str] = QUIET,
) -> Said:
    """Run uv to its end.

    Args:
        arguments: of uv, the subcommand first.
        environment: all of it, see `scrubbed`.
        folder: where it runs; one in which no project lies.
        limit: after this long it is killed.
        quiet: options that keep it to the matter.

    Raises:
        TimeoutError: it did not end in time.
    """
    command = [find_uv_bin(), *quiet, *map(str, arguments)]
    process = subprocess.Popen(
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    try:
        _, error = process.communicate(timeout=limit.total_seconds())
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise TimeoutError(f"it did not end within {limit}") from None
    return Said(status=process.returncode, error=error.decode(errors="replace"))


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies: no build outlives who wants it."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
