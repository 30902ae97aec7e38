"""How Gemini CLI is found, started and stopped."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from bursar.agents.cli_agent import CliAgent
from bursar.agents.condition import Condition
from bursar.agents.gemini.condition import PACKAGE, examine_gemini
from bursar.agents.gemini.reader import GeminiReader
from bursar.agents.port import Launch, LaunchRequest, StopStep, StreamReader

TIERS: Mapping[str, str] = MappingProxyType(
    {"small": "gemini-3.5-flash-lite", "medium": "gemini-3.8-flash", "large": "gemini-3.1-pro-preview"}
)
OUTPUT_CAP_TOKENS = 65_536  # the request names no limit, so it is the models'
WITHHELD = Path(__file__).with_name("policy.toml")

SETTINGS: Mapping[str, str] = MappingProxyType(
    {"GEMINI_CLI_NO_RELAUNCH": "true"}  # else it runs as a child of itself, and a signal to the parent is lost
)

STOP_LADDER = (
    StopStep(signal.SIGINT, to_group=True, grace_seconds=2.0),
    StopStep(signal.SIGTERM, to_group=True, grace_seconds=1.5),
)


class GeminiAgent(CliAgent):
    """The `gemini` CLI."""

    NAME = "gemini"
    PACKAGE = PACKAGE
    TIERS = TIERS
    STOP_LADDER = STOP_LADDER

    def examine(self, environment: Mapping[str, str]) -> Condition:
        """How it is let in and what is in its way; it is not started."""
        return examine_gemini(environment)

    def launch(self, request: LaunchRequest, environment: Mapping[str, str]) -> Launch:
        """How to start an attempt. The prompt goes through stdin; `-p` says that nobody is there to be asked.

        Raises:
            SetupError: the program is not installed.
        """
        argv = (
            self.find(),
            *("-p", ""),
            *("--output-format", "stream-json"),
            *("--model", request.model),  # without one it asks a model which one to ask
            *("--session-id", request.session_id),
            *("--approval-mode", "yolo"),  # the others do not offer a shell
            "--skip-trust",
            *(() if self._nested else ("--policy", str(WITHHELD))),
            *self._extra_arguments,
        )
        return Launch(
            argv=argv,
            environment={**environment, **SETTINGS},
            stdin=request.prompt.encode(),
            output_cap=OUTPUT_CAP_TOKENS,
        )

    def reader(self, environment: Mapping[str, str] = MappingProxyType({})) -> StreamReader:
        """A reader for one new process, which finds its log by the `environment` that it was started with."""
        return GeminiReader(environment)
