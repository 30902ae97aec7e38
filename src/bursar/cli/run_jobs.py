"""What `bursar run` and `bursar resume` do differently where the file is a job list."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from bursar.agents import Agent
from bursar.budget import Limit, OnLimit, Unit
from bursar.cli.problems import tell_problems
from bursar.errors import UserError
from bursar.plan import Instance
from bursar.run import PlanToRun, RunBudget, open_jobs

_SUFFIX = ".json"
_WIDER_MODES = frozenset({"auto", "bypassPermissions"})
_OWN_MODES = frozenset({None, "acceptEdits"})  # what every agent is started with anyway


def is_job_list(path: Path, workspace: str | None) -> bool:
    """Whether the file is to be read as a job list: it is called so, or it is given a workspace.

    Raises:
        UserError: a plan is given a workspace.
    """
    if workspace is not None and path.suffix.lower() == ".md":
        raise UserError(
            f"--workspace is for job lists, and {path.name} is a plan: its tasks work in worktrees of their own",
            hint=f"bursar run {path}",
        )
    return workspace is not None or path.suffix.lower() == _SUFFIX


def open_job_list(path: Path, workspace: str | None) -> PlanToRun:
    """The job list, to be run in the workspace: by default where the user stands. What is odd in it is told."""
    opened = open_jobs(path, Path(workspace if workspace is not None else ".").resolve())
    tell_problems(opened.plan.warnings)
    return opened


def instance_budgets(opened: PlanToRun, mode: OnLimit | None) -> list[RunBudget]:
    """The budgets of instances that say how much they should use at most; they do at it what the others do."""
    return [
        RunBudget(
            name=f"task-{each.number}",
            limit=Limit(each.max_tokens, Unit.TOKENS),
            match={"task": each.number},
            on_limit=mode,
        )
        for each in opened.origin.instances.values()
        if each.max_tokens is not None
    ]


def check_instances(opened: PlanToRun, agent: Agent) -> None:
    """The agent can do what the instances ask for; all that it cannot are named.

    Raises:
        UserError: it is not Claude Code, and something is asked for that no other is told by bursar.
    """
    if agent.name == "claude":
        return
    lines = [
        f"  {opened.plan.path}:{each.position.line}:{each.position.column}: instance {each.name}: {', '.join(keys)}"
        for each in opened.origin.instances.values()
        if (keys := _keys_of_claude(each))
    ]
    if lines:
        raise UserError(
            f"agent {agent.name} is not told what these instances ask for:\n" + "\n".join(lines),
            hint="take it out of the list, or say --agent claude",
        )


def _keys_of_claude(instance: Instance) -> list[str]:
    asked = {
        "permission_mode": instance.permission_mode not in _OWN_MODES,
        "allowed_tools": instance.allowed_tools is not None,
        "session_id": instance.continues,
        "compact_history": instance.compacts_history,
    }
    return [key for key, is_asked in asked.items() if is_asked]


def lines_to_approve(opened: PlanToRun) -> Sequence[str]:
    """What of a job list somebody has to approve: commands that are run, and permissions beyond the usual.

    The workspace's file of an agent's command may have shell commands and permissions in it.
    """
    found: list[str] = []
    for each in opened.origin.instances.values():
        found += [f"instance {each.name}: {command}" for command in each.pre_commands]
        found += [f"instance {each.name}: {_fingerprint(place, content)}" for place, content in each.files.items()]
        if each.permission_mode in _WIDER_MODES:
            found.append(f"instance {each.name}: permission mode {each.permission_mode}")
        if each.allowed_tools:
            found.append(f"instance {each.name}: may use {', '.join(each.allowed_tools)}")
    return found


def _fingerprint(place: str, content: bytes) -> str:
    return f"{place} (sha256 {hashlib.sha256(content).hexdigest()})"
