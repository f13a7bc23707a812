"""Waits for the end of the process that made machines, and takes away what it left: PID."""

import os
import select
import sys

from tests.stories.cluster.machines import sweep

if __name__ == "__main__":
    select.select([os.pidfd_open(int(sys.argv[1]))], [], [])
    sweep()
