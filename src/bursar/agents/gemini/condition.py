"""What Gemini CLI needs to be let in, and what it tells its maker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from bursar.agents.condition import Certainty, Condition, Problem, find_login, without_login
from bursar.agents.gemini.chat_log import gemini_home

PACKAGE = "@google/gemini-cli"
TRIED_VERSION = "0.61.0"
_VARIABLES = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA")
_LOGIN_FILES = ("oauth_creds.json", "gemini-credentials.json")


class _Auth(msgspec.Struct, frozen=True, rename="camel"):
    selected_type: str | None = None


class _Security(msgspec.Struct, frozen=True):
    auth: _Auth = _Auth()


class _Privacy(msgspec.Struct, frozen=True, rename="camel"):
    usage_statistics_enabled: bool = True


class _Settings(msgspec.Struct, frozen=True):
    security: _Security = _Security()
    privacy: _Privacy = _Privacy()


def examine_gemini(environment: Mapping[str, str], *, private_home: bool = True) -> Condition:
    """Its key or login; and two settings of its own that no flag can set, only settings in a home of ours."""
    home = gemini_home(environment)
    login = find_login(environment, _VARIABLES, [home and home / name for name in _LOGIN_FILES])
    return Condition(
        login=login,
        certainty=Certainty.OBSERVED if home is None and not private_home else Certainty.BOUNDED,
        tried_version=TRIED_VERSION,
        package=PACKAGE,
        problems=without_login(login, "gemini, then choose a login; or export GEMINI_API_KEY=…")
        + (() if private_home else tuple(_problems(environment, home))),
    )


def _problems(environment: Mapping[str, str], home: Path | None) -> list[Problem]:
    if home is None:
        return [
            Problem(what="neither HOME nor GEMINI_CLI_HOME is set: its chat log cannot be found", fix="export HOME")
        ]
    path = home / "settings.json"
    settings, found = read_settings(path), []
    if environment.get("GOOGLE_GEMINI_BASE_URL") and settings.security.auth.selected_type is None:
        what = "with GOOGLE_GEMINI_BASE_URL it refuses to start unless its settings choose the way to log in"
        found.append(Problem(what=what, fix=f'in {path}: "security": {{"auth": {{"selectedType": "gemini-api-key"}}}}'))
    if settings.privacy.usage_statistics_enabled:
        what = "it reports its use to its maker"
        found.append(Problem(what=what, fix=f'in {path}: "privacy": {{"usageStatisticsEnabled": false}}'))
    return found


def read_settings(path: Path) -> _Settings:
    """The settings, as far as they can be read; comments in them are not understood."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Settings)
    except (OSError, msgspec.MsgspecError):
        return _Settings()
