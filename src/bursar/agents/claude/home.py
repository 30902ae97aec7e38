"""Claude Code's private home: the account without its credentials, which stay where they are and are renewed there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from bursar.agents.condition import home_of
from bursar.agents.home import PrivateHome

LOGS = ".claude/projects"
CREDENTIALS = ".credentials.json"
LOGIN_VARIABLE = "CLAUDE_SECURESTORAGE_CONFIG_DIR"  # names the folder of the credentials
_ACCOUNT = ("oauthAccount", "primaryApiKey", "customApiKeyResponses")  # who pays; the rest are habits and histories
_HELPERS = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "gcpAuthRefresh")
_table = msgspec.json.Decoder(dict[str, msgspec.Raw])


def config_folder(environment: Mapping[str, str]) -> Path | None:
    """Where the user's own Claude Code keeps its settings and credentials; None where the environment does not say."""
    if given := environment.get("CLAUDE_CONFIG_DIR"):
        return Path(given)
    home = home_of(environment)
    return home and home / ".claude"


def credentials_folder(environment: Mapping[str, str]) -> Path | None:
    """Where the user's credentials lie; None where there are none in a file."""
    given = environment.get(LOGIN_VARIABLE)
    folder = Path(given) if given else config_folder(environment)
    return folder if folder is not None and (folder / CREDENTIALS).exists() else None


def with_login(home: PrivateHome, own: Path, folder: Path) -> PrivateHome:
    """The home of a CLI that finds the credentials at `folder`, be it the user's `own` or one that follows that.

    It renews tokens there, under a lock in that folder and beside it.
    """
    if folder == own:
        return home
    return replace(home, reached=(folder.parent,), mirrored={str(folder / CREDENTIALS): own / CREDENTIALS})


def find_account(environment: Mapping[str, str]) -> str | None:
    """Where a key of the console's is, or the program that gets one, in the files that a private home is given.

    What they are is not said; None where there is neither.
    """
    own = config_folder(environment)
    if own is None:
        return None
    if _read(_account_file(own, environment), ("primaryApiKey",)):
        return f"key in {_account_file(own, environment)}"
    has_helper = _read(own / "settings.json", ("apiKeyHelper",))
    return f"apiKeyHelper in {own / 'settings.json'}" if has_helper else None


def furnish_claude(folder: Path, environment: Mapping[str, str]) -> PrivateHome:
    """The account, and the programs by which the user has told it to get keys."""
    own = config_folder(environment)
    account = {} if own is None else _read(_account_file(own, environment), _ACCOUNT)
    helpers = {} if own is None else _read(own / "settings.json", _HELPERS)
    written = {".claude.json": msgspec.json.encode({"hasCompletedOnboarding": True, **account})}
    if helpers:
        written[".claude/settings.json"] = msgspec.json.encode(helpers)
    return PrivateHome(folder=folder, logs=(LOGS,), written=written)


def _account_file(own: Path, environment: Mapping[str, str]) -> Path:
    return own / ".claude.json" if environment.get("CLAUDE_CONFIG_DIR") else own.parent / ".claude.json"


def _read(path: Path, names: tuple[str, ...]) -> dict[str, msgspec.Raw]:
    """Those keys of a JSON file; none where it cannot be read."""
    try:
        table = _table.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return {}
    return {name: table[name] for name in names if name in table}
