"""What has happened, as values: within an agent, and within a run. Names are past tense."""

from bursar.events.agent import (
    AgentEvent,
    CallLost,
    CallReported,
    LineRejected,
    RetryReported,
    SessionEnded,
    SessionStarted,
    Source,
    ToolReturned,
    ToolStarted,
)
from bursar.events.run import (
    AlertFired,
    AttemptEnded,
    AttemptStarted,
    CheckoutForwarded,
    RunEvent,
    RunStarted,
    StartWarned,
    SummaryWritten,
    TaskSkipped,
    TaskWaited,
)

__all__ = [
    "AgentEvent",
    "AlertFired",
    "AttemptEnded",
    "AttemptStarted",
    "CallLost",
    "CallReported",
    "CheckoutForwarded",
    "LineRejected",
    "RetryReported",
    "RunEvent",
    "RunStarted",
    "SessionEnded",
    "SessionStarted",
    "Source",
    "StartWarned",
    "SummaryWritten",
    "TaskSkipped",
    "TaskWaited",
    "ToolReturned",
    "ToolStarted",
]
