"""How Codex is found, started and stopped."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from bursar.agents.cli_agent import CliAgent
from bursar.agents.codex.condition import PACKAGE, examine_codex
from bursar.agents.codex.reader import CodexReader
from bursar.agents.codex.session_log import codex_home, find_session_log
from bursar.agents.codex.subagents import TYPES
from bursar.agents.condition import Condition
from bursar.agents.environment import CONTINUES
from bursar.agents.home import PrivateHome
from bursar.agents.mailbox import hook_command
from bursar.agents.port import Launch, LaunchRequest, StopStep, StreamReader
from bursar.agents.subagents import settings_of

TIERS: Mapping[str, str] = MappingProxyType({"small": "gpt-6-luna", "medium": "gpt-6.1-terra", "large": "gpt-6.1-sol"})
OUTPUT_CAP_TOKENS = 128_000  # the request names no limit, so it is the models'
KEY_VARIABLES = ("OPENAI_API_KEY", "CODEX_API_KEY")
PREFIXES = ("OPENAI_", "CODEX_")
HOME_VARIABLES = frozenset({"CODEX_HOME", "CODEX_SQLITE_HOME"})
LOGIN = ".codex/auth.json"
LOGS = ".codex/sessions"

# Marks of a session that we may run inside of.
SESSION_MARK_PREFIXES = ("CODEX_CI", "CODEX_SANDBOX", "CODEX_SESSION", "CODEX_THREAD_ID")

SETTINGS = (
    "analytics.enabled=false",  # it would call home, and wait for that at its end
    "check_for_update_on_startup=false",
    "features.plugins=false",  # it would fetch a list of them from GitHub and chatgpt.com at every start
    'approval_policy="never"',  # nobody is there to be asked
    'sandbox_mode="workspace-write"',  # `read-only` would end well and have done nothing
)

STOP_LADDER = (
    StopStep(signal.SIGINT, to_group=False, grace_seconds=2.0),  # it ends its tools with itself
    StopStep(signal.SIGTERM, to_group=True, grace_seconds=1.5),
)


class CodexAgent(CliAgent):
    """The `codex` CLI. Arguments of the user's come last, so that `-s danger-full-access` goes before our sandbox."""

    NAME = "codex"
    PACKAGE = PACKAGE
    TIERS = TIERS
    STOP_LADDER = STOP_LADDER
    PREFIXES = PREFIXES
    HOME_VARIABLES = HOME_VARIABLES

    def examine(self, environment: Mapping[str, str]) -> Condition:
        """How it is let in and what is in its way; it is not started."""
        return examine_codex(environment, self._extra_arguments, private_home=self._private_home)

    def launch(self, request: LaunchRequest, environment: Mapping[str, str]) -> Launch:
        """How to start an attempt. The prompt goes through stdin; the CLI chooses the session's id itself.

        Raises:
            SetupError: the program is not installed.
        """
        home = self.home_of(request, environment)
        private = None if home is None else home.folder
        log = self._find_log(request.session_id, private, environment) if request.continues else None
        # Its hook is trusted by a flag that would trust a repository's, too.
        mailbox = None if self._repository_settings else self.mailbox_of(request, home)
        settings = (*self._settings(request, mailbox, has_home=home is not None), *provider_settings(environment))
        argv = (
            self.find(),
            *("exec", "--json", "--skip-git-repo-check"),
            *("--model", request.model),
            *(word for setting in settings for word in ("-c", setting)),
            *(() if mailbox is None else ("--dangerously-bypass-hook-trust",)),
            *self._extra_arguments,
            *(("resume", request.session_id) if log is not None else ()),
            "-",
        )
        mark = {} if log is None else {CONTINUES: str(log.stat().st_size)}
        return Launch(
            argv=argv,
            environment=without_marks(self.passes(environment, home)) | mark,
            stdin=request.prompt.encode(),
            output_cap=OUTPUT_CAP_TOKENS,
            home=home,
            mailbox=mailbox,
        )

    def _settings(self, request: LaunchRequest, mailbox: Path | None, *, has_home: bool) -> tuple[str, ...]:
        """What is said with `-c`; of two for one key the last counts."""
        kind = settings_of(TYPES, request.subagent, writes_files=request.writes_files)
        return (
            *SETTINGS,
            *(() if mailbox is None else (hook_setting(mailbox),)),
            *(() if kind.mode is None else (kind.mode,)),
            *self._trust(request.worktree, has_home=has_home),
            *(() if self._nested else ("agents.enabled=false",)),
            *(() if self._repository_settings else ("skills.include_instructions=false",)),
        )

    def _trust(self, worktree: Path, *, has_home: bool) -> tuple[str, ...]:
        """In a private home nobody trusts the folder; in the user's somebody may."""
        if self._repository_settings:
            return (trust_setting(worktree, "trusted"),)
        return () if has_home else (trust_setting(worktree, "untrusted"),)

    def furnishing(self, folder: Path, environment: Mapping[str, str]) -> PrivateHome:
        """The login, which it writes into when it renews its tokens."""
        own = codex_home(environment)
        return PrivateHome(folder=folder, logs=(LOGS,), shared={} if own is None else {LOGIN: own / "auth.json"})

    def has_conversation(
        self, session_id: str, worktree: Path, home: Path | None, environment: Mapping[str, str]
    ) -> bool:
        """Whether its log of the thread is there."""
        return self._find_log(session_id, home, environment) is not None

    def _find_log(self, thread_id: str, home: Path | None, environment: Mapping[str, str]) -> Path | None:
        is_private = home is not None and self._private_home
        return find_session_log(
            home / ".codex" if home is not None and is_private else codex_home(environment), thread_id
        )

    def reader(self, environment: Mapping[str, str] = MappingProxyType({})) -> StreamReader:
        """A reader for one new process, which finds its log by the `environment` that it was started with."""
        return CodexReader(environment)


def provider_settings(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What makes the CLI call the address in `OPENAI_BASE_URL`, which by itself it ignores; nothing without one."""
    address = environment.get("OPENAI_BASE_URL")
    if not address:
        return ()
    key = next((name for name in KEY_VARIABLES if environment.get(name)), KEY_VARIABLES[0])
    table = f'{{name="bursar",base_url={json.dumps(address)},env_key="{key}",wire_api="responses"}}'
    return ('model_provider="bursar"', f"model_providers.bursar={table}")


def hook_setting(mailbox: Path) -> str:
    """After each tool, the words that are for the agent are handed to it."""
    command = json.dumps(hook_command(mailbox, "PostToolUse"))
    return f'hooks.PostToolUse=[{{matcher=".*",hooks=[{{type="command",command={command}}}]}}]'


def trust_setting(worktree: Path, level: str) -> str:
    """Whether the repository's `.codex/` takes effect. `untrusted` leaves out its AGENTS.md too."""
    return f'projects={{{json.dumps(str(worktree))}={{trust_level="{level}"}}}}'


def without_marks(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the marks of a session around us."""
    return {name: value for name, value in environment.items() if not name.startswith(SESSION_MARK_PREFIXES)}
