"""The lines that `opencode run --format json` prints, as far as bursar reads them."""

from __future__ import annotations

import msgspec

from bursar.agents.counts import Number

NONE = msgspec.Raw(b"null")


class Cache(msgspec.Struct, gc=False):
    """Input that was read from a cache or written to it; how long it lives is not said."""

    read: Number = None
    write: Number = None


class Tokens(msgspec.Struct, gc=False):
    """Usage of one call. The counters are disjoint; reasoning is beside the output."""

    input: Number = None
    output: Number = None
    reasoning: Number = None
    cache: Cache | None = None


class ToolInput(msgspec.Struct, gc=False):
    """What of a tool's input tells a person what it is about."""

    command: object = None
    filePath: object = None  # noqa: N815 - the CLI's spelling
    pattern: object = None
    description: object = None


class ToolState(msgspec.Struct, gc=False):
    """What became of a tool call."""

    input: msgspec.Raw = NONE
    output: msgspec.Raw = NONE


class Part(msgspec.Struct, gc=False):
    """One part of a message; a message is one call, but for replies that broke off and were asked for again."""

    id: str | None = None
    messageID: str | None = None  # noqa: N815
    tool: str | None = None
    text: object = None
    reason: str | None = None
    tokens: Tokens | None = None
    state: ToolState | None = None


class ErrorData(msgspec.Struct, gc=False):
    """What is known of an error; not every error has all of it."""

    message: str = ""
    statusCode: Number = None  # noqa: N815


class Failure(msgspec.Struct, gc=False):
    """Why the session failed."""

    name: str = ""
    data: ErrorData | None = None


class Line(msgspec.Struct, gc=False):
    """Any line."""

    type: str = ""
    sessionID: str | None = None  # noqa: N815
    part: Part | None = None
    error: Failure | None = None


class StoredTime(msgspec.Struct, gc=False):
    """When a message was begun and completed, in ms."""

    completed: Number = None


class StoredMessage(msgspec.Struct, gc=False):
    """A message as the database has it."""

    role: str = ""
    tokens: Tokens | None = None
    time: StoredTime | None = None
