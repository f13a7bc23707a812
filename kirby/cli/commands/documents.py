"""`apply` and `export`: all that Kirby is to do, as one document."""

from argparse import Namespace
from typing import Any

from rich.prompt import Confirm
from rich.text import Text

from kirby.cli.connecting import service_of
from kirby.cli.document_file import DocumentFile, read_document
from kirby.cli.service import Service
from kirby.cli.terminal import Cell, Terminal
from kirby.cli.toml_text import write_toml
from kirby.core.errors import ExitCode, InvalidInput
from kirby.core.visible import escaped_json

SIGN_STYLES = {"+": "green", "~": "yellow", "-": "red"}


def apply(given: Namespace, terminal: Terminal) -> ExitCode:
    """Show what would change, ask, and have it done."""
    document = read_document(given.file)
    service = service_of(given)
    plan = _ask(service, "/document/plan", document, {"prune": given.prune})
    changes = plan["changes"]
    if not changes:
        terminal.data({"changes": [], "revision": plan["revision"]})
        terminal.say("nothing to change")
        return ExitCode.OK
    _show(changes, terminal)
    if given.dry_run or not _agreed(given, terminal, len(changes)):
        terminal.data(plan)
        terminal.say("nothing was changed")
        return ExitCode.OK if given.dry_run else ExitCode.FAILED
    wanted = {"prune": given.prune, "revision": plan["revision"]}
    done = _ask(service, "/document/apply", document, wanted)
    terminal.data(done)
    terminal.say(_count(len(done["changes"])) + " applied")
    return ExitCode.OK


def _agreed(given: Namespace, terminal: Terminal, count: int) -> bool:
    """Ask, where somebody can answer; a script that pipes has meant what it says."""
    if given.yes or not terminal.is_interactive:
        return True
    return Confirm.ask(f"{_count(count)}. Apply?", default=False, console=terminal.err)


def _count(count: int) -> str:
    return f"{count} change" if count == 1 else f"{count} changes"


def _ask(service: Service, path: str, document: DocumentFile, options: dict[str, Any]) -> Any:
    """Ask the service; faults of the document get its lines and columns."""
    try:
        return service.post(path, {"document": document.data, **options})
    except InvalidInput as refused:
        raise document.blame(refused.faults) from None


def _show(changes: list[dict[str, Any]], terminal: Terminal) -> None:
    rows: list[tuple[Cell, ...]] = []
    for change in changes:
        values = [text for text in (change["before"], change["after"]) if text]
        rows.append(
            (
                Text(change["sign"], style=SIGN_STYLES.get(change["sign"], "")),
                change["what"],
                change["field"],
                "  →  ".join(values),
                change["note"],
            )
        )
    terminal.table(("", "what", "field", "change", ""), rows)


def export(given: Namespace, terminal: Terminal) -> ExitCode:
    """Print the document."""
    document = service_of(given).get("/document")
    terminal.data(document)
    if not terminal.as_json:
        terminal.out.print(escaped_json(write_toml(document)), markup=False, soft_wrap=True, end="")
    return ExitCode.OK
