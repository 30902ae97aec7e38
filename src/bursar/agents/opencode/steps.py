"""Replies to one message: several, where one broke off and was asked for again."""

from __future__ import annotations

from collections.abc import Iterator

from bursar.agents.opencode import wire
from bursar.events import CallReported
from bursar.usage import Usage


class Steps:
    """The replies to one message.

    Nothing says which of them has finished, and they are alike: as many are finished as finishes were told, whatever
    the order in which it all came. The others broke off, or go on.
    """

    def __init__(self, message_id: str) -> None:
        self._message_id = message_id
        self._begun: list[str] = []
        self._finished: list[str] = []

    def begin(self, part: wire.Part) -> Iterator[CallReported]:
        """One more reply has begun, unless that was told before."""
        if not self._message_id or (part.id or "") in self._begun:
            return
        self._begun.append(part.id or "")
        if len(self._begun) > len(self._finished):
            name = self._name(len(self._begun))
            yield CallReported(call_id=name, model=None, usage=None, is_final=False, is_streaming=True)

    def finish(self, part: wire.Part, usage: Usage) -> Iterator[CallReported]:
        """One of them has ended with that usage."""
        if not self._message_id:
            return
        if (part.id or "") not in self._finished:
            self._finished.append(part.id or "")
        name = self._name(self._finished.index(part.id or "") + 1)
        yield CallReported(call_id=name, model=None, usage=usage, is_final=True)

    def _name(self, number: int) -> str:
        return self._message_id if number == 1 else f"{self._message_id}#{number}"
