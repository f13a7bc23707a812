"""Why a request is refused: a code for programs and a sentence for people."""


class Refused(Exception):
    """A request that is not carried out; nothing was changed."""

    def __init__(self, code: str, sentence: str, **more: object) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.more = more


def superseded(newest: int, incarnation: int) -> Refused:
    """A newer Runner has said hello."""
    return Refused(
        "superseded", f"incarnation {incarnation} is superseded by {newest}", newest=newest
    )


def barred(run: str, attempt: int) -> Refused:
    """The attempt was withdrawn."""
    return Refused("barred", f"{run} attempt {attempt} was withdrawn on this host")


def past_deadline() -> Refused:
    """The last instant at which it may begin is over."""
    return Refused("deadline", "its deadline has passed")


def no_lease() -> Refused:
    """An exclusive script without a lease of its host."""
    return Refused("lease", "the lease of this host has ended, and the script is exclusive")


def full(cause: str = "") -> Refused:
    """The disk of the state folder is full."""
    return Refused("full", f"the disk of the state folder is full{cause}")


def alive(run: str, held: dict[str, object]) -> Refused:
    """A daemon's instance lives already."""
    return Refused("alive", f"an instance of {run} lives already", held=held)


def invalid(field: str, rule: str) -> Refused:
    """A request that cannot be understood."""
    return Refused("invalid", f'"{field}" {rule}')


def unknown(run: str, attempt: int) -> Refused:
    """An attempt of which nothing is held."""
    return Refused("unknown", f"{run} attempt {attempt} is not held here")


def busy(living: int) -> Refused:
    """Scripts live."""
    scripts = "1 script lives" if living == 1 else f"{living} scripts live"
    return Refused("busy", scripts)


def ending() -> Refused:
    """The shim is about to end."""
    return Refused("no_room", "this host is being stopped together with its scripts")
