"""What OpenCode needs to be let in."""

from __future__ import annotations

from collections.abc import Mapping

from bursar.agents.condition import Certainty, Condition, find_login, without_login
from bursar.agents.opencode.places import login_file

PACKAGE = "opencode-ai"
TRIED_VERSION = "1.18.33"
_VARIABLES = (
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "OPENROUTER_API_KEY",
    "OPENCODE_API_KEY",
    "OPENCODE_AUTH_CONTENT",
)


def examine_opencode(environment: Mapping[str, str]) -> Condition:
    """A key or login for any provider; which one a model needs is not looked into."""
    login = find_login(environment, _VARIABLES, [login_file(environment)])
    return Condition(
        login=login,
        certainty=Certainty.BOUNDED,
        tried_version=TRIED_VERSION,
        package=PACKAGE,
        problems=without_login(login, "opencode auth login; or export ANTHROPIC_API_KEY=…"),
    )
