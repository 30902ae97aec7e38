"""One agent process as its supervisor sees it: started without a shell, heard through a pipe, ended for good."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from bursar.processes import become_subreaper, die_with_parent, kill_descendants, sandboxed_processes
from bursar.supervision.limits import limit_files
from bursar.supervision.spec import MARK, STDERR_FILE, AttemptSpec, StopRung


class AgentProcess:
    """The agent of one attempt. When the calling process dies, by whatever means, the kernel kills the agent."""

    def __init__(self, spec: AttemptSpec, more: Mapping[str, str] = MappingProxyType({})) -> None:
        """Starts it, with `more` in its environment than the spec knew of.

        Raises:
            OSError: the program could not be executed; nothing has run.
        """
        become_subreaper()
        self._is_sandboxed = spec.is_sandboxed
        supervisor = os.getpid()
        stdin = subprocess.DEVNULL if spec.stdin is None else _memory_file(spec.stdin)
        with open(Path(spec.directory) / STDERR_FILE, "ab") as errors:
            self._process = subprocess.Popen(
                spec.argv,
                cwd=spec.worktree,
                env={**spec.environment, **more, MARK: spec.key},
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                preexec_fn=lambda: _prepare(spec, supervisor),  # one thread, right after the fork: safe here
            )
        if stdin >= 0:
            os.close(stdin)
        assert self._process.stdout is not None
        self.output = self._process.stdout.fileno()
        os.set_blocking(self.output, False)
        _resize(self.output, spec.pipe_bytes)
        self.pidfd = os.pidfd_open(self._process.pid)
        self.exit_code: int | None = None
        self.is_paused = False

    def send(self, rung: StopRung) -> None:
        """Sends one rung's signal; an agent that is gone already is no error."""
        if self._is_sandboxed and self._send_inside(rung):
            return
        self._signal(signal.Signals(rung.signal), to_group=rung.to_group)

    def _send_inside(self, rung: StopRung) -> bool:
        """The signal is for the agent: the sandbox around it would end at once, and all in it with no word said."""
        inside = sandboxed_processes(self._process.pid) if self.exit_code is None else []
        for pid in inside if rung.to_group else inside[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, rung.signal)
        return bool(inside)

    def pause(self) -> None:
        """The agent's group stands still until `resume`: it cannot begin another call while the books are written."""
        if not self.is_paused:
            self.is_paused = True
            self._signal(signal.SIGSTOP, to_group=True)

    def resume(self) -> None:
        """The group goes on; signals that came meanwhile reach it first."""
        if self.is_paused:
            self.is_paused = False
            self._signal(signal.SIGCONT, to_group=True)

    def _signal(self, number: signal.Signals, *, to_group: bool) -> None:
        if self.exit_code is not None:
            return  # reaped: its number may be somebody else's by now
        try:
            if to_group:
                os.killpg(self._process.pid, number)
            else:
                os.kill(self._process.pid, number)
        except ProcessLookupError:
            pass

    def reap(self) -> None:
        """The agent has ended (its pidfd says so): its exit code is known from now on."""
        self.exit_code = self._process.wait()

    def clear(self) -> bool:
        """Nothing that the agent started runs any more, whatever session it hid in; False if something resisted."""
        if self.exit_code is None:
            self._process.kill()
            self.reap()
        return kill_descendants()

    def close(self) -> None:
        """Lets go of the pipe and the pidfd."""
        os.close(self.pidfd)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _prepare(spec: AttemptSpec, supervisor: int) -> None:
    die_with_parent(supervisor)
    limit_files(spec.limits)


def _memory_file(content: bytes) -> int:
    """An open file with this content and no name: unlike a pipe it never blocks, however large the prompt."""
    file = os.memfd_create("prompt", 0)
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _resize(pipe: int, size: int) -> None:
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
    except OSError:
        pass  # the system's limit is lower: only slower; or it has printed more than that already
