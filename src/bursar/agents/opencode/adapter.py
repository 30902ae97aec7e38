"""How OpenCode is found, started and stopped."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from bursar.agents.cli_agent import CliAgent, read_output_cap
from bursar.agents.condition import Condition
from bursar.agents.environment import CONTINUES
from bursar.agents.home import PrivateHome
from bursar.agents.opencode.condition import PACKAGE, examine_opencode
from bursar.agents.opencode.nested_sessions import DATABASE
from bursar.agents.opencode.places import data_folder, login_file
from bursar.agents.opencode.reader import OpencodeReader
from bursar.agents.opencode.subagents import TYPES
from bursar.agents.port import Launch, LaunchRequest, StopStep, StreamReader
from bursar.agents.subagents import settings_of

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
CONFIG_VARIABLE = "OPENCODE_CONFIG_CONTENT"
INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md", "CONTEXT.md")  # the first that is there, as the CLI does it
NESTED_TOOLS = ("task",)
PLUGIN = Path(__file__).with_name("mailbox.js")

# Without these it waits, where it has any plugin, until types for authors of plugins were fetched from npm's registry.
_TYPES = {"packages": {"": {"dependencies": {"@opencode-ai/plugin": "*"}}}}
UNINSTALLED: Mapping[str, bytes] = MappingProxyType(
    {
        ".config/opencode/package-lock.json": json.dumps(_TYPES).encode(),
        ".config/opencode/node_modules/.none": b"",
    }
)

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",  # the list of models that it brings along is enough
        "OPENCODE_DISABLE_SHARE": "1",
    }
)

WITHOUT_REPOSITORY = ("OPENCODE_DISABLE_PROJECT_CONFIG", "OPENCODE_DISABLE_EXTERNAL_SKILLS")

PREFIXES = ("OPENCODE_",)
HOME_VARIABLES = frozenset({"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"})
PROVIDER_PREFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "google": ("GOOGLE_", "GEMINI_"),
        "google-vertex": ("GOOGLE_",),
        "amazon-bedrock": ("AWS_",),
        "github-copilot": ("GITHUB_TOKEN",),
    }
)
LOGIN = ".local/share/opencode/auth.json"
LOGS = tuple(f".local/share/opencode/opencode.db{end}" for end in ("", "-wal", "-shm"))

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
    OUTPUT_OPTIONS = frozenset({"--format"})
    READABLE_OUTPUTS = frozenset({"json"})
    PREFIXES = PREFIXES
    HOME_VARIABLES = HOME_VARIABLES

    def examine(self, environment: Mapping[str, str]) -> Condition:
        """How it is let in and what is in its way; it is not started."""
        return examine_opencode(environment, {model: prefixes_of(model) for model in self._models.values()})

    def launch(self, request: LaunchRequest, environment: Mapping[str, str]) -> Launch:
        """How to start an attempt. The prompt goes through stdin; the CLI chooses the session's id itself.

        Raises:
            SetupError: the program is not installed.
        """
        home = self.home_of(request, environment)
        mailbox = self.mailbox_of(request, home)
        continues = request.continues and self.has_conversation(
            request.session_id, request.worktree, None if home is None else home.folder, environment
        )
        argv = (
            self.find(),
            *("run", "--format", "json"),
            *("--model", request.model),
            # Without a title it asks a model for one, in a call that no line tells of.
            *(("--session", request.session_id) if continues else ("--title", "bursar")),
            "--auto",  # nobody is there to be asked, and what is asked would be refused
            *self._extra_arguments,
        )
        kept = with_settings(
            self.passes(environment, home, prefixes_of(request.model)),
            request.worktree,
            nested=self._nested,
            repository_settings=self._repository_settings,
        )
        kept |= {CONTINUES: "1"} if continues else {}
        if home is not None and mailbox is not None:
            home, kept = with_plugin(home, mailbox, kept)
        kind = settings_of(TYPES, request.subagent, writes_files=request.writes_files)
        if kind.withheld:
            kept[PERMISSIONS_VARIABLE] = json.dumps(_permissions(kept) | dict.fromkeys(kind.withheld, "deny"))
        return Launch(
            argv=argv,
            environment=kept,
            stdin=request.prompt.encode(),
            output_cap=output_cap_of(kept),
            home=home,
            mailbox=mailbox,
        )

    def furnishing(self, folder: Path, environment: Mapping[str, str]) -> PrivateHome:
        """The logins of all its providers are one file."""
        own = login_file(environment)
        return PrivateHome(folder=folder, logs=LOGS, shared={} if own is None else {LOGIN: own})

    def has_conversation(
        self, session_id: str, worktree: Path, home: Path | None, environment: Mapping[str, str]
    ) -> bool:
        """Whether its database is there; what is in it is not looked at."""
        if not session_id.startswith("ses_"):
            return False  # not its own: nobody has heard of one
        own = {"HOME": str(home)} if home is not None and self._private_home else environment
        folder = data_folder(own)
        return folder is not None and (folder / DATABASE).is_file()

    def reader(self, environment: Mapping[str, str] = MappingProxyType({})) -> StreamReader:
        """A reader for one new process, which finds its log by the `environment` that it was started with."""
        return OpencodeReader(environment)


def prefixes_of(model: str) -> tuple[str, ...]:
    """With what the variables of the model's provider begin: `anthropic/x` needs `ANTHROPIC_…`."""
    provider = model.partition("/")[0]
    return PROVIDER_PREFIXES.get(provider, (f"{provider.upper().replace('-', '_')}_",))


