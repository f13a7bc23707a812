"""`exec`: a script run here and now, with its context's variables, by nobody but this command."""

import os
import secrets
import subprocess
from argparse import Namespace
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kirby.cli.connecting import folder_of, service_of
from kirby.cli.service import Service
from kirby.cli.terminal import Terminal
from kirby.cli.trial import trial_environment
from kirby.core.errors import ExitCode, InvalidInput, NotFound, NotPermitted, ServiceUnreachable
from kirby.core.names import ContextKey, context_key, manual_run_id, split_context
from kirby.host.host_file import read_host_file
from kirby.kafka.settings import settings_of
from kirby.packages.publishing import make_wheel

KAFKA = "KIRBY_KAFKA"
UNVERSIONED = "0"  # a file that says no version may be tried all the same
SIGNAL_BASE = 128  # a process that a signal ended, as shells tell it


def execute(given: Namespace, terminal: Terminal) -> ExitCode | int:
    """Build, run in the foreground, and end with the script's own exit status."""
    wheel = _wheel(given.path)
    job = given.job or wheel.requirement.name.replace("-", "_")
    context = context_key(job, given.env)
    environment = {**os.environ, **_variables(given, terminal, context), **_kafka(given)}
    run = manual_run_id(context, datetime.now(UTC), f"exec-{secrets.token_hex(4)}")
    environment |= _identity(run, context, str(wheel.requirement))
    with ExitStack() as stack:
        with terminal.waiting(f"building the environment of {wheel.requirement} …"):
            built = stack.enter_context(trial_environment(wheel))
        status = _run([*built.command, *given.arguments], environment)
    return status if status >= 0 else SIGNAL_BASE - status


def _run(command: list[str], environment: Mapping[str, str]) -> int:
    """Run in the foreground; Ctrl-C reaches the script, too, and it says how it ends."""
    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def _wheel(path: Path) -> Any:
    try:
        return make_wheel(path)
    except InvalidInput as fault:
        if path.suffix == ".py" and "version" in str(fault):
            return make_wheel(path, version=UNVERSIONED)
        raise


def _variables(given: Namespace, terminal: Terminal, context: ContextKey) -> dict[str, str]:
    """Ask for the context's variables; without a service or a context the shell's must do."""
    try:
        service = service_of(given)
        found = _asked(service, context)
    except (ServiceUnreachable, NotFound, NotPermitted) as fault:
        terminal.note(f"only this shell's variables are set: {fault}")
        return {}
    return {
        **found["variables"],
        "KIRBY_TOPIC_PREFIX": found["topic_prefix"],
        "KIRBY_URL": service.url,
    }


def _asked(service: Service, context: ContextKey) -> dict[str, Any]:
    answer: dict[str, Any] = service.get(f"/contexts/{context}/variables")
    return answer


def _kafka(given: Namespace) -> dict[str, str]:
    """Tell the script where Kafka is: as the shell says, else as this host's start process did."""
    if KAFKA in os.environ:
        return {}
    host = read_host_file(folder_of(given))
    return {KAFKA: settings_of(host.configuration).for_scripts()} if host is not None else {}


def _identity(run: str, context: ContextKey, package: str) -> dict[str, str]:
    """Return who the script is; a consumer group of its own takes nothing from the real one."""
    job, environment = split_context(context)
    return {
        "KIRBY_RUN_ID": run,
        "KIRBY_ATTEMPT": "1",
        "KIRBY_JOB": job,
        "KIRBY_ENVIRONMENT": environment,
        "KIRBY_GROUP": f"{environment}.{job}.exec",
        "KIRBY_PACKAGE": package,
    }
