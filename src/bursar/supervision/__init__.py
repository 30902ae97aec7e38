"""Supervisors: one small process per attempt, which runs an agent on its hold and on nothing else.

A supervisor meters its agent, grows the hold while the budgets allow it, stops the agent at its limit and settles. It
needs nobody: it goes on when the conductor is gone, and when it dies the kernel kills its agent. It knows no plan, no
worktree and no git: it is handed a spec and leaves an outcome.
"""

from bursar.supervision.agent_home import close_home, close_logins, open_home
from bursar.supervision.auditing import keep_audit
from bursar.supervision.inbox import Inbox
from bursar.supervision.limits import AttemptLimits
from bursar.supervision.spec import (
    ABANDONED,
    MARK,
    MOST_GRACE_SECONDS,
    PROMPT_FILE,
    STOP_ASKED,
    STREAM_FILE,
    VERIFY_LOG,
    AttemptSpec,
    Ending,
    HomeSpec,
    Outcome,
    StopRung,
    WrapUpSpec,
    claim,
    encode_spec,
    read_claim,
    read_outcome,
    write_grace,
)
from bursar.supervision.windows import WINDOWS_FILE, SeenWindow, WindowNotes, read_windows

SPAWNER_MODULE = "bursar.supervision.spawner"

__all__ = [
    "ABANDONED",
    "MARK",
    "MOST_GRACE_SECONDS",
    "PROMPT_FILE",
    "SPAWNER_MODULE",
    "STOP_ASKED",
    "STREAM_FILE",
    "VERIFY_LOG",
    "WINDOWS_FILE",
    "AttemptLimits",
    "AttemptSpec",
    "Ending",
    "HomeSpec",
    "Inbox",
    "Outcome",
    "SeenWindow",
    "StopRung",
    "WindowNotes",
    "WrapUpSpec",
    "claim",
    "close_home",
    "close_logins",
    "encode_spec",
    "keep_audit",
    "open_home",
    "read_claim",
    "read_outcome",
    "read_windows",
    "write_grace",
]
