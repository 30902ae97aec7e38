"""Gemini CLI's private home: its login, and the settings without which it would not start, or report its use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from bursar.agents.gemini.chat_log import gemini_home
from bursar.agents.gemini.condition import read_settings
from bursar.agents.home import PrivateHome

LOGS = ".gemini/tmp"
SETTINGS_FILE = ".gemini/settings.json"
_LOGIN_FILES = ("oauth_creds.json", "google_accounts.json", "gemini-credentials.json")


def furnish_gemini(folder: Path, environment: Mapping[str, str], *, repository_settings: bool) -> PrivateHome:
    """The login's files are shared; how to log in is taken from the user's settings, else from what there is."""
    own = gemini_home(environment)
    settings = {
        "security": {"auth": {"selectedType": _way_to_log_in(environment, own)}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "advanced": {"ignoreLocalEnv": not repository_settings},
        "skills": {"enabled": repository_settings},  # those in `.agents/` come along with a folder that nobody trusts
    }
    return PrivateHome(
        folder=folder,
        logs=(LOGS,),
        shared={} if own is None else {f".gemini/{name}": own / name for name in _LOGIN_FILES},
        written={SETTINGS_FILE: msgspec.json.encode(settings)},
    )


def _way_to_log_in(environment: Mapping[str, str], own: Path | None) -> str:
    chosen = None if own is None else read_settings(own / "settings.json").security.auth.selected_type
    if chosen:
        return chosen
    if environment.get("GEMINI_API_KEY"):
        return "gemini-api-key"
    return "vertex-ai" if environment.get("GOOGLE_GENAI_USE_VERTEXAI") else "oauth-personal"
