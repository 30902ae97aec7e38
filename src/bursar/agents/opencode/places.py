"""Where OpenCode keeps its logins, its log and its sessions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bursar.agents.condition import home_of


def data_folder(environment: Mapping[str, str]) -> Path | None:
    """The folder of all of it; None where the environment does not say."""
    if given := environment.get("XDG_DATA_HOME"):
        return Path(given, "opencode")
    home = home_of(environment)
    return home and home / ".local" / "share" / "opencode"


def login_file(environment: Mapping[str, str]) -> Path | None:
    """Where its logins are; None where the environment does not say."""
    folder = data_folder(environment)
    return folder and folder / "auth.json"
