"""`bursar.toml` at the top of the repository, then the user's, then the environment; flags come last, from the command
line. The later goes before the earlier.

Every key is checked: an unknown one is an error, not a silence.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bursar.config.checks import check_settings
from bursar.config.files import project_file, read_settings_file, user_file
from bursar.config.hints import hint_for
from bursar.config.ledger_place import URL_VARIABLE
from bursar.config.parallel import parallel_in_environment
from bursar.config.tables import AgentSettings, Settings
from bursar.errors import UserError

_KEYS_OF_BUDGETS = ("budget", "labels")  # see `budgets`
_ADDED_UP = ("price", "window")  # lists to which the later file adds, where others go in place of the earlier's


def load_settings(root: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The project's settings with the user's and the environment's on top; defaults where nobody says anything.

    Raises:
        UserError: a file is not TOML, or a key or value is wrong.
    """
    table: dict[str, Any] = {}
    for found in (_read_project_table(root), _read_table(user_file(environment))):
        table = _merge(table, found)
    return _with_environment(msgspec.convert(table, Settings), environment)


def load_project_settings(root: Path) -> Settings:
    """What the project's own file says: others may have written it, so what it would start has to be approved.

    Raises:
        UserError: the file is not TOML, or a key or value is wrong.
    """
    return msgspec.convert(_read_project_table(root), Settings)


def load_user_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """What the user says, in their own file and the environment: nobody has to approve that.

    Raises:
        UserError: the file is not TOML, or a key or value is wrong.
    """
    return _with_environment(msgspec.convert(_read_table(user_file(environment)), Settings), environment)


def _read_project_table(root: Path) -> dict[str, Any]:
    """As `_read_table`; where the books are kept is not for a project to say."""
    path = project_file(root)
    table = _read_table(path)
    if "ledger" in table:
        raise UserError(
            f"{path}: `[ledger]` is not for a project's file: a repository does not say where your books are kept",
            hint=f"write it into {user_file()}, or export {URL_VARIABLE}",
        )
    opened = sorted({"readable", "writable"} & set(table.get("sandbox", {})))
    if opened:
        raise UserError(
            f"{path}: `sandbox.{opened[0]}` is not for a project's file: a repository does not open it",
            hint=f"write it into {user_file()}",
        )
    return table


def _read_table(path: Path) -> dict[str, Any]:
    """The file's own table but for the budgets, checked by itself; empty where there is none."""
    own = {key: value for key, value in read_settings_file(path).parse().items() if key not in _KEYS_OF_BUDGETS}
    check_settings(_convert(own, path), path)
    return own


def _convert(table: Mapping[str, Any], path: Path) -> Settings:
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        is_amount = "Expected `str`" in str(error) and "$.price" in str(error)
        hint = 'amounts are text: "3 USD"' if is_amount else hint_for(error, Settings, _KEYS_OF_BUDGETS)
        raise UserError(f"{path}: {error}", hint=hint) from error


def _merge(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Table by table, key by key: the later goes before the earlier; a list is taken as a whole, but for prices."""
    merged = dict(earlier)
    for key, value in later.items():
        old = merged.get(key)
        if isinstance(old, list) and key in _ADDED_UP:
            merged[key] = [*old, *value]
        else:
            merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _with_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    run, agents = settings.run, dict(settings.agents)
    if agent := environment.get("BURSAR_AGENT"):
        run = msgspec.structs.replace(run, agent=agent)
    if program := environment.get("BURSAR_CLAUDE"):
        agents["claude"] = msgspec.structs.replace(agents.get("claude", AgentSettings()), program=program)
    parallel = parallel_in_environment(settings.parallel, environment)
    return msgspec.structs.replace(settings, run=run, agents=agents, parallel=parallel)
