"""The agents' port: how a coding agent is found, started, listened to and stopped. One adapter per CLI."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from bursar.agents.condition import Condition
from bursar.agents.home import PrivateHome
from bursar.events import AgentEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """One attempt, as the agent needs to know it.

    Attributes:
        subagent: the task's type: `general-purpose`, `explore`, `plan`, `bash` (see `subagents`).
        writes_files: the task is due to write files, whatever its type.
        home: where the attempt's private home may be; None: there is none, and the agent lives in the user's.
        logins: a folder for logins that are not to be renewed in their place, because they cannot be reached from where
            the agent runs; other attempts have the same. None: they can.
    """

    prompt: str
    worktree: Path
    model: str
    session_id: str
    subagent: str = "general-purpose"
    writes_files: bool = False
    home: Path | None = None
    logins: Path | None = None
    permission_mode: str | None = None  # None: the adapter's own, as with the tools
    allowed_tools: tuple[str, ...] | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)  # what is to lie in its private home, by place
    continues: bool = False  # goes on with the conversation `session_id`, where the agent has one of that id
    compacts: bool = False  # and has it summed up before
    listens: bool = False  # may be told something while it works, where its CLI can be


WIDE_PIPE_BYTES = 1 << 20  # what an agent has printed when it ends fits in: Gemini CLI loses what does not
NARROW_PIPE_BYTES = 4096  # the least there is: about one call's events, so who prints them waits to be heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start the agent: no shell is involved, ever.

    Attributes:
        argv: program (an absolute path) and arguments.
        environment: the whole environment of the process, not additions to ours.
        stdin: bytes to feed; None closes it.
        output_cap: the most output tokens that one call of the agent may have.
        home: the private home that the environment points to, to be furnished before the start; None: the user's own.
        before: what each process before it is told instead, started with the same arguments: it compacts.
        pipe_bytes: how much it may have printed that nobody has heard, where a limit could end it.
        telemetry: variables that make the agent tell its calls to a receiver, whose address goes into `{url}`; empty
            where it has nothing to tell.
        mailbox: the file through which it is told something while it works; None: it cannot be (see `mailbox`).
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes | None = None
    output_cap: int = 32_000
    home: PrivateHome | None = None
    before: tuple[bytes, ...] = ()
    pipe_bytes: int = WIDE_PIPE_BYTES
    telemetry: Mapping[str, str] = field(default_factory=dict)
    mailbox: Path | None = None


@dataclass(frozen=True, slots=True)
class StopStep:
    """One rung of the stop ladder: send `signal` (to the process, or its whole group), then wait `grace_seconds`."""

    signal: signal.Signals
    to_group: bool
    grace_seconds: float


class StreamReader(Protocol):
    """Turns one agent process's output into events, a line at a time; keeps what state the format needs.

    Where a CLI tells its stream less than its own log, the reader follows the log too.
    """

    @property
    def poll_seconds(self) -> float | None:
        """How often `poll` is worth asking; None: never, the stream says everything."""
        ...

    def feed_line(self, line: bytes) -> tuple[AgentEvent, ...]:
        """The events of one line (without its line break). Never raises on hostile input: see `LineRejected`."""
        ...

    def poll(self) -> tuple[AgentEvent, ...]:
        """What the agent has written into its own log since it was last asked. Never raises."""
        ...

    def feed_telemetry(self, body: bytes) -> tuple[AgentEvent, ...]:
        """The events of one message to the receiver that `Launch.telemetry` told the agent of. Never raises."""
        ...

    def finish(self) -> tuple[AgentEvent, ...]:
        """The process has ended and its last line was fed: what else there is to say. Never raises."""
        ...


class Agent(Protocol):
    """One agent CLI with its settings."""

    @property
    def name(self) -> str:
        """`claude`, `command`: what settings and labels call it."""
        ...

    @property
    def stop_ladder(self) -> tuple[StopStep, ...]:
        """How to end it politely, within 4 s altogether; KILL of every descendant always comes after."""
        ...

    def find(self) -> str:
        """The program's absolute path.

        Raises:
            SetupError: it is not installed; the hint says how to get it.
        """
        ...

    def examine(self, environment: Mapping[str, str]) -> Condition:
        """How it is let in and what is in its way, from the user's `environment` and files; it is not started."""
        ...

    def model_for(self, model_or_tier: str) -> str:
        """The name to hand to the CLI for a tier (`small`, `medium`, `large`) or a model as a plan writes it."""
        ...

    def launch(self, request: LaunchRequest, environment: Mapping[str, str]) -> Launch:
        """How to start an attempt; `environment` is the user's own, from which the adapter keeps what it needs.

        Raises:
            SetupError: the program is not installed.
        """
        ...

    def has_conversation(
        self, session_id: str, worktree: Path, home: Path | None, environment: Mapping[str, str]
    ) -> bool:
        """Whether a request that `continues` would find it: begun in that folder and home, and still there.

        Args:
            home: the private home that it was begun in; None: the user's, which `environment` tells.
        """
        ...

    def reader(self, environment: Mapping[str, str] = MappingProxyType({})) -> StreamReader:
        """A reader for one new process; `environment` is what `launch` gave it."""
        ...
