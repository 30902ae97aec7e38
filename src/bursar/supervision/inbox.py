"""What an attempt's agent tells by telemetry: a receiver where the spec asks for one, and the messages that came."""

from __future__ import annotations

import selectors
from collections.abc import Mapping
from types import MappingProxyType

from bursar.supervision.telemetry import TelemetryReceiver


class Inbox:
    """Messages in the order in which they came.

    Args:
        wanted: variables that point an agent to the receiver, with `{url}` for its address; empty: nobody listens.

    Attributes:
        variables: what the agent's environment needs so that it tells; empty where nobody listens.
    """

    def __init__(self, wanted: Mapping[str, str] = MappingProxyType({})) -> None:
        self._messages: list[bytes] = []
        self._receiver: TelemetryReceiver | None = None
        self.variables: Mapping[str, str] = {}
        if wanted:
            self._listen(wanted)

    def join(self, selector: selectors.BaseSelector) -> None:
        """The loop of that selector serves it from now on."""
        if self._receiver is not None:
            selector.register(self._receiver, selectors.EVENT_READ, self._receiver.serve)

    def take(self) -> list[bytes]:
        """The messages since it was last asked."""
        taken, self._messages = self._messages, []
        return taken

    def close(self) -> None:
        """Nobody listens any more; what had arrived can still be taken."""
        if self._receiver is not None:
            self._receiver.close()
            self._receiver = None

    def _listen(self, wanted: Mapping[str, str]) -> None:
        """Without a receiver the other sources have to do."""
        try:
            self._receiver = receiver = TelemetryReceiver(self._put)
        except OSError:
            return
        self.variables = {name: value.replace("{url}", receiver.url) for name, value in wanted.items()}

    def _put(self, body: bytes) -> None:
        self._messages.append(body)
