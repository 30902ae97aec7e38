"""Replies to one message: several, where one broke off and was asked for again."""

from __future__ import annotations

from bursar.agents.opencode import wire
from bursar.events import CallReported
from bursar.usage import Usage


class Steps:
    """The replies to one message.

    Nothing says which of them has finished, and they are alike: as many are finished as finishes were told, whatever
    the order in which it all came. The others broke off, or go on.
    """

    __slots__ = ("_begun", "_finished", "_message_id")

    def __init__(self, message_id: str) -> None:
        self._message_id = message_id
        self._begun: list[str] = []
        self._finished: list[str] = []

    def begin(self, part: wire.Part) -> CallReported | None:
        """One more reply has begun, unless that was told before."""
        name = part.id or ""
        if not self._message_id or name in self._begun:
            return None
        self._begun.append(name)
        if len(self._begun) <= len(self._finished):
            return None
        call = self._name(len(self._begun))
        return CallReported(call_id=call, model=None, usage=None, is_final=False, is_streaming=True)

    def finish(self, part: wire.Part, usage: Usage) -> CallReported | None:
        """One of them has ended with that usage."""
        if not self._message_id:
            return None
        name = part.id or ""
        if name not in self._finished:
            self._finished.append(name)
        call = self._name(self._finished.index(name) + 1)
        return CallReported(call_id=call, model=None, usage=usage, is_final=True)

    def _name(self, number: int) -> str:
        return self._message_id if number == 1 else f"{self._message_id}#{number}"
