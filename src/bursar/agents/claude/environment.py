"""What passes of the user's environment to Claude Code, and what is set in it to keep the CLI to its task."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bursar.agents.claude.home import LOGIN_VARIABLE
from bursar.agents.cli_agent import read_output_cap
from bursar.agents.environment import CONTINUES, EVENTS, allowed

OUTPUT_CAP_TOKENS = 32_000

# Its own variables: addresses, keys, models, limits; and what reaches a cloud that serves it.
PREFIXES = ("ANTHROPIC_", "CLAUDE_CODE_", "VERTEX_REGION_")
VARIABLES = frozenset(
    {
        *("API_TIMEOUT_MS", "MAX_THINKING_TOKENS", "MAX_MCP_OUTPUT_TOKENS", "CLOUD_ML_REGION"),
        *("BASH_DEFAULT_TIMEOUT_MS", "BASH_MAX_TIMEOUT_MS", "BASH_MAX_OUTPUT_LENGTH"),
        *("DISABLE_PROMPT_CACHING", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", LOGIN_VARIABLE),
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
SESSION_MARKS = frozenset(
    {"AI_AGENT", "CLAUDECODE", "CLAUDE_EFFORT", "CLAUDE_PID", "CLAUDE_PROJECT_DIR", CONTINUES, EVENTS}
)
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

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",  # with them a run may print several results
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",  # side calls that no stream reports
        "DISABLE_AUTOUPDATER": "1",
    }
)


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


def _is_session_mark(name: str) -> bool:
    return name in SESSION_MARKS or name.startswith(SESSION_MARK_PREFIXES)
