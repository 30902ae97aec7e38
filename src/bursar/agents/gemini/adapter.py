"""How Gemini CLI is found, started and stopped."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from bursar.agents.cli_agent import CliAgent
from bursar.agents.condition import Condition
from bursar.agents.environment import CONTINUES
from bursar.agents.gemini.chat_log import find_chat_log, gemini_home
from bursar.agents.gemini.condition import PACKAGE, examine_gemini
from bursar.agents.gemini.home import SETTINGS_FILE, furnish_gemini
from bursar.agents.gemini.reader import GeminiReader
from bursar.agents.gemini.subagents import READ_ONLY, TYPES
from bursar.agents.home import PrivateHome
from bursar.agents.mailbox import hook_table
from bursar.agents.port import Launch, LaunchRequest, StopStep, StreamReader
from bursar.agents.subagents import settings_of

TIERS: Mapping[str, str] = MappingProxyType(
    {"small": "gemini-3.5-flash-lite", "medium": "gemini-3.8-flash", "large": "gemini-3.1-pro-preview"}
)
OUTPUT_CAP_TOKENS = 65_536  # the request names no limit, so it is the models'
WITHHELD = Path(__file__).with_name("policy.toml")

SETTINGS: Mapping[str, str] = MappingProxyType(
    {"GEMINI_CLI_NO_RELAUNCH": "true"}  # else it runs as a child of itself, and a signal to the parent is lost
)

ENV_FILE = ".gemini/.env"
HOOK_MILLISECONDS = 10_000
PREFIXES = ("GEMINI_", "GOOGLE_", "CODE_ASSIST_")
HOME_VARIABLES = frozenset({"GEMINI_CLI_HOME"})

STOP_LADDER = (
    StopStep(signal.SIGINT, to_group=True, grace_seconds=2.0),
    StopStep(signal.SIGTERM, to_group=True, grace_seconds=1.5),
)

_VARIABLE = re.compile(r"^\s*(?:export\s+)?([\w.-]+)\s*[=:]", re.MULTILINE)


class GeminiAgent(CliAgent):
    """The `gemini` CLI."""

    NAME = "gemini"
    PACKAGE = PACKAGE
    TIERS = TIERS
    STOP_LADDER = STOP_LADDER
    OUTPUT_OPTIONS = frozenset({"-o", "--output-format", "--outputFormat"})  # said twice it prints plain text
    PREFIXES = PREFIXES
    HOME_VARIABLES = HOME_VARIABLES

    def examine(self, environment: Mapping[str, str]) -> Condition:
        """How it is let in and what is in its way; it is not started."""
        return examine_gemini(environment, private_home=self._private_home)

    def launch(self, request: LaunchRequest, environment: Mapping[str, str]) -> Launch:
        """How to start an attempt. The prompt goes through stdin; `-p` says that nobody is there to be asked.

        Raises:
            SetupError: the program is not installed.
        """
        home = self.home_of(request, environment)
        mailbox = self.mailbox_of(request, home)
        home = home if home is None or mailbox is None else with_hook(home, mailbox)
        log = self._find_log(request.session_id, home, environment) if request.continues else None
        kind = settings_of(TYPES, request.subagent, writes_files=request.writes_files)
        argv = (
            self.find(),
            *("-p", ""),
            *("--output-format", "stream-json"),
            *("--model", request.model),  # without one it asks a model which one to ask
            *("--session-id" if log is None else "--resume", request.session_id),
            *("--approval-mode", "yolo"),  # the others do not offer a shell
            "--skip-trust",  # it is obeyed after settings were read: by then nobody trusted the folder (see README)
            *(() if self._nested else ("--policy", str(WITHHELD))),
            *(("--policy", str(READ_ONLY)) if kind.withheld else ()),
            *self._extra_arguments,
        )
        return Launch(
            argv=argv,
            environment={
                **self._silenced(request.worktree),
                **self.passes(environment, home),
                **SETTINGS,
                "GEMINI_CLI_TRUST_WORKSPACE": "true" if self._repository_settings else "false",
                **({} if log is None else {CONTINUES: str(log.stat().st_size)}),
            },
            stdin=request.prompt.encode(),
            output_cap=OUTPUT_CAP_TOKENS,
            home=home,
            mailbox=mailbox,
        )

    def _silenced(self, worktree: Path) -> dict[str, str]:
        """The variables that the repository's `.gemini/.env` would set, as empty ones: what is set is left alone."""
        return {} if self._repository_settings else dict.fromkeys(variables_in(worktree / ENV_FILE), "")

    def furnishing(self, folder: Path, environment: Mapping[str, str]) -> PrivateHome:
        """The login, and settings of ours: how it logs in, and nothing to its maker."""
        return furnish_gemini(folder, environment, repository_settings=self._repository_settings)

    def has_conversation(
        self, session_id: str, worktree: Path, home: Path | None, environment: Mapping[str, str]
    ) -> bool:
        """Whether its log of the chat is there; the CLI looks for it among those of the same folder."""
        private = PrivateHome(folder=home) if home is not None and self._private_home else None
        return self._find_log(session_id, private, environment) is not None

    def _find_log(self, session_id: str, home: PrivateHome | None, environment: Mapping[str, str]) -> Path | None:
        own = gemini_home(environment) if home is None else home.folder / ".gemini"
        return find_chat_log(own, session_id)

    def reader(self, environment: Mapping[str, str] = MappingProxyType({})) -> StreamReader:
        """A reader for one new process, which finds its log by the `environment` that it was started with."""
        return GeminiReader(environment)


def with_hook(home: PrivateHome, mailbox: Path) -> PrivateHome:
    """The home, whose settings have the words that are for the agent handed to it after each tool."""
    settings = json.loads(home.written[SETTINGS_FILE])
    settings["hooks"] = hook_table(mailbox, ("AfterTool",), HOOK_MILLISECONDS)
    return replace(home, written={**home.written, SETTINGS_FILE: json.dumps(settings).encode()})


def variables_in(path: Path) -> list[str]:
    """Names that a file of variables sets, and perhaps more; none where it cannot be read."""
    try:
        return _VARIABLE.findall(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []
