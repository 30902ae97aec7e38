"""What OpenCode needs to be let in."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bursar.agents.condition import Certainty, Condition, Problem, find_login, without_login
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
_KEY_ENDS = ("_KEY", "_TOKEN", "_KEY_ID", "_CREDENTIALS", "_PROFILE", "_PROJECT")


def examine_opencode(environment: Mapping[str, str], models: Mapping[str, tuple[str, ...]]) -> Condition:
    """A key or login for any provider; one of which no model of its tiers is tells nothing of whether it is let in.

    Args:
        models: those of its tiers, with what the variables of their providers begin with: what passes to it.
    """
    login = find_login(environment, _VARIABLES, [login_file(environment)])
    lost = () if login is None else _without_their_own(environment, models)
    return Condition(
        login=login,
        certainty=Certainty.BOUNDED,
        tried_version=TRIED_VERSION,
        package=PACKAGE,
        problems=without_login(login, "opencode auth login; or export ANTHROPIC_API_KEY=…") + lost,
    )


def _without_their_own(environment: Mapping[str, str], models: Mapping[str, tuple[str, ...]]) -> tuple[Problem, ...]:
    """The problem of models whose provider has neither a variable nor a login here; keys of others do not reach it."""
    known = _providers_with_login(environment)
    named = [name for name, value in environment.items() if value and name.endswith(_KEY_ENDS)]
    lost = [
        model
        for model, prefixes in models.items()
        if model.partition("/")[0] not in known and not any(name.startswith(prefixes) for name in named)
    ]
    if not lost:
        return ()
    provider = lost[0].partition("/")[0]
    what = f"nothing lets it in at `{provider}`, whose model {lost[0]} it would ask"
    fix = f"opencode auth login; or in bursar.toml: [agents.opencode.models] {_tier_example(environment)}"
    return (Problem(what=what, fix=fix),)


def _providers_with_login(environment: Mapping[str, str]) -> set[str]:
    """Names of providers in the files and variables that hold logins or settings of one's own; never what they hold."""
    path = login_file(environment)
    texts = [environment.get(name, "") for name in ("OPENCODE_AUTH_CONTENT", "OPENCODE_CONFIG_CONTENT")]
    try:
        texts.append("" if path is None else path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        pass
    tables = [table for text in texts if isinstance(table := _parse(text), dict)]
    own = [table["provider"] for table in tables if isinstance(table.get("provider"), dict)]
    return {name for table in (*tables, *own) for name in table}


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _tier_example(environment: Mapping[str, str]) -> str:
    """Models of the provider whose key was found."""
    found = next((name for name in _VARIABLES if environment.get(name)), "OPENAI_API_KEY")
    return f'small = "{found.removesuffix("_API_KEY").lower()}/…"'
