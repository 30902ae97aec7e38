"""Any program that prints the same events as Claude Code, or others that the user has mapped, started by a template."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from bursar.agents.claude.adapter import STOP_LADDER, TIERS
from bursar.agents.claude.environment import build_environment, output_cap_of
from bursar.agents.claude.reader import ClaudeReader
from bursar.agents.command.mapping import EventMapping
from bursar.agents.command.reader import MappedReader
from bursar.agents.condition import Certainty, Condition
from bursar.agents.environment import EVENTS
from bursar.agents.home import PrivateHome
from bursar.agents.mailbox import MAILBOX
from bursar.agents.port import NARROW_PIPE_BYTES, Launch, LaunchRequest, StopStep, StreamReader
from bursar.agents.programs import find_program
from bursar.errors import UserError

_PLACEHOLDER = re.compile(r"\{(mailbox|model|prompt|session_id|worktree)\}")
_MAILBOX = "{mailbox}"


class CommandAgent:
    """A program of the user's own.

    `argv` is a template: `{mailbox}`, `{model}`, `{prompt}`, `{session_id}` and `{worktree}` are filled in within each
    argument, once, and never by a shell. Where no argument asks for `{prompt}` it goes to stdin. Where one asks for
    `{mailbox}` it is told there when to wrap up. Other braces stay as they are.
    `passed` names variables of the user's that it gets beside those of Claude Code; `events` say where in its lines is
    what, if they are not Claude Code's. Its home is the user's: nobody
    knows what its login is.

    Raises:
        UserError: `argv` is empty.
    """

    def __init__(
        self,
        argv: Sequence[str],
        models: Mapping[str, str] = MappingProxyType({}),
        *,
        passed: tuple[str, ...] = (),
        events: EventMapping | None = None,
    ) -> None:
        if not argv or not argv[0]:
            raise UserError("agent `command` needs a program", hint='agents.command.argv = ["my-agent", "{prompt}"]')
        self._argv = tuple(argv)
        self._models = {**TIERS, **models}
        self._passed = passed
        self._marks = {} if events is None else {EVENTS: msgspec.json.encode(events).decode()}

    @property
    def name(self) -> str:
        """`command`."""
        return "command"

    @property
    def stop_ladder(self) -> tuple[StopStep, ...]:
        """INT to the process, then TERM to its group."""
        return STOP_LADDER

    def find(self) -> str:
        """The program's absolute path.

        Raises:
            SetupError: it is not installed.
        """
        return find_program(self._argv[0], hint="check `agents.command.argv`: its first item is the program")

    def examine(self, environment: Mapping[str, str]) -> Condition:
        """Nothing is known of how it is let in: that is not looked for."""
        return Condition(
            login="a login is not looked for", certainty=Certainty.BOUNDED, tried_version=None, package=None
        )

    def model_for(self, model_or_tier: str) -> str:
        """The name to hand to the program; what is no tier passes through."""
        return self._models.get(model_or_tier, model_or_tier)

    def launch(self, request: LaunchRequest, environment: Mapping[str, str]) -> Launch:
        """How to start an attempt.

        Raises:
            SetupError: the program is not installed.
        """
        home = self._home_of(request)
        mailbox = None if home is None or not request.listens else home.folder / MAILBOX
        values = {
            "mailbox": "" if mailbox is None else str(mailbox),
            "model": request.model,
            "prompt": request.prompt,
            "session_id": request.session_id,
            "worktree": str(request.worktree),
        }
        arguments = (_PLACEHOLDER.sub(lambda found: values[found[1]], argument) for argument in self._argv[1:])
        takes_prompt = any("{prompt}" in argument for argument in self._argv[1:])
        kept = build_environment(environment, self._passed)
        return Launch(
            argv=(self.find(), *arguments),
            environment=kept | self._marks,
            output_cap=output_cap_of(kept),
            pipe_bytes=NARROW_PIPE_BYTES,
            stdin=None if takes_prompt else request.prompt.encode(),
            home=home,
            mailbox=mailbox,
        )

    def _home_of(self, request: LaunchRequest) -> PrivateHome | None:
        """A folder for its mailbox, where it asks for one; it lives in the user's home all the same."""
        if request.home is None or not any(_MAILBOX in argument for argument in self._argv[1:]):
            return None
        return PrivateHome(folder=request.home)

    def has_conversation(
        self, session_id: str, worktree: Path, home: Path | None, environment: Mapping[str, str]
    ) -> bool:
        """Never: nobody knows how it would be told."""
        return False

    def reader(self, environment: Mapping[str, str] = MappingProxyType({})) -> StreamReader:
        """A reader for one new process: of events as the user has mapped them, else of Claude Code's."""
        return open_command_reader(self._marks)


def open_command_reader(environment: Mapping[str, str]) -> StreamReader:
    """A reader for one new process with that environment: the mapping of its events is in it, if there is one."""
    text = environment.get(EVENTS)
    return ClaudeReader() if text is None else MappedReader(msgspec.json.decode(text, type=EventMapping))
