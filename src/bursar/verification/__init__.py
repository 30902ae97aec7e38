"""Runs a task's verify commands in its worktree and says what came of it.

It runs only what a person approved: the caller sees to that. It judges by exit codes, never by reading output.
"""

from bursar.verification.commands import CommandResult, Verdict, Verification

__all__ = ["CommandResult", "Verdict", "Verification"]
