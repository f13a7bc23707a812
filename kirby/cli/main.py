"""`kirby`: everything a person types."""

import os
import sys
import traceback
from collections.abc import Sequence

from kirby.cli.grammar import parse, run_of
from kirby.cli.terminal import Terminal
from kirby.core.errors import ExitCode, Fault, InvalidInput, KirbyError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was typed; return the exit code."""
    given = parse(sys.argv[1:] if arguments is None else arguments)
    terminal = Terminal(as_json=given.json)
    try:
        return int(run_of(given)(given, terminal))
    except KirbyError as fault:
        _tell(fault, terminal)
        if given.debug:
            traceback.print_exc()
        return fault.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as fault:  # no traceback reaches a user unasked
        if given.debug:
            traceback.print_exc()
        else:
            terminal.note(f"a fault of Kirby's own: {fault!r}; run again with --debug to see where")
        return ExitCode.BUG


def _nobody_reads() -> ExitCode:
    """End quietly, as in `kirby runs | head`.

    Not by the signal's default action, which a host that is started here would inherit: then
    whoever asks for its status and does not wait for the answer would kill it.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
    return ExitCode.OK


def _tell(fault: KirbyError, terminal: Terminal) -> None:
    told = Fault(field="", sentence=str(fault))
    faults = fault.faults if isinstance(fault, InvalidInput) else (told,)
    terminal.data({"faults": [{"field": each.field, "sentence": each.sentence} for each in faults]})
    terminal.note(str(fault))


if __name__ == "__main__":
    sys.exit(main())
