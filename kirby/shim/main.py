"""Starts the shim: `python -I -S kirby/shim/main.py --state FOLDER [--detach] [--without-groups]`.

By its file's path, so that it needs neither `site` nor anything of the package `kirby` around it:
it must start in milliseconds, stay small, and outlive whatever is installed over it.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def stand_alone() -> None:
    """Make `kirby.shim` importable from this very folder, without running `kirby/__init__.py`."""
    package = type(sys)("kirby")
    package.__path__ = [os.path.dirname(HERE)]
    sys.modules["kirby"] = package


def main(arguments: list[str]) -> int:
    """Run until asked to end; 0 also if another shim serves the folder already."""
    from kirby.shim.life import live

    if len(arguments) < 2 or arguments[0] != "--state":
        sys.stderr.write("usage: main.py --state FOLDER [--detach] [--without-groups]\n")
        return 2
    flags = arguments[2:]
    return live(
        os.path.abspath(arguments[1]),
        detach="--detach" in flags,
        with_groups="--without-groups" not in flags,
    )


if __name__ == "__main__":
    if "kirby" not in sys.modules:
        stand_alone()
    sys.exit(main(sys.argv[1:]))
