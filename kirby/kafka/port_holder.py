"""Who has a port of this machine? Told to a person who wonders why the broker waits."""

import psutil


def holder_of(port: int) -> str:
    """Name the program that listens on a port, as far as this user may see it."""
    try:
        pids = [
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.laddr
            and connection.laddr.port == port
            and connection.status == psutil.CONN_LISTEN
        ]
        pid = next(pid for pid in pids if pid is not None)
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except (StopIteration, psutil.Error, OSError):
        return "another program"
