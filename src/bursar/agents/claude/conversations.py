"""Which conversations Claude Code has kept: one file for each, under the folder that it was begun in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bursar.agents.condition import home_of
from bursar.agents.port import LaunchRequest

CONTINUES = "BURSAR_CONTINUES"  # marks the environment of an agent that goes on with a conversation, for its reader
_NOT_IN_NAMES = re.compile("[^A-Za-z0-9]")


def has_conversation(request: LaunchRequest, environment: Mapping[str, str]) -> bool:
    """Whether `--resume` would find the session, for it looks only among those of the same folder.

    A session that it does not find ends it, and so does a new one with an id that is taken.
    """
    home = home_of(environment)
    folder = environment.get("CLAUDE_CONFIG_DIR") or (home and home / ".claude")
    if not folder:
        return False
    project = _NOT_IN_NAMES.sub("-", str(request.worktree.resolve()))
    return Path(folder, "projects", project, f"{request.session_id}.jsonl").is_file()
