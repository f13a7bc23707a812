"""The error of variables that are missing or cannot be read."""

from kirby.core.errors import ExitCode, Fault, InvalidVariable


class WrongVariables(InvalidVariable, SystemExit):
    """Variables that are missing or cannot be read; all of them in one message.

    Uncaught, it ends the script with exit status 2 and without a traceback, as the mistake is in
    the configuration and not in the script.
    """

    def __init__(self, faults: dict[str, str]) -> None:
        InvalidVariable.__init__(
            self, [Fault(field=name, sentence=sentence) for name, sentence in faults.items()]
        )
        self.code = int(ExitCode.USAGE)
