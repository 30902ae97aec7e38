"""What an agent says while it works, in one vocabulary for every agent CLI.

An adapter (`agents/`) turns a line of its CLI's output into these; the meter (`metering/`) reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bursar.usage import Usage


class Source(StrEnum):
    """Where a report of a call comes from: the agent's output, its telemetry, or its own log of the session."""

    STREAM = "stream"
    TELEMETRY = "telemetry"
    SESSION_LOG = "session log"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """The agent is up. `session_id` resumes it; `model` and `version` are None where the agent does not say."""

    session_id: str
    model: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReported:
    """The agent said what a model call has used so far; it may say so many times, in any order.

    Attributes:
        call_id: the provider's message id: one id is one call.
        model: the model that answered; None where the agent does not say (the meter then assumes the session's).
        usage: what the call has used as far as this report knows; None if the report carries no usage at all.
        is_final: the counters will not grow any more. A report that is not final may carry a placeholder for output.
        is_streaming: the call is being answered at this moment, and more reports on it are on their way.
        is_side_chain: the call was made by a sub-agent; it counts all the same.
        service_tier: how its provider served it: `standard`, `fast`, `priority`; None where this report does not say.
        source: who says so. Sources are joined by `call_id`; where final reports of two differ, the meter keeps that.
    """

    call_id: str
    model: str | None
    usage: Usage | None
    is_final: bool
    is_side_chain: bool = False
    is_streaming: bool = False
    source: Source = Source.STREAM
    service_tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted:
    """The model asked for a tool. `summary` is for people: the command, the path."""

    name: str
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReturned:
    """A tool's answer (or a word of the agent's own) was handed back: a call with so much more to read follows."""

    result_bytes: int = 0
    is_side_chain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryReported:
    """The agent is repeating a call that failed; `status` is the HTTP status, None when there was no answer."""

    attempt: int
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLost:
    """A call broke off before anything was told of it: it may be paid for, and nobody will say what it used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    """The agent's own closing statement. Judge by `is_error`; a killed agent never gets to say it.

    Attributes:
        is_error: the agent says that it did not do what it was asked.
        message: the agent's last words, or its error.
        usage_by_model: what it says it used, per model, over the whole session, side chains included; empty if unsaid.
        main_usage: what it says the main conversation used (side chains left out); None if unsaid.
        denied_permissions: names of tools that it was not allowed to use.
        cost_usd: what it believes it cost, as the agent's own decimal text; never used for money, only shown.
        broke_off_call: it ended in the middle of a model call, so what it says of that call is a guess or nothing.
        was_unreachable: it gave up because no connection could be opened: its last requests were never sent.
    """

    is_error: bool
    message: str = ""
    usage_by_model: Mapping[str, Usage] = field(default_factory=dict)
    main_usage: Usage | None = None
    denied_permissions: tuple[str, ...] = ()
    cost_usd: str | None = None
    broke_off_call: bool = False
    was_unreachable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTold:
    """The provider said how much of one of a subscription's windows is used.

    Attributes:
        name: what the provider calls it.
        minutes: how long it is: 300, 10080.
        percent: used, from 0 to 100.
        resets_at: when it begins anew, in s since 1970; None if that was not said.
        is_used_up: calls are refused until then.
    """

    name: str
    minutes: int
    percent: float
    resets_at: int | None = None
    is_used_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRejected:
    """A line could not be understood: not JSON, too long, absurd numbers. The stream goes on; the fact is kept."""

    reason: str


AgentEvent = (
    SessionStarted
    | CallReported
    | CallLost
    | ToolStarted
    | ToolReturned
    | RetryReported
    | WindowTold
    | SessionEnded
    | LineRejected
)
