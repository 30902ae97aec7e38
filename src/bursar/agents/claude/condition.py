"""What Claude Code needs to be let in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bursar.agents.condition import Certainty, Condition, find_login, home_of, without_login

PACKAGE = "@anthropic-ai/claude-code"
TRIED_VERSION = "2.1.330"
_VARIABLES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
)


def examine_claude(environment: Mapping[str, str]) -> Condition:
    """Its key or login; usage comes call by call in its stream."""
    home = home_of(environment)
    folder = environment.get("CLAUDE_CONFIG_DIR") or (home and home / ".claude")
    login = find_login(environment, _VARIABLES, [Path(folder, ".credentials.json") if folder else None])
    return Condition(
        login=login,
        certainty=Certainty.BOUNDED,
        tried_version=TRIED_VERSION,
        package=PACKAGE,
        problems=without_login(login, "claude, then /login; or export ANTHROPIC_API_KEY=…"),
    )