def with_settings(
    environment: Mapping[str, str], worktree: Path, *, nested: bool, repository_settings: bool
) -> dict[str, str]:
    """With what keeps the CLI to the task: without sub-agents unless `nested`, without the repository's settings."""
    kept = {**environment, **SETTINGS}
    if not repository_settings:
        kept |= dict.fromkeys(WITHOUT_REPOSITORY, "1") | {CONFIG_VARIABLE: _with_instructions(environment, worktree)}
    if not nested:
        kept[PERMISSIONS_VARIABLE] = json.dumps(_permissions(environment) | dict.fromkeys(NESTED_TOOLS, "deny"))
    return kept


def with_plugin(home: PrivateHome, mailbox: Path, environment: Mapping[str, str]) -> tuple[PrivateHome, dict[str, str]]:
    """The home with the plugin that hands over what is in the mailbox, and the environment that makes the CLI load it.

    It has no hooks that are commands.
    """
    text = PLUGIN.read_text(encoding="utf-8").replace("MAILBOX_PATH", json.dumps(str(mailbox)))
    own = _table(environment, CONFIG_VARIABLE)
    listed = own.get("plugin")
    plugins = [*(listed if isinstance(listed, list) else ()), (home.folder / PLUGIN.name).as_uri()]
    config = json.dumps({**own, "plugin": plugins})
    return (
        replace(home, written={**home.written, **UNINSTALLED, PLUGIN.name: text.encode()}),
        {**environment, CONFIG_VARIABLE: config},
    )


def output_cap_of(environment: Mapping[str, str]) -> int:
    """The most output tokens of one call: the user may have set another than the CLI's own."""
    return read_output_cap(environment, OUTPUT_CAP_VARIABLE, otherwise=OUTPUT_CAP_TOKENS)


def _with_instructions(environment: Mapping[str, str], worktree: Path) -> str:
    """The user's own configuration, and the repository's instructions, which the CLI leaves out with its settings."""
    own = _table(environment, CONFIG_VARIABLE)
    files = [str(worktree / name) for name in INSTRUCTIONS if (worktree / name).is_file()]
    listed = own.get("instructions")
    return json.dumps({**own, "instructions": [*(listed if isinstance(listed, list) else ()), *files[:1]]})


def _permissions(environment: Mapping[str, str]) -> dict[str, object]:
    """What the user has set; nothing where it is no table."""
    return _table(environment, PERMISSIONS_VARIABLE)


def _table(environment: Mapping[str, str], variable: str) -> dict[str, object]:
    try:
        given = json.loads(environment.get(variable, "{}"))
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}
