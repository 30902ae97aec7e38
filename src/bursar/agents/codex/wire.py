"""The lines that `codex exec --json` prints, and those of its session log (rollout), as far as bursar reads them.

Only the fields named here are decoded; everything else is skipped without being built.
"""

from __future__ import annotations

import msgspec

from bursar.agents.counts import Number

NONE = msgspec.Raw(b"null")


class TokenUsage(msgspec.Struct):
    """Usage of a response, a turn or a thread. What was cached is inside the input, reasoning inside the output."""

    input_tokens: Number = None
    cached_input_tokens: Number = None
    cache_write_input_tokens: Number = None
    output_tokens: Number = None


class Change(msgspec.Struct):
    """One file of a `file_change`."""

    path: str = ""


class Item(msgspec.Struct):
    """What a thread consists of: messages, commands, changes of files, calls of tools."""

    type: str = ""
    command: object = None
    text: object = None
    message: object = None
    query: object = None
    tool: object = None
    changes: msgspec.Raw = NONE
    aggregated_output: msgspec.Raw = NONE


class Failure(msgspec.Struct):
    """Why a turn failed."""

    message: str = ""


class Line(msgspec.Struct):
    """Any line of the stream."""

    type: str = ""
    thread_id: str | None = None
    item: Item | None = None
    message: msgspec.Raw = NONE
    usage: TokenUsage | None = None
    error: Failure | None = None


class LogLine(msgspec.Struct):
    """Any line of the session log."""

    type: str = ""
    payload: msgspec.Raw = NONE


class Window(msgspec.Struct):
    """One window of a subscription: percent used, its length, when it begins anew (s since 1970)."""

    used_percent: Number = None
    window_minutes: Number = None
    resets_at: Number = None


class RateLimits(msgspec.Struct):
    """What the provider said of a subscription's windows with the last response."""

    primary: Window | None = None
    secondary: Window | None = None


class LogPayload(msgspec.Struct):
    """What is read of a log line's payload, whichever it is."""

    type: str = ""
    model: str | None = None
    cli_version: str | None = None
    response_id: str | None = None
    usage: TokenUsage | None = None
    output: msgspec.Raw = NONE


class TokenCount(msgspec.Struct):
    """A running total, which comes with what the provider said of the subscription."""

    type: str = ""
    rate_limits: RateLimits | None = None


class ThreadSettings(msgspec.Struct):
    """With what the calls that follow are made."""

    service_tier: object = None


class SettingsApplied(msgspec.Struct):
    """The thread's settings, when they are known and whenever they change."""

    type: str = ""
    thread_settings: ThreadSettings | None = None
