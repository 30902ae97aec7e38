"""The real CLIs as the conformance suite runs them: installed, pointed at the fake model server, and their traits."""

from __future__ import annotations

import functools
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from bursar.agents import Agent, ClaudeAgent, CodexAgent, GeminiAgent, LaunchRequest, OpencodeAgent
from bursar.testing.agent_install import PINNED, install_agent
from bursar.testing.agent_runs import AgentRun, start_agent
from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step, ToolCall
from tests.conformance.recording import record

CACHES = Path(__file__).parents[2] / ".cache"
MARKER = "# Task 1:"
PROMPT = "# Task 1: Write a file\n\nWrite hello.txt.\n"
SESSION_ID = "3f1c2a64-5b0e-4a0e-9d55-0c8d7a1f2b11"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One CLI: how it is set up, and in what it differs from the others.

    Attributes:
        address: the environment that points it at a server.
        medium: part of the name of the model that the tier `medium` stands for.
        refusal: the HTTP status that ends it at once.
        repeats: statuses that it answers by trying again.
        goes_on_after_a_cut: a reply that was cut off is asked for again, and the run succeeds.
        sub_agent: what makes it start a sub-agent that gets the default reply, and wait for it.
        splits_writes: it says how long what it wrote to the cache lives; else that is taken for five minutes.
        asks: hosts beyond loopback that it asks for something, whatever it is told.
        waits_for_its_pipe: it does not end before all that it printed was read.
        is_live_in_a_tool: it tells what a call used before the tools that the call asked for have answered.
        term_code, int_code: how it exits when told to end in the middle of a reply.
    """

    make: Callable[..., Agent]
    address: Callable[[str], Mapping[str, str]]
    medium: str
    refusal: int
    repeats: frozenset[int]
    goes_on_after_a_cut: bool
    term_code: int
    int_code: int
    sub_agent: tuple[ToolCall, ...]
    splits_writes: bool = True
    asks: frozenset[str] = frozenset()
    waits_for_its_pipe: bool = True
    is_live_in_a_tool: bool = True


REGISTRY = "npm's registry"
NO_SLASH_TMP = ("-c", "sandbox_workspace_write.exclude_slash_tmp=true")
"""A Codex that is killed leaves an empty `.git` in every folder of its sandbox: not in the one that all tests share."""
KINDS: Mapping[str, Kind] = {
    "claude": Kind(
        make=ClaudeAgent,
        address=lambda url: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "dummy"},
        medium="sonnet",
        refusal=402,
        repeats=frozenset({429, 500, 529}),
        goes_on_after_a_cut=True,
        term_code=143,
        int_code=0,
        sub_agent=(
            ToolCall("Agent", {"description": "look", "prompt": "Say hello.", "subagent_type": "general-purpose"}),
        ),
    ),
    "codex": Kind(
        make=functools.partial(CodexAgent, extra_arguments=NO_SLASH_TMP),
        address=lambda url: {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "dummy"},
        medium="gpt-6.1-terra",
        refusal=400,
        repeats=frozenset({500, 529}),
        goes_on_after_a_cut=True,
        term_code=-15,
        int_code=1,
        sub_agent=(
            ToolCall("collaboration.spawn_agent", {"task_name": "look", "message": "Say hello.", "fork_turns": "none"}),
            ToolCall("collaboration.wait_agent", {"timeout_ms": 10_000}),
        ),
    ),
    "gemini": Kind(
        make=GeminiAgent,
        address=lambda url: {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "dummy"},
        medium="gemini-3.8-flash",
        refusal=402,
        repeats=frozenset({429, 500, 529}),
        goes_on_after_a_cut=False,
        term_code=0,
        int_code=0,
        sub_agent=(ToolCall("invoke_agent", {"agent_name": "generalist", "prompt": "Say hello."}),),
        waits_for_its_pipe=False,
    ),
    "opencode": Kind(
        make=OpencodeAgent,
        address=lambda url: {"ANTHROPIC_BASE_URL": f"{url}/v1", "ANTHROPIC_API_KEY": "dummy"},
        medium="sonnet",
        refusal=402,
        repeats=frozenset({429, 500, 529}),
        goes_on_after_a_cut=True,
        term_code=-15,
        int_code=-2,
        sub_agent=(ToolCall("task", {"description": "look", "prompt": "Say hello.", "subagent_type": "general"}),),
        splits_writes=False,
        asks=frozenset({REGISTRY}),
        waits_for_its_pipe=False,
        is_live_in_a_tool=False,
    ),
}


class ProxyTrap:
    """A proxy that lets nothing through and remembers who asked: what an agent would send beyond loopback."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def hosts(self) -> frozenset[str]:
        """Whom they asked for, but a package registry by what it is."""
        hosts = {line.split()[1] for line in self.asked}
        return frozenset(REGISTRY if host.startswith("registry.npm") else host for host in hosts)

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes programs use it for everything but loopback."""
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        own = {name: url for each in names for name in (each, each.lower())}
        return own | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}

    def close(self) -> None:
        """It listens no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self.asked.append(connection.recv(1000).partition(b"\r\n")[0].decode(errors="replace"))
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                except OSError:
                    self.asked.append("something that hung up")


