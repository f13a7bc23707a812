"""Thespian's TCP transport with signed frames, one bind address, and bounds on who may connect.

`install` is called once, in the start process, before the ActorSystem: admin, logger and actors
are forked from it and inherit what it set. Follows Thespian 4.0.1 to the letter of its names.
"""

import logging
import os
import pickle
from datetime import timedelta
from typing import Any

from thespian.system import multiprocTCPBase, systemBase, utilis
from thespian.system import transport as thespian_transport
from thespian.system.transport import IPBase, TCPTransport, asyncTransportBase

from kirby.actors.frames import (
    NOT_TAKEN,
    TAKEN,
    FrameBuffer,
    FrameRefused,
    Keys,
    Signer,
    check_size,
)
from kirby.actors.meeting_place import tell_who_asks
from kirby.actors.parents import die_with_the_start_process, die_with_whoever_forked

WHOLE_WITHIN = timedelta(seconds=5)  # from the first byte of a frame, or from the connection
CONNECTIONS_MOST = 200  # incoming, for each process: it waits with select, which ends at 1024
TRANSMIT_WITHIN = timedelta(seconds=6)  # an unreachable peer's messages go after that
PENDING_TRANSMITS_MOST = 200  # Thespian's 20 are soon filled by one unreachable peer
SHUTDOWN_WITHIN = timedelta(seconds=5)  # for actors to let go of Kafka; Thespian's own is 10 s
OWN_LOG_BYTES = 200_000  # of Thespian's own words; kept twice


class SignedTransport(TCPTransport.TCPTransport):
    """Sends and takes only signed frames."""

    def __init__(self, init_type: Any, *args: Any) -> None:
        child = isinstance(init_type, TCPTransport.TCPEndpoint)
        if child:
            _, assigned, _, admin, *_ = init_type.args
            die_with_the_start_process() if assigned == admin else die_with_whoever_forked()
        super().__init__(init_type, *args)
        FrameBuffer.own = {*FrameBuffer.own, _spelt(self.myAddress)}

    def external_transport_clone(self) -> "SignedTransport":
        """Return another endpoint of the start process."""
        return SignedTransport(
            TCPTransport.ExternalTransportCopy(), self._adminAddr, self.txOnly, False
        )

    def serializer(self, intent: Any) -> bytes:
        """Pickle at once, so that a fault is the sender's; sign when it goes out."""
        intent.payload = pickle.dumps((self.myAddress, intent.message))
        check_size(intent.payload)
        return bytes(intent.payload)

    def _next_XMIT_2(self, intent: Any) -> Any:  # noqa: N802
        """Sign anew for each try: a message may have waited, and each number passes once."""
        if hasattr(intent, "socket") and intent.amtSent == 0:
            receiver = _spelt(intent.targetAddr)
            intent.serMsg = FrameBuffer.signer.seal(intent.payload, receiver)
        return super()._next_XMIT_2(intent)

    def _check_XMIT_4_done(self, intent: Any, received: bytes) -> Any:  # noqa: N802
        """Take an answer that is no frame of ours as a closed connection."""
        try:
            return super()._check_XMIT_4_done(intent, received)
        except FrameRefused:
            intent.backoffPause(True)
            intent.stage = self._XMITStepRetry
            return self._nextTransmitStep(intent)

    def _acceptNewIncoming(self) -> None:  # noqa: N802
        super()._acceptNewIncoming()
        while len(self._incomingSockets) + len(self._openSockets) > CONNECTIONS_MOST:
            if self._incomingSockets:
                self._close_oldest_incoming()
            else:
                self.close_oldest_idle_sockets()

    def _close_oldest_incoming(self) -> None:
        def proven_then_youngest(fileno: int) -> tuple[bool, timedelta]:
            incoming = self._incomingSockets[fileno]
            proven = incoming.fromAddress.addressDetails is not None
            return proven, incoming._expires.view().remaining()

        oldest = min(self._incomingSockets, key=proven_then_youngest)
        self._incomingSockets.pop(oldest).close()

    def _handlePossibleIncoming(  # noqa: N802
        self, incoming: Any, fileno: int, closed: bool = False, has_exclusive_flag: bool = False
    ) -> Any:
        """Drop a frame that is not whole in time, however busily its bytes trickle."""
        late = incoming.socket is not None and incoming._expires.view().expired()
        return super()._handlePossibleIncoming(
            incoming, fileno, closed=closed or late, has_exclusive_flag=has_exclusive_flag
        )


def install(*, keys: Keys, address: str, own_log: str = "") -> None:
    """Have every actor system of this process and its children sign, and listen on one address.

    Args:
        keys: derived from the cluster's keys; asked anew for each frame.
        address: the IPv4 address to listen on, and to be known by.
        own_log: where Thespian's own words go; empty: nowhere.
    """
    os.environ["THESPIAN_BASE_IPADDR"] = address
    FrameBuffer.signer = Signer(keys)
    FrameBuffer.own = set()
    IPBase.IPActorAddress.bindArgs = property(lambda self: (self.sockname,))
    TCPTransport.ReceiveBuffer = FrameBuffer
    TCPTransport.ackMsg, TCPTransport.ackDataErrMsg = TAKEN, NOT_TAKEN
    TCPTransport.MAX_INCOMING_SOCKET_PERIOD = WHOLE_WITHIN
    asyncTransportBase.MAX_PENDING_TRANSMITS = PENDING_TRANSMITS_MOST
    thespian_transport.DEFAULT_MAX_TRANSMIT_PERIOD = TRANSMIT_WITHIN
    systemBase.MAX_SYSTEM_SHUTDOWN_DELAY = SHUTDOWN_WITHIN
    multiprocTCPBase.ActorSystemBase.transportType = SignedTransport
    tell_who_asks()
    utilis._thesplog_file, utilis._thesplog_old_file = own_log or None, f"{own_log}.old"
    utilis.thesplog_control(logging.WARNING, False, OWN_LOG_BYTES if own_log else 0)


def forget_the_parent() -> None:
    """Begin as a process of one's own, after a fork: other addresses, no number seen."""
    if hasattr(FrameBuffer, "signer"):
        FrameBuffer.signer.forget()
        FrameBuffer.own = set()


os.register_at_fork(after_in_child=forget_the_parent)


def _spelt(address: Any) -> str:
    host, port = address.addressDetails.sockname
    return f"{host}:{port}"
