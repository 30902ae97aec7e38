"""The lines that Claude Code prints with `--output-format stream-json`, as far as bursar reads them.

Only the fields named here are decoded; everything else is skipped without being built. Numbers stay as they came:
`counts.py` decides what is a sensible count.
"""

from __future__ import annotations

import msgspec

from bursar.agents.counts import Number

NONE = msgspec.Raw(b"null")


class Line(msgspec.Struct):
    """Any line. What differs from type to type stays raw until the type is known."""

    type: str = ""
    subtype: str | None = None
    parent_tool_use_id: str | None = None
    session_id: str | None = None
    model: str | None = None
    claude_code_version: str | None = None
    request_id: str | None = None
    event: msgspec.Raw = NONE
    api_message_id: str | None = None
    message: msgspec.Raw = NONE
    attempt: Number = None
    error_status: Number = None
    is_error: bool | None = None
    result: msgspec.Raw = NONE
    errors: msgspec.Raw = NONE
    usage: msgspec.Raw = NONE
    modelUsage: msgspec.Raw = NONE  # noqa: N815 - the CLI's spelling
    total_cost_usd: msgspec.Raw = NONE
    permission_denials: msgspec.Raw = NONE
    terminal_reason: str | None = None
    api_error: str | None = None
    rate_limit_info: msgspec.Raw = NONE


class UnifiedWindow(msgspec.Struct):
    """One window of a subscription: the share of it that is used (of 1), and when it begins anew (s since 1970)."""

    utilization: Number = None
    resetsAt: Number = None  # noqa: N815 - the CLI's spelling


class RateLimitInfo(msgspec.Struct):
    """What `rate_limit_event` says, of all windows and of the one that matters most at the moment."""

    status: str = ""
    rateLimitType: str | None = None  # noqa: N815
    utilization: Number = None
    resetsAt: Number = None  # noqa: N815
    isUsingOverage: bool | None = None  # noqa: N815
    unifiedWindows: dict[str, UnifiedWindow] | None = None  # noqa: N815


class CacheCreation(msgspec.Struct):
    """Cache writes by how long they live."""

    ephemeral_5m_input_tokens: Number = None
    ephemeral_1h_input_tokens: Number = None


class ApiUsage(msgspec.Struct):
    """Usage in the API's spelling. `cache_creation_input_tokens` is the total of both kinds of writes."""

    input_tokens: Number = None
    cache_creation_input_tokens: Number = None
    cache_read_input_tokens: Number = None
    output_tokens: Number = None
    cache_creation: CacheCreation | None = None
    service_tier: object = None
    speed: object = None


class ModelUsage(msgspec.Struct, rename="camel"):
    """Usage in the spelling of `result.modelUsage`; old versions do not split the writes."""

    input_tokens: Number = None
    output_tokens: Number = None
    cache_read_input_tokens: Number = None
    cache_creation_input_tokens: Number = None
    cache_creation_5m: Number = msgspec.field(name="cacheCreationEphemeral5mInputTokens", default=None)
    cache_creation_1h: Number = msgspec.field(name="cacheCreationEphemeral1hInputTokens", default=None)


class ToolInput(msgspec.Struct):
    """What of a tool's input tells a person what it is about."""

    command: object = None
    file_path: object = None
    pattern: object = None
    description: object = None


class Block(msgspec.Struct):
    """One block of a message's content."""

    type: str = ""
    name: str = ""
    input: msgspec.Raw = NONE
    content: msgspec.Raw = NONE
    text: msgspec.Raw = NONE


class Message(msgspec.Struct):
    """A message of the model or of the user."""

    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: ApiUsage | None = None
    content: msgspec.Raw = NONE


class Delta(msgspec.Struct):
    """What `message_delta` changes."""

    stop_reason: str | None = None


class StreamEvent(msgspec.Struct):
    """One frame of the API's stream, passed on."""

    type: str = ""
    message: Message | None = None
    usage: ApiUsage | None = None
    delta: msgspec.Raw = NONE


class DeniedPermission(msgspec.Struct):
    """One entry of `permission_denials`."""

    tool_name: str = ""


class SessionLogLine(msgspec.Struct):
    """A line of the CLI's own log of the session."""

    type: str = ""
    message: Message | None = None
    isSidechain: bool = False  # noqa: N815 - the CLI's spelling


class StreamLine(msgspec.Struct):
    """A `stream_event` line: most lines by far, so they are decoded in one go."""

    event: StreamEvent
    parent_tool_use_id: str | None = None
    api_message_id: str | None = None
