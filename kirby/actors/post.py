"""What goes to one actor at the same time goes in one message.

An actor takes some 800 messages a second, and fewer as they queue up; a burst of a hundred runs
must not become hundreds of messages.
"""

from typing import Any

from kirby.actors.base import KirbyActor
from kirby.core.messages import Message, Several

MOST = 100  # messages in one frame; an arm has a few kilobytes


class Post:
    """Collects messages until they are sent. Addresses cannot be hashed, so they are compared."""

    def __init__(self, actor: KirbyActor) -> None:
        self._actor = actor
        self._letters: list[tuple[Any, list[Message]]] = []

    def put(self, address: Any, message: Message) -> None:
        """Put a message to what goes there."""
        for known, messages in self._letters:
            if known == address and len(messages) < MOST:
                messages.append(message)
                return
        self._letters.append((address, [message]))

    def send(self) -> None:
        """Send all."""
        letters, self._letters = self._letters, []
        for address, messages in letters:
            whole = messages[0] if len(messages) == 1 else Several(messages=tuple(messages))
            self._actor.send(address, whole)
