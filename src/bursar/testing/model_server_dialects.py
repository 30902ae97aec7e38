"""The APIs that the fake model server speaks: what each makes of a request, and how it words a reply.

A request becomes a conversation in the words of the Messages API, because that is what scripts read. Every dialect
gets the same steps and bills the same tokens, as far as its usage has words for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bursar.testing.model_server_frames import MessagesDialect
from bursar.testing.model_server_gemini import GeminiDialect
from bursar.testing.model_server_responses import ResponsesDialect
from bursar.testing.script import Step
from bursar.usage import Usage


class Dialect(Protocol):
    """One API."""

    def reads(self, path: str) -> bool:
        """Whether requests to that path (without its query) are this API's."""
        ...

    def conversation(self, body: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """The request as `model`, `messages`, `tools` (their names) and `stream`, in the words of the Messages API."""
        ...

    def billable(self, usage: Usage) -> Usage:
        """The same tokens in the counters that this API's usage has."""
        ...

    def call_id(self, number: int) -> str:
        """The id of the call with that number."""
        ...

    def stream_frames(self, step: Step, call_id: str, model: str) -> Sequence[bytes]:
        """The reply as server-sent events; the first is sent before any waiting."""
        ...

    def whole_reply(self, step: Step, call_id: str, model: str) -> Mapping[str, Any]:
        """The reply to a request that did not ask for a stream."""
        ...

    def error_body(self, status: int, message: str) -> Mapping[str, Any]:
        """A refusal's body."""
        ...


DIALECTS: tuple[Dialect, ...] = (MessagesDialect(), ResponsesDialect(), GeminiDialect())


def dialect_of(path: str) -> Dialect | None:
    """Whose path it is; None where nobody answers."""
    return next((dialect for dialect in DIALECTS if dialect.reads(path)), None)
