"""What has happened, as values: within an agent, and within a run. Names are past tense."""

from bursar.events.agent import (
    AgentEvent,
    CallReported,
    LineRejected,
    RetryReported,
    SessionEnded,
    SessionStarted,
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
    SummaryWritten,
    TaskRerouted,
    TaskSkipped,
    TaskWaited,
)

__all__ = [
    "AgentEvent",
    "AlertFired",
    "AttemptEnded",
    "AttemptStarted",
    "CallReported",
    "CheckoutForwarded",
    "LineRejected",
    "RetryReported",
    "RunEvent",
    "RunStarted",
    "SessionEnded",
    "SessionStarted",
    "SummaryWritten",
    "TaskRerouted",
    "TaskSkipped",
    "TaskWaited",
    "ToolReturned",
    "ToolStarted",
]
