"""Letting go of a client that calls back: never in a thread of its own.

A client's last reference may be held by a call back that is just returning, in the client's own
thread; librdkafka then destroys the client from inside and aborts the whole process (seen once in
some thousand questions). So whoever lets go hands the client over, and it ends a while later.
"""

import threading
from typing import Any

AFTER_S = 10.0  # a question takes three at the most, so every call back has long returned


def retire(client: Any) -> None:
    """Keep a client until its call backs have returned, and then let it end in a thread of ours."""
    timer = threading.Timer(AFTER_S, _last_reference, args=(client,))
    timer.daemon = True
    timer.start()


def _last_reference(_client: Any) -> None:
    """Return, and with that let go."""
