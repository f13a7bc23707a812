"""Run every benchmark of this folder, one after the other; fail if one misses its limit."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> int:
    """Return 0 if all benchmarks kept their limits."""
    missed = []
    for path in sorted(FOLDER.glob("[!_]*.py")):
        print(f"\n== {path.stem}", flush=True)
        if subprocess.run(
            [sys.executable, "-m", f"benchmarks.{path.stem}"], check=False
        ).returncode:
            missed.append(path.stem)
    print(f"\nmissed their limit: {', '.join(missed)}" if missed else "\nall within their limits")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())
