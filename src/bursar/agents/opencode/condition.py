"""What OpenCode needs to be let in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bursar.agents.condition import Certainty, Condition, find_login, home_of, uncounted_agents, without_login

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


def examine_opencode(environment: Mapping[str, str], *, nested: bool = False) -> Condition:
    """A key or login for any provider; which one a model needs is not looked into."""
    login = find_login(environment, _VARIABLES, [login_file(environment)])
    blind = uncounted_agents("opencode", nested=nested)
    return Condition(
        login=login,
        certainty=Certainty.OBSERVED if blind else Certainty.BOUNDED,
        tried_version=TRIED_VERSION,
        package=PACKAGE,
        problems=without_login(login, "opencode auth login; or export ANTHROPIC_API_KEY=…") + blind,
    )


def login_file(environment: Mapping[str, str]) -> Path | None:
    """Where its logins are; None where the environment does not say."""
    home = home_of(environment)
    data = environment.get("XDG_DATA_HOME") or (home and home / ".local" / "share")
    return Path(data, "opencode", "auth.json") if data else None
