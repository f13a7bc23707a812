"""How much importing the script library adds to the start of an interpreter.

    python benchmarks/script_import.py [--rounds 30]

Each figure is the median of whole processes, told beside the limit of this machine: a bare
interpreter that does nothing.
"""

import argparse
import statistics
import subprocess
import sys
import time

NAMES = "from kirby import Context, Topic, log"
LIMIT = 8.0  # times bare python for these names; measured: 3.1
PROGRAMS = {
    "bare python": "pass",
    "import kirby": "import kirby",
    "from kirby import log": "from kirby import log",
    NAMES: NAMES,
    "import confluent_kafka": "import confluent_kafka",
    "the library with its Kafka client": "import kirby.script.confluent, kirby.script.session",
}


def seconds_of(program: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):  # in turn, so that a busy moment of the machine meets all alike
        for name, program in PROGRAMS.items():
            taken[name].append(seconds_of(program))
    bare = statistics.median(taken["bare python"])
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:<40} {median * 1000:7.1f} ms   {median / bare:4.2f} × bare python")

    return int(statistics.median(taken[NAMES]) > LIMIT * bare)


if __name__ == "__main__":
    sys.exit(main())
