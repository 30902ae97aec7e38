"""What Claude Code needs to be let in."""

from __future__ import annotations

from collections.abc import Mapping

from bursar.agents.claude.home import CREDENTIALS, credentials_folder, find_account
from bursar.agents.condition import Certainty, Condition, find_login, without_login

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
    """Its key or login, or the user's own program that gets keys; usage comes call by call in its stream."""
    folder = credentials_folder(environment)
    login = find_login(environment, _VARIABLES, [folder and folder / CREDENTIALS]) or find_account(environment)
    return Condition(
        login=login,
        certainty=Certainty.BOUNDED,
        tried_version=TRIED_VERSION,
        package=PACKAGE,
        problems=without_login(login, "claude, then /login; or export ANTHROPIC_API_KEY=…"),
    )
