"""How OpenCode is found, started and stopped."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from types import MappingProxyType

from bursar.agents.cli_agent import CliAgent, read_output_cap
from bursar.agents.condition import Condition
from bursar.agents.opencode.condition import PACKAGE, examine_opencode
from bursar.agents.opencode.reader import OpencodeReader
from bursar.agents.port import Launch, LaunchRequest, StopStep, StreamReader

TIERS: Mapping[str, str] = MappingProxyType(
    {
        "small": "anthropic/claude-haiku-4-5",
        "medium": "anthropic/claude-sonnet-4-6",
        "large": "anthropic/claude-opus-4-8",
    }
)
OUTPUT_CAP_TOKENS = 32_000
OUTPUT_CAP_VARIABLE = "OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX"
PERMISSIONS_VARIABLE = "OPENCODE_PERMISSION"
NESTED_TOOLS = ("task",)

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",  # the list of models that it brings along is enough
        "OPENCODE_DISABLE_SHARE": "1",
    }
)

STOP_LADDER = (
    StopStep(signal.SIGINT, to_group=True, grace_seconds=2.0),
    StopStep(signal.SIGTERM, to_group=True, grace_seconds=1.5),
)


class OpencodeAgent(CliAgent):
    """The `opencode` CLI; models are `PROVIDER/MODEL`."""

    NAME = "opencode"
    PACKAGE = PACKAGE
    TIERS = TIERS
    STOP_LADDER = STOP_LADDER

    def examine(self, environment: Mapping[str, str]) -> Condition:
        """How it is let in and what is in its way; it is not started."""
        return examine_opencode(environment, nested=self._nested)

    def launch(self, request: LaunchRequest, environment: Mapping[str, str]) -> Launch:
        """How to start an attempt. The prompt goes through stdin; the CLI chooses the session's id itself.

        Raises:
            SetupError: the program is not installed.
        """
        argv = (
            self.find(),
            *("run", "--format", "json"),
            *("--model", request.model),
            *("--title", "bursar"),  # without one it asks a model for it, in a call that no line tells of
            "--auto",  # nobody is there to be asked, and what is asked would be refused
            *self._extra_arguments,
        )
        kept = build_environment(environment, nested=self._nested)
        return Launch(argv=argv, environment=kept, stdin=request.prompt.encode(), output_cap=output_cap_of(kept))

    def reader(self, environment: Mapping[str, str] = MappingProxyType({})) -> StreamReader:
        """A reader for one new process."""
        return OpencodeReader()


def build_environment(environment: Mapping[str, str], *, nested: bool) -> dict[str, str]:
    """The user's environment, and what keeps the CLI to the task; sub-agents are denied unless `nested`."""
    kept = {**environment, **SETTINGS}
    if not nested:
        kept[PERMISSIONS_VARIABLE] = json.dumps(_permissions(environment) | dict.fromkeys(NESTED_TOOLS, "deny"))
    return kept


def output_cap_of(environment: Mapping[str, str]) -> int:
    """The most output tokens of one call: the user may have set another than the CLI's own."""
    return read_output_cap(environment, OUTPUT_CAP_VARIABLE, otherwise=OUTPUT_CAP_TOKENS)


def _permissions(environment: Mapping[str, str]) -> dict[str, object]:
    """What the user has set; nothing where it is no table."""
    try:
        given = json.loads(environment.get(PERMISSIONS_VARIABLE, "{}"))
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}
