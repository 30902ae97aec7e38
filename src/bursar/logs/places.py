"""Where agents keep their logs. Quick to import; what their lines say is in a module for each agent."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Environment = Mapping[str, str]


RUNS = "runs"


class Source:
    """An agent whose logs are read.

    Attributes:
        name: `claude`; the module of this room that reads its logs is called so.
        title: `Claude Code`.
        variables: what moves its logs, for messages.
        suffixes: how the names of its logs end.
        find_roots: folders in which it may keep them.
        find_database_folders: folders with its databases, which are not searched for more.
    """

    __slots__ = ("find_database_folders", "find_roots", "name", "suffixes", "title", "variables")

    def __init__(
        self,
        name: str,
        title: str,
        variables: str,
        suffixes: tuple[str, ...],
        find_roots: Callable[[Environment], list[str]],
        find_database_folders: Callable[[Environment], list[str]] | None = None,
    ) -> None:
        self.name = name
        self.title = title
        self.variables = variables
        self.suffixes = suffixes
        self.find_roots = find_roots
        self.find_database_folders = find_database_folders

    def roots(self, environment: Environment) -> list[str]:
        """The folders of logs that exist, each once."""
        return _folders(self.find_roots(environment))

    def database_folders(self, environment: Environment) -> list[str]:
        """The folders of databases that exist, each once."""
        return _folders(self.find_database_folders(environment)) if self.find_database_folders else []


def _folders(names: list[str]) -> list[str]:
    real = [os.path.realpath(os.path.expanduser(name)) for name in names]
    return [folder for folder in dict.fromkeys(real) if os.path.isdir(folder)]


def _claude(environment: Environment) -> list[str]:
    """`projects` in each entry of `CLAUDE_CONFIG_DIR`, else in both places that Claude Code uses."""
    given = _listed(environment, "CLAUDE_CONFIG_DIR")
    base = environment.get("XDG_CONFIG_HOME") or os.path.join(_home(environment), ".config")
    folders = given or [os.path.join(base, "claude"), os.path.join(_home(environment), ".claude")]
    return [os.path.join(folder, "projects") for folder in folders]


def _codex(environment: Environment) -> list[str]:
    folders = _listed(environment, "CODEX_HOME") or [os.path.join(_home(environment), ".codex")]
    return [os.path.join(folder, name) for folder in folders for name in ("sessions", "archived_sessions")]


def _gemini(environment: Environment) -> list[str]:
    """`tmp`, below which each project has a folder of chats."""
    given = environment.get("GEMINI_CLI_HOME") or _home(environment)
    folders = _listed(environment, "GEMINI_DATA_DIR") or [os.path.join(given, ".gemini")]
    return [os.path.join(folder, "tmp") for folder in folders]


def _opencode_data(environment: Environment) -> list[str]:
    """The folders of its database."""
    base = environment.get("XDG_DATA_HOME") or os.path.join(_home(environment), ".local", "share")
    return _listed(environment, "OPENCODE_DATA_DIR") or [os.path.join(base, "opencode")]


def _opencode(environment: Environment) -> list[str]:
    """Its messages before it had a database."""
    return [os.path.join(folder, "storage", "message") for folder in _opencode_data(environment)]


def _home(environment: Environment) -> str:
    return environment.get("HOME") or os.path.expanduser("~")


def _listed(environment: Environment, variable: str) -> list[str]:
    return [part.strip() for part in environment.get(variable, "").split(",") if part.strip()]


SOURCES = (
    Source("claude", "Claude Code", "CLAUDE_CONFIG_DIR", (".jsonl",), _claude),
    Source("codex", "Codex", "CODEX_HOME", (".jsonl",), _codex),
    Source("gemini", "Gemini CLI", "GEMINI_CLI_HOME", (".jsonl", ".json"), _gemini),
    Source("opencode", "OpenCode", "XDG_DATA_HOME", (".json",), _opencode, _opencode_data),
)
