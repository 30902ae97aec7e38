"""Tools of Claude Code: which an attempt may use without being asked, and which are withheld."""

from __future__ import annotations

# Allowed by name, because nobody is there to be asked and as root the CLI refuses to skip its permission checks.
ALLOWED_TOOLS = ("Bash", "Edit", "Glob", "Grep", "MultiEdit", "NotebookEdit", "Read", "TodoWrite", "Write")

# What starts agents, waits in the background, wakes up later or leaves the worktree. `Task` is what the request calls
# `Agent`; names of other versions are harmless here.
NESTED_TOOLS = (
    "Agent",
    "CronCreate",
    "CronDelete",
    "CronList",
    "EnterWorktree",
    "ExitWorktree",
    "ListAgents",
    "Monitor",
    "RemoteTrigger",
    "ScheduleWakeup",
    "SendMessage",
    "Task",
    "TaskOutput",
    "TaskStop",
    "TeamCreate",
    "TeamDelete",
    "Workflow",
)
