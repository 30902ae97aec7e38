"""Verify commands, one after the other, each in a session of its own with a time limit."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bursar.clock import Clock

_TAIL_BYTES = 4_000
_CANNOT_EXECUTE = 126
_BROKEN_PIPE = 128 + signal.SIGPIPE


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """One command and how it ended; `exit_code` None means it was stopped at its time limit."""

    command: str
    exit_code: int | None
    output_tail: str
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the work passed, and the results so far: the first failure ends the verification."""

    results: tuple[CommandResult, ...] = ()

    @property
    def passed(self) -> bool:
        """Every command ended with exit code 0; true without any command."""
        return all(result.exit_code == 0 for result in self.results)

    @property
    def reason(self) -> str:
        """What failed, in one line; empty when it passed."""
        return self.explain("verify command")

    def explain(self, kind: str) -> str:
        """The same of commands of this kind."""
        failed = next((result for result in self.results if result.exit_code != 0), None)
        if failed is None:
            return ""
        how = "took too long" if failed.exit_code is None else f"exit code {failed.exit_code}"
        return f"{kind} failed ({how}): {failed.command}"


class Verification:
    """The verify commands of one piece of work; `run` in one thread, `stop` from any other."""

    def __init__(
        self,
        commands: Sequence[str],
        worktree: Path,
        *,
        environment: Mapping[str, str],
        limit_seconds: float,
        clock: Clock,
        prefix: Sequence[str] = (),
    ) -> None:
        """`limit_seconds` is wall time for each command; `prefix` stands before each: a sandbox's words."""
        self._commands = commands
        self._worktree = worktree
        self._environment = environment
        self._limit_seconds = limit_seconds
        self._clock = clock
        self._prefix = prefix
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.is_stopped = False

    def run(self) -> Verdict:
        """Runs the commands through the shell until one fails; their process groups are gone afterwards."""
        results: list[CommandResult] = []
        for command in self._commands:
            if self.is_stopped:
                break
            results.append(self._run_one(command))
            if results[-1].exit_code != 0:
                break
        return Verdict(tuple(results))

    def stop(self) -> None:
        """The command that runs now is killed with its group, and none follows: the verdict means nothing any more."""
        with self._turn:
            self.is_stopped = True
            if self._process is not None:
                _kill_group(self._process)

    def _run_one(self, command: str) -> CommandResult:
        started = self._clock.monotonic()
        with tempfile.TemporaryFile() as output:
            try:
                exit_code = self._wait_for(self._start(command, output))
            except OSError as error:  # no worktree any more, or a command longer than the system takes
                output.write(f"the command could not be started: {error.strerror}\n".encode())
                exit_code = _CANNOT_EXECUTE
            return CommandResult(
                command=command,
                exit_code=exit_code,
                output_tail=_tail(output),
                wall_seconds=self._clock.monotonic() - started,
            )

    def _start(self, command: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._turn:
            self._process = subprocess.Popen(
                [*self._prefix, *_shell(command)],
                cwd=self._worktree,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            if self.is_stopped:
                _kill_group(self._process)
        return self._process

    def _wait_for(self, process: subprocess.Popen[bytes]) -> int | None:
        """The exit code; None at the time limit. The group is killed before its leader is reaped."""
        pidfd = os.pidfd_open(process.pid)
        try:
            has_ended = bool(select.select([pidfd], [], [], self._limit_seconds)[0])
        finally:
            os.close(pidfd)
            with self._turn:
                _kill_group(process)
                exit_code = process.wait()
                self._process = None
        return _judged(exit_code) if has_ended else None


def _shell(command: str) -> list[str]:
    """bash where there is one: plans are written for it.

    With pipefail: plans often end a test command with `| tail -5`, and what cannot fail verifies nothing.
    """
    return ["/bin/bash", "-o", "pipefail", "-c", command] if os.path.exists("/bin/bash") else ["/bin/sh", "-c", command]


def _judged(exit_code: int) -> int:
    """Under pipefail `producer | grep -q x` ends with the producer's broken pipe though all went well: a pass."""
    return 0 if exit_code == _BROKEN_PIPE else exit_code


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _TAIL_BYTES))
    return output.read().decode("utf-8", "replace")
