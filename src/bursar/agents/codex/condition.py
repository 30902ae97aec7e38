"""What Codex needs to be let in, and to be metered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bursar.agents.codex.session_log import codex_home
from bursar.agents.condition import Certainty, Condition, Problem, find_login, without_login

PACKAGE = "@openai/codex"
TRIED_VERSION = "0.169.0"
_VARIABLES = ("CODEX_API_KEY", "CODEX_ACCESS_TOKEN")


def examine_codex(
    environment: Mapping[str, str],
    arguments: tuple[str, ...] = (),
    *,
    private_home: bool = True,
) -> Condition:
    """Its key or login; and its session log, without which calls are only known in sum, at the end.

    In a private home the log is where bursar put it.
    """
    home = codex_home(environment)
    # Its own provider wants the key logged in with; the provider that bursar defines takes it as it is.
    variables = (*_VARIABLES, "OPENAI_API_KEY") if environment.get("OPENAI_BASE_URL") else _VARIABLES
    login = find_login(environment, variables, [home and home / "auth.json"])
    blind = _why_blind(home, arguments, private_home=private_home)
    return Condition(
        login=login,
        certainty=Certainty.OBSERVED if blind else Certainty.BOUNDED,
        tried_version=TRIED_VERSION,
        package=PACKAGE,
        problems=without_login(login, "codex login; or export CODEX_API_KEY=…") + blind,
    )


def _why_blind(home: Path | None, arguments: tuple[str, ...], *, private_home: bool) -> tuple[Problem, ...]:
    if "--ephemeral" in arguments:
        what = "with --ephemeral it keeps no session log, and calls are known at the end alone"
        return (Problem(what=what, fix="take --ephemeral out of agents.codex.arguments"),)
    if private_home:
        return ()
    if home is None:
        return (Problem(what="neither HOME nor CODEX_HOME is set: its session log cannot be found", fix="export HOME"),)
    sessions = home / "sessions"
    if sessions.exists() and not os.access(sessions, os.R_OK | os.X_OK):
        return (Problem(what=f"its session logs cannot be read: {sessions}", fix=f"chmod u+rx {sessions}"),)
    return ()
