"""A client that calls back ends in a thread of ours, whoever lets go of it last."""

import threading

from kirby.kafka import retiring


class AClient:
    """Notes which thread ended it."""

    def __init__(self, ended_in: list[str], gone: threading.Event) -> None:
        self._ended_in = ended_in
        self._gone = gone

    def __del__(self) -> None:
        self._ended_in.append(threading.current_thread().name)
        self._gone.set()


def test_the_last_reference_of_a_call_back_does_not_end_the_client(monkeypatch):
    monkeypatch.setattr(retiring, "AFTER_S", 0.2)
    ended_in, gone = [], threading.Event()
    client = AClient(ended_in, gone)
    own_thread = threading.Thread(target=lambda held: None, args=(client,), name="its-own")

    retiring.retire(client)
    del client
    own_thread.start()
    own_thread.join()
    del own_thread

    assert ended_in == []
    assert gone.wait(10)
    assert ended_in != ["its-own"]
