"""Where agents keep their logs. Quick to import; what their lines say is in a module for each agent."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Environment = Mapping[str, str]


class Source:
    """An agent whose logs are read.

    Attributes:
        name: `claude`; the module of this room that reads its logs is called so.
        title: `Claude Code`.
        variables: what moves its logs, for messages.
        suffixes: how the names of its logs end.
        find_roots: folders in which it may keep them.
    """

    __slots__ = ("find_roots", "name", "suffixes", "title", "variables")

    def __init__(
        self,
        name: str,
        title: str,
        variables: str,
        suffixes: tuple[str, ...],
        find_roots: Callable[[Environment], list[str]],
    ) -> None:
        self.name = name
        self.title = title
        self.variables = variables
        self.suffixes = suffixes
        self.find_roots = find_roots

    def roots(self, environment: Environment) -> list[str]:
        """The folders that exist, each once."""
        folders = [os.path.realpath(os.path.expanduser(folder)) for folder in self.find_roots(environment)]
        return [folder for folder in dict.fromkeys(folders) if os.path.isdir(folder)]


def _claude(environment: Environment) -> list[str]:
    """`projects` in each entry of `CLAUDE_CONFIG_DIR`, else in both places that Claude Code uses."""
    given = _listed(environment, "CLAUDE_CONFIG_DIR")
    base = environment.get("XDG_CONFIG_HOME") or os.path.join(_home(environment), ".config")
    folders = given or [os.path.join(base, "claude"), os.path.join(_home(environment), ".claude")]
    return [os.path.join(folder, "projects") for folder in folders]


def _codex(environment: Environment) -> list[str]:
    folders = _listed(environment, "CODEX_HOME") or [os.path.join(_home(environment), ".codex")]
    return [os.path.join(folder, name) for folder in folders for name in ("sessions", "archived_sessions")]


def _home(environment: Environment) -> str:
    return environment.get("HOME") or os.path.expanduser("~")


def _listed(environment: Environment, variable: str) -> list[str]:
    return [part.strip() for part in environment.get(variable, "").split(",") if part.strip()]


SOURCES = (Source("claude", "Claude Code", "CLAUDE_CONFIG_DIR", (".jsonl",), _claude),)