@dataclass
class RealBench:
    """A worktree, a home and one CLI; `run` runs it against a server with these steps."""

    name: str
    program: str
    folder: Path
    case: str
    server: ModelServer
    trap: ProxyTrap

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    @property
    def worktree(self) -> Path:
        return self.folder / "worktree"

    @property
    def home(self) -> Path:
        """The user's."""
        return self.folder / "home"

    @property
    def private_home(self) -> Path:
        return self.folder / "private"

    def prepare(self) -> None:
        """The folders are there."""
        for folder in (self.worktree, self.home, self.folder / "tmp"):
            folder.mkdir()

    def start(
        self,
        *steps: Step,
        tier: str = "small",
        prompt: str = PROMPT,
        environment: Mapping[str, str] = MappingProxyType({}),
        listens: bool = False,
        **options: Any,
    ) -> AgentRun:
        """`environment` is added to the user's, `options` are those of the agent's settings."""
        self.server.script = Script.of({MARKER: steps})
        agent = self.kind.make(self.program, **options)
        request = LaunchRequest(
            prompt=prompt,
            worktree=self.worktree,
            model=agent.model_for(tier),
            session_id=SESSION_ID,
            home=self.private_home,
            listens=listens,
        )
        own = {"PATH": os.environ["PATH"], "HOME": str(self.home), "TMPDIR": str(self.folder / "tmp")}
        own |= {**self.kind.address(self.server.url), **self.trap.environment, **environment}
        return start_agent(agent, request, own)

    def run(self, *steps: Step, **rest: Any) -> AgentRun:
        return self.listen(self.start(*steps, **rest))

    def listen(self, run: AgentRun) -> AgentRun:
        """It has ended; its stream and log are kept as fixtures if that was asked for."""
        run.listen()
        if target := os.environ.get("BURSAR_RECORD_STREAMS"):
            record(self.name, self.folder, self.program, run, Path(target), self.case, self.server.calls)
        return run


@functools.cache
def _find(name: str) -> Path | str:
    return install_agent(name, CACHES)


def installed(name: str) -> str:
    """The pinned CLI's path; skips with the reason where it cannot be had."""
    program = _find(name)
    if isinstance(program, str):
        print(f"real {name} skipped: {program}", file=sys.stderr)
        pytest.skip(f"no real {PINNED[name].package}: {program}")
    return str(program)


def settings_for(name: str) -> str:
    """A `bursar.toml` that names the pinned CLI."""
    arguments = f"arguments = {json.dumps(NO_SLASH_TMP)}\n" if name == "codex" else ""
    return f'[run]\nagent = "{name}"\n\n[agents.{name}]\nprogram = {json.dumps(installed(name))}\n{arguments}'
