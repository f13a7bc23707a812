"""How much memory the processes of a script take, by looking at /proc once for all of them.

Where the kernel keeps memory limits (a control group with the controller), it is there first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import psutil


def memory_of_trees(roots: Iterable[int]) -> Mapping[int, int]:
    """Return the resident memory in bytes of each process with all its descendants.

    Pages that several processes share count once for each of them. A process that is gone is left
    out; what has left its parent (a daemon of its own) is not found.
    """
    children: dict[int, list[int]] = defaultdict(list)
    resident: dict[int, int] = {}
    for process in psutil.process_iter(["ppid", "memory_info"]):
        memory = process.info["memory_info"]
        children[process.info["ppid"]].append(process.pid)
        resident[process.pid] = memory.rss if memory is not None else 0
    return {root: _total(root, children, resident) for root in roots if root in resident}


def _total(root: int, children: Mapping[int, list[int]], resident: Mapping[int, int]) -> int:
    total, pending = 0, [root]
    while pending:
        pid = pending.pop()
        total += resident.get(pid, 0)
        pending.extend(children.get(pid, ()))
    return total
