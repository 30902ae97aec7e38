"""How Claude Code is found, started and stopped."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from bursar.agents.claude.commands import read_command
from bursar.agents.claude.condition import PACKAGE, examine_claude
from bursar.agents.claude.conversations import has_conversation
from bursar.agents.claude.home import CREDENTIALS, config_folder, credentials_folder, furnish_claude
from bursar.agents.claude.reader import ClaudeReader
from bursar.agents.claude.subagents import TYPES
from bursar.agents.claude.telemetry import VARIABLES as TELEMETRY
from bursar.agents.cli_agent import CliAgent, read_output_cap
from bursar.agents.condition import Condition
from bursar.agents.environment import CONTINUES, allowed
from bursar.agents.home import PrivateHome
from bursar.agents.mailbox import hook_table
from bursar.agents.port import NARROW_PIPE_BYTES, Launch, LaunchRequest, StopStep, StreamReader
from bursar.agents.subagents import settings_of
from bursar.errors import SetupError

TIERS: Mapping[str, str] = MappingProxyType({"small": "haiku", "medium": "sonnet", "large": "opus"})
OUTPUT_CAP_TOKENS = 32_000

# Allowed by name, because nobody is there to be asked and as root the CLI refuses to skip its permission checks.
ALLOWED_TOOLS = ("Bash", "Edit", "Glob", "Grep", "MultiEdit", "NotebookEdit", "Read", "TodoWrite", "Write")

# What starts agents, waits in the background, wakes up later or leaves the worktree. `Task` is what the request calls
# `Agent`; names of other versions are harmless here.
NESTED_TOOLS = (
    "Agent",
    "CronCreate",
    "CronDelete",
    "CronList",
    "EnterWorktree",
    "ExitWorktree",
    "ListAgents",
    "Monitor",
    "RemoteTrigger",
    "ScheduleWakeup",
    "SendMessage",
    "Task",
    "TaskOutput",
    "TaskStop",
    "TeamCreate",
    "TeamDelete",
    "Workflow",
)

# Its own variables: addresses, keys, models, limits; and what reaches a cloud that serves it.
PREFIXES = ("ANTHROPIC_", "CLAUDE_CODE_", "VERTEX_REGION_")
VARIABLES = frozenset(
    {
        *("API_TIMEOUT_MS", "MAX_THINKING_TOKENS", "MAX_MCP_OUTPUT_TOKENS", "CLOUD_ML_REGION"),
        *("BASH_DEFAULT_TIMEOUT_MS", "BASH_MAX_TIMEOUT_MS", "BASH_MAX_OUTPUT_LENGTH"),
        *("DISABLE_PROMPT_CACHING", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "CLAUDE_SECURESTORAGE_CONFIG_DIR"),
    }
)
CLOUDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "CLAUDE_CODE_USE_BEDROCK": ("AWS_",),
        "CLAUDE_CODE_USE_VERTEX": ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_", "GCLOUD_PROJECT"),
    }
)
HOME_VARIABLES = frozenset({"CLAUDE_CONFIG_DIR"})

# Marks of a session that we may run inside of: with them the CLI believes that it is nested.
SESSION_MARKS = frozenset({"AI_AGENT", "CLAUDECODE", "CLAUDE_EFFORT", "CLAUDE_PID", "CLAUDE_PROJECT_DIR", CONTINUES})
SESSION_MARK_PREFIXES = (
    "CLAUDE_CODE_AGENT",
    "CLAUDE_CODE_CHILD",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_EXECPATH",
    "CLAUDE_CODE_MESSAGING",
    "CLAUDE_CODE_PARENT",
    "CLAUDE_CODE_REMOTE",
    "CLAUDE_CODE_SESSION",
    "CLAUDE_CODE_SSE_PORT",
    "CLAUDE_CODE_TASK",
)

COMPACT = b"/compact"
TOOL_EVENTS = ("PostToolUse", "PostToolUseFailure")
HOOK_SECONDS = 10
STREAMING = ("--output-format", "stream-json", "--verbose", "--include-partial-messages")

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",  # with them a run may print several results
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",  # side calls that no stream reports
        "DISABLE_AUTOUPDATER": "1",
    }
)

STOP_LADDER = (
    StopStep(signal.SIGINT, to_group=False, grace_seconds=2.0),  # it still prints its result
    StopStep(signal.SIGTERM, to_group=True, grace_seconds=1.5),
)


class ClaudeAgent(CliAgent):
    """The `claude` CLI; `nested` leaves sub-agents, workflows and background work to the model."""

    NAME = "claude"
    PACKAGE = PACKAGE
    TIERS = TIERS
    STOP_LADDER = STOP_LADDER
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
        mailbox = None if "--settings" in self._extra_arguments else self.mailbox_of(request, home)
        continues = request.continues and self.has_conversation(
            request.session_id, request.worktree, private, environment
        )
        kind = settings_of(TYPES, request.subagent, writes_files=request.writes_files)
        mode = (kind.mode or "").removeprefix("--permission-mode ") or "acceptEdits"
        withheld = (*(() if self._nested else NESTED_TOOLS), *kind.withheld)
        allowed_tools = [tool for tool in ALLOWED_TOOLS if tool not in kind.withheld]
        argv = (
            self.find(),
            "-p",
            *(() if "--output-format" in self._extra_arguments else STREAMING),  # it refuses them with another format
            *("--model", request.model),
            "--resume" if continues else "--session-id",
            request.session_id,
            # Settings of the user's alone: no hooks, key helpers, addresses or servers of the repository's.
            *(
                ()
                if self._repository_settings
                else ("--setting-sources", "user", "--strict-mcp-config", "--add-dir", str(request.worktree))
            ),
            *("--permission-mode", request.permission_mode or mode),
            *("--allowedTools", ",".join(allowed_tools if request.allowed_tools is None else request.allowed_tools)),
            # Sub-agents are silent otherwise: their calls would only be known from the closing statement.
            *(("--forward-subagent-text",) if self._nested else ()),
            *(("--disallowedTools", ",".join(withheld)) if withheld else ()),
            *(() if mailbox is None else ("--settings", _hooks(mailbox))),
            *self._extra_arguments,
        )
        kept = with_settings(self.passes(environment, home, cloud_prefixes(environment)))
        if not self._repository_settings:  # CLAUDE.md is no setting, but is left out with them
            kept["CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD"] = "1"
        if home is not None and (own := credentials_folder(environment)) is not None:
            kept["CLAUDE_SECURESTORAGE_CONFIG_DIR"] = str(own)  # it renews tokens there, under its own lock
            home = replace(home, reached=(own / CREDENTIALS,))
        kept |= {CONTINUES: "1"} if continues else {}
        # The user's own telemetry goes before ours.
        telemetry = {} if any(name.startswith("OTEL_") for name in kept) else TELEMETRY
        compacts = request.compacts and continues
        if compacts and not telemetry:
            raise SetupError(
                "what compacting a conversation uses is told by telemetry alone, and your OTEL_… variables send that"
                " elsewhere",
                hint="unset them for this run, or take compact_history out of the list",
            )
        return Launch(
            argv=argv,
            environment=kept,
            stdin=request.prompt.encode(),
            output_cap=output_cap_of(kept),
            home=home,
            pipe_bytes=NARROW_PIPE_BYTES,
            before=(COMPACT,) if compacts else (),
            telemetry=telemetry,
            mailbox=mailbox,
        )

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


def build_environment(environment: Mapping[str, str], passed: tuple[str, ...] = ()) -> dict[str, str]:
    """What passes to a program that is used as the CLI is: the same variables, and `passed`; its home is the user's."""
    names = VARIABLES.union(HOME_VARIABLES, passed)
    return with_settings(allowed(environment, names, (*PREFIXES, *cloud_prefixes(environment))))


def cloud_prefixes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Variables of the cloud that is to serve the models; none where Anthropic does."""
    return tuple(prefix for switch, prefixes in CLOUDS.items() if environment.get(switch) for prefix in prefixes)


def with_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Without the marks of a session around us, and with what keeps the CLI to the task."""
    kept = {name: value for name, value in environment.items() if not _is_session_mark(name)}
    return {"CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(OUTPUT_CAP_TOKENS), **kept, **SETTINGS}


def output_cap_of(environment: Mapping[str, str]) -> int:
    """The most output tokens of one call: the user's own setting goes before ours."""
    return read_output_cap(environment, "CLAUDE_CODE_MAX_OUTPUT_TOKENS", otherwise=OUTPUT_CAP_TOKENS)


def _hooks(mailbox: Path) -> str:
    return json.dumps({"hooks": hook_table(mailbox, TOOL_EVENTS, HOOK_SECONDS)})


def _is_session_mark(name: str) -> bool:
    return name in SESSION_MARKS or name.startswith(SESSION_MARK_PREFIXES)
