"""The lines that `gemini -o stream-json` prints, and those of its chat log, as far as bursar reads them.

Only the fields named here are decoded; everything else is skipped without being built.
"""

from __future__ import annotations

import msgspec

from bursar.agents.counts import Number

NONE = msgspec.Raw(b"null")


class ModelStats(msgspec.Struct):
    """One model in the closing statement. What was cached is inside the input; thoughts are in the total alone."""

    total_tokens: Number = None
    input_tokens: Number = None
    cached: Number = None


class Stats(msgspec.Struct):
    """The sums of the closing statement."""

    models: dict[str, ModelStats] = {}


class Failure(msgspec.Struct):
    """Why a session failed."""

    message: str = ""


class Parameters(msgspec.Struct):
    """What of a tool's input tells a person what it is about."""

    command: object = None
    file_path: object = None
    pattern: object = None
    path: object = None


class Line(msgspec.Struct):
    """Any line of the stream."""

    type: str = ""
    session_id: str | None = None
    model: str | None = None
    role: str | None = None
    content: object = None
    delta: bool = False
    tool_name: str | None = None
    parameters: msgspec.Raw = NONE
    output: msgspec.Raw = NONE
    status: str | None = None
    error: Failure | None = None
    stats: Stats | None = None


class Tokens(msgspec.Struct):
    """Usage of one call. What was cached is inside the input; thoughts and the tools' prompts are beside it."""

    input: Number = None
    output: Number = None
    cached: Number = None
    thoughts: Number = None
    tool: Number = None


class LogLine(msgspec.Struct):
    """Any line of the chat log; a message is written again when its tools have answered."""

    id: str | None = None
    type: str | None = None
    model: str | None = None
    tokens: Tokens | None = None
    content: msgspec.Raw = NONE
