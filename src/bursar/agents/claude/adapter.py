"""How Claude Code is found, started and stopped."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from bursar.agents.claude.commands import read_command
from bursar.agents.claude.condition import PACKAGE, examine_claude
from bursar.agents.claude.conversations import has_conversation
from bursar.agents.claude.environment import (
    HOME_VARIABLES,
    PREFIXES,
    VARIABLES,
    cloud_prefixes,
    output_cap_of,
    with_settings,
)
from bursar.agents.claude.home import (
    LOGIN_VARIABLE,
    config_folder,
    credentials_folder,
    furnish_claude,
    with_login,
)
from bursar.agents.claude.reader import ClaudeReader
from bursar.agents.claude.subagents import TYPES
from bursar.agents.claude.telemetry import VARIABLES as TELEMETRY
from bursar.agents.claude.tools import ALLOWED_TOOLS, NESTED_TOOLS
from bursar.agents.cli_agent import CliAgent
from bursar.agents.condition import Condition
from bursar.agents.environment import CONTINUES
from bursar.agents.home import PrivateHome
from bursar.agents.mailbox import hook_table
from bursar.agents.port import NARROW_PIPE_BYTES, Launch, LaunchRequest, StopStep, StreamReader
from bursar.agents.subagents import settings_of
from bursar.errors import SetupError

TIERS: Mapping[str, str] = MappingProxyType({"small": "haiku", "medium": "sonnet", "large": "opus"})
ALIAS_VARIABLES: Mapping[str, str] = MappingProxyType(
    {alias: f"ANTHROPIC_DEFAULT_{alias.upper()}_MODEL" for alias in ("haiku", "sonnet", "opus", "fable")}
)

COMPACT = b"/compact"
TOOL_EVENTS = ("PostToolUse", "PostToolUseFailure")
HOOK_SECONDS = 10
STREAMING = ("--output-format", "stream-json", "--verbose", "--include-partial-messages")

STOP_LADDER = (
    StopStep(signal.SIGINT, to_group=False, grace_seconds=2.0),  # it still prints its result
    StopStep(signal.SIGTERM, to_group=True, grace_seconds=1.5),
)


class ClaudeAgent(CliAgent):
    """The `claude` CLI; `nested` leaves sub-agents, workflows and background work to the model."""

    NAME = "claude"
    PACKAGE = PACKAGE
    TIERS = TIERS
    ALIAS_VARIABLES = ALIAS_VARIABLES
    STOP_LADDER = STOP_LADDER
    OUTPUT_OPTIONS = frozenset({"--output-format"})
    READABLE_OUTPUTS = frozenset({"json", "stream-json"})
    VARIABLES = VARIABLES
    PREFIXES = PREFIXES
    HOME_VARIABLES = HOME_VARIABLES

    def examine(self, environment: Mapping[str, str]) -> Condition:
        """How it is let in and what is in its way; it is not started."""
        return examine_claude(environment)

    def launch(self, request: LaunchRequest, environment: Mapping[str, str]) -> Launch:
        """How to start an attempt. The prompt goes through stdin: no length limit, and no option can swallow it.

        Raises:
            SetupError: the program is not installed, or a conversation is to be compacted that could not be metered.
        """
        home = with_commands(self.home_of(request, environment), request, environment)
        private = None if home is None else home.folder
        mailbox = None if self._is_given({"--settings"}) else self.mailbox_of(request, home)
        continues = request.continues and self.has_conversation(
            request.session_id, request.worktree, private, environment
        )
        kept = self._environment(environment, home) | ({CONTINUES: "1"} if continues else {})
        if home is not None and (own := credentials_folder(environment)) is not None:
            folder = own if request.logins is None else request.logins / self.name / "login"
            kept[LOGIN_VARIABLE] = str(folder)
            home = with_login(home, own, folder)
        compacts = request.compacts and continues
        return Launch(
            argv=(self.find(), *self._arguments(request, mailbox, continues=continues)),
            environment=kept,
            stdin=request.prompt.encode(),
            output_cap=output_cap_of(kept),
            home=home,
            pipe_bytes=NARROW_PIPE_BYTES,
            before=(COMPACT,) if compacts else (),
            telemetry=telemetry_beside(kept, is_needed=compacts),
            mailbox=mailbox,
        )

    def _arguments(self, request: LaunchRequest, mailbox: Path | None, *, continues: bool) -> tuple[str, ...]:
        """The command line. Of the repository's it has no settings: no hooks, key helpers, addresses or servers."""
        confined = ("--setting-sources", "user", "--strict-mcp-config", "--add-dir", str(request.worktree))
        return (
            "-p",
            *(() if self._is_given(self.OUTPUT_OPTIONS) else STREAMING),  # it refuses them with another format
            *("--model", request.model),
            *("--resume" if continues else "--session-id", request.session_id),
            *(() if self._repository_settings else confined),
            *self._tools(request),
            *(() if mailbox is None else ("--settings", _hooks(mailbox))),
            *self._extra_arguments,
        )

    def _is_given(self, options: Set[str]) -> bool:
        """Whether the user's own arguments have one of these options."""
        return any(word.partition("=")[0] in options for word in self._extra_arguments)

    def _tools(self, request: LaunchRequest) -> tuple[str, ...]:
        """What it may use, by the request, else by the type of the task."""
        kind = settings_of(TYPES, request.subagent, writes_files=request.writes_files)
        mode = (kind.mode or "").removeprefix("--permission-mode ") or "acceptEdits"
        unasked = tuple(tool for tool in ALLOWED_TOOLS if tool not in kind.withheld)
        withheld = (*(() if self._nested else NESTED_TOOLS), *kind.withheld)
        return (
            *("--permission-mode", request.permission_mode or mode),
            *("--allowedTools", ",".join(unasked if request.allowed_tools is None else request.allowed_tools)),
            # Sub-agents are silent otherwise: their calls would only be known from the closing statement.
            *(("--forward-subagent-text",) if self._nested else ()),
            *(("--disallowedTools", ",".join(withheld)) if withheld else ()),
        )

    def _environment(self, environment: Mapping[str, str], home: PrivateHome | None) -> dict[str, str]:
        """What passes, with what keeps it to the task. CLAUDE.md is no setting, but is left out with them."""
        kept = with_settings(self.passes(environment, home, cloud_prefixes(environment)))
        return kept if self._repository_settings else kept | {"CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD": "1"}

    def has_conversation(
        self, session_id: str, worktree: Path, home: Path | None, environment: Mapping[str, str]
    ) -> bool:
        """Whether its log of the conversation is there."""
        config = home / ".claude" if home is not None and self._private_home else config_folder(environment)
        return has_conversation(session_id, worktree, config)

    def furnishing(self, folder: Path, environment: Mapping[str, str]) -> PrivateHome:
        """The account; the credentials stay where they are."""
        return furnish_claude(folder, environment)

    def reader(self, environment: Mapping[str, str] = MappingProxyType({})) -> StreamReader:
        """A reader for one new process, which finds its session logs by the `environment` that it was started with."""
        return ClaudeReader(environment)


def with_commands(
    home: PrivateHome | None, request: LaunchRequest, environment: Mapping[str, str]
) -> PrivateHome | None:
    """The home with the files that the request brings along, else with the user's own command that it begins with."""
    if home is None:
        return None
    config = config_folder(environment)
    own = None if request.files or config is None else read_command(config, request.prompt)
    return replace(home, written={**home.written, **request.files, **(dict([own]) if own else {})})


def telemetry_beside(environment: Mapping[str, str], *, is_needed: bool) -> Mapping[str, str]:
    """What makes it tell its calls to us; nothing where the user's own telemetry takes it, which goes before ours.

    Raises:
        SetupError: nothing, though it `is_needed`.
    """
    if not any(name.startswith("OTEL_") for name in environment):
        return TELEMETRY
    if is_needed:
        raise SetupError(
            "what compacting a conversation uses is told by telemetry alone, and your OTEL_… variables send that"
            " elsewhere",
            hint="unset them for this run, or take compact_history out of the list",
        )
    return {}


def _hooks(mailbox: Path) -> str:
    return json.dumps({"hooks": hook_table(mailbox, TOOL_EVENTS, HOOK_SECONDS)})
